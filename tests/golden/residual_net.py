"""Loss, gradient norms and running statistics after one step of a small residual net with batch norm, in float64.

    python3 residual_net.py > residual-net.json

The k-th trained tensor holds the numbers hashed(k, j), weights centred and scaled by He's rule.
"""
import json
import math

import torch
import torch.nn.functional as F
from torch import nn

ROWS = 5


def hashed(k, n):
    j = torch.arange(n, dtype=torch.float64)
    v = torch.sin((j + 1) * 12.9898 + (k + 1) * 78.233) * 43758.5453
    return v - torch.floor(v)


class Block(nn.Module):
    def __init__(self, before, width, stride):
        super().__init__()
        self.conv1 = nn.Conv2d(before, width, 3, stride, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(width)
        self.conv2 = nn.Conv2d(width, width, 3, 1, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(width)
        self.stride, self.missing = stride, width - before

    def forward(self, x):
        y = self.bn2(self.conv2(F.relu(self.bn1(self.conv1(x)))))
        shortcut = F.pad(x[:, :, :: self.stride, :: self.stride], (0, 0, 0, 0, 0, self.missing))
        return F.relu(shortcut + y)


net = nn.Sequential(
    nn.Conv2d(3, 4, 3, 1, 1, bias=False), nn.BatchNorm2d(4), nn.ReLU(),
    Block(4, 4, 1), Block(4, 6, 2), Block(6, 8, 2),
    nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(8, 10),
).double()
for k, parameter in enumerate(net.parameters()):
    values = hashed(k, parameter.numel()).view(parameter.shape)
    if parameter.dim() > 1:
        values = (values - 0.5) * 2 * math.sqrt(6 / parameter[0].numel())
    parameter.data = values

image = ((hashed(1000, ROWS * 3 * 64) - 0.5) * 2).view(ROWS, 3, 8, 8)
loss = F.cross_entropy(net(image), torch.arange(ROWS) % 10)
loss.backward()
net.eval()
print(json.dumps({
    "loss": loss.item(),
    "gradients": [parameter.grad.norm().item() for parameter in net.parameters()],
    "statistics": [buffer.tolist() for buffer in net.buffers() if buffer.dim() == 1],
    "evaluated": net(image)[0].tolist(),
}, indent=1))

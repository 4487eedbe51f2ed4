"""The full-size networks of the benchmarks in PyTorch, in the architectures of src/nn/models. torch 2.13.0."""

from torch import nn
from torch.nn import functional as F


def conv_norm(before, after, kernel, stride=1, groups=1, activation=nn.ReLU):
    conv = nn.Conv2d(before, after, kernel, stride, kernel // 2, groups=groups, bias=False)
    return nn.Sequential(conv, nn.BatchNorm2d(after), *([activation(inplace=True)] if activation else []))


def alexnet(classes=1000):
    relu, pool = lambda: nn.ReLU(True), lambda: nn.MaxPool2d(3, 2)
    return nn.Sequential(
        nn.Conv2d(3, 64, 11, 4, 2), relu(), pool(),
        nn.Conv2d(64, 192, 5, 1, 2), relu(), pool(),
        nn.Conv2d(192, 384, 3, 1, 1), relu(),
        nn.Conv2d(384, 256, 3, 1, 1), relu(),
        nn.Conv2d(256, 256, 3, 1, 1), relu(), pool(),
        nn.Flatten(), nn.Dropout(), nn.Linear(9216, 4096), relu(),
        nn.Dropout(), nn.Linear(4096, 4096), relu(), nn.Linear(4096, classes),
    )  # fmt: skip


def vgg16(classes=1000):
    layers, before = [], 3
    for after in (64, 64, "M", 128, 128, "M", 256, 256, 256, "M", 512, 512, 512, "M", 512, 512, 512, "M"):
        layers += [nn.MaxPool2d(2)] if after == "M" else [nn.Conv2d(before, after, 3, 1, 1), nn.ReLU(True)]
        before = before if after == "M" else after
    return nn.Sequential(
        *layers, nn.Flatten(), nn.Linear(512 * 7 * 7, 4096), nn.ReLU(True), nn.Dropout(),
        nn.Linear(4096, 4096), nn.ReLU(True), nn.Dropout(), nn.Linear(4096, classes),
    )  # fmt: skip


class Residual(nn.Module):
    """Two 3 × 3 convolutions, or a bottleneck; the shortcut is a projection where the shape changes."""

    def __init__(self, before, width, stride, bottleneck):
        super().__init__()
        after = 4 * width if bottleneck else width
        layers = [conv_norm(before, width, 1), conv_norm(width, width, 3, stride)] if bottleneck else [conv_norm(before, width, 3, stride)]
        self.body = nn.Sequential(*layers, conv_norm(width, after, 1 if bottleneck else 3, activation=None))
        self.shortcut = nn.Identity() if stride == 1 and before == after else conv_norm(before, after, 1, stride, activation=None)

    def forward(self, x):
        return F.relu(self.body(x) + self.shortcut(x), True)


def resnet(blocks, bottleneck, classes=1000):
    layers, before = [conv_norm(3, 64, 7, 2), nn.MaxPool2d(3, 2, 1)], 64
    for stage, count in enumerate(blocks):
        width = 64 * 2**stage
        for k in range(count):
            layers.append(Residual(before, width, 2 if k == 0 and stage > 0 else 1, bottleneck))
            before = 4 * width if bottleneck else width
    return nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(before, classes))


class Inverted(nn.Module):
    def __init__(self, before, after, stride, expansion):
        super().__init__()
        hidden = before * expansion
        wider = [conv_norm(before, hidden, 1, activation=nn.ReLU6)] if expansion > 1 else []
        depthwise = conv_norm(hidden, hidden, 3, stride, hidden, nn.ReLU6)
        self.body = nn.Sequential(*wider, depthwise, conv_norm(hidden, after, 1, activation=None))
        self.is_residual = stride == 1 and before == after

    def forward(self, x):
        return x + self.body(x) if self.is_residual else self.body(x)


def mobilenet_v2(classes=1000):
    layers, before = [conv_norm(3, 32, 3, 2, activation=nn.ReLU6)], 32
    stages = ((1, 16, 1, 1), (6, 24, 2, 2), (6, 32, 3, 2), (6, 64, 4, 2), (6, 96, 3, 1), (6, 160, 3, 2), (6, 320, 1, 1))
    for expansion, after, count, stride in stages:
        for k in range(count):
            layers.append(Inverted(before, after, stride if k == 0 else 1, expansion))
            before = after
    layers.append(conv_norm(before, 1280, 1, activation=nn.ReLU6))
    return nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Dropout(0.2), nn.Linear(1280, classes))


class Wide(nn.Module):
    """Batch norm and ReLU before each convolution."""

    def __init__(self, before, after, stride):
        super().__init__()
        self.norm1, self.conv1 = nn.BatchNorm2d(before), nn.Conv2d(before, after, 3, stride, 1, bias=False)
        self.norm2, self.conv2 = nn.BatchNorm2d(after), nn.Conv2d(after, after, 3, 1, 1, bias=False)
        self.shortcut = None if before == after else nn.Conv2d(before, after, 1, stride, bias=False)

    def forward(self, x):
        activated = F.relu(self.norm1(x), True)
        y = self.conv2(F.relu(self.norm2(self.conv1(activated)), True))
        return y + (x if self.shortcut is None else self.shortcut(activated))


def wide_resnet(depth=28, widening=10, classes=10):
    layers, before = [nn.Conv2d(3, 16, 3, 1, 1, bias=False)], 16
    for stage, width in enumerate((16, 32, 64)):
        for k in range((depth - 4) // 6):
            layers.append(Wide(before, width * widening, 2 if k == 0 and stage > 0 else 1))
            before = width * widening
    layers += [nn.BatchNorm2d(before), nn.ReLU(True), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(before, classes)]
    return nn.Sequential(*layers)

"""The networks of the benchmarks in PyTorch, in the architectures and sizes of src/nn/models. torch 2.13.0."""

import torch
from torch import nn
from torch.nn import functional as F


def perceptron(*sizes):
    layers = []
    for features, units in zip(sizes, sizes[1:]):
        layers += [nn.Linear(features, units), nn.ReLU()]
    return nn.Sequential(*layers[:-1])


def lenet5():
    return nn.Sequential(
        nn.Conv2d(1, 6, 5, padding=2), nn.Tanh(), nn.AvgPool2d(2),
        nn.Conv2d(6, 16, 5), nn.Tanh(), nn.AvgPool2d(2), nn.Flatten(),
        nn.Linear(400, 120), nn.Tanh(), nn.Linear(120, 84), nn.Tanh(), nn.Linear(84, 10),
    )  # fmt: skip


class Residual(nn.Module):
    def __init__(self, before, after, stride):
        super().__init__()
        self.conv1 = nn.Conv2d(before, after, 3, stride, 1, bias=False)
        self.norm1 = nn.BatchNorm2d(after)
        self.conv2 = nn.Conv2d(after, after, 3, 1, 1, bias=False)
        self.norm2 = nn.BatchNorm2d(after)
        self.stride, self.more = stride, after - before

    def forward(self, x):
        y = self.norm2(self.conv2(F.relu(self.norm1(self.conv1(x)))))
        if self.more:
            x = F.pad(x[:, :, :: self.stride, :: self.stride], (0, 0, 0, 0, 0, self.more))
        return F.relu(x + y)


def resnet20():
    layers = [nn.Conv2d(3, 16, 3, 1, 1, bias=False), nn.BatchNorm2d(16), nn.ReLU()]
    before = 16
    for after in (16, 32, 64):
        for k in range(3):
            layers.append(Residual(before, after, 2 if k == 0 and after > 16 else 1))
            before = after
    return nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(64, 10))


def vgg_narrow():
    layers, before = [], 3
    for after in (8, "M", 16, "M", 32, 32, "M", 64, 64, "M", 64, 64, "M"):
        if after == "M":
            layers.append(nn.MaxPool2d(2))
        else:
            layers += [nn.Conv2d(before, after, 3, 1, 1), nn.ReLU()]
            before = after
    head = [nn.Flatten(), nn.Linear(64, 512), nn.ReLU(), nn.Linear(512, 512), nn.ReLU(), nn.Linear(512, 10)]
    return nn.Sequential(*layers, *head)


def alexnet_narrow():
    return nn.Sequential(
        nn.Upsample(scale_factor=2, mode="nearest"),
        nn.Conv2d(3, 12, 11, 2, 5), nn.ReLU(), nn.MaxPool2d(3, 2),
        nn.Conv2d(12, 32, 5, 1, 2, groups=2), nn.ReLU(), nn.MaxPool2d(3, 2),
        nn.Conv2d(32, 48, 3, 1, 1), nn.ReLU(), nn.Conv2d(48, 48, 3, 1, 1, groups=2), nn.ReLU(),
        nn.Conv2d(48, 32, 3, 1, 1, groups=2), nn.ReLU(), nn.MaxPool2d(3, 2),
        nn.Flatten(), nn.Linear(288, 512), nn.ReLU(), nn.Linear(512, 512), nn.ReLU(), nn.Linear(512, 10),
    )  # fmt: skip


class LanguageModel(nn.Module):
    """Keeps its state from call to call until `reset`, without gradients through it."""

    def __init__(self, words=10000, hidden=200):
        super().__init__()
        self.embedding = nn.Embedding(words, hidden)
        self.lstm = nn.LSTM(hidden, hidden, 2, batch_first=True)
        self.out = nn.Linear(hidden, words)
        self.state = None

    def reset(self):
        self.state = None

    def forward(self, x):
        y, state = self.lstm(self.embedding(x), self.state)
        self.state = tuple(part.detach() for part in state)
        return self.out(y).flatten(0, 1)


class Seq2Seq(nn.Module):
    """GRU 2 + 2 layers with global (dot) attention; the input is source ++ target."""

    def __init__(self, source_words=4500, target_words=5500, hidden=128, length=24):
        super().__init__()
        self.length = length
        self.source = nn.Embedding(source_words, hidden)
        self.target = nn.Embedding(target_words, hidden)
        self.encoder = nn.GRU(hidden, hidden, 2, batch_first=True)
        self.decoder = nn.GRU(hidden, hidden, 2, batch_first=True)
        self.combine = nn.Linear(2 * hidden, hidden)
        self.out = nn.Linear(hidden, target_words)

    def forward(self, tokens):
        x, y = tokens[:, : self.length], tokens[:, self.length :]
        encoded, state = self.encoder(self.source(x))
        decoded, _ = self.decoder(self.target(y), state)
        scores = (decoded @ encoded.transpose(1, 2)).masked_fill((x == 0)[:, None], -1e9)
        context = scores.softmax(-1) @ encoded
        return self.out(torch.tanh(self.combine(torch.cat([context, decoded], -1)))).flatten(0, 1)


class Block(nn.Module):
    def __init__(self, width, heads):
        super().__init__()
        self.norm1, self.norm2 = nn.LayerNorm(width), nn.LayerNorm(width)
        self.query, self.project = nn.Linear(width, 3 * width), nn.Linear(width, width)
        self.feed = nn.Sequential(nn.Linear(width, 4 * width), nn.GELU(), nn.Linear(4 * width, width))
        self.heads = heads

    def forward(self, x):
        batch, length, width = x.shape
        q, k, v = self.query(self.norm1(x)).view(batch, length, 3, self.heads, width // self.heads).permute(2, 0, 3, 1, 4)
        y = F.scaled_dot_product_attention(q, k, v, is_causal=True).transpose(1, 2).reshape(batch, length, width)
        x = x + self.project(y)
        return x + self.feed(self.norm2(x))


class Transformer(nn.Module):
    def __init__(self, words, width, layers, heads, length=64):
        super().__init__()
        self.embedding, self.position = nn.Embedding(words, width), nn.Embedding(length, width)
        self.blocks = nn.Sequential(*[Block(width, heads) for _ in range(layers)])
        self.norm, self.out = nn.LayerNorm(width), nn.Linear(width, words)

    def forward(self, x):
        return self.out(self.norm(self.blocks(self.embedding(x) + self.position.weight[: x.shape[1]]))).flatten(0, 1)


def double_conv(before, after):
    conv = lambda i: nn.Conv2d(i, after, 3, 1, 1, bias=False)
    return nn.Sequential(conv(before), nn.BatchNorm2d(after), nn.ReLU(), conv(after), nn.BatchNorm2d(after), nn.ReLU())


class UNet(nn.Module):
    def __init__(self):
        super().__init__()
        self.a, self.b, self.c = double_conv(1, 16), double_conv(16, 32), double_conv(32, 64)
        self.up1, self.d = nn.ConvTranspose2d(64, 32, 2, 2), double_conv(64, 32)
        self.up2, self.e = nn.ConvTranspose2d(32, 16, 2, 2), double_conv(32, 16)
        self.out = nn.Conv2d(16, 4, 1)

    def forward(self, x):
        a = self.a(x)
        b = self.b(F.max_pool2d(a, 2))
        c = self.c(F.max_pool2d(b, 2))
        d = self.d(torch.cat([self.up1(c), b], 1))
        return self.out(self.e(torch.cat([self.up2(d), a], 1)))


def cnn3d():
    layers, before = [], 1
    for after in (8, 16, 32, 64):
        layers += [nn.Conv3d(before, after, 3, 1, 1), nn.ReLU(), nn.MaxPool3d(2)]
        before = after
    return nn.Sequential(
        *layers, nn.Flatten(), nn.Linear(512, 128), nn.ReLU(), nn.Linear(128, 32), nn.ReLU(), nn.Linear(32, 1)
    )


class Gcn(nn.Module):
    """Two layers on a graph; edges `[2, E]`, each once."""

    def __init__(self, edges, nodes=2708, features=1433, hidden=16, classes=7):
        super().__init__()
        self.a, self.b = nn.Linear(features, hidden, bias=False), nn.Linear(hidden, classes, bias=False)
        both = torch.cat([edges, edges.flip(0), torch.arange(nodes).repeat(2, 1)], 1)
        degree = torch.bincount(both[0], minlength=nodes).float()
        values = (degree[both[0]] * degree[both[1]]) ** -0.5
        self.adjacency = torch.sparse_coo_tensor(both, values, (nodes, nodes)).coalesce()

    def forward(self, x):
        h = F.relu(torch.sparse.mm(self.adjacency, self.a(F.dropout(x, 0.5, self.training))))
        return torch.sparse.mm(self.adjacency, self.b(F.dropout(h, 0.5, self.training)))


class Factorisation(nn.Module):
    def __init__(self, users=671, items=9066, factors=20):
        super().__init__()
        self.p, self.q = nn.Embedding(users, factors), nn.Embedding(items, factors)
        self.b, self.c = nn.Embedding(users, 1), nn.Embedding(items, 1)

    def forward(self, x):
        u, i = x[:, 0], x[:, 1]
        return 3.5 + (self.p(u) * self.q(i)).sum(1) + self.b(u)[:, 0] + self.c(i)[:, 0]


class Ctr(nn.Module):
    def __init__(self, rows=100_000):
        super().__init__()
        self.e, self.w = nn.Embedding(rows, 8, sparse=True), nn.Embedding(rows, 1, sparse=True)
        self.m = perceptron(160, 128, 64, 1)

    def forward(self, ids):
        return self.m(self.e(ids).flatten(1))[:, 0] + self.w(ids).sum((1, 2))

"""One training step of each model in PyTorch: forward, backward, update. Python 3.11 or newer, torch 2.13.0, numpy 2.

    python3 models.py <case>            names: the keys of CASES below

Each line `run <iterations>` on standard input answers one line `{"seconds_per_iteration": x, "peak_bytes": y, ...}`. `peak_bytes` is the peak resident
memory of the process less what it was after the imports.
"""

import json
import os
import resource
import sys
import time

import torch
from torch import nn
from torch.nn import functional as F

torch.set_num_threads(int(os.environ.get("OMP_NUM_THREADS", "1")))
torch.manual_seed(1)


def peak_bytes():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


BASE_BYTES = peak_bytes()


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


class LanguageModel(nn.Module):
    def __init__(self, words=10000, hidden=200):
        super().__init__()
        self.embedding = nn.Embedding(words, hidden)
        self.lstm = nn.LSTM(hidden, hidden, 2, batch_first=True)
        self.out = nn.Linear(hidden, words)

    def forward(self, x):
        return self.out(self.lstm(self.embedding(x))[0]).flatten(0, 1)


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
    """Cora's size with edges of its own: 2,708 nodes, 5,278 undirected edges, 1,433 features."""

    def __init__(self):
        super().__init__()
        self.a, self.b = nn.Linear(1433, 16, bias=False), nn.Linear(16, 7, bias=False)
        edges = torch.randint(0, 2708, (2, 5278))
        loops = torch.arange(2708).repeat(2, 1)
        both = torch.cat([edges, edges.flip(0), loops], 1)
        self.adjacency = torch.sparse_coo_tensor(both, torch.full((both.shape[1],), 0.2), (2708, 2708)).coalesce()

    def forward(self, x):
        h = F.relu(torch.sparse.mm(self.adjacency, self.a(F.dropout(x, 0.5))))
        return torch.sparse.mm(self.adjacency, self.b(F.dropout(h, 0.5)))


class Factorisation(nn.Module):
    def __init__(self, users=671, items=9066, factors=20):
        super().__init__()
        self.p, self.q = nn.Embedding(users, factors), nn.Embedding(items, factors)
        self.b, self.c = nn.Embedding(users, 1), nn.Embedding(items, 1)

    def forward(self, x):
        u, i = x[:, 0], x[:, 1]
        return (self.p(u) * self.q(i)).sum(1, keepdim=True) + self.b(u) + self.c(i)


class Ctr(nn.Module):
    def __init__(self, rows=100_000):
        super().__init__()
        self.e, self.w = nn.Embedding(rows, 8, sparse=True), nn.Embedding(rows, 1, sparse=True)
        self.m = perceptron(160, 128, 64, 1)

    def forward(self, ids):
        return self.m(self.e(ids).flatten(1))[:, 0] + self.w(ids).sum((1, 2))


def sgd(parameters):
    return torch.optim.SGD(parameters, lr=0.01, momentum=0.9)


def adam(parameters):
    return torch.optim.Adam(parameters, lr=1e-3)


def adagrad(parameters):
    return torch.optim.Adagrad(parameters, lr=0.1, initial_accumulator_value=0.1)


def floats(*shape):
    return lambda: torch.rand(*shape)


def ids(below, *shape):
    return lambda: torch.randint(0, below, shape)


def classes(below, *shape):
    return lambda: torch.randint(0, below, shape)


CE, MSE, BCE = F.cross_entropy, F.mse_loss, F.binary_cross_entropy_with_logits

# name: (model, input, target, loss, optimiser)
CASES = {
    "mlp-784-512-256-10": (lambda: perceptron(784, 512, 256, 10), floats(128, 784), classes(10, 128), CE, sgd),
    "mlp-4-64-64-2": (lambda: perceptron(4, 64, 64, 2), floats(32, 4), classes(2, 32), CE, sgd),
    "mlp-4x1024": (lambda: perceptron(1024, 1024, 1024, 1024, 1024), floats(256, 1024), classes(1024, 256), CE, sgd),
    "lenet-5": (lenet5, floats(64, 1, 28, 28), classes(10, 64), CE, sgd),
    "resnet-20": (resnet20, floats(64, 3, 32, 32), classes(10, 64), CE, sgd),
    "vgg-a-n": (vgg_narrow, floats(64, 3, 32, 32), classes(10, 64), CE, sgd),
    "lstm-lm": (LanguageModel, ids(10000, 20, 35), classes(10000, 700), CE, adam),
    "seq2seq": (Seq2Seq, ids(4500, 64, 48), classes(5500, 64 * 24), CE, adam),
    "transformer-4x128": (lambda: Transformer(65, 128, 4, 4), ids(65, 32, 64), classes(65, 32 * 64), CE, adam),
    "transformer-6x512": (lambda: Transformer(65, 512, 6, 8), ids(65, 8, 64), classes(65, 8 * 64), CE, adam),
    "unet": (UNet, floats(16, 1, 64, 64), classes(4, 16, 64, 64), CE, adam),
    "cnn-3d": (cnn3d, floats(16, 1, 32, 32, 32), floats(16, 1), MSE, adam),
    "gcn": (Gcn, floats(2708, 1433), classes(7, 2708), CE, adam),
    "matrix-factorisation": (Factorisation, ids(671, 1024, 2), floats(1024, 1), MSE, sgd),
    "ctr-network": (Ctr, ids(100_000, 256, 20), floats(256), BCE, adagrad),
}


def main():
    build, make_input, make_target, loss, make_optimizer = CASES[sys.argv[1]]
    model = build()
    model.train()
    x, target = make_input(), make_target()
    optimizer = make_optimizer(model.parameters())

    def step():
        optimizer.zero_grad(set_to_none=True)
        loss(model(x), target).backward()
        optimizer.step()

    for line in sys.stdin:
        iterations = int(line.split()[1])
        start = time.perf_counter()
        for _ in range(iterations):
            step()
        seconds = (time.perf_counter() - start) / iterations
        answer = {"seconds_per_iteration": seconds, "peak_bytes": peak_bytes() - BASE_BYTES}
        print(json.dumps({**answer, "versions": {"torch": torch.__version__}}), flush=True)


if __name__ == "__main__":
    main()

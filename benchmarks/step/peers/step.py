"""One training step in PyTorch: forward, backward, momentum update. Python 3.11 or newer, torch 2.13.0.

    python3 step.py mlp-784-512-256-10 | mlp-4-64-64-2 | lenet-5

Each line `run <iterations>` on standard input answers one line `{"seconds_per_iteration": x, ...}`.
"""

import json
import os
import sys
import time

import torch
from torch import nn

torch.set_num_threads(int(os.environ.get("OMP_NUM_THREADS", "1")))
torch.manual_seed(1)


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


CASES = {
    "mlp-784-512-256-10": (lambda: perceptron(784, 512, 256, 10), (128, 784), 10),
    "mlp-4-64-64-2": (lambda: perceptron(4, 64, 64, 2), (32, 4), 2),
    "lenet-5": (lenet5, (64, 1, 28, 28), 10),
}


def main():
    build, shape, classes = CASES[sys.argv[1]]
    model = build()
    x = torch.rand(*shape)
    target = torch.arange(shape[0]) % classes
    optimizer = torch.optim.SGD(model.parameters(), lr=0.01, momentum=0.9)

    def step():
        optimizer.zero_grad(set_to_none=True)
        nn.functional.cross_entropy(model(x), target).backward()
        optimizer.step()

    for line in sys.stdin:
        iterations = int(line.split()[1])
        start = time.perf_counter()
        for _ in range(iterations):
            step()
        seconds = (time.perf_counter() - start) / iterations
        print(json.dumps({"seconds_per_iteration": seconds, "versions": {"torch": torch.__version__}}), flush=True)


if __name__ == "__main__":
    main()

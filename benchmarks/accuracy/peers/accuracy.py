"""The recipe of lenet-5/mnist in PyTorch: accuracy.py EPOCHS, then `run SEED+1` on standard input (`run 1` only loads, as every peer must answer it)."""
import gzip
import json
import math
import os
import sys
import time

import numpy as np
import torch
import torch.nn as nn

epochs = int(sys.argv[1])
torch.set_num_threads(2)


def folder():
    for root in (os.environ.get("TUTTI_DATA"), "data", "../shared/data", os.path.expanduser("~/.cache/tutti")):
        if root and os.path.exists(os.path.join(root, "mnist")):
            return os.path.join(root, "mnist")
    sys.exit("MNIST was not found: set TUTTI_DATA")


def idx(name, head):
    with gzip.open(os.path.join(folder(), name + ".gz")) as file:
        return np.frombuffer(file.read(), dtype=np.uint8, offset=head)


x = torch.tensor(idx("train-images-idx3-ubyte", 16).reshape(-1, 1, 28, 28))
y = torch.tensor(idx("train-labels-idx1-ubyte", 8).astype(np.int64))
x_test = torch.tensor(idx("t10k-images-idx3-ubyte", 16).reshape(-1, 1, 28, 28))
y_test = torch.tensor(idx("t10k-labels-idx1-ubyte", 8).astype(np.int64))


def lenet5():
    model = nn.Sequential(
        nn.Conv2d(1, 6, 5, padding=2), nn.Tanh(), nn.AvgPool2d(2), nn.Conv2d(6, 16, 5), nn.Tanh(), nn.AvgPool2d(2),
        nn.Flatten(), nn.Linear(400, 120), nn.Tanh(), nn.Linear(120, 84), nn.Tanh(), nn.Linear(84, 10),
    )
    for layer in model:
        if isinstance(layer, (nn.Linear, nn.Conv2d)):
            nn.init.xavier_uniform_(layer.weight)
            nn.init.zeros_(layer.bias)
    return model


def train(seed):
    torch.manual_seed(seed)
    model = lenet5()
    optimizer = torch.optim.SGD(model.parameters(), 0.05, momentum=0.9)
    batch = 128
    steps = epochs * (len(x) // batch)
    step = 0
    for _ in range(epochs):
        order = torch.randperm(len(x))
        for at in range(0, len(x) - batch + 1, batch):
            rows = order[at : at + batch]
            for group in optimizer.param_groups:
                group["lr"] = 0.05 * 0.5 * (1 + math.cos(math.pi * step / steps))
            optimizer.zero_grad(set_to_none=True)
            nn.functional.cross_entropy(model(x[rows].float() / 255), y[rows]).backward()
            optimizer.step()
            step += 1
    with torch.no_grad():
        right = sum((model(x_test[a : a + 1000].float() / 255).argmax(1) == y_test[a : a + 1000]).sum().item() for a in range(0, len(x_test), 1000))
    return right / len(x_test)


for line in sys.stdin:
    seed = int(line.split()[1]) - 1
    start = time.perf_counter()
    accuracy = train(seed) if seed > 0 else 0.0
    answer = {"seconds_per_iteration": time.perf_counter() - start, "accuracy": accuracy, "versions": {"torch": torch.__version__}}
    print(json.dumps(answer), flush=True)

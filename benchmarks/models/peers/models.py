"""One training step of each model in PyTorch: forward, backward, update. Python 3.11 or newer, torch 2.13.0, numpy 2.

    python3 models.py <case>            names: the keys of CASES below

Each line `run <iterations>` on standard input answers one line `{"seconds_per_iteration": x, "peak_bytes": y, "parameters": n, ...}`. `peak_bytes` is the peak resident
memory of the process less what it was after the imports, null where the system does not tell; `parameters` is how many the model has.
"""

import json
import os
import sys
import time

import torch
from torch.nn import functional as F

from imagenet import alexnet, mobilenet_v2, resnet, vgg16, wide_resnet
from networks import (
    Ctr, Factorisation, Gcn, LanguageModel, Seq2Seq, Transformer, UNet, cnn3d, lenet5, perceptron, resnet20, vgg_narrow,
)  # fmt: skip

torch.set_num_threads(int(os.environ.get("OMP_NUM_THREADS", "1")))
torch.manual_seed(1)


def peak_bytes():
    """High-water mark of resident memory, or None where the system does not tell (what `resource` tells is inherited from the parent)."""
    try:
        with open("/proc/self/status") as status:
            return next((int(line.split()[1]) * 1024 for line in status if line.startswith("VmHWM:")), None)
    except OSError:
        return None


def forget_peak():
    """What the process held earlier no longer counts: the mark becomes what is resident now."""
    try:
        with open("/proc/self/clear_refs", "w") as marks:
            marks.write("5")
    except OSError:
        pass


forget_peak()
BASE_BYTES = peak_bytes()


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


def image(batch, size=224):
    return floats(batch, 3, size, size)


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
    "gcn": (lambda: Gcn(torch.randint(0, 2708, (2, 5278))), floats(2708, 1433), classes(7, 2708), CE, adam),
    "matrix-factorisation": (Factorisation, ids(671, 1024, 2), floats(1024), MSE, sgd),
    "ctr-network": (Ctr, ids(100_000, 256, 20), floats(256), BCE, adagrad),
    "alexnet": (alexnet, image(4), classes(1000, 4), CE, sgd),
    "vgg-16": (vgg16, image(2), classes(1000, 2), CE, sgd),
    "resnet-18": (lambda: resnet((2, 2, 2, 2), False), image(4), classes(1000, 4), CE, sgd),
    "resnet-50": (lambda: resnet((3, 4, 6, 3), True), image(4), classes(1000, 4), CE, sgd),
    "resnet-101": (lambda: resnet((3, 4, 23, 3), True), image(2), classes(1000, 2), CE, sgd),
    "resnet-152": (lambda: resnet((3, 8, 36, 3), True), image(2), classes(1000, 2), CE, sgd),
    "mobilenet-v2": (mobilenet_v2, image(4), classes(1000, 4), CE, sgd),
    "wrn-28-10": (wide_resnet, image(4, 32), classes(10, 4), CE, sgd),
}


def main():
    build, make_input, make_target, loss, make_optimizer = CASES[sys.argv[1]]
    model = build()
    model.train()
    x, target = make_input(), make_target()
    optimizer = make_optimizer(model.parameters())
    parameters = sum(each.numel() for each in model.parameters())

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
        peak = None if BASE_BYTES is None else peak_bytes() - BASE_BYTES
        answer = {"seconds_per_iteration": seconds, "peak_bytes": peak, "parameters": parameters}
        print(json.dumps({**answer, "versions": {"torch": torch.__version__}}), flush=True)


if __name__ == "__main__":
    main()

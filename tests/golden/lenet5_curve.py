"""Golden loss curve of LeNet-5 in PyTorch, float64: writes lenet5-curve.json beside this file.

Versions: Python 3.11 or newer, torch 2.13.0, numpy 2. Seeds: parameters 1, batches 7. Command:

    pip install torch==2.13.0 numpy && python3 tests/golden/lenet5_curve.py

Parameters: parameter number i (in the order of the layers, weight before bias), element j, is limit * (2 u(1, 10, i, j) - 1) with
Glorot's limit, rounded to float32; biases are 0. Batches: sample n = 32 step + row has class
k = floor(10 u(7, 2, n, 0)) and pixel p = 28 y + x of value u(7, 1, n, p) / 2, plus 1/2 in the rows 2k + 4 to 2k + 6, rounded to float32.
u is the counter-based generator of src/rng.ts, written here a second time.
"""

import json
import math
import pathlib

import numpy as np
import torch
from torch import nn

STEPS, BATCH, RATE, MOMENTUM = 20, 32, 0.05, 0.9


def u(seed, stream, row, count):
    """u(seed, stream, row, 0), ..., u(seed, stream, row, count - 1): Philox4x32-10."""
    mask = np.uint64(0xFFFFFFFF)
    blocks = (count + 3) // 4
    c = [np.full(blocks, row % 2**32, np.uint64), np.full(blocks, row >> 32, np.uint64), np.arange(blocks, dtype=np.uint64), np.zeros(blocks, np.uint64)]
    key = [seed, stream]
    for _ in range(10):
        left, right = c[0] * np.uint64(0xD2511F53), c[2] * np.uint64(0xCD9E8D57)
        c = [
            (right >> np.uint64(32)) ^ c[1] ^ np.uint64(key[0]),
            right & mask,
            (left >> np.uint64(32)) ^ c[3] ^ np.uint64(key[1]),
            left & mask,
        ]
        key = [(key[0] + 0x9E3779B9) % 2**32, (key[1] + 0xBB67AE85) % 2**32]
    return ((np.stack(c, axis=1).reshape(-1)[:count]).astype(np.float64) + 0.5) / 2**32


def lenet5():
    return nn.Sequential(
        nn.Conv2d(1, 6, 5, padding=2), nn.Tanh(), nn.AvgPool2d(2),
        nn.Conv2d(6, 16, 5), nn.Tanh(), nn.AvgPool2d(2), nn.Flatten(),
        nn.Linear(400, 120), nn.Tanh(), nn.Linear(120, 84), nn.Tanh(), nn.Linear(84, 10),
    ).double()  # fmt: skip


def initialise(model):
    weighted = [layer for layer in model if isinstance(layer, (nn.Conv2d, nn.Linear))]
    with torch.no_grad():
        for number, layer in enumerate(weighted):
            shape = tuple(layer.weight.shape)
            field = math.prod(shape[2:])
            limit = math.sqrt(6 / (shape[0] * field + shape[1] * field))
            values = (limit * (2 * u(1, 10, 2 * number, math.prod(shape)) - 1)).astype(np.float32).astype(np.float64)
            layer.weight.copy_(torch.tensor(values.reshape(shape)))
            layer.bias.zero_()


def batch(step):
    images, classes = [], []
    for n in range(BATCH * step, BATCH * (step + 1)):
        k = int(10 * u(7, 2, n, 1)[0])
        image = (u(7, 1, n, 784) / 2).reshape(28, 28)
        image[2 * k + 4 : 2 * k + 7] += 0.5
        images.append(image.astype(np.float32).astype(np.float64))
        classes.append(k)
    return torch.tensor(np.stack(images)).reshape(BATCH, 1, 28, 28), torch.tensor(classes)


def main():
    torch.set_num_threads(1)
    model = lenet5()
    initialise(model)
    optimizer = torch.optim.SGD(model.parameters(), RATE, momentum=MOMENTUM)
    first = model[0].weight.detach().reshape(-1)[:4].tolist()
    losses = []
    for step in range(STEPS):
        image, target = batch(step)
        optimizer.zero_grad()
        loss = nn.functional.cross_entropy(model(image), target)
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    result = {
        "source": f"lenet5_curve.py, torch {torch.__version__.split('+')[0]}",
        "steps": STEPS, "batchSize": BATCH, "learningRate": RATE, "momentum": MOMENTUM,
        "firstWeights": first, "losses": losses,
        "finalWeightNorms": [parameter.norm().item() for parameter in model.parameters()],
    }  # fmt: skip
    path = pathlib.Path(__file__).with_name("lenet5-curve.json")
    path.write_text(json.dumps(result, indent=2) + "\n")
    print(losses)


if __name__ == "__main__":
    main()

"""A workload's recipe in PyTorch, on the arrays that ours trains on. Python 3.11 or newer, torch 2.13.0, numpy 2.

    python3 accuracy.py WORKLOAD FOLDER EPOCHS

FOLDER holds x.npy, y.npy, xt.npy, yt.npy (training and evaluation rows, normalised) and edges.npy for graphs. Each line `run SEED+1` on standard input
answers one line `{"seconds_per_iteration": x, "metric": y, ...}`; `run 1` only loads, as every peer must answer it.
"""

import json
import math
import os
import pathlib
import sys
import time

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F

sys.path.append(str(pathlib.Path(__file__).parent / "../../models/peers"))
from networks import (  # noqa: E402
    Ctr, Factorisation, Gcn, LanguageModel, Seq2Seq, Transformer, UNet, alexnet_narrow, cnn3d, lenet5, perceptron, resnet20, vgg_narrow,
)  # fmt: skip

workload, folder, epochs = sys.argv[1], pathlib.Path(sys.argv[2]), int(sys.argv[3])
torch.set_num_threads(int(os.environ.get("OMP_NUM_THREADS", "1")))


def array(name):
    values = np.load(folder / f"{name}.npy")
    return torch.tensor(values.astype(np.int64) if values.dtype == np.int32 else values)


x, y, xt, yt = (array(name) for name in ("x", "y", "xt", "yt"))


def he(module):
    if isinstance(module, (nn.Linear, nn.Conv2d, nn.Conv3d)):
        nn.init.kaiming_normal_(module.weight, nonlinearity="relu")
        if module.bias is not None:
            nn.init.zeros_(module.bias)


def glorot(module):
    if isinstance(module, (nn.Linear, nn.Conv2d)):
        nn.init.xavier_uniform_(module.weight)
        if module.bias is not None:
            nn.init.zeros_(module.bias)


def small_normal(module):
    if isinstance(module, (nn.Linear, nn.Embedding)):
        nn.init.normal_(module.weight, std=0.02)
    if isinstance(module, nn.Linear):
        nn.init.zeros_(module.bias)


def language_model():
    model = LanguageModel(int(x.max()) + 1)
    for parameter in model.parameters():
        nn.init.uniform_(parameter, -0.1, 0.1)
    return model


def click_network():
    model = Ctr()
    nn.init.normal_(model.e.weight, std=0.01)
    nn.init.zeros_(model.w.weight)
    model.m.apply(he)
    return model


def factorisation():
    model = Factorisation()
    for table in (model.p, model.q):
        nn.init.normal_(table.weight, std=0.1)
    for table in (model.b, model.c):
        nn.init.zeros_(table.weight)
    return model


def translator():
    return Seq2Seq(int(max(x[:, :41].max(), xt[:, :41].max())) + 1, int(max(y.max(), yt.max())) + 1, 128, 41)


def flip_and_shift(images, generator):
    """Mirrors half of the images and moves each by up to 4 pixels; what enters is a stored 0, (0 - 120) / 64."""
    flips = torch.rand(len(images), generator=generator) < 0.5
    images = torch.where(flips[:, None, None, None], images.flip(3), images)
    padded = F.pad(images, (4, 4, 4, 4), value=-120 / 64)
    at = torch.randint(0, 9, (len(images), 2), generator=generator)
    return torch.stack([padded[i, :, a : a + 32, b : b + 32] for i, (a, b) in enumerate(at.tolist())])


def momentum(rate, decay=0.0):
    return lambda p: torch.optim.SGD(p, rate, momentum=0.9, weight_decay=decay)


def adam(rate):
    return lambda p: torch.optim.Adam(p, rate)


def adagrad(p):
    return torch.optim.Adagrad(p, 0.1, initial_accumulator_value=0.1)


def cross_entropy(scores, target):
    return F.cross_entropy(scores, target.flatten(), ignore_index=-1)


def pixels(scores, target):
    return F.cross_entropy(scores, target.view(-1, 64, 64))


def clicks(scores, target):
    return F.binary_cross_entropy_with_logits(scores, target.flatten())


def squares(predicted, target):
    return F.mse_loss(predicted.flatten(), target.flatten())


def images(*shape):
    return lambda rows: rows.view(len(rows), *shape)


def same(rows):
    return rows


# workload: model, first values, optimiser, base rate, batch, form of a row, loss, metric, options
RECIPES = {
    "mlp/mnist": (lambda: perceptron(784, 512, 256, 10), he, momentum(0.05), 0.05, 128, images(784), cross_entropy, "accuracy", {}),
    "lenet-5/mnist": (lenet5, glorot, momentum(0.05), 0.05, 128, images(1, 28, 28), cross_entropy, "accuracy", {}),
    "resnet-20/cifar10": (resnet20, he, momentum(0.1, 1e-4), 0.1, 64, images(3, 32, 32), cross_entropy, "accuracy", {"augment": flip_and_shift}),
    "vgg-a-n/cifar10": (vgg_narrow, he, momentum(0.01, 5e-4), 0.01, 64, images(3, 32, 32), cross_entropy, "accuracy", {"warm": 124, "clip": 5}),
    "alexnet-n/cifar10": (alexnet_narrow, he, momentum(0.01, 5e-4), 0.01, 64, images(3, 32, 32), cross_entropy, "accuracy", {"warm": 124, "clip": 5}),
    "lstm-lm/ptb": (language_model, None, adam(2e-3), 2e-3, 20, same, cross_entropy, "perplexity", {"clip": 5, "order": "text"}),
    "seq2seq/multi30k": (translator, None, adam(2e-3), 2e-3, 64, same, cross_entropy, "perplexity", {"clip": 1}),
    "transformer-lm/shakespeare": (lambda: Transformer(65, 128, 4, 4), small_normal, adam(1e-3), 1e-3, 32, same, cross_entropy, "loss", {"warm": 100}),
    "unet/shapes": (UNet, he, adam(1e-3), 1e-3, 16, images(1, 64, 64), pixels, "meanIou", {}),
    "cnn-3d/density": (cnn3d, he, adam(1e-3), 1e-3, 16, images(1, 32, 32, 32), squares, "rmse", {}),
    "gcn/cora": (lambda: Gcn(array("edges").t()), glorot, adam(0.01), 0.01, 1, lambda rows: rows[0], cross_entropy, "accuracy", {"constant": True, "decay": 5e-4}),
    "ctr-dnn/ctr": (click_network, None, adagrad, 0.1, 256, same, clicks, "loss", {"constant": True}),
    "mf-sgd/movielens": (factorisation, None, lambda p: torch.optim.SGD(p, 1.28, weight_decay=3e-4), 1.28, 256, same, squares, "rmse", {"constant": True}),
}  # fmt: skip


def train(seed):
    build, initialise, make_optimizer, rate, batch, form, loss, metric, options = RECIPES[workload]
    torch.manual_seed(seed)
    generator = torch.Generator().manual_seed(seed)
    model = build()
    if initialise:
        model.apply(initialise)
    optimizer = make_optimizer(model.parameters())
    per_epoch = len(x) // batch
    steps, step = epochs * per_epoch, 0
    for _ in range(epochs):
        order = torch.arange(len(x)) if options.get("order") == "text" else torch.randperm(len(x), generator=generator)
        if hasattr(model, "reset"):
            model.reset()
        model.train()
        for k in range(per_epoch):
            rows = order[k * batch : (k + 1) * batch]
            if not options.get("constant"):
                now = rate * 0.5 * (1 + math.cos(math.pi * step / steps)) * min(1, (step + 1) / options.get("warm", 1))
                for group in optimizer.param_groups:
                    group["lr"] = now
            given = form(x[rows])
            if "augment" in options:
                given = options["augment"](given, generator)
            optimizer.zero_grad(set_to_none=True)
            value = loss(model(given), y[rows])
            if "decay" in options:
                value = value + options["decay"] / 2 * (model.a.weight**2).sum()
            value.backward()
            if "clip" in options:
                nn.utils.clip_grad_norm_(model.parameters(), options["clip"])
            optimizer.step()
            step += 1
    return evaluate(model, batch, form, loss, metric)


def evaluate(model, batch, form, loss, metric):
    model.eval()
    if hasattr(model, "reset"):
        model.reset()
    size = batch if hasattr(model, "reset") or batch == 1 else 100
    total = count = right = 0
    inside, either = np.zeros(4), np.zeros(4)
    with torch.no_grad():
        for k in range(0, len(xt), size):
            target = yt[k : k + size]
            scores = model(form(xt[k : k + size]))
            units = int((target >= 0).sum()) if metric in ("accuracy", "perplexity") else target.numel() if metric == "loss" else len(target)
            total += float(loss(scores, target)) * units
            count += units
            if metric == "accuracy":
                right += int((scores.argmax(1) == target.flatten()).sum())
            if metric == "meanIou":
                found, actual = scores.argmax(1).flatten(), target.flatten()
                for c in range(4):
                    inside[c] += int(((found == c) & (actual == c)).sum())
                    either[c] += int(((found == c) | (actual == c)).sum())
    mean = total / count
    return {
        "accuracy": right / count,
        "perplexity": math.exp(min(mean, 50)),
        "loss": mean,
        "rmse": math.sqrt(max(mean, 0)),
        "meanIou": float(np.mean(inside / np.maximum(either, 1))),
    }[metric]


for line in sys.stdin:
    seed = int(line.split()[1]) - 1
    start = time.perf_counter()
    value = train(seed) if seed > 0 else 0.0
    answer = {"seconds_per_iteration": time.perf_counter() - start, "metric": value, "versions": {"torch": torch.__version__}}
    print(json.dumps(answer), flush=True)

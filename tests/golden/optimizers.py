"""Parameters after five steps of each optimiser, in float64: PyTorch's, and the formulas of the papers where PyTorch has none.

    python3 optimizers.py > optimizers.json
"""
import json
import math

import torch

START = [0.5, -1.0, 2.0, 0.25]
STEPS = 5


def gradient(step):
    return [math.sin(1.3 * step + i) * (i + 1) / 2 for i in range(len(START))]


def with_torch(make):
    w = torch.tensor(START, dtype=torch.float64, requires_grad=True)
    optimizer = make([w])
    for step in range(STEPS):
        w.grad = torch.tensor(gradient(step), dtype=torch.float64)
        optimizer.step()
    return w.tolist()


def norm(x):
    return math.sqrt(sum(v * v for v in x))


def rmsprop_inside(rate, rho, epsilon):
    w, s = list(START), [0.0] * 4
    for step in range(STEPS):
        g = gradient(step)
        s = [rho * a + (1 - rho) * b * b for a, b in zip(s, g)]
        w = [x - rate * b / math.sqrt(a + epsilon) for x, a, b in zip(w, s, g)]
    return w


def lars(rate, momentum, decay, trust):
    w, v = list(START), [0.0] * 4
    for step in range(STEPS):
        g = gradient(step)
        scale = trust * norm(w) / (norm(g) + decay * norm(w))
        v = [momentum * a + rate * scale * (b + decay * x) for a, b, x in zip(v, g, w)]
        w = [x - a for x, a in zip(w, v)]
    return w


def lamb(rate, beta1, beta2, epsilon, decay):
    w, m, v = list(START), [0.0] * 4, [0.0] * 4
    for step in range(1, STEPS + 1):
        g = gradient(step - 1)
        m = [beta1 * a + (1 - beta1) * b for a, b in zip(m, g)]
        v = [beta2 * a + (1 - beta2) * b * b for a, b in zip(v, g)]
        u = [
            (a / (1 - beta1**step)) / (math.sqrt(b / (1 - beta2**step)) + epsilon) + decay * x
            for a, b, x in zip(m, v, w)
        ]
        w = [x - rate * norm(w) / norm(u) * a for x, a in zip(w, u)]
    return w


O = torch.optim
print(
    json.dumps(
        {
            "start": START,
            "gradients": [gradient(step) for step in range(STEPS)],
            "after": {
                "sgd": with_torch(lambda p: O.SGD(p, 0.1, weight_decay=0.01)),
                "momentum": with_torch(lambda p: O.SGD(p, 0.1, momentum=0.9, weight_decay=0.01)),
                "nesterov": with_torch(lambda p: O.SGD(p, 0.1, momentum=0.9, nesterov=True)),
                "adagrad": with_torch(lambda p: O.Adagrad(p, 0.1, initial_accumulator_value=0.1, weight_decay=0.01)),
                "rmsprop": with_torch(lambda p: O.RMSprop(p, 0.01, alpha=0.9, eps=1e-3)),
                "rmsprop-centered": with_torch(lambda p: O.RMSprop(p, 0.01, alpha=0.9, eps=1e-2, centered=True, momentum=0.5)),
                "rmsprop-inside": rmsprop_inside(0.01, 0.9, 0.1),
                "adam": with_torch(lambda p: O.Adam(p, 0.1, weight_decay=0.01)),
                "adamw": with_torch(lambda p: O.AdamW(p, 0.1, weight_decay=0.01)),
                "lars": lars(0.1, 0.9, 0.01, 0.02),
                "lamb": lamb(0.1, 0.9, 0.999, 1e-6, 0.01),
            },
        },
        indent=1,
    )
)

"""Golden losses and gradients of recurrent layers and an attention block in PyTorch, float64: writes sequence-blocks.json beside this file.

Versions: Python 3.11 or newer, torch 2.13.0. Command:

    pip install torch==2.13.0 && python3 tests/golden/sequence_blocks.py

Element j of every tensor is sin(0.7 j + n) / 2 rounded to float32, where n is the length of the tensor's name; gains are that plus 1.
Sequences have 3 samples, 5 steps, 8 features; the loss is the mean squared error against the target, summed over the samples and divided by 3.
"""

import json
import math
import pathlib

import torch
import torch.nn.functional as F

torch.set_default_dtype(torch.float64)
BATCH, STEPS, WIDTH, HEADS = 3, 5, 8, 2


def tensor(name, *shape):
    count = math.prod(shape)
    values = torch.tensor([math.sin(0.7 * j + len(name)) / 2 for j in range(count)]).float().double().reshape(shape)
    return (values + 1).float().double() if name.endswith("gain") else values


def parameters(shapes):
    return {name: tensor(name, *shape).requires_grad_() for name, shape in shapes.items()}


def recurrent(kind, gates):
    shapes = {}
    for k in range(2):
        shapes |= {f"cell.{k}.weight": (gates * WIDTH, WIDTH), f"cell.{k}.recurrent": (gates * WIDTH, WIDTH), f"cell.{k}.bias": (gates * WIDTH,)}
        if kind is torch.nn.GRU:
            shapes[f"cell.{k}.candidateBias"] = (WIDTH,)
    own = parameters(shapes)
    # Functional: the module's parameters are replaced by expressions of ours.
    module = kind(WIDTH, WIDTH, 2, batch_first=True)
    values = {}
    for k in range(2):
        bias = own[f"cell.{k}.bias"]
        inner = torch.zeros_like(bias)
        if kind is torch.nn.GRU:
            inner = torch.cat([torch.zeros(2 * WIDTH), own[f"cell.{k}.candidateBias"]])
        values |= {f"weight_ih_l{k}": own[f"cell.{k}.weight"], f"weight_hh_l{k}": own[f"cell.{k}.recurrent"], f"bias_ih_l{k}": bias, f"bias_hh_l{k}": inner}
    output, _ = torch.func.functional_call(module, values, (tensor("x", BATCH, STEPS, WIDTH),))
    return own, output


def block():
    names = {}
    for role in ("query", "key", "value", "out"):
        names |= {f"b.attention.{role}.weight": (WIDTH, WIDTH), f"b.attention.{role}.bias": (WIDTH,)}
    names |= {"b.ffn1.weight": (4 * WIDTH, WIDTH), "b.ffn1.bias": (4 * WIDTH,), "b.ffn2.weight": (WIDTH, 4 * WIDTH), "b.ffn2.bias": (WIDTH,)}
    names |= {f"b.norm{n}.{part}": (WIDTH,) for n in (1, 2) for part in ("gain", "bias")}
    own = parameters(names)

    def dense(name, x):
        return F.linear(x, own[f"{name}.weight"], own[f"{name}.bias"])

    def norm(name, x):
        return F.layer_norm(x, (WIDTH,), own[f"{name}.gain"], own[f"{name}.bias"], 1e-5)

    def attention(x):
        q, k, v = (dense(f"b.attention.{role}", x).view(BATCH, STEPS, HEADS, -1).transpose(1, 2) for role in ("query", "key", "value"))
        mixed = F.scaled_dot_product_attention(q, k, v, is_causal=True)
        return dense("b.attention.out", mixed.transpose(1, 2).reshape(BATCH, STEPS, WIDTH))

    x = tensor("x", BATCH, STEPS, WIDTH)
    x = x + attention(norm("b.norm1", x))
    return own, x + dense("b.ffn2", F.gelu(dense("b.ffn1", norm("b.norm2", x))))


golden = {}
for name, (own, output) in {"lstm": recurrent(torch.nn.LSTM, 4), "gru": recurrent(torch.nn.GRU, 3), "block": block()}.items():
    error = output - tensor("target", BATCH, STEPS, WIDTH)
    loss = (error**2).mean(dim=(1, 2)).sum() / BATCH
    loss.backward()
    gradients = {key: [float(f"{g:.9g}") for g in value.grad.flatten().tolist()] for key, value in own.items()}
    golden[name] = {"loss": loss.item(), "gradients": gradients}
path = pathlib.Path(__file__).with_name("sequence-blocks.json")
path.write_text(json.dumps(golden, separators=(",", ":")) + "\n")

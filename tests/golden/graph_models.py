"""Golden losses and gradients of the graph, recommendation and agent models in PyTorch, float64: writes graph-models.json beside this file.

Versions: Python 3.11 or newer, torch 2.13.0. Command:

    pip install torch==2.13.0 && python3 tests/golden/graph_models.py

Element j of parameter number i (in the order of the layers as listed here) is 0.3 sin(1 + 17 i + j), element j of a float input
0.5 sin(3 + j). A gradient is kept as its sum with weights cos(j).
"""

import json
import pathlib

import torch
import torch.nn.functional as F

torch.set_default_dtype(torch.float64)

EDGES = torch.tensor([[0, 1], [0, 2], [1, 2], [3, 1], [4, 3]])
NODES = 6


def wave(shape, start, scale):
    count = 1
    for extent in shape:
        count *= extent
    return (scale * torch.sin(start + torch.arange(count, dtype=torch.float64))).reshape(shape)


def parameters(shapes):
    return [wave(shape, 1 + 17 * i, 0.3).requires_grad_() for i, shape in enumerate(shapes)]


def kept(loss, values):
    gradients = torch.autograd.grad(loss, values)
    return {"loss": loss.item(), "gradients": [float((g.reshape(-1) * torch.cos(torch.arange(g.numel()).double())).sum()) for g in gradients]}


def adjacency(loops):
    matrix = torch.eye(NODES) if loops else torch.zeros(NODES, NODES)
    matrix[EDGES[:, 0], EDGES[:, 1]] = 1
    matrix[EDGES[:, 1], EDGES[:, 0]] = 1
    return matrix


TOPICS = torch.tensor([0, 2, -1, 1, -1, 2])


def gcn():
    first, second = values = parameters([(4, 5), (3, 4)])
    a = adjacency(True)
    degree = a.sum(1) ** -0.5
    a = a * degree[:, None] * degree
    x = wave((NODES, 5), 3, 0.5)
    scores = a @ (torch.relu(a @ (x @ first.T)) @ second.T)
    return kept(F.cross_entropy(scores, TOPICS, ignore_index=-1), values)


def graph_sage():
    values = parameters([(4, 5), (4,), (4, 5), (3, 4), (3,), (3, 4)])
    a = adjacency(False)
    a = a / a.sum(1, keepdim=True).clamp(min=1)
    layer = lambda h, own, bias, others: h @ own.T + bias + (a @ h) @ others.T
    scores = layer(torch.relu(layer(wave((NODES, 5), 3, 0.5), *values[:3])), *values[3:])
    return kept(F.cross_entropy(scores, TOPICS, ignore_index=-1), values)


def matrix_factorisation():
    user_bias, user, item_bias, item = values = parameters([(3, 1), (3, 2), (4, 1), (4, 2)])
    pairs, stars = torch.tensor([[0, 1], [2, 3], [0, 0]]), torch.tensor([4.0, 2.5, 3.0])
    u, i = pairs.T
    guess = 3.5 + user_bias[u, 0] + item_bias[i, 0] + (user[u] * item[i]).sum(1)
    return kept(F.mse_loss(guess, stars), values)


def ctr_network():
    fields, d1, b1, out, b, wide = values = parameters([(5, 2), (4, 6), (4,), (1, 4), (1,), (5, 1)])
    ids = torch.tensor([[0, 3, 8], [1, 5, 6]]) % 5
    h = torch.relu(fields[ids].flatten(1) @ d1.T + b1)
    return kept(F.binary_cross_entropy_with_logits((h @ out.T + b)[:, 0] + wide[ids].sum((1, 2)), torch.tensor([1.0, 0.0])), values)


def duelling():
    values = parameters([(4, 3), (4,), (4, 4), (4,), (1, 4), (1,), (4, 4), (4,), (2, 4), (2,)])
    dense = lambda h, k: h @ values[k].T + values[k + 1]
    h = torch.relu(dense(wave((2, 3), 3, 0.5), 0))
    advantage = dense(torch.relu(dense(h, 6)), 8)
    q = dense(torch.relu(dense(h, 2)), 4) + advantage - advantage.mean(1, keepdim=True)
    return kept(F.mse_loss(q, torch.tensor([[1.0, 2.0], [3.0, 4.0]])), values)


def actor_critic():
    values = parameters([(4, 3), (4,), (2, 4), (2,), (1, 4), (1,)])
    dense = lambda h, k: h @ values[k].T + values[k + 1]
    h = torch.tanh(dense(wave((2, 3), 3, 0.5), 0))
    return kept(F.mse_loss(torch.cat([dense(h, 2), dense(h, 4)], 1), torch.tensor([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]])), values)


if __name__ == "__main__":
    models = [gcn, graph_sage, matrix_factorisation, ctr_network, duelling, actor_critic]
    golden = {make.__name__: make() for make in models}
    pathlib.Path(__file__).with_name("graph-models.json").write_text(json.dumps(golden) + "\n")

"""
Models of PyTorch as ONNX files, and what PyTorch says they compute: onnx-*.onnx and onnx-models.json beside this script.

    python3 tests/golden/onnx_models.py        (torch 2.13, onnx 1.23, onnxscript 0.7, onnxruntime 1.31)

Both exporters are used (the older one traces, the newer one takes the program), with opsets 13 to 20; one file is written by hand for
operators that neither writes for these models.
"""

import json
import pathlib
import warnings

import numpy
import onnx
import onnxruntime
import torch
from onnx import TensorProto, helper, numpy_helper, version_converter
from torch import nn
from torch.nn import functional

warnings.filterwarnings("ignore")
here = pathlib.Path(__file__).parent
cases = []


class Block(nn.Module):
    def __init__(self, channels):
        super().__init__()
        self.conv1 = nn.Conv2d(channels, channels, 3, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(channels)
        self.conv2 = nn.Conv2d(channels, channels, 3, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(channels)

    def forward(self, x):
        h = torch.relu(self.bn1(self.conv1(x)))
        return torch.relu(x + self.bn2(self.conv2(h)))


class Residual(nn.Module):
    def __init__(self):
        super().__init__()
        self.stem = nn.Sequential(nn.Conv2d(1, 8, 3, stride=2, padding=1, bias=False), nn.BatchNorm2d(8), nn.ReLU6())
        self.features = nn.Sequential(Block(8), nn.MaxPool2d(3, stride=2, ceil_mode=True), nn.Conv2d(8, 16, 3, groups=4), nn.BatchNorm2d(16), nn.SiLU())
        self.fc = nn.Linear(16, 5)

    def forward(self, x):
        return self.fc(torch.flatten(functional.adaptive_avg_pool2d(self.features(self.stem(x)), 1), 1))


class Encoder(nn.Module):
    def __init__(self):
        super().__init__()
        self.words = nn.Embedding(23, 16)
        self.positions = nn.Parameter(0.1 * torch.randn(1, 7, 16))
        layer = nn.TransformerEncoderLayer(16, 2, 32, dropout=0.1, activation="gelu", batch_first=True, norm_first=True)
        self.encoder = nn.TransformerEncoder(layer, 1, enable_nested_tensor=False)
        self.norm = nn.LayerNorm(16)
        self.head = nn.Linear(16, 4)

    def forward(self, tokens):
        h = self.words(tokens) + self.positions[:, : tokens.shape[1]]
        return self.head(self.norm(self.encoder(h)).mean(1))


class Causal(nn.Module):
    """Attention by scaled_dot_product_attention with a mask, a class token, tied words."""

    def __init__(self):
        super().__init__()
        self.words = nn.Embedding(19, 8)
        self.first = nn.Parameter(torch.randn(1, 1, 8))
        self.qkv = nn.Linear(8, 24)
        self.out = nn.Linear(8, 8)

    def forward(self, tokens):
        h = self.words(tokens)
        h = torch.cat([self.first.expand(tokens.shape[0], -1, -1), h], 1)
        q, k, v = (part.unflatten(-1, (2, 4)).transpose(1, 2) for part in self.qkv(h).chunk(3, -1))
        mixed = functional.scaled_dot_product_attention(q, k, v, is_causal=True)
        h = h + self.out(mixed.transpose(1, 2).flatten(2))
        return functional.linear(h[:, -1], self.words.weight)


class Pieces(nn.Module):
    """Everything else: pools with odd sides, transposed convolutions, norms by groups, lines, activations."""

    def __init__(self):
        super().__init__()
        self.down = nn.Conv2d(2, 6, (3, 2), stride=(2, 1), padding=(1, 0), dilation=(1, 2))
        self.group = nn.GroupNorm(3, 6)
        self.up = nn.ConvTranspose2d(6, 4, 3, stride=2, padding=1, output_padding=1)
        self.instance = nn.InstanceNorm2d(4, affine=True)
        self.line = nn.Conv1d(4, 3, 3, padding=1)
        self.slopes = nn.PReLU(3, 0.3)

    def forward(self, x):
        h = functional.leaky_relu(self.group(self.down(x)), 0.2)
        h = functional.avg_pool2d(h, 3, stride=2, padding=1, count_include_pad=False, ceil_mode=True)
        h = functional.hardswish(self.instance(self.up(h)))
        h = functional.interpolate(h, scale_factor=2, mode="nearest")
        h = functional.elu(h[:, :, ::2]).amax(3)
        h = self.slopes(self.line(functional.pad(h, (1, 0))))
        return torch.softmax(h, 1).flatten(1).clamp(0.1, 0.6).pow(2).sqrt()


class Recurrent(nn.Module):
    """Two layers of long short-term memory over words, or gated units over numbers, and the last state."""

    def __init__(self, kind):
        super().__init__()
        self.words = nn.Embedding(13, 6) if kind == "lstm" else None
        self.rnn = nn.LSTM(6, 5, 2, batch_first=True) if kind == "lstm" else nn.GRU(6, 5, 2, batch_first=True)
        self.start = None if kind == "lstm" else nn.Linear(6, 10)
        self.out = nn.Linear(10, 3)

    def forward(self, x):
        if self.words is not None:
            sequence, (hidden, cell) = self.rnn(self.words(x))
            return self.out(torch.cat([sequence.amax(1), hidden[0] + cell[1]], 1))
        start = torch.tanh(self.start(x[:, 0])).unflatten(1, (2, 5)).transpose(0, 1).contiguous()
        sequence, hidden = self.rnn(x, start)
        return self.out(torch.cat([sequence.mean(1), hidden[0]], 1))


def mlp():
    return nn.Sequential(nn.Linear(6, 16), nn.Tanh(), nn.Dropout(0.5), nn.Linear(16, 8), nn.GELU(), nn.Linear(8, 3), nn.LogSoftmax(-1))


def settle(model):
    """Running statistics and gains that are not those of the first step."""
    for module in model.modules():
        if isinstance(module, (nn.BatchNorm2d, nn.GroupNorm, nn.LayerNorm, nn.InstanceNorm2d)):
            nn.init.uniform_(module.weight, 0.5, 1.5)
            nn.init.uniform_(module.bias, -0.5, 0.5)
        if isinstance(module, nn.BatchNorm2d):
            nn.init.uniform_(module.running_mean, -0.5, 0.5)
            nn.init.uniform_(module.running_var, 0.5, 1.5)
    return model.eval()


def numbers(array):
    return [round(float(value), 7) for value in numpy.asarray(array).ravel()]


def add_case(name, x, y):
    cases.append({"file": f"onnx-{name}.onnx", "input": numbers(x), "inputShape": list(x.shape), "output": numbers(y), "outputShape": list(y.shape)})


def export(name, model, x, *, opset, dynamo, free=True):
    path = here / f"onnx-{name}.onnx"
    settle(model)
    names = {"input_names": ["x"], "output_names": ["scores"]}
    if dynamo:
        shapes = ({0: torch.export.Dim("rows", min=2, max=64)},) if free else None
        torch.onnx.export(model, (x,), path, dynamo=True, opset_version=opset, external_data=False, dynamic_shapes=shapes, verbose=False, **names)
    else:
        axes = {"dynamic_axes": {"x": {0: "rows"}}} if free else {}
        torch.onnx.export(model, (x,), path, dynamo=False, opset_version=opset, training=torch.onnx.TrainingMode.EVAL, **axes, **names)
    file = onnx.load(path)
    for node in file.graph.node:
        node.doc_string = ""
        del node.metadata_props[:]
    for value in [*file.graph.input, *file.graph.output, *file.graph.initializer]:
        del value.metadata_props[:]
    del file.graph.value_info[:], file.graph.metadata_props[:], file.metadata_props[:]
    file.producer_version = ""
    onnx.save(file, path)
    with torch.no_grad():
        add_case(name, x.numpy(), model(x).numpy())


torch.manual_seed(7)
export("mlp", mlp(), torch.randn(4, 6), opset=13, dynamo=False)
residual = settle(Residual())
export("residual", residual, torch.randn(3, 1, 14, 14), opset=17, dynamo=False)
export("residual-20", settle(Residual()), torch.randn(3, 1, 14, 14), opset=20, dynamo=True)
export("residual-fixed", settle(Residual()), torch.randn(2, 1, 14, 14), opset=13, dynamo=False, free=False)
export("encoder", Encoder(), torch.randint(0, 23, (3, 7)), opset=17, dynamo=False)
export("encoder-20", Encoder(), torch.randint(0, 23, (3, 7)), opset=20, dynamo=True)
export("encoder-fixed", Encoder(), torch.randint(0, 23, (2, 7)), opset=14, dynamo=False, free=False)
export("causal", Causal(), torch.randint(0, 19, (3, 5)), opset=17, dynamo=False)
export("causal-20", Causal(), torch.randint(0, 19, (3, 5)), opset=20, dynamo=True)
export("pieces", Pieces(), torch.randn(2, 2, 9, 8), opset=17, dynamo=False)
export("pieces-20", Pieces(), torch.randn(2, 2, 9, 8), opset=20, dynamo=True)

torch.manual_seed(8)
export("lstm", Recurrent("lstm"), torch.randint(0, 13, (3, 4)), opset=17, dynamo=False)
export("lstm-20", Recurrent("lstm"), torch.randint(0, 13, (3, 4)), opset=20, dynamo=True)
# The newer exporter writes linear_before_reset 0 for GRUs, which is another computation than that of PyTorch.
export("gru", Recurrent("gru"), torch.randn(3, 4, 6), opset=17, dynamo=False)


def by_hand():
    """Batch norm beside its convolution, padding by name, sums over several values, a decomposed layer norm; opset 13 and 21."""
    random = numpy.random.default_rng(3)
    tensor = lambda name, *shape, low=-0.5, high=0.5: numpy_helper.from_array(random.uniform(low, high, shape).astype(numpy.float32), name)
    whole = lambda name, *values: numpy_helper.from_array(numpy.array(values, numpy.int64), name)
    number = lambda name, value: numpy_helper.from_array(numpy.array(value, numpy.float32), name)
    weights = [
        tensor("conv/kernel:0", 4, 2, 3, 3), tensor("bn/gamma:0", 4, low=0.5, high=1.5), tensor("bn/beta:0", 4),
        tensor("bn/mean:0", 4), tensor("bn/variance:0", 4, low=0.5, high=1.5), tensor("dense/kernel:0", 4, 6), tensor("dense/bias:0", 6),
        whole("axes", -1), number("eps", 1e-5), number("two", 2.0), number("half", 0.5), tensor("norm/gamma:0", 6, low=0.5, high=1.5),
        whole("to", 0, -1, 3), whole("sizes", 1, 2), tensor("out/kernel:0", 4, 3), number("alpha", 0.3),
    ]
    nodes = [
        helper.make_node("Conv", ["x", "conv/kernel:0"], ["c"], "conv", auto_pad="SAME_LOWER", strides=[2, 2]),
        helper.make_node("BatchNormalization", ["c", "bn/gamma:0", "bn/beta:0", "bn/mean:0", "bn/variance:0"], ["b"], "bn", epsilon=1e-3, momentum=0.99),
        helper.make_node("HardSigmoid", ["b"], ["s"], "s", alpha=0.3, beta=0.4),
        helper.make_node("Sum", ["b", "s", "b"], ["u"], "u"),
        helper.make_node("AveragePool", ["u"], ["p"], "p", kernel_shape=[2, 2], strides=[2, 2], auto_pad="SAME_UPPER"),
        helper.make_node("GlobalAveragePool", ["p"], ["g"], "g"),
        helper.make_node("Flatten", ["g"], ["v"], "v", axis=-3),
        helper.make_node("MatMul", ["v", "dense/kernel:0"], ["m"], "dense/MatMul"),
        helper.make_node("Add", ["m", "dense/bias:0"], ["a"], "dense/Add"),
        helper.make_node("ReduceMean", ["a"], ["mean"], "mean", axes=[-1]),
        helper.make_node("Sub", ["a", "mean"], ["d"], "d"),
        helper.make_node("Pow", ["d", "two"], ["q"], "q"),
        helper.make_node("ReduceMean", ["q"], ["var"], "var", axes=[-1]),
        helper.make_node("Add", ["var", "eps"], ["e"], "e"),
        helper.make_node("Pow", ["e", "half"], ["r"], "r"),
        helper.make_node("Div", ["d", "r"], ["n"], "n"),
        helper.make_node("Mul", ["n", "norm/gamma:0"], ["o"], "norm"),
        helper.make_node("Reshape", ["o", "to"], ["w"], "w"),
        helper.make_node("Split", ["w", "sizes"], ["w1", "w2"], "split", axis=2),
        helper.make_node("Concat", ["w2", "w1"], ["z"], "z", axis=-1),
        helper.make_node("Transpose", ["z"], ["t"], "t", perm=[0, 2, 1]),
        helper.make_node("MatMul", ["z", "t"], ["zz"], "zz"),
        helper.make_node("Flatten", ["zz"], ["f"], "f"),
        helper.make_node("Gemm", ["f", "out/kernel:0"], ["scores"], "out", alpha=0.5),
    ]
    shape = lambda name, *dims: helper.make_tensor_value_info(name, TensorProto.FLOAT, dims)
    graph = helper.make_graph(nodes, "by-hand", [shape("x", "N", 2, 7, 7)], [shape("scores", "N", 3)], weights)
    file = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8)
    onnx.checker.check_model(file, full_check=True)
    x = random.standard_normal((2, 2, 7, 7)).astype(numpy.float32)
    for name, version in (("by-hand", 13), ("by-hand-21", 21)):
        model = file if version == 13 else version_converter.convert_version(file, version)
        onnx.save(model, here / f"onnx-{name}.onnx")
        add_case(name, x, onnxruntime.InferenceSession(model.SerializeToString()).run(None, {"x": x})[0])


by_hand()
(here / "onnx-models.json").write_text(json.dumps(cases, separators=(",", ":")) + "\n")
for case in cases:
    print(case["file"], (here / case["file"]).stat().st_size, case["outputShape"])

"""Whole networks, forward and backward, by TensorFlow and PyTorch.

    networks.py [FOLDER]        writes internal/pipeline/testdata/networks, or FOLDER

A network is a list of layers, which both libraries run in their own layout and
differentiate.  The files that poolctl reads, NAME.yaml, are written by hand: they
say the same once more.  Of every network there are its weights (npz, safetensors
or an ONNX model exported by torch.onnx) and NAME.golden.npz:

    x, upstream       the input and the gradient of the output
    STEP              the output of a step
    STEP.grad         the gradient of it; input.grad
    STEP.filter-grad  and bias, scale, offset
    double.KEY        the same computed in float64

Weights are random multiples of 1/512: such files compress.
"""

import json
import struct
import sys
import zipfile
import zlib
from pathlib import Path

from golden import agree, channels_first, channels_last  # before tensorflow: it pins the environment

import numpy as np
import onnx
import tensorflow as tf
import torch

from conv_case import order_filter
from pool_oracles import LIBRARIES  # sets the libraries to one thread

HERE = Path(__file__).resolve().parent
OUT = Path(sys.argv[1]) if len(sys.argv) > 1 else HERE.parent.parent / "internal/pipeline/testdata/networks"
TOLERANCE = {"float32": 2e-5, "float64": 1e-11}  # of two libraries; poolctl gets twice as much
functional = torch.nn.functional


def random(name, shape, scale=1.0, positive=False):
    rng = np.random.Generator(np.random.PCG64(zlib.crc32(name.encode())))
    values = rng.standard_normal(shape) * scale
    return (np.round((np.abs(values) + 0.25 if positive else values) * 512) / 512).astype("float32")


class Network:
    """Layers in order; each takes the output of the one before unless it says from."""

    def __init__(self, name, shape):
        self.name, self.layers, self.weights = name, [], {}
        self.x = random(f"{name} x", shape)
        self.channels = {"input": shape[-1]}

    def add(self, step, op, source=None, channels=None, **more):
        source = source or (self.layers[-1][0] if self.layers else "input")
        first = source if isinstance(source, str) else source[0]
        self.channels[step] = channels or self.channels[first]
        self.layers.append((step, op, source, more))
        return step

    def weight(self, step, role, shape, scale=1.0, positive=False):
        self.weights[f"{step}.{role}"] = random(f"{self.name} {step} {role}", shape, scale, positive)

    def conv(self, step, channels, window, source=None, bias=True, **more):
        source = source or (self.layers[-1][0] if self.layers else "input")
        taps = window * window * self.channels[source]
        self.weight(step, "filter", (window, window, self.channels[source], channels), np.sqrt(2 / taps))
        if bias:
            self.weight(step, "bias", (channels,), 0.25)
        return self.add(step, "conv", source, channels, **more)

    def dense(self, step, inputs, outputs):
        self.weight(step, "filter", (inputs, outputs), np.sqrt(1 / inputs))
        self.weight(step, "bias", (outputs,), 0.25)
        return self.add(step, "dense", channels=outputs)

    def norm(self, step):
        channels = self.channels[self.layers[-1][0]]
        for role, scale in [("mean", 0.25), ("offset", 0.25)]:
            self.weight(step, role, (channels,), scale)
        for role in ["variance", "scale"]:
            self.weight(step, role, (channels,), 0.5, positive=True)
        return self.add(step, "norm")

    def cast(self, dtype):
        return self.x.astype(dtype), {k: v.astype(dtype) for k, v in self.weights.items()}


def run(network, library, dtype):
    """All outputs and all gradients by name, channels last."""
    x, weights = network.cast(dtype)
    return (by_tensorflow if library == "tensorflow" else by_torch)(network, x, weights)


def upstream(network, y):
    return random(f"{network.name} upstream", y.shape).astype(y.dtype)


def sources(values, source):
    return values[source] if isinstance(source, str) else [values[s] for s in source]


def by_tensorflow(network, x, weights):
    values, w = {"input": tf.constant(x)}, {k: tf.constant(v) for k, v in weights.items()}
    with tf.GradientTape(persistent=True) as tape:
        tape.watch([values["input"], *w.values()])
        for step, op, source, o in network.layers:
            t = sources(values, source)
            pad = o.get("padding", "VALID")
            pad = pad if isinstance(pad, str) else [[0, 0], [pad] * 2, [pad] * 2, [0, 0]]
            if op == "conv":
                y = tf.nn.conv2d(t, w[f"{step}.filter"], o.get("strides", 1), pad)
                y = tf.nn.bias_add(y, w[f"{step}.bias"]) if f"{step}.bias" in w else y
            elif op == "max":
                y = tf.nn.max_pool2d(t, o["window"], o.get("strides", o["window"]), pad)
            elif op == "avg":
                y = tf.nn.avg_pool2d(t, o["window"], o.get("strides", o["window"]), pad)
            elif op == "norm":
                y = tf.nn.batch_normalization(t, *(w[f"{step}.{r}"] for r in ["mean", "variance", "offset", "scale"]), o.get("epsilon", 1e-5))
            elif op == "lrn":
                y = tf.nn.local_response_normalization(t, o["radius"], o["bias"], o["alpha"], o["beta"])
            elif op == "dense":
                y = tf.nn.bias_add(tf.linalg.matmul(t, w[f"{step}.filter"]), w[f"{step}.bias"])
            else:
                y = {"relu": tf.nn.relu, "tanh": tf.math.tanh, "softmax": tf.nn.softmax, "add": lambda t: tf.math.add_n(t),
                     "concat": lambda t: tf.concat(t, -1), "flatten": lambda t: tf.reshape(t, [t.shape[0], -1])}[op](t)
            values[step] = y
    dy = tf.constant(upstream(network, y.numpy()))
    found = {step: v.numpy() for step, v in values.items()}
    for step, v in values.items():
        found[f"{step}.grad"] = tape.gradient(y, v, dy).numpy()
    for key, v in w.items():
        found[f"{key}-grad"] = tape.gradient(y, v, dy).numpy()
    return found


def turn(a):
    return channels_first(a) if a.ndim == 4 else a


def back(t):
    a = t.detach().numpy()
    return channels_last(a) if a.ndim == 4 else a


def by_torch(network, x, weights):
    w = {k: torch.from_numpy(order_filter(v, "OIHW") if v.ndim == 4 else v.copy()) for k, v in weights.items()}
    for key, v in w.items():
        v.requires_grad_(key.split(".")[1] not in ("mean", "variance"))
    values = {"input": torch.from_numpy(turn(x)).requires_grad_()}
    for step, op, source, o in network.layers:
        t = sources(values, source)
        pad = o.get("padding", "VALID")
        pad = {"VALID": 0, "SAME": (o.get("window", 0) or w.get(f"{step}.filter", torch.zeros(1, 1, 1, 1)).shape[-1]) // 2}.get(pad, pad)
        if op == "conv":
            y = functional.conv2d(t, w[f"{step}.filter"], w.get(f"{step}.bias"), o.get("strides", 1), pad)
        elif op == "max":
            y = functional.max_pool2d(t, o["window"], o.get("strides", o["window"]), pad)
        elif op == "avg":
            y = functional.avg_pool2d(t, o["window"], o.get("strides", o["window"]), pad, count_include_pad=False)
        elif op == "norm":
            normal = torch.nn.functional.batch_norm
            y = normal(t, *(w[f"{step}.{r}"] for r in ["mean", "variance", "scale", "offset"]), eps=o.get("epsilon", 1e-5))
        elif op == "lrn":
            size = 2 * o["radius"] + 1
            y = functional.local_response_norm(t, size, o["alpha"] * size, o["beta"], o["bias"])
        elif op == "dense":
            y = functional.linear(t, w[f"{step}.filter"].T, w[f"{step}.bias"])
        else:
            y = {"relu": torch.relu, "tanh": torch.tanh, "softmax": lambda t: torch.softmax(t, 1), "add": lambda t: sum(t[1:], t[0]),
                 "concat": lambda t: torch.cat(t, 1), "flatten": lambda t: t.movedim(1, -1).flatten(1)}[op](t)
        y.retain_grad()
        values[step] = y
    y.backward(torch.from_numpy(turn(upstream(network, back(y)))))
    found = {step: back(v) for step, v in values.items()} | {f"{step}.grad": back(v.grad) for step, v in values.items()}
    for key, v in w.items():
        if v.grad is not None:
            g = v.grad.numpy()
            found[f"{key}-grad"] = np.ascontiguousarray(np.moveaxis(g, (0, 1), (-1, -2))) if g.ndim == 4 else g
    return found


def archive(path, arrays):
    """An .npz whose bytes depend on the arrays alone."""
    with zipfile.ZipFile(path, "w") as z:
        for name, a in arrays.items():
            entry = zipfile.ZipInfo(f"{name}.npy", date_time=(1980, 1, 1, 0, 0, 0))
            entry.compress_type, entry.external_attr = zipfile.ZIP_DEFLATED, 0o644 << 16
            with z.open(entry, "w") as f:
                np.lib.format.write_array(f, np.ascontiguousarray(a), allow_pickle=False)


def safetensors(path, arrays):
    """huggingface's format: the length of a header, the header in JSON, the data."""
    header, at = {"__metadata__": {"format": "pt"}}, 0
    for name, a in arrays.items():
        header[name] = {"dtype": "F32", "shape": list(a.shape), "data_offsets": [at, at + a.nbytes]}
        at += a.nbytes
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    path.write_bytes(struct.pack("<Q", len(text)) + text + b"".join(np.ascontiguousarray(a).tobytes() for a in arrays.values()))


def write(network, first, kept, library, outputs):
    """Writes the golden file: the kept tensors of every step, by TensorFlow or PyTorch, after checking one against the other.

    first puts activations into channels first, and filters into OIHW.
    """
    def layout(key, a):
        if not first or a.ndim != 4:
            return a
        return order_filter(a, "OIHW") if "filter" in key else channels_first(a)

    golden = {}
    for dtype in ["float32", "float64"]:
        answers = {name: run(network, name, dtype) for name in ["tensorflow", "torch"] if dtype == "float32" or "lrn" not in [
            op for _, op, _, _ in network.layers] or name == "torch"}  # tf.nn.lrn has no float64
        want = answers.get(library) or answers["torch"]
        for name, found in answers.items():
            for key in want:
                if key.split(".")[-1] not in ("mean-grad", "variance-grad"):
                    agree(f"{network.name}: {key} by {name}", found[key], want[key], TOLERANCE[dtype])
        last = network.layers[-1][0]
        if dtype == "float32":
            golden["x"] = layout("x", network.x)
            golden["upstream"] = layout("upstream", upstream(network, want[last]))
            golden |= {key: layout(key, want[key]) for key in kept}
        else:
            golden |= {f"double.{key}": layout(key, want[key]) for key in [last, "input.grad", *outputs]}
    archive(OUT / f"{network.name}.golden.npz", golden)
    size = sum((p.stat().st_size for p in OUT.glob(f"{network.name}.*")))
    print(f"{network.name}: {len(golden)} arrays, {len(network.layers)} layers, {sum(w.size for w in network.weights.values())} parameters, {size} bytes")


def everything(network, *steps):
    """The outputs of some steps, and the gradients of them, of the input, and of all weights and the steps that have them."""
    learned = [key for key in network.weights if key.split(".")[1] not in ("mean", "variance")]
    graded = dict.fromkeys(["input", *steps, *(key.split(".")[0] for key in learned)])
    return [*steps, *(f"{step}.grad" for step in graded), *(f"{key}-grad" for key in learned)]


def lenet():
    n = Network("lenet5", (2, 32, 32, 1))
    n.conv("conv1", 6, 5), n.add("act1", "tanh"), n.add("pool1", "avg", window=2)
    n.conv("conv2", 16, 5), n.add("act2", "tanh"), n.add("pool2", "avg", window=2)
    n.add("flat", "flatten")
    n.dense("fc1", 400, 40), n.add("act3", "tanh")
    n.dense("fc2", 40, 84), n.add("act4", "tanh"), n.dense("fc3", 84, 10), n.add("scores", "softmax")
    archive(OUT / "lenet5.npz", n.weights)
    write(n, False, everything(n, "conv1", "pool1", "conv2", "pool2", "fc1", "fc2", "fc3", "scores"), "tensorflow",
          ["conv1.bias-grad", "fc3.filter-grad"])


def inception():
    """GoogLeNet's mixed block after its local response normalisation, a quarter as wide."""
    n = Network("inception", (1, 12, 10, 24))
    n.add("norm", "lrn", radius=2, bias=1.0, alpha=0.125, beta=0.75)
    n.conv("b1", 16, 1, "norm"), n.add("b1act", "relu")
    n.conv("b2reduce", 12, 1, "norm"), n.add("b2act", "relu"), n.conv("b2", 24, 3, padding="SAME"), n.add("b2out", "relu")
    n.conv("b3reduce", 4, 1, "norm"), n.add("b3act", "relu"), n.conv("b3", 8, 5, padding="SAME"), n.add("b3out", "relu")
    n.add("b4pool", "max", "norm", window=3, strides=1, padding="SAME")
    n.conv("b4", 8, 1), n.add("b4act", "relu")
    n.add("mixed", "concat", ["b1act", "b2out", "b3out", "b4act"], channels=56)
    archive(OUT / "inception.npz", n.weights)
    write(n, False, everything(n, "norm", "b2out", "b4pool", "mixed"), "tensorflow", ["b3.bias-grad", "b4pool.grad"])


class Features(torch.nn.Module):
    """torchvision's vgg11().features, a sixteenth as wide, whose parameters are features.0.weight and so on."""

    def __init__(self, plan):
        super().__init__()
        layers, channels = [], 3
        for width in plan:
            if width == "M":
                layers.append(torch.nn.MaxPool2d(2, 2))
            else:
                layers += [torch.nn.Conv2d(channels, width, 3, padding=1), torch.nn.ReLU()]
                channels = width
        self.features = torch.nn.Sequential(*layers)

    def forward(self, x):
        return self.features(x)


def vgg():
    plan = [4, "M", 8, "M", 16, 16, "M", 32, 32, "M", 32, 32, "M"]
    n, model, at, convs, pools = Network("vgg11", (1, 32, 32, 3)), Features(plan), 0, [], []
    for width in plan:
        if width == "M":
            pools.append(n.add(f"pool{len(pools) + 1}", "max", window=2))
            at += 1
            continue
        step = n.conv(f"conv{len(convs) + 1}", width, 3, padding="SAME")
        n.add(f"act{len(convs) + 1}", "relu")
        convs.append(step)
        with torch.no_grad():
            model.features[at].weight.copy_(torch.from_numpy(order_filter(n.weights[f"{step}.filter"], "OIHW")))
            model.features[at].bias.copy_(torch.from_numpy(n.weights[f"{step}.bias"]))
        at += 2
    path = OUT / "vgg11.onnx"
    torch.onnx.export(model, (torch.from_numpy(channels_first(n.x)),), str(path), dynamo=False, input_names=["x"], output_names=["y"])
    exported = onnx.load(path)
    for node in exported.graph.node:
        node.ClearField("doc_string")
    onnx.save(exported, path)
    y = channels_last(model(torch.from_numpy(channels_first(n.x))).detach().numpy())
    agree("vgg11: the exported module", y, run(n, "torch", "float32")["pool5"], 1e-6)
    write(n, True, everything(n, "conv1", "pool1", "pool2", "pool3", "pool4", "pool5"), "torch", ["conv8.bias-grad"])


def resnet():
    """ResNet-18's stem and first stage, a quarter as wide, in PyTorch's names."""
    n = Network("resnet18", (1, 3 * 8, 3 * 8, 3))
    n.conv("conv1", 16, 7, bias=False, strides=2, padding=3), n.norm("bn1"), n.add("relu1", "relu")
    n.add("maxpool", "max", window=3, strides=2, padding=1)
    names = {"conv1": "conv1", "bn1": "bn1"}
    for block in range(2):
        entry, b = n.layers[-1][0], f"b{block}"
        n.conv(f"{b}conv1", 16, 3, bias=False, padding="SAME"), n.norm(f"{b}bn1"), n.add(f"{b}relu1", "relu")
        n.conv(f"{b}conv2", 16, 3, bias=False, padding="SAME"), n.norm(f"{b}bn2")
        n.add(f"{b}add", "add", [f"{b}bn2", entry]), n.add(f"{b}out", "relu")
        names |= {f"{b}{layer}": f"layer1.{block}.{layer}" for layer in ["conv1", "bn1", "conv2", "bn2"]}
    roles = {"filter": "weight", "scale": "weight", "offset": "bias", "mean": "running_mean", "variance": "running_var"}
    safetensors(OUT / "resnet18.safetensors", {
        f"{names[key.split('.')[0]]}.{roles[key.split('.')[1]]}": order_filter(v, "OIHW") if v.ndim == 4 else v for key, v in n.weights.items()})
    write(n, True, everything(n, "conv1", "bn1", "maxpool", "b0add", "b1out"), "torch", ["bn1.scale-grad", "b1bn2.offset-grad"])


OUT.mkdir(parents=True, exist_ok=True)
for network in [lenet, inception, vgg, resnet]:
    network()

"""One convolution case: its setting, its oracles in order, and the check that all agree."""

from dataclasses import dataclass

import golden  # before tensorflow: it pins the environment

import numpy as np
import tensorflow as tf
import torch

import brute
from golden import CHANNELS_FIRST, SHORT, axes, channels_first, channels_last, csv, float_of, wide
from pool_oracles import onnxruntime_run

LIBRARIES = ["tensorflow", "torch", "onnx", "onnxruntime"]
LETTERS = {1: "W", 2: "HW", 3: "DHW"}
TOLERANCE = {"float16": 1e-3, "float32": 1e-5, "float64": 1e-12}


def order_filter(f, format):
    """A filter k..IO in another format, named by its letters as --filter-format is."""
    native = LETTERS[f.ndim - 2] + "IO"
    return np.ascontiguousarray(f.transpose([native.index(letter) for letter in format]))


@dataclass
class Conv:
    """A setting; x is N..C and f is k..I/groups O, whatever the case is stored in.

    transpose: the gradient of such a convolution to its input: x plays its output's part, so f's O are x's channels.
    """

    x: np.ndarray
    f: np.ndarray
    strides: tuple | None = None
    padding: object = None
    dilations: tuple | None = None
    groups: int = 1
    bias: np.ndarray | None = None
    first: bool = False
    format: str | None = None          # filter format, None for the default
    size: tuple | None = None          # transpose: spatial output size, None for the default
    note: str = ""
    transpose: bool = False

    @property
    def rank(self):
        return self.x.ndim - 2

    @property
    def window(self):
        return self.f.shape[:-2]

    @property
    def steps(self):
        return self.strides or (1,) * self.rank

    @property
    def rates(self):
        return self.dilations or (1,) * self.rank

    @property
    def pad(self):
        return self.padding or "VALID"

    @property
    def dense(self):
        return all(d == 1 for d in self.rates)

    @property
    def tolerance(self):
        return TOLERANCE[float_of(self.x.dtype).name]

    @property
    def spatial(self):
        """The spatial size of the convolution's input: of x, or of a transpose's output."""
        if not self.transpose:
            return self.x.shape[1:-1]
        if self.size:
            return self.size
        if self.pad in ("SAME", "SAME_LOWER"):
            return tuple(n * s for n, s in zip(self.x.shape[1:-1], self.steps))
        each = [(0, 0)] * self.rank if self.pad == "VALID" else self.pad
        return tuple((n - 1) * s + (k - 1) * d + 1 - lo - hi for n, s, k, d, (lo, hi) in zip(
            self.x.shape[1:-1], self.steps, self.window, self.rates, each))

    @property
    def geometry(self):
        return axes(self.spatial, self.window, self.steps, self.rates, self.pad)

    @property
    def op(self):
        return f"conv{self.rank}d" + "-transpose" * self.transpose

    def params(self):
        p = {}
        if self.strides:
            p["strides"] = csv(self.strides)
        if self.padding:
            p["padding"] = golden.pads(self.padding)
        if self.dilations:
            p["dilations"] = csv(self.dilations)
        if self.groups != 1:
            p["groups"] = str(self.groups)
        if self.format:
            p["filter-format"] = self.format
        if self.first:
            p["data-format"] = CHANNELS_FIRST[self.rank]
        if self.size:
            channels = self.f.shape[-2] * self.groups
            whole = (self.x.shape[0], *self.size, channels)
            p["output-shape"] = csv((whole[0], channels, *self.size) if self.first else whole)
        return p

    def name(self):
        shape = (channels_first(self.x) if self.first else self.x).shape
        parts = [self.op.replace("-", "_"), "x".join(map(str, shape)), "f" + "x".join(map(str, self.f.shape))]
        if self.strides:
            parts.append("s" + "x".join(map(str, self.strides)))
        if isinstance(self.padding, str):
            parts.append(self.padding)
        elif self.padding:
            parts.append("p" + "_".join(f"{a}.{b}" for a, b in self.padding))
        if self.dilations:
            parts.append("d" + "x".join(map(str, self.dilations)))
        if self.size:
            parts.append("to" + "x".join(map(str, self.size)))
        parts += [f"g{self.groups}"] * (self.groups > 1) + ["bias"] * (self.bias is not None)
        parts.append(SHORT[self.x.dtype.name])
        parts += [self.format] * bool(self.format) + [CHANNELS_FIRST[self.rank]] * self.first
        return "_".join(parts + [self.note] * bool(self.note))

    def widened(self):
        """x, f and bias in the type that is computed in."""
        kind = wide(self.x.dtype)
        return self.x.astype(kind), self.f.astype(kind), None if self.bias is None else self.bias.astype(kind)

    def suffix(self):
        if self.x.dtype == wide(self.x.dtype):
            return ""
        return f" of the input as {wide(self.x.dtype)}" + ", rounded to float16" * (self.x.dtype == np.float16)


def with_bias(y, bias):
    return y.numpy() if bias is None else tf.nn.bias_add(y, bias).numpy()


def tensorflow_call(c):
    """(the call on x and f, name of the function), or None where TensorFlow has none on the CPU or a known bug."""
    if c.pad == "SAME_LOWER":
        return None
    explicit = not isinstance(c.pad, str)
    if c.rank == 2:
        pad = [[0, 0], *map(list, c.pad), [0, 0]] if explicit else c.pad
        return lambda x, f: tf.nn.conv2d(x, f, list(c.steps), pad, dilations=list(c.rates)), "tf.nn.conv2d"
    if explicit or c.groups > 1 and c.rank == 3:
        return None
    if c.rank == 1:
        return lambda x, f: tf.nn.conv1d(x, f, c.steps[0], c.pad, dilations=c.rates[0]), "tf.nn.conv1d"
    if not c.dense:
        if any(s > 1 for s in c.steps):
            return None
        return lambda x, f: tf.nn.convolution(x, f, padding=c.pad, dilations=c.rates), "tf.nn.convolution"
    if c.pad == "SAME":
        out = c.geometry[0]
        if any((o - 1) * s + k - n <= -2 for o, s, k, n in zip(out, c.steps, c.window, c.spatial)):
            return None  # starts at cell 1: Eigen pads negatively
    return lambda x, f: tf.nn.conv3d(x, f, [1, *c.steps, 1], c.pad), "tf.nn.conv3d"


def tensorflow_conv(c):
    """(y, name of the function), or None where TensorFlow has no such call."""
    call = tensorflow_call(c)
    if call is None:
        return None
    run, by = call
    x, f, bias = c.widened()
    y = run(tf.constant(x), tf.constant(f))
    if c.rank == 2 and c.x.dtype == np.int32:
        exact = run(tf.constant(c.x), tf.constant(c.f))
        golden.agree(f"{c.name()}: int32", y.numpy(), exact.numpy().astype("float64"), 0)
    return with_bias(y, bias), by + c.suffix() + (", tf.nn.bias_add" if bias is not None else "")


def onnxruntime_conv(c):
    """float32, every padding; SAME_LOWER by its own name."""
    x, f, bias = c.widened()
    if x.dtype != np.float32 or 0 in x.shape:
        return None
    out, lo, hi = c.geometry
    attributes = {"kernel_shape": list(c.window), "strides": list(c.steps), "dilations": list(c.rates), "group": c.groups}
    spelled = ""
    short = any((o - 1) * s + (k - 1) * d + 1 < n
                for o, s, k, d, n in zip(out, c.steps, c.window, c.rates, c.spatial))
    if c.pad == "SAME_LOWER" and c.dense and not short:
        attributes["auto_pad"] = c.pad
    else:
        attributes["pads"] = [*lo, *hi]
        spelled = ", pads written out" * (c.pad in ("SAME", "SAME_LOWER"))
    inputs = [channels_first(x), order_filter(f, "OI" + LETTERS[c.rank])] + [bias] * (bias is not None)
    y, = onnxruntime_run("Conv", inputs, **attributes)
    return channels_last(y), "onnxruntime Conv" + spelled + c.suffix()


def torch_call(c):
    """(the convolution of x as NC.., a filter as OI.. and a bias, name): everything, on an input padded with zeros beforehand."""
    out, lo, _ = c.geometry
    reach = [(o - 1) * s + (k - 1) * d + 1 for o, s, k, d in zip(out, c.steps, c.window, c.rates)]
    flat = [p for l, r, n in zip(reversed(lo), reversed(reach), reversed(c.spatial)) for p in (l, r - l - n)]
    run = getattr(torch.nn.functional, f"conv{c.rank}d")
    spelled = " of the zero-padded input" if any(flat) else ""
    return (lambda x, weight, bias: run(torch.nn.functional.pad(x, flat), weight, bias, c.steps, 0, c.rates, c.groups),
            f"torch.nn.functional.conv{c.rank}d{spelled}")


def torch_conv(c):
    x, f, bias = c.widened()
    run, by = torch_call(c)
    weight = torch.from_numpy(order_filter(f, "OI" + LETTERS[c.rank]))
    y = run(torch.from_numpy(channels_first(x)), weight, None if bias is None else torch.from_numpy(bias))
    return channels_last(y.numpy()), by + c.suffix()


def tensorflow_transpose_call(c):
    """(the call on x and f, name): SAME, VALID, explicit in 2-D; no dilation, no groups."""
    if c.pad == "SAME_LOWER" or not c.dense or c.groups > 1 or 0 in c.x.shape:
        return None
    explicit = not isinstance(c.pad, str)
    if explicit and c.rank != 2:
        return None
    if c.rank == 3 and c.x.shape[0] > 0 and c.pad == "SAME":
        out = c.geometry[0]
        if any((o - 1) * s + k - n < 0 for o, s, k, n in zip(out, c.steps, c.window, c.spatial)):
            return None
    shape = [c.x.shape[0], *c.spatial, c.f.shape[-2]]
    run = {1: tf.nn.conv1d_transpose, 2: tf.nn.conv2d_transpose, 3: tf.nn.conv3d_transpose}[c.rank]
    pad = [[0, 0], *map(list, c.pad), [0, 0]] if explicit else c.pad
    return lambda x, f: run(x, f, shape, list(c.steps), pad), f"tf.nn.conv{c.rank}d_transpose"


def tensorflow_transpose(c):
    """(y, name of the function), or None where TensorFlow has no such call."""
    call = tensorflow_transpose_call(c)
    if call is None:
        return None
    x, f, bias = c.widened()
    tail = c.suffix() + (", tf.nn.bias_add" if bias is not None else "")
    return with_bias(call[0](tf.constant(x), tf.constant(f)), bias), call[1] + tail


def torch_transpose_call(c):
    """(the call on x as NC.., a filter as OI.. and a bias, name).

    PyTorch's own padding where it is symmetric and fits; else its full result cut to size, surplus cells the bias.
    """
    _, lo, _ = c.geometry
    run = getattr(torch.nn.functional, f"conv_transpose{c.rank}d")
    name = f"torch.nn.functional.conv_transpose{c.rank}d"
    full = [(n - 1) * s + (k - 1) * d + 1 for n, s, k, d in zip(c.x.shape[1:-1], c.steps, c.window, c.rates)]
    surplus = [n - (m - 2 * l) for n, m, l in zip(c.spatial, full, lo)]
    if all(0 <= p < max(s, d) for p, s, d in zip(surplus, c.steps, c.rates)):
        return lambda x, weight, bias: run(
            x, weight, bias, c.steps, tuple(lo), tuple(surplus), c.groups, c.rates), name
    flat = [p for l, n, m in zip(reversed(lo), reversed(c.spatial), reversed(full)) for p in (-l, l + n - m)]

    def cut(x, weight, bias):
        y = torch.nn.functional.pad(run(x, weight, None, c.steps, 0, 0, c.groups, c.rates), flat)
        return y if bias is None else y + bias.reshape(-1, *[1] * c.rank)
    return cut, name + ", its full result cut to size"


def torch_transpose(c):
    x, f, bias = c.widened()
    run, by = torch_transpose_call(c)
    weight = torch.from_numpy(order_filter(f, "OI" + LETTERS[c.rank]))
    y = run(torch.from_numpy(channels_first(x)), weight, None if bias is None else torch.from_numpy(bias))
    return channels_last(y.numpy()), by + c.suffix()


def onnxruntime_transpose(c):
    """float32 with pads of any kind; the surplus is output_padding."""
    x, f, bias = c.widened()
    if x.dtype != np.float32 or 0 in x.shape:
        return None
    _, lo, hi = c.geometry
    full = [(n - 1) * s + (k - 1) * d + 1 for n, s, k, d in zip(x.shape[1:-1], c.steps, c.window, c.rates)]
    surplus = [n - (m - l - h) for n, m, l, h in zip(c.spatial, full, lo, hi)]
    if any(not 0 <= p < s for p, s in zip(surplus, c.steps)):
        return None
    inputs = [channels_first(x), order_filter(f, "OI" + LETTERS[c.rank])] + [bias] * (bias is not None)
    y, = onnxruntime_run("ConvTranspose", inputs, kernel_shape=list(c.window), strides=list(c.steps), group=c.groups,
                         dilations=list(c.rates), pads=[*lo, *hi], output_padding=surplus)
    spelled = ", pads written out" * (c.pad in ("SAME", "SAME_LOWER"))
    return channels_last(y), "onnxruntime ConvTranspose" + spelled + c.suffix()


def add(family, c):
    """Computes a case by the first oracle that can, checks it against all others, and adds it."""
    name, result = c.name(), float_of(c.x.dtype)
    if c.transpose:
        exact = brute.conv_transpose(c.x, c.f, c.spatial, c.steps, c.rates, c.pad, c.groups, c.bias)
        order = [tensorflow_transpose, onnxruntime_transpose, torch_transpose]
    else:
        exact = brute.conv(c.x, c.f, c.steps, c.rates, c.pad, c.groups, c.bias)
        order = [tensorflow_conv, onnxruntime_conv, torch_conv]
    exact = exact.astype(result)
    found = [a for a in (oracle(c) for oracle in order) if a is not None]
    for y, by in found:
        golden.agree(f"{name}: {by}", y.astype(result), exact, c.tolerance / 2)
    y, by = (found + [(exact, "numpy brute force of rule 1")])[0]
    x, y = c.x, y.astype(result)
    default = LETTERS[c.rank] + ("OI" if c.transpose else "IO")
    f = c.f
    if c.format:
        # a transpose's O and I are the letters of its own output and input: the other way round than the convolution's
        f = order_filter(f, c.format if not c.transpose else c.format.translate(str.maketrans("IO", "OI")))
    elif c.transpose:
        assert default.endswith("OI")  # k..IO of the convolution is k..OI of its transpose
    if c.first:
        x, y = channels_first(x), channels_first(y)
    family.add(name, by, c.op, c.params(), {"x": x, "filter": f, "bias": c.bias}, {"y": y}, c.tolerance)

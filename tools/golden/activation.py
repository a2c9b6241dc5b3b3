"""Activations and softmax, with their gradients: ReLU (plain and guided), ReLU6, leaky ReLU, sigmoid, tanh.

In ReLU, PyTorch passes on the gradient at a NaN, and stops an infinity that
TensorFlow multiplies by 0; poolctl stops both, so gradients there are TensorFlow's
for NaN and PyTorch's for infinities.
"""

from golden import data, sprinkled, wide
from layer_brute import elementwise, softmax
from layer_case import Layer, add, families

import numpy as np
import tensorflow as tf
import torch
from onnx import helper, numpy_helper

pair = families("activation")
NAN, INF = np.nan, np.inf
INTEGERS = ["uint8", "int8", "uint16", "int16", "uint32", "int32", "uint64", "int64"]


def node(kind, **attributes):
    return f"ONNX {kind}", lambda t: [helper.make_node(kind, list(t), ["y"], **attributes)]


def clip(t):
    limits = [numpy_helper.from_array(np.array(v, t["x"].dtype), n) for n, v in [("lo", 0), ("hi", 6)]]
    return [helper.make_node("Clip", ["x", "lo", "hi"], ["y"]), *limits]


def logistic(x):
    with np.errstate(over="ignore"):
        return 1 / (1 + np.exp(-x))


def settings(op, alpha):
    """The functions that compute an activation: by definition, TensorFlow, PyTorch, ONNX Runtime."""
    f = torch.nn.functional
    return {
        "relu": (elementwise(lambda x: np.maximum(x, x.dtype.type(0)), lambda x, y: x > 0),
                 ("tf.nn.relu", lambda t: tf.nn.relu(t["x"])), ("torch.relu", lambda t: torch.relu(t["x"])), node("Relu")),
        "relu6": (elementwise(lambda x: np.minimum(np.maximum(x, x.dtype.type(0)), x.dtype.type(6)), lambda x, y: (x > 0) & (x < 6)),
                  ("tf.nn.relu6", lambda t: tf.nn.relu6(t["x"])),
                  ("torch.nn.functional.relu6", lambda t: f.relu6(t["x"])), ("ONNX Clip", clip)),
        "leaky-relu": (elementwise(lambda x: np.where(x > 0, x, alpha * x), lambda x, y: np.where(x > 0, 1.0, alpha)),
                       ("tf.nn.leaky_relu", lambda t: tf.nn.leaky_relu(t["x"], alpha)),
                       ("torch.nn.functional.leaky_relu", lambda t: f.leaky_relu(t["x"], alpha)), node("LeakyRelu", alpha=alpha)),
        "sigmoid": (elementwise(logistic, lambda x, y: y * (1 - y)),
                    ("tf.math.sigmoid", lambda t: tf.math.sigmoid(t["x"])), ("torch.sigmoid", lambda t: torch.sigmoid(t["x"])),
                    node("Sigmoid")),
        "tanh": (elementwise(np.tanh, lambda x, y: 1 - y * y),
                 ("tf.math.tanh", lambda t: tf.math.tanh(t["x"])), ("torch.tanh", lambda t: torch.tanh(t["x"])), node("Tanh")),
    }[op]


def case(op, x, alpha=None, only=None, **more):
    """only names the libraries that are asked where not all of them are."""
    slope = 0.2 if alpha is None else alpha
    brute, *found = settings(op, slope)
    if op == "leaky-relu" and wide(x.dtype) == np.float64 and slope != float(np.float32(slope)):
        only = ["torch"]  # the others hold alpha in float32
    found = [f if only is None or name in only else None for f, name in zip(found, ["tensorflow", "torch", "onnx"])]
    rectifies = op in ("relu", "relu6")
    params = {} if alpha is None else {"alpha": str(alpha)}
    add(pair, Layer(op, {"x": x}, brute, *found, params=more.pop("params", params), keeps=rectifies, exact=rectifies,
                    positive=rectifies, **more))


SHAPES = [(3, 7), (2, 9, 4), (2, 5, 6, 3), (1, 3, 4, 2, 5)]
SPECIAL = [NAN, INF, -INF, 0.0, -0.0]
for op in ["relu", "relu6", "leaky-relu", "sigmoid", "tanh"]:
    for shape in SHAPES:
        case(op, data(shape) * 3)
    for dtype in ["float16", "float64"]:
        case(op, data(SHAPES[2], dtype) * np.dtype(dtype).type(3))
        case(op, data(SHAPES[0], dtype) * np.dtype(dtype).type(3), first=False, upstream=None)
    for dtype in INTEGERS:
        case(op, data((2, 5, 6, 3), dtype, "ties"))
        if op not in ("sigmoid", "tanh"):  # where most results would be 0 and 1
            case(op, data((2, 40), dtype, "small"), note="small")
    case(op, data((2, 5, 6, 3)), first=True)
    case(op, data((1, 3, 4, 2, 5)), first=True)
    case(op, data((0, 5, 6, 3)))
    case(op, data((2, 5, 6, 3)) * 1e30, note="large")
    case(op, data((2, 5, 6, 3)) * 100, note="wide", backward=False)  # whose 1 - y cancels in float32
    # NaN and infinities forward; backward a NaN is TensorFlow's, and infinities arrive finite
    x = sprinkled((2, 9, 8), 0.6, SPECIAL)
    case(op, x, note="special", only=["tensorflow", "torch"], backward=False)
    case(op, sprinkled((2, 9, 8), 0.6, SPECIAL, "float64"), note="special", only=["tensorflow", "torch"], backward=False)
    case(op, x, note="special", only=["tensorflow"], forward=False)
    # what arrives is infinite or NaN: it passes where the slope is not 0
    dy = sprinkled((2, 9, 8), 0.4, [INF, -INF, NAN])
    stopped = ["torch"] if op in ("relu", "relu6") else None
    case(op, data((2, 9, 8)), note="arriving", upstream=dy, forward=False, only=stopped)
for dtype in ["float32", "float64"]:
    x = np.array([[-1, -0.0, 0.0, 6, np.nextafter(6, 7, dtype=dtype), np.nextafter(6, 5, dtype=dtype), 1e-40, -1e-40]], dtype)
    for op in ["relu", "relu6", "leaky-relu"]:
        case(op, x, note="kinks", only=["torch"])  # TensorFlow flushes subnormal numbers to zero
for alpha in [0, 0.01, 0.5, 1, 2, -0.3]:
    case("leaky-relu", data((2, 5, 6, 3)), alpha)
    case("leaky-relu", data((2, 5, 6, 3), "float64"), alpha, first=True)


def guided(op, x, **more):
    """Guided backpropagation: only gradients above 0 flow back."""
    f, raw, high = {"relu": (tf.nn.relu, tf.raw_ops.ReluGrad, INF), "relu6": (tf.nn.relu6, tf.raw_ops.Relu6Grad, 6)}[op]
    kind = "ReluGrad" if op == "relu" else "Relu6Grad"

    @tf.custom_gradient
    def run(x):
        return f(x), lambda dy: raw(gradients=tf.nn.relu(dy), features=x)

    def brute(t, dy):
        x = t["x"]
        return np.clip(x, 0, high), None if dy is None else {"x": np.where((x > 0) & (x < high) & (dy > 0), dy, 0)}

    rectify = torch.nn.functional.relu if op == "relu" else torch.nn.functional.relu6

    def hooked(t):
        y = rectify(t["x"])
        y.register_hook(lambda dy: dy.clamp(min=0))
        return y

    add(pair, Layer(op, {"x": x}, brute, (f"tf.raw_ops.{kind} of tf.nn.relu(upstream)", lambda t: run(t["x"])),
                    (f"torch.{op} with a hook that clamps", hooked), grad_params={"relu-gradient": "guided"},
                    exact=True, positive=True, forward=False, **more))


for op in ["relu", "relu6"]:
    for shape in SHAPES:
        guided(op, data(shape) * 3)
    for dtype in ["float16", "float64"]:
        guided(op, data((2, 5, 6, 3), dtype) * np.dtype(dtype).type(3))
    guided(op, data((2, 5, 6, 3), "int16", "small"))
    guided(op, data((2, 5, 6, 3)), first=True)
    guided(op, data((2, 5, 6, 3)), upstream=None)


def soft(x, axis=None, only=None, **more):
    at = -1 if axis is None else axis
    found = [("tf.nn.softmax", lambda t: tf.nn.softmax(t["x"], at)), ("torch.softmax", lambda t: torch.softmax(t["x"], at)),
             node("Softmax", axis=at)]
    found = [f if only is None or n in only else None for f, n in zip(found, ["tensorflow", "torch", "onnx"])]
    add(pair, Layer("softmax", {"x": x}, softmax(at), *found,
                    params=more.pop("params", {} if axis is None else {"axis": str(axis)}), **more))


for shape in SHAPES:
    soft(data(shape))
    for axis in range(-len(shape), len(shape)):
        soft(data(shape), axis, backward=shape[axis] > 1)  # of a line of one it is 0, but for TensorFlow's rounding
for dtype in ["float16", "float64", *INTEGERS]:
    kind = "mixed" if dtype.startswith("f") else "ties"
    for axis in [None, 1]:
        soft(data((2, 5, 6, 3), dtype, kind), axis)
soft(data((2, 5, 6, 3)), first=True)
soft(data((2, 9, 4)), first=True)
soft(data((1, 3, 4, 2, 5), "float64"), first=True)
for axis in [0, 1, -1, -3]:  # of the array as it lies in memory, whatever the layout
    soft(data((2, 3, 5, 4)), axis, params={"axis": str(axis), "data-format": "NCHW"})
soft(data((5, 6)), 1, params={"axis": "1", "data-format": "HW"})
soft(data((5, 6, 3)), params={"data-format": "HWC"})
soft(data((0, 5)))
soft(data((2, 0, 4, 3)))
soft(data((3, 1)), only=["torch"])
soft(data((2, 1000)))
soft(data((1, 130, 33)), 1)
for note, scale in [("flat", 1e-6), ("wide", 60), ("wider", 1e30)]:
    soft(data((2, 5, 6, 3)) * np.float32(scale), note=note, backward=note == "flat")  # dy less its mean cancels
soft(np.full((2, 4, 3), 2.5, "float32"), note="constant")
soft(sprinkled((4, 9, 5), 0.3, [-INF]), note="neginf")
soft(sprinkled((4, 9, 5), 0.1, [NAN, INF, -INF]), note="special", only=["tensorflow", "torch"])
soft(np.full((1, 3), -INF, "float32"), note="allneginf", only=["tensorflow", "torch"])
soft(data((2, 9, 4)), note="arriving", upstream=sprinkled((2, 9, 4), 0.1, [INF, NAN]), forward=False, only=["torch"])

for family in pair:
    family.save()

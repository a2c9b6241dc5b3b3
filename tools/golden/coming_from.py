"""Runs every call in the left column of docs/coming-from.md and saves what it gives.

    python tools/golden/coming_from.py docs/coming-from.md cmd/poolctl/testdata/coming_from.npz

Versions: requirements.txt. The archive holds the inputs x, w, b, g and k, and for each call its result, in NHWC, under the first
sixteen digits of the SHA-256 of the call; the second of two results (an argmax) has -1 behind that.
"""

import hashlib
import os
import re
import sys

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
os.environ["CUDA_VISIBLE_DEVICES"] = ""

import cv2
import keras
import numpy as np
import onnx
import onnxruntime
import scipy.ndimage
import scipy.signal
import tensorflow as tf
import torch

random = np.random.default_rng(17)
x = random.standard_normal((2, 9, 9, 3)).astype("float32")
w = random.standard_normal((2, 2, 3, 2)).astype("float32")
b = random.standard_normal(2).astype("float32")
g = random.standard_normal((9, 9)).astype("float32")
k = random.standard_normal((3, 3)).astype("float32")


def last(y):
    """Moves the channels of a result behind its spatial axes."""
    y = np.asarray(y)
    return np.ascontiguousarray(np.moveaxis(y, 1, -1)) if y.ndim == 4 else y


def tensorflow_gradient(f, x):
    x = tf.constant(x)
    with tf.GradientTape() as tape:
        tape.watch(x)
        y = f(x)
    return tape.gradient(y, x)


def run_keras(layer):
    layer.build(x.shape)
    if layer.weights:
        layer.set_weights([w, b][: len(layer.weights)])
    return np.asarray(layer(x))


def torch_gradient(f, x):
    x = x.clone().requires_grad_()
    f(x).sum().backward()
    return x.grad


def run_torch(y):
    if isinstance(y, torch.nn.Module):
        with torch.no_grad():
            if hasattr(y, "weight"):
                order = (2, 3, 0, 1) if isinstance(y, torch.nn.ConvTranspose2d) else (3, 2, 0, 1)
                y.weight.copy_(torch.from_numpy(w.transpose(order).copy()))
                if y.bias is not None:
                    y.bias.copy_(torch.from_numpy(b))
            y = y(first)
    return tuple(last(each.numpy()) for each in y) if isinstance(y, tuple) else last(y.numpy())


class Nodes(dict):
    """Makes a function of every operator of ONNX that a call names."""

    def __missing__(self, operator):
        if not operator[0].isupper():
            raise KeyError(operator)

        def call(*inputs, **attributes):
            names = [f"i{i}" for i in range(len(inputs))]
            value = lambda name: onnx.helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, None)
            node = onnx.helper.make_node(operator, names, ["y"], **attributes)
            graph = onnx.helper.make_graph([node], "g", [value(n) for n in names], [value("y")])
            model = onnx.helper.make_model(graph, opset_imports=[onnx.helper.make_opsetid("", 20)], ir_version=9)
            session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
            return session.run(None, dict(zip(names, inputs)))[0]

        return call


first = torch.from_numpy(x.transpose(0, 3, 1, 2).copy())
oihw = w.transpose(3, 2, 0, 1).copy()
picture = {"g": g, "k": k, "np": np, "cv2": cv2, "scipy": scipy}
sections = {
    "TensorFlow": ({"tf": tf, "x": x, "w": w, "b": b, "gradient": tensorflow_gradient},
                   lambda y: tuple(each.numpy() for each in y) if isinstance(y, tuple) else y.numpy()),
    "Keras": ({"keras": keras}, run_keras),
    "PyTorch": ({"torch": torch, "x": first, "w": torch.from_numpy(oihw), "gradient": torch_gradient}, run_torch),
    "ONNX": (Nodes(x=first.numpy(), w=oihw, b=b), last),
    "OpenCV": (picture, np.asarray),
    "SciPy and NumPy": (picture, np.asarray),
}

page, archive = sys.argv[1:]
arrays = {"x": x, "w": w, "b": b, "g": g, "k": k[:, :, None, None]}
section = None
for line in open(page, encoding="utf-8"):
    if line.startswith("## "):
        section = sections[line[3:].strip()]
    row = re.match(r"\| `(.+?)` \| `", line)
    if row is None:
        continue
    names, finish = section
    result = finish(eval(row[1], names))  # the page is our own
    key = hashlib.sha256(row[1].encode()).hexdigest()[:16]
    for suffix, array in zip(("", "-1"), result if isinstance(result, tuple) else (result,)):
        arrays[key + suffix] = array
    print(row[1])
np.savez_compressed(archive, **arrays)

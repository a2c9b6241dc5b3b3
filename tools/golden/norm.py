"""Layers with a number for each channel or a matrix, and their gradients: bias, batch normalisation, local response normalisation, dense."""

import layer_brute as brute
from golden import data, sprinkled
from layer_case import Layer, add, families

import numpy as np
import tensorflow as tf
import torch
from onnx import helper

pair = families("norm")
NAN, INF = np.nan, np.inf
INTEGERS = ["uint8", "int8", "uint16", "int16", "uint32", "int32", "uint64", "int64"]
SHAPES = [(3, 7), (2, 9, 4), (2, 5, 6, 3), (1, 3, 4, 2, 5)]
functional = torch.nn.functional


def pick(found, only):
    return [f if only is None or name in only else None for f, name in zip(found, ["tensorflow", "torch", "onnx"])]


def last(f):
    """A PyTorch function of (N, C, ...) for channels last."""
    return lambda x, *rest: torch.movedim(f(torch.movedim(x, -1, 1), *rest), 1, -1)


def between(kind, inputs=(), **attributes):
    """An ONNX node whose channels are the second axis, for channels last."""
    def nodes(t):
        rank = t["x"].ndim
        there, back = [0, rank - 1, *range(1, rank - 1)], [0, *range(2, rank), 1]
        return [helper.make_node("Transpose", ["x"], ["channels_first"], perm=there),
                helper.make_node(kind, ["channels_first", *inputs], ["normal"], **attributes),
                helper.make_node("Transpose", ["normal"], ["y"], perm=back)]
    return f"ONNX {kind}", nodes


def variance(channels, dtype="float32"):
    return (np.abs(data((channels,), dtype, "upstream")) + np.dtype(dtype).type(0.1)).astype(dtype)


# bias

def bias_add(x, only=None, bias=None, **more):
    real = "float32" if x.dtype.itemsize <= 2 and x.dtype.kind != "f" else "float64" if x.dtype.kind != "f" else x.dtype.name
    tensors = {"x": x, "bias": data((x.shape[-1],), real) if bias is None else bias}
    found = [("tf.nn.bias_add", lambda t: tf.nn.bias_add(t["x"], t["bias"])), ("torch.add", lambda t: t["x"] + t["bias"]),
             ("ONNX Add", lambda t: [helper.make_node("Add", ["x", "bias"], ["y"])])]
    add(pair, Layer("bias-add", tensors, brute.bias_add, *pick(found, only), **more))


for shape in SHAPES:
    for dtype in ["float16", "float32", "float64"]:
        bias_add(data(shape, dtype))
    bias_add(data(shape), upstream=None)
    if len(shape) > 2:
        bias_add(data(shape), first=True)
for dtype in INTEGERS:
    bias_add(data((2, 5, 6, 3), dtype, "small"))
for channels in [1, 2, 8, 17, 600]:
    bias_add(data((2, 2, 2, channels)))
    bias_add(data((2, 2, 2, channels)), first=True)
bias_add(data((0, 5, 6, 3)))
bias_add(data((2, 0, 6, 3)), only=["torch"])
bias_add(sprinkled((2, 7, 5), 0.3, [NAN, INF, -INF, -0.0]), note="special")
bias_add(data((2, 7, 4)), bias=np.array([NAN, INF, -INF, -0.0], "float32"), note="specialbias")
bias_add(data((2, 7, 5)), upstream=sprinkled((2, 7, 5), 0.1, [NAN, INF]), note="arriving", forward=False)


# batch normalisation with given statistics

def batch_norm(x, scale=True, offset=True, epsilon=None, only=None, statistics=None, **more):
    channels = x.shape[-1]
    real = "float32" if x.dtype.itemsize <= 2 and x.dtype.kind != "f" else "float64" if x.dtype.kind != "f" else x.dtype.name
    mean, var = statistics or (data((channels,), real), variance(channels, real))
    tensors = {"x": x, "mean": mean, "variance": var}
    if scale:
        tensors["scale"] = data((channels,), real, "upstream")
    if offset:
        tensors["offset"] = data((channels,), real, "negative")
    e = 0.001 if epsilon is None else epsilon

    def fused(t):  # channels last, four axes
        gamma = t.get("scale", tf.ones_like(t["mean"]))
        beta = t.get("offset", tf.zeros_like(t["mean"]))
        return tf.compat.v1.nn.fused_batch_norm(t["x"], gamma, beta, t["mean"], t["variance"], e, is_training=False)[0]

    def normal(t):
        return tf.nn.batch_normalization(t["x"], t["mean"], t["variance"], t.get("offset"), t.get("scale"), e)

    def torch_norm(t):
        run = last(lambda x: functional.batch_norm(x, t["mean"].detach(), t["variance"].detach(), t.get("scale"), t.get("offset"), eps=e))
        return run(t["x"])

    found = [("tf.nn.batch_normalization", normal), ("torch.nn.functional.batch_norm", torch_norm),
             between("BatchNormalization", ["scale", "offset", "mean", "variance"], epsilon=e) if scale and offset and real != "float64" else None]
    params = {} if epsilon is None else {"epsilon": str(epsilon)}
    add(pair, Layer("batch-norm", tensors, brute.batch_norm(e), *pick(found, only), params=params, **more))
    if x.ndim == 4 and x.dtype == np.float32 and only is None and e >= 1e-5 and not more.get("first") and x.size:
        note = more.pop("note", "") + "fused"
        add(pair, Layer("batch-norm", tensors, brute.batch_norm(e), ("tf.compat.v1.nn.fused_batch_norm", fused),
                        params=params, note=note, backward=False, **more))


for shape in SHAPES:
    for dtype in ["float16", "float32", "float64"]:
        batch_norm(data(shape, dtype))
    for scale, offset in [(True, False), (False, True), (False, False)]:
        batch_norm(data(shape), scale, offset)
    if len(shape) > 2:
        batch_norm(data(shape), first=True)
        batch_norm(data(shape, "float64"), scale=False, first=True)
for epsilon in [0, 1e-5, 0.001, 0.5, 3]:
    batch_norm(data((2, 5, 6, 3)), epsilon=epsilon, note="e")
    batch_norm(data((2, 5, 6, 3), "float64"), epsilon=epsilon, note="e", first=True)
for dtype in INTEGERS:
    batch_norm(data((2, 5, 6, 3), dtype, "small"), only=["tensorflow", "torch"])
for channels in [1, 2, 8, 17, 600]:
    batch_norm(data((2, 1, 2, channels)))
    batch_norm(data((2, 1, 2, channels)), first=True)
batch_norm(data((2, 5, 6, 3)), upstream=None)
batch_norm(data((0, 5, 6, 3)), only=["tensorflow"])
batch_norm(sprinkled((2, 7, 5), 0.3, [NAN, INF, -INF, -0.0]), note="special", backward=False)
batch_norm(data((2, 7, 4)), upstream=sprinkled((2, 7, 4), 0.1, [NAN]), note="arriving", forward=False)
small = (np.zeros(3, "float32"), np.full(3, 1e-12, "float32"))
batch_norm(data((2, 5, 3)), statistics=small, epsilon=0, note="small", only=["tensorflow", "torch"])


# local response normalisation

def lrn(x, radius=None, bias=None, alpha=None, beta=None, only=None, size=None, **more):
    """An even size is PyTorch's: ONNX has the odd channel after, TensorFlow has no such size."""
    given = {"depth-radius": radius, "size": size, "bias": bias, "alpha": alpha, "beta": beta}
    params = {k: str(v) for k, v in given.items() if v is not None}
    r, k, a, b = (5 if radius is None else radius, 1 if bias is None else bias, 1 if alpha is None else alpha,
                  0.5 if beta is None else beta)
    before, after = (r, r) if size is None else (size // 2, (size - 1) // 2)
    r, size = before, before + after + 1
    if size % 2 == 0:
        only = ["torch"]
    four = x.ndim == 4 and x.dtype in (np.float16, np.float32)

    def torch_lrn(t):
        rank = t["x"].ndim
        spread = t["x"] if rank > 2 else t["x"][:, None]
        y = last(lambda x: functional.local_response_norm(x, size, a * size, b, k))(spread)
        return y if rank > 2 else y[:, 0]

    found = [("tf.nn.local_response_normalization", lambda t: tf.nn.local_response_normalization(t["x"], r, k, a, b)) if four else None,
             ("torch.nn.functional.local_response_norm", torch_lrn),
             between("LRN", size=size, alpha=a * size, beta=b, bias=float(k)) if four and a > 0 and b > 0 else None]
    add(pair, Layer("lrn", {"x": x}, brute.lrn(before, after, k, a, b), *pick(found, only), params=params, **more))


for shape in SHAPES:
    for dtype in ["float16", "float32", "float64"]:
        lrn(data(shape, dtype))
    if len(shape) > 2:
        lrn(data(shape), 1, first=True)
for channels in [1, 2, 5, 8, 17]:
    for radius in [0, 1, 2, 4, 20]:
        lrn(data((2, 3, 4, channels)), radius)
for size in [1, 2, 3, 4, 7, 8, 30]:
    for channels in [1, 5, 9]:
        lrn(data((2, 3, 4, channels)), size=size)
    lrn(data((2, 3, 4, 9), "float64"), bias=2, alpha=0.25, beta=0.75, size=size, first=True)
    lrn(data((2, 7, 6), "float16"), size=size)
lrn(data((3, 7)), size=4)
lrn(data((1, 3, 4, 2, 5)), alpha=1e-4 / 6, beta=0.75, size=6)
for radius, bias, alpha, beta in [
        (2, 1, 2e-5, 0.75), (2, 2, 1e-4, 0.75), (1, 1, 0.5, 1), (3, 0.5, 0.1, 0.25), (2, 1, 0.3, 2), (2, 1, 0.2, 0.9), (2, 1, 0, 0.5),
        (2, 1.5, 1, 0), (1, 1, 0.1, -0.5)]:
    lrn(data((2, 3, 4, 9)), radius, bias, alpha, beta)
    lrn(data((2, 3, 4, 9), "float64"), radius, bias, alpha, beta, first=True)
for dtype in INTEGERS:
    lrn(data((2, 5, 6, 3), dtype, "ties"), 1)
lrn(data((1, 2, 2, 300)), 7)
lrn(data((2, 5, 6, 3)), upstream=None)
lrn(data((0, 5, 6, 3)), only=["torch"])
# an infinity or NaN reaches its neighbours alone: TensorFlow multiplies by a band matrix, whose zeros spread it
lrn(sprinkled((2, 4, 5, 9), 0.1, [NAN, INF, -INF]), 1, note="special", only=["torch"], backward=False)


# dense

def dense(x, outputs, bias=True, order=None, only=None, filter=None, **more):
    real = "float32" if x.dtype.itemsize <= 2 and x.dtype.kind != "f" else "float64" if x.dtype.kind != "f" else x.dtype.name
    kind = "mixed" if x.dtype.kind == "f" else "ties"
    f = data((x.shape[-1], outputs), real, kind) if filter is None else filter
    turned = order == "OI"
    tensors = {"x": x, "filter": np.ascontiguousarray(f.T) if turned else f}
    if bias:
        tensors["bias"] = data((outputs,), real, "upstream")

    def definition(t, dy):
        y, gradients = brute.dense(t | {"filter": t["filter"].T if turned else t["filter"]}, dy)
        return y, gradients and gradients | {"filter": gradients["filter"].T if turned else gradients["filter"]}

    def tf_dense(t):
        rows = tf.reshape(t["x"], [-1, x.shape[-1]])
        y = tf.reshape(tf.linalg.matmul(rows, t["filter"], transpose_b=turned), [*x.shape[:-1], outputs])
        return tf.nn.bias_add(y, t["bias"]) if bias else y

    def gemm(t):
        return [helper.make_node("Gemm", list(t), ["y"], transB=int(turned))]

    found = [("tf.linalg.matmul" + ", tf.nn.bias_add" * bias, tf_dense),
             ("torch.nn.functional.linear", lambda t: functional.linear(t["x"], t["filter"] if turned else t["filter"].T, t.get("bias"))),
             ("ONNX Gemm", gemm) if x.ndim == 2 else None]
    add(pair, Layer("dense", tensors, definition, *pick(found, only), params={"filter-format": order} if order else {},
                    tolerance={"float16": 1e-3, "float32": 1e-5, "float64": 1e-12}[real],
                    note=f"o{outputs}" + more.pop("note", ""), **more))


for shape in SHAPES:
    for dtype in ["float16", "float32", "float64"]:
        dense(data(shape, dtype), 6)
    dense(data(shape), 6, bias=False)
    dense(data(shape), 5, order="OI")
    if len(shape) > 2:
        dense(data(shape), 6, first=True)
        dense(data(shape, "float64"), 3, order="OI", bias=False, first=True)
for dtype in INTEGERS:
    dense(data((2, 5, 6, 3), dtype, "ties"), 4)
    dense(data((4, 9), dtype, "ties"), 7, order="OI")
for rows, inputs, outputs in [(1, 1, 1), (1, 100, 40), (3, 84, 10), (33, 16, 17), (5, 7, 48), (17, 130, 1), (2, 1, 65)]:
    dense(data((rows, inputs)), outputs)
    dense(data((rows, inputs)), outputs, order="OI", upstream=None)
dense(data((0, 7)), 6)
dense(data((0, 5, 6, 3)), 4)
dense(sprinkled((5, 7), 0.1, [NAN, INF, -INF]), 6, note="special", backward=False)
weights = data((7, 6)).copy()
weights[3, 2], weights[4, 5] = NAN, INF
dense(data((5, 7)), 6, filter=weights, note="specialfilter", backward=False)

for family in pair:
    family.save()

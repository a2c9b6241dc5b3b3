"""Gradients of max unpooling: the upstream gradient gathered at the indices; with summed duplicates each gets all of it."""

from golden import CHANNELS_FIRST, SHORT, Family, agree, axes, channels_first, channels_last, csv, data

import numpy as np
import tensorflow as tf
import torch

import brute
import grad_brute
from pool_case import Pool
from pool_oracles import LIBRARIES

family = Family("grad_unpool", LIBRARIES, "grad")


def torch_unpool(x, where, dy, window, steps, padding):
    """Where PyTorch's sizes fit and the padding is symmetric."""
    _, lo, hi = axes(dy.shape[1:-1], window, steps, (1,) * len(window), padding)
    natural = [(o - 1) * s - 2 * p + k for o, s, p, k in zip(where.shape[1:-1], steps, lo, window)]
    if 0 in dy.shape or any(abs(n - m) >= s for n, m, s in zip(dy.shape[1:-1], natural, steps)):
        return None
    run = getattr(torch.nn.functional, f"max_unpool{len(window)}d")
    leaf = torch.from_numpy(channels_first(x)).requires_grad_()
    dy = torch.from_numpy(channels_first(dy))
    run(leaf, torch.from_numpy(channels_first(where)), window, steps, tuple(lo), dy.shape).backward(dy)
    return channels_last(leaf.grad.numpy()), f"torch autograd of torch.nn.functional.max_unpool{len(window)}d"


def tensorflow_scatter(x, index, dy):
    """The gradient of a sum at indices that hold the batch."""
    with tf.GradientTape() as tape:
        values = tf.constant(x.reshape(-1))
        tape.watch(values)
        y = tf.scatter_nd(index.reshape(-1, 1), values, [dy.size])
    return tape.gradient(y, values, tf.constant(dy.reshape(-1))).numpy().reshape(x.shape), "tf.GradientTape of tf.scatter_nd"


def case(shape, window, strides=None, padding="VALID", convention="tensorflow", batch=False, duplicates=None,
         dtype="float32", kind="mixed", first=False, dilations=None, ones=False):
    """Of unpooling the maxima of a seeded image into the image's own shape."""
    rank, note = len(window), "" if kind == "mixed" else kind
    _, where = brute.pool(Pool(data(shape, dtype, kind), "max", window, strides, padding, dilations))
    unique = all(len(set(where[n, ..., c].ravel())) == where[n, ..., c].size
                 for n in range(shape[0]) for c in range(shape[-1]))
    if not unique and duplicates != "sum":
        raise ValueError("the gradient of duplicates is only tested for sums")
    x = data(where.shape, dtype)
    dy = np.ones(shape, dtype) if ones else data(shape, dtype, "whole")
    dx = grad_brute.gather(dy, where)
    index = brute.index(where, shape, convention, batch)
    parts = [f"unpool{rank}d", "x".join(map(str, channels_first(x).shape if first else x.shape)), "to" + "x".join(map(str, shape)),
             convention + "-batch" * batch, SHORT[dtype]] + [f"duplicates-{duplicates}"] * bool(duplicates)
    name = "_".join(parts + [CHANNELS_FIRST[rank]] * first + [note] * bool(note) + ["ones"] * ones)
    found = [tensorflow_scatter(x, brute.index(where, shape, "tensorflow", True), dy)]
    if unique and dilations is None:
        found.insert(0, torch_unpool(x, where, dy, window, strides or window, padding))
    found = [a for a in found if a is not None]
    for got, by in found:
        agree(f"{name}: {by}", got, dx, 0)
    whole = channels_first(dy).shape if first else shape
    params = {"output-shape": csv(whole)}
    if convention != "tensorflow":
        params["argmax-index"] = convention
    if batch:
        params["include-batch-in-index"] = "true"
    if duplicates:
        params["duplicates"] = duplicates
    if first:
        params["data-format"] = CHANNELS_FIRST[rank]
        x, index, dy, dx = map(channels_first, (x, index, dy, dx))
    family.add(name, found[0][1], "unpool", params, {"x": x, "argmax": index, "upstream": None if ones else dy}, {"dx": dx}, 0)


for convention in ["tensorflow", "pytorch", "onnx", "onnx-column-major"]:
    case((2, 6, 8, 3), (2, 2), convention=convention)
    case((2, 7, 5, 3), (3, 2), convention=convention, first=True)
    case((1, 7, 9, 2), (2, 2), (3, 2), convention=convention, dtype="float64")
    case((2, 5, 7, 3), (2, 2), padding="SAME", convention=convention)
    case((2, 9, 3), (3,), convention=convention)
    case((2, 10, 3), (2,), (3,), convention=convention, first=True)
    case((2, 4, 6, 5, 2), (2, 2, 2), convention=convention)
    case((1, 5, 4, 6, 3), (2, 2, 3), padding="SAME", convention=convention, first=True, dtype="float64")
    case((2, 5, 6, 2), (3, 3), (1, 1), "SAME", convention=convention, kind="ties", duplicates="sum")
for dtype in ["float32", "float64"]:
    case((2, 6, 8, 3), (2, 2), batch=True, dtype=dtype, kind="ties")
    case((3, 9, 2), (3,), batch=True, dtype=dtype)
    case((2, 4, 6, 5, 2), (2, 2, 2), batch=True, dtype=dtype, first=True)
    case((1, 8, 9, 2), (3, 3), (2, 1), "SAME", duplicates="sum", dtype=dtype, dilations=(2, 2))
    case((2, 9, 2), (4,), (1,), "SAME", duplicates="sum", dtype=dtype, first=True)
    case((1, 4, 5, 3, 2), (2, 3, 2), (1, 1, 1), "SAME", duplicates="sum", dtype=dtype)
    case((2, 6, 8, 3), (2, 2), duplicates="error", dtype=dtype)
    case((2, 6, 8, 3), (2, 2), ones=True, dtype=dtype)
    case((0, 4, 6, 2), (2, 2), dtype=dtype)

family.save()

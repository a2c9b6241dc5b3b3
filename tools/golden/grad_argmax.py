"""Gradients of maximum pooling from given indices: tf.raw_ops.MaxPoolGradWithArgmax, and PyTorch's backward with indices.

The indices need not be those of the maxima: the gradient is added wherever they point.
"""

from dataclasses import dataclass

from golden import Family, agree, axes, channels_first, channels_last, data

import numpy as np
import tensorflow as tf
import torch

import brute
import grad_brute
from pool_case import Pool
from pool_oracles import LIBRARIES

family = Family("grad_argmax", LIBRARIES, "grad")


@dataclass
class Given(Pool):
    """A setting with the places, row-major and spatial, that the gradient goes to."""

    where: np.ndarray | None = None
    upstream: str | None = "whole"

    @property
    def dy(self):
        return np.ones(self.where.shape, self.x.dtype) if self.upstream is None else data(self.where.shape, self.x.dtype.name, self.upstream)

    @property
    def tolerance(self):
        return 0 if self.upstream in (None, "whole") else {"float32": 1e-6, "float64": 1e-12}[self.x.dtype.name]


def high(c, array):
    """A 1-D tensor with a height of 1."""
    return array[:, None] if c.rank == 1 else array


def tensorflow_given(c, index, dy):
    """SAME and VALID, 1-D with height 1, index a flat one of each image or of the batch."""
    if c.rank == 3 or not c.dense or c.ceil or c.pad not in ("SAME", "VALID") or c.argmax != "tensorflow" or 0 in c.x.shape:
        return None
    one = [1] * (2 - c.rank)
    dx = tf.raw_ops.MaxPoolGradWithArgmax(
        input=high(c, c.x), grad=high(c, dy), argmax=high(c, index), ksize=[1, *one, *c.window, 1],
        strides=[1, *one, *c.steps, 1], padding=c.pad, include_batch_in_index=c.batch).numpy().reshape(c.x.shape)
    return dx, "tf.raw_ops.MaxPoolGradWithArgmax" + ", height 1" * (c.rank == 1)


def torch_given(c, dy):
    """Symmetric padding of at most half the window; indices within their plane."""
    out, lo, hi = c.geometry
    if lo != hi or any(2 * p > k for p, k in zip(lo, c.window)) or c.ceil and c.pad != "VALID" or 0 in c.x.shape:
        return None
    rank = max(2, c.rank)
    run = getattr(torch.ops.aten, f"max_pool{rank}d_with_indices_backward")
    fill = lambda values, one: [one] * (rank - c.rank) + list(values)  # noqa: E731
    dx = run(*(torch.from_numpy(channels_first(high(c, a))) for a in (dy, c.x)), fill(c.window, 1), fill(c.steps, 1), fill(lo, 0),
             fill(c.rates, 1), c.ceil, torch.from_numpy(channels_first(high(c, c.where))))
    return channels_last(dx.numpy()).reshape(c.x.shape), f"torch.ops.aten.max_pool{rank}d_with_indices_backward" + ", height 1" * (c.rank == 1)


def add(c):
    index, dy, name = brute.index(c.where, c.x.shape, c.argmax, c.batch), c.dy, c.name() + "_ones" * (c.upstream is None)
    exact = grad_brute.scatter(dy, c.where, c.x.shape)
    order = [torch_given(c, dy), tensorflow_given(c, index, dy)]
    found = [a for a in (order if c.argmax == "pytorch" else order[::-1]) if a is not None]
    for dx, by in found:
        agree(f"{name}: {by}", dx, exact, c.tolerance / 2)
    if not found:
        # the gradient of gathering is scattering
        size, flat = c.x.size, tf.constant(brute.index(c.where, c.x.shape, "tensorflow", True).reshape(-1, 1))
        dx = tf.scatter_nd(flat, tf.constant(dy.reshape(-1)), [size]).numpy().reshape(c.x.shape)
        agree(name, dx, exact, c.tolerance / 2)
        found = [(dx, "tf.scatter_nd")]
    dx, by = found[0]
    x = c.x
    if c.first:
        x, dy, dx, index = map(channels_first, (x, dy, dx, index))
    family.add(name, by, "pool", c.params(), {"x": x, "from-argmax": index, "upstream": None if c.upstream is None else dy},
               {"dx": dx + dx.dtype.type(0)}, c.tolerance)


def case(shape, window, strides=None, padding=None, dilations=None, dtype="float32", kind="mixed", index="tensorflow", **more):
    x = data(shape, dtype, kind)
    note = "" if kind == "mixed" else kind
    c = Given(x, "max", window, strides, padding, dilations, argmax=index, note=note, **more)
    c.where = brute.pool(c)[1]
    if index == "tensorflow" and c.rank == 2 and c.dense and not c.ceil and c.pad in ("SAME", "VALID") and x.size:
        _, found = tf.nn.max_pool_with_argmax(x, window, c.steps, c.pad, output_dtype=tf.int64, include_batch_in_index=c.batch)
        agree(c.name(), found.numpy(), brute.index(c.where, shape, index, c.batch), 0)
    add(c)


def elsewhere(shape, window, strides=None, padding=None, index="tensorflow", **more):
    """Seeded places anywhere in the plane, and many of them the same."""
    c = Given(data(shape), "max", window, strides, padding, argmax=index, note="elsewhere", **more)
    out = axes(shape[1:-1], window, c.steps, c.rates, c.pad)[0]
    c.where = np.abs(data((shape[0], *out, shape[-1]), "int64", "small")) % int(np.prod(shape[1:-1]))
    add(c)


for batch in [False, True]:
    for kind in ["mixed", "ties"]:
        for window, strides, padding in [((2, 2), None, None), ((3, 3), (1, 1), "SAME"), ((3, 2), (2, 1), "SAME"), ((2, 3), (3, 2), "SAME"),
                                         ((1, 1), (3, 2), None), ((5, 4), (2, 3), "SAME")]:
            case((2, 5, 7, 3), window, strides, padding, kind=kind, batch=batch)
    case((3, 5, 7, 2), (3, 3), (2, 2), "SAME", dtype="float64", batch=batch)
    case((3, 5, 7, 2), (3, 2), (2, 2), "SAME", batch=batch, first=True)
    case((2, 6, 5, 3), (3, 3), (1, 1), batch=batch, upstream="upstream")
    case((2, 6, 5, 2), (3, 3), (1, 1), batch=batch, upstream=None, dtype="float64")
    case((3, 8, 2), (3,), (2,), "SAME", kind="ties", batch=batch)
    case((2, 3, 4, 5, 2), (2, 2, 3), (1, 2, 2), "SAME", kind="ties", batch=batch)
    case((2, 3, 4, 5, 2), (2, 2, 2), (2, 2, 2), batch=batch, first=True)
    case((2, 7, 6, 3), (2, 3), (2, 1), "SAME", (3, 2), kind="ties", batch=batch)
    elsewhere((2, 5, 7, 3), (2, 2), (2, 2), "SAME", batch=batch)
    elsewhere((3, 4, 4, 1), (3, 3), (1, 1), "SAME", batch=batch)
    elsewhere((2, 9, 2), (3,), (2,), "SAME", batch=batch)
    elsewhere((2, 3, 4, 5, 2), (2, 2, 2), (1, 2, 2), batch=batch)
for index in ["pytorch", "onnx", "onnx-column-major"]:
    case((2, 6, 7, 3), (3, 3), (2, 2), [(1, 1), (1, 1)], index=index)
    case((2, 6, 7, 3), (3, 2), (1, 2), index=index, first=True, kind="ties")
    case((2, 8, 9, 2), (3, 2), (2, 1), None, (2, 3), index=index, dtype="float64")
    case((2, 9, 3), (3,), (2,), [(1, 1)], index=index)
    case((2, 4, 5, 3, 2), (2, 3, 2), (2, 1, 1), index=index, kind="ties")
    case((2, 6, 7, 3), (3, 3), (2, 2), [(1, 1), (1, 1)], index=index, ceil=True)
    case((2, 6, 7, 3), (3, 3), (2, 1), [(2, 0), (0, 1)], index=index)
    elsewhere((2, 6, 7, 3), (2, 2), None, index=index)
case((2, 6, 7, 3), (3, 3), (2, 1), [(2, 0), (0, 1)])
case((2, 6, 7, 3), (4, 3), (2, 2), "SAME_LOWER", kind="ties")
case((0, 5, 6, 2), (2, 3), (2, 2), "SAME")

family.save()

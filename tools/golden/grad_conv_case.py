"""One gradient of a convolution or its transpose: to the input, the filter and the bias, by every library that has it."""

from dataclasses import dataclass

import golden  # before tensorflow: it pins the environment

import numpy as np
import tensorflow as tf
import torch

import grad_brute
from conv_case import (LETTERS, Conv, order_filter, tensorflow_call, tensorflow_transpose_call, torch_call,
                       torch_transpose_call)
from golden import channels_first, channels_last, data


@dataclass
class ConvGrad(Conv):
    upstream: str | None = "upstream"  # kind of data, None for ones, which are left out

    @property
    def dy(self):
        out = self.spatial if self.transpose else self.geometry[0]
        shape = (self.x.shape[0], *out, self.f.shape[-2] * self.groups if self.transpose else self.f.shape[-1])
        return np.ones(shape, self.x.dtype) if self.upstream is None else data(shape, self.x.dtype.name, self.upstream)

    def name(self):
        return super().name() + "_ones" * (self.upstream is None)


def tensorflow_grad(c):
    """((dx, dfilter, dbias or None), what computed them); no groups, and dilation only in 3-D, through space_to_batch."""
    if c.groups > 1 or c.rank < 3 and not c.dense or 0 in c.geometry[0]:
        return None
    call = (tensorflow_transpose_call if c.transpose else tensorflow_call)(c)
    if call is None:
        return None
    run, by = call
    tensors = [tf.constant(a) for a in (c.x, c.f, c.bias) if a is not None]
    with tf.GradientTape() as tape:
        tape.watch(tensors)
        y = run(*tensors[:2])
        y = y if c.bias is None else tf.nn.bias_add(y, tensors[2])
    if y.shape != c.dy.shape:
        raise AssertionError(f"{c.name()}: output {y.shape}, upstream {c.dy.shape}")
    found = [g.numpy() for g in tape.gradient(y, tensors, tf.constant(c.dy))]
    return (found + [None])[:3], f"tf.GradientTape of {by}" + ", tf.nn.bias_add" * (c.bias is not None)


def torch_grad(c):
    """The same by PyTorch: everything that has an output."""
    if 0 in c.geometry[0]:
        return None
    run, by = (torch_transpose_call if c.transpose else torch_call)(c)
    x = torch.from_numpy(channels_first(c.x)).requires_grad_()
    weight = torch.from_numpy(order_filter(c.f, "OI" + LETTERS[c.rank])).requires_grad_()
    bias = None if c.bias is None else torch.from_numpy(c.bias.copy()).requires_grad_()
    run(x, weight, bias).backward(torch.from_numpy(channels_first(c.dy)))
    df = np.ascontiguousarray(np.moveaxis(weight.grad.numpy(), (0, 1), (-1, -2)))
    return [channels_last(x.grad.numpy()), df, None if bias is None else bias.grad.numpy()], "torch autograd of " + by


def stored_filter(c, f):
    """A filter, or its gradient, in the format of the case."""
    if not c.format:
        return f
    # a transpose's O and I are the letters of its own output and input: the other way round than the convolution's
    return order_filter(f, c.format.translate(str.maketrans("IO", "OI")) if c.transpose else c.format)


def add(family, c):
    """Computes a case by the first library that can, checks it against the other and numpy, and adds it."""
    name, dy = c.name(), c.dy
    exact = [g.astype(c.x.dtype) for g in grad_brute.conv(c.x, c.f, dy, c.steps, c.rates, c.pad, c.groups, c.transpose)]
    found = [a for a in (oracle(c) for oracle in [tensorflow_grad, torch_grad]) if a is not None]
    for gradients, by in found:
        for role, got, want in zip(["dx", "dfilter", "dbias"], gradients, exact):
            if got is not None:
                golden.agree(f"{name}: {by}: {role}", got, want, c.tolerance / 2)
    if c.bias is None:
        exact[2] = None
    (dx, df, db), by = (found + [(exact, "numpy brute force: the gradient of an empty output is zero")])[0]
    if not found and dy.size:
        raise AssertionError(f"{name}: no library computes it")
    x, upstream = c.x, None if c.upstream is None else dy
    if c.first:
        x, dx = channels_first(x), channels_first(dx)
        upstream = None if upstream is None else channels_first(upstream)
    params = c.params() | ({} if dy.size or 0 in x.shape else {"empty": "allow"})
    family.add(name, by, c.op, params, {"x": x, "filter": stored_filter(c, c.f), "bias": c.bias, "upstream": upstream},
               {"dx": dx, "dfilter": stored_filter(c, df), "dbias": db}, c.tolerance)

"""One gradient of pooling: its setting, the libraries that differentiate it, and the check that all agree."""

from dataclasses import dataclass

import golden  # before tensorflow: it pins the environment

import numpy as np
import tensorflow as tf
import torch

import grad_brute
from golden import channels_first, channels_last, data
from pool_case import Pool
from pool_oracles import counted_cells, ranks, torch_pad, window_sums


@dataclass
class PoolGrad(Pool):
    upstream: str | None = "whole"     # kind of data, None for ones, which are left out
    ties: str = "first"

    @property
    def dy(self):
        shape = (self.x.shape[0], *self.geometry[0], self.x.shape[-1])
        return np.ones(shape, self.x.dtype) if self.upstream is None else data(shape, self.x.dtype.name, self.upstream)

    @property
    def tolerance(self):
        """Whole numbers that are only routed add up exactly."""
        if self.extremum and self.ties != "split" and self.upstream in (None, "whole"):
            return 0
        return {"float32": 1e-6, "float64": 1e-12}[self.x.dtype.name]

    def params(self):
        return super().params() | ({} if self.ties == "first" else {"ties": self.ties})

    def name(self):
        return super().name() + f"_ties-{self.ties}" * (self.ties != "first") + "_ones" * (self.upstream is None)

    @property
    def near_ties(self):
        """Whether a plane holds two cells that TensorFlow's 3-D gradient takes for equal."""
        planes = np.sort(grad_brute.flat(self.x), axis=1)
        return bool((np.diff(planes, axis=1) < 2e-5).any())


def tape(run, x, dy):
    """The gradient of run at x by TensorFlow, as numpy."""
    x = tf.constant(x)
    with tf.GradientTape() as t:
        t.watch(x)
        y = run(x)
    if y.shape != dy.shape:
        raise AssertionError(f"output {y.shape}, upstream {dy.shape}")
    return t.gradient(y, x, tf.constant(dy)).numpy()


def autograd(run, x, dy):
    """The gradient of run at x by PyTorch, both N..C outside and NC.. inside; numpy."""
    leaf = torch.from_numpy(channels_first(x)).requires_grad_()
    run(leaf).backward(torch.from_numpy(channels_first(dy)))
    return channels_last(leaf.grad.numpy())


def placed(c):
    """Each cell's place in the order of values as distinct numbers, so that the wanted one of equal cells wins."""
    order = grad_brute.flat(ranks(c.x, c.type, c.nan))
    cells = order.shape[1]
    later = np.arange(cells)[None, :, None]
    return (order * cells + (later if c.ties == "last" else cells - 1 - later)).reshape(c.x.shape)


def tensorflow_grad(c):
    """(dx, what computed it), or None where TensorFlow has no such gradient on the CPU, or another rule."""
    if not c.finite or c.ceil or c.include_pad or c.divisor is not None or c.type not in ("max", "min", "avg"):
        return None
    if c.pad == "SAME_LOWER" or c.ties != "first" or 0 in c.x.shape or 0 in c.geometry[0]:
        return None
    if c.rank == 3 and c.x.dtype != np.float32 or not isinstance(c.pad, str) and (c.rank == 3 or c.type == "avg"):
        return None
    if c.type == "avg" and any(k > n for k, n in zip(c.window, c.x.shape[1:-1])):
        return None  # its shares are wrong where the window is larger than the input
    kind, sign = ("AVG", "") if c.type == "avg" else ("MAX", "-" * (c.type == "min"))
    if c.dense:
        what = f"tf.nn.{kind.lower()}_pool{c.rank}d"
        pad = c.pad if isinstance(c.pad, str) else [[0, 0], *map(list, c.pad), [0, 0]]

        def pool(x):
            return getattr(tf.nn, what.removeprefix("tf.nn."))(x, list(c.window), list(c.steps), pad)
    elif c.pad == "VALID" and all(s == 1 for s in c.steps):
        what = "tf.nn.pool"

        def pool(x):
            return tf.nn.pool(x, c.window, kind, strides=c.steps, padding="VALID", dilations=c.rates)
    else:
        return None
    x, run, over = c.x, (lambda x: -pool(-x)) if sign else pool, f"{sign}{what}({sign}x)" if sign else what
    if c.rank == 3:
        if c.pad == "SAME" and any((o - 1) * s + k - n <= -2 for o, s, k, n in zip(
                c.geometry[0], c.steps, c.window, c.x.shape[1:-1])):
            return None  # starts at cell 1: Eigen pads negatively
        if c.extremum and c.near_ties:
            # its gradient gives every one of near equal cells the full amount
            x, run, over = placed(c).astype("float32"), pool, what + " over the places of the cells in the order of values"
    return tape(run, x, c.dy), "tf.GradientTape of " + over


def torch_grad(c):
    """The same by PyTorch's own pooling: symmetric padding of at most half the window."""
    _, lo, hi = c.geometry
    if lo != hi or any(2 * p > k for p, k in zip(lo, c.window)) or c.ceil and c.pad in ("SAME", "SAME_LOWER"):
        return None
    if 0 in c.x.shape[1:] or 0 in c.geometry[0] or c.ties != "first" or c.type == "lp":
        return None
    functional = torch.nn.functional
    if c.extremum:
        if np.isnan(c.x).any():
            return None  # its index is the last NaN's, and a NaN cannot be ignored
        what = f"torch.nn.functional.max_pool{c.rank}d"
        sign = -1 if c.type == "min" else 1
        pool = getattr(functional, f"max_pool{c.rank}d")

        def run(x):
            return sign * pool(sign * x, c.window, c.steps, tuple(lo), c.rates, c.ceil)
        what = f"-{what}(-x)" if sign < 0 else what
    else:
        if not c.dense:
            return None
        divisor = 1 if c.type == "sum" else c.divisor
        if c.rank == 1 and divisor is not None:
            what = "torch.nn.functional.avg_pool2d, height 1"

            def run(x):
                return functional.avg_pool2d(x[:, :, None], (1, *c.window), (1, *c.steps), (0, *lo), c.ceil,
                                             c.include_pad, divisor)[:, :, 0]
        else:
            what, pool = f"torch.nn.functional.avg_pool{c.rank}d", getattr(functional, f"avg_pool{c.rank}d")
            extra = {} if divisor is None else {"divisor_override": divisor}

            def run(x):
                return pool(x, c.window, c.steps, tuple(lo), c.ceil, c.include_pad, **extra)
        what += f", divisor_override={divisor}" * (divisor is not None)
    what += ", padding written out" * (c.pad in ("SAME", "SAME_LOWER") and any(lo))
    return autograd(run, c.x, c.dy) + c.x.dtype.type(0), "torch autograd of " + what


def torch_lp(c):
    """PyTorch's lp_pool, where its signed powers are the rule's: even p, or positive data."""
    if c.type != "lp" or c.pad != "VALID" or c.ceil or not c.dense or c.p % 2 and not (c.x > 0).all():
        return None
    run = getattr(torch.nn.functional, f"lp_pool{c.rank}d")
    k, s = (c.window[0], c.steps[0]) if c.rank == 1 else (c.window, c.steps)
    return autograd(lambda x: run(x, float(c.p), k, s), c.x, c.dy), f"torch autograd of torch.nn.functional.lp_pool{c.rank}d"


def padded_grad(c):
    """By PyTorch in float64 on an input padded beforehand: maxima over places in the order of values, sums as convolutions by ones."""
    if 0 in c.x.shape or 0 in c.geometry[0] or c.ties in ("all", "split"):
        return None
    dy = c.dy.astype("float64")
    if c.extremum:
        pool = getattr(torch.nn.functional, f"max_pool{c.rank}d")
        dx = autograd(lambda x: pool(torch_pad(c, x, -1.0), c.window, c.steps, 0, c.rates), placed(c), dy)
        what = f"torch.nn.functional.max_pool{c.rank}d over the places of the cells in the order of values"
    else:
        sums = f"torch.nn.functional.conv{c.rank}d by ones"
        forms = {
            "sum": (sums, lambda x: window_sums(c, x)),
            "lp": (sums + " of |x|^p, to the power 1/p", lambda x: window_sums(c, x.abs() ** c.p) ** (1 / c.p)),
            "avg": (sums + " over that of the mask of counted cells", lambda x: window_sums(c, x) / counted_cells(c)),
        }
        what, form = forms[c.type]
        if c.divisor is not None:
            what, form = sums + " over the divisor", lambda x: window_sums(c, x) / c.divisor
        dx = autograd(lambda x: form(torch_pad(c, x, 0.0)), c.x.astype("float64"), dy)
    return (dx + 0.0).astype(c.x.dtype), "torch autograd of " + what


def gathered_grad(x, cells, dy, reduce):
    """By PyTorch: every window is gathered into a row, filled up with cells of fill, then rows are reduced."""
    rows = [positions for _, positions in grad_brute.windows(x.shape[1:-1], cells)]
    total = grad_brute.flat(x).shape[1]
    index = np.full((len(rows), max(map(len, rows))), total)
    for row, positions in zip(index, rows):
        row[:len(positions)] = positions
    real = torch.from_numpy(index < total)
    leaf = torch.from_numpy(grad_brute.flat(x).astype("float64")).requires_grad_()
    extended = torch.nn.functional.pad(leaf, (0, 0, 0, 1), value=-1.0)
    reduce(extended[:, torch.from_numpy(index)], real[None, :, :, None]).backward(
        torch.from_numpy(grad_brute.flat(dy).astype("float64")))
    return leaf.grad.numpy().reshape(x.shape) + 0.0


def shared_grad(c):
    """Ties that share: torch.amax gives equal cells equal parts; the sum of all of them gives each the full amount."""
    if not c.extremum or c.ties not in ("all", "split") or 0 in c.x.shape or 0 in c.geometry[0]:
        return None
    forms = {
        "split": ("torch.amax over the gathered windows", lambda w, real: w.amax(dim=2)),
        "all": ("the sum of all the largest cells of the gathered windows",
                lambda w, real: (w * (w == w.amax(dim=2, keepdim=True))).sum(dim=2)),
    }
    what, form = forms[c.ties]
    dx = gathered_grad(ranks(c.x, c.type, c.nan), grad_brute.window_cells(c), c.dy, form)
    return dx.astype(c.x.dtype), f"torch autograd of {what}"


def tensorflow_all(c):
    """TensorFlow's 3-D gradient gives the full amount to every cell of exact ties."""
    if c.ties != "all" or c.type != "max" or not c.finite or not c.dense or not isinstance(c.pad, str) or c.pad == "SAME_LOWER":
        return None
    if c.x.dtype != np.float32 or c.ceil or 0 in c.x.shape or 0 in c.geometry[0]:
        return None
    if c.pad == "SAME" and any((o - 1) * s + k - n <= -2 for o, s, k, n in zip(
            c.geometry[0], c.steps, c.window, c.x.shape[1:-1])):
        return None
    ones = (1,) * (3 - c.rank)
    shape = (c.x.shape[0], *ones, *c.x.shape[1:])
    dy = c.dy.reshape(c.dy.shape[0], *ones, *c.dy.shape[1:])
    dx = tape(lambda x: tf.nn.max_pool3d(x, [*ones, *c.window], [*ones, *c.steps], c.pad), c.x.reshape(shape), dy)
    return dx.reshape(c.x.shape), "tf.GradientTape of tf.nn.max_pool3d" + ", leading extents 1" * (c.rank < 3)


def add(family, c):
    """Computes a case by the first library that can, checks it against all others and numpy, and adds it."""
    name, dy = c.name(), c.dy
    exact = grad_brute.pool(c, dy)
    found = [a for a in (oracle(c) for oracle in [
        tensorflow_grad, torch_grad, torch_lp, tensorflow_all, shared_grad, padded_grad]) if a is not None]
    for dx, by in found:
        golden.agree(f"{name}: {by}", dx, exact, c.tolerance / 2)
    dx, by = (found + [(exact, "numpy brute force: the gradient of an empty output is zero")])[0]
    if not found and exact.any():
        raise AssertionError(f"{name}: no library computes it")
    x = c.x
    upstream = None if c.upstream is None else dy
    if c.first:
        x, dx = channels_first(x), channels_first(dx)
        upstream = None if upstream is None else channels_first(upstream)
    family.add(name, by, "pool", c.params(), {"x": x, "upstream": upstream}, {"dx": dx + dx.dtype.type(0)}, c.tolerance)

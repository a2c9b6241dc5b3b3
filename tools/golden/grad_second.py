"""Second derivatives of maximum pooling: an incoming gradient of the input's shape, gathered where the maxima are."""

from golden import Family, agree, channels_first, channels_last, data

import tensorflow as tf
import torch

import brute
import grad_brute
from grad_pool_case import PoolGrad, placed
from pool_oracles import LIBRARIES, torch_pad

family = Family("grad_second", LIBRARIES, "grad")


def tensorflow_second(c, y, g):
    """MaxPoolGradGrad, MaxPool3DGradGrad: SAME and VALID, the first cell that equals the maximum."""
    if c.rank == 1 or not c.dense or c.ceil or c.pad not in ("SAME", "VALID") or 0 in c.x.shape:
        return None
    if c.rank == 3 and (c.x.dtype != "float32" or c.pad == "SAME" and any((o - 1) * s + k - n <= -2 for o, s, k, n in zip(
            c.geometry[0], c.steps, c.window, c.x.shape[1:-1]))):
        return None
    what = "MaxPoolGradGrad" if c.rank == 2 else "MaxPool3DGradGrad"
    run = getattr(tf.raw_ops, what)
    return run(orig_input=c.x, orig_output=y, grad=g, ksize=[1, *c.window, 1], strides=[1, *c.steps, 1],
               padding=c.pad).numpy(), f"tf.raw_ops.{what}"


def double_backward(run, x, g):
    """The gradient to dy of <dx(dy), g>, by PyTorch."""
    leaf = torch.from_numpy(channels_first(x)).requires_grad_()
    y = run(leaf)
    dy = torch.zeros_like(y, requires_grad=True)
    dx, = torch.autograd.grad(y, leaf, dy, create_graph=True)
    second, = torch.autograd.grad(dx, dy, torch.from_numpy(channels_first(g)))
    return channels_last(second.numpy())


def torch_second(c, g):
    """Symmetric padding of at most half the window."""
    _, lo, hi = c.geometry
    if lo != hi or any(2 * p > k for p, k in zip(lo, c.window)) or c.ceil and c.pad != "VALID" or 0 in c.x.shape:
        return None
    what = f"max_pool{c.rank}d"
    run = getattr(torch.nn.functional, what)
    return double_backward(lambda x: run(x, c.window, c.steps, tuple(lo), c.rates, c.ceil), c.x, g), (
        f"torch double backward of torch.nn.functional.{what}")


def padded_second(c, g):
    """On an input padded beforehand, over the places of the cells in the order of values."""
    if 0 in c.x.shape:
        return None
    what = f"max_pool{c.rank}d"
    run = getattr(torch.nn.functional, what)
    second = double_backward(lambda x: run(torch_pad(c, x, -1.0), c.window, c.steps, 0, c.rates), placed(c), g.astype("float64"))
    return second.astype(g.dtype), f"torch double backward of torch.nn.functional.{what} over the places of the cells in the order of values"


def case(shape, window, strides=None, padding=None, dilations=None, dtype="float32", kind="mixed", second="whole", **more):
    note = "" if kind == "mixed" else kind
    c = PoolGrad(data(shape, dtype, kind), "max", window, strides, padding, dilations, note=note, **more)
    g, name = data(shape, dtype, second), c.name()
    y, where = brute.pool(c)
    exact = grad_brute.gather(g, where)
    found = [a for a in [tensorflow_second(c, y, g), torch_second(c, g), padded_second(c, g)] if a is not None]
    for got, by in found:
        agree(f"{name}: {by}", got, exact, 0)
    answer, by = (found + [(exact, "numpy brute force: nothing of an empty batch")])[0]
    assert found or not exact.size
    x = c.x
    if c.first:
        x, g, answer = map(channels_first, (x, g, answer))
    family.add(name, by, "pool", c.params(), {"x": x, "second": g}, {"dsecond": answer}, 0)


for kind in ["mixed", "ties"]:
    for window, strides in [((2, 2), None), ((3, 3), (1, 1)), ((3, 2), (2, 1)), ((2, 3), (3, 2)), ((1, 1), (3, 2)), ((5, 4), (2, 3))]:
        for padding in [None, "SAME", "SAME_LOWER"]:
            case((2, 5, 7, 3), window, strides, padding, kind=kind)
    for window, strides, padding in [((2, 2, 2), None, None), ((3, 3, 3), (1, 1, 1), "SAME"), ((3, 2, 3), (2, 1, 2), "SAME"),
                                     ((2, 3, 2), (2, 2, 1), None), ((2, 2, 3), (2, 3, 1), "SAME_LOWER")]:
        case((1, 5, 6, 4, 2), window, strides, padding, kind=kind)
    case((1, 7, 9, 3), (3, 3), (2, 2), [(0, 1), (1, 0)], kind=kind)
    case((1, 7, 9, 3), (3, 3), (2, 2), [(1, 1), (1, 1)], kind=kind, first=True)
    case((2, 9, 8, 3), (3, 3), (2, 1), "SAME", (2, 3), kind=kind)
    case((2, 9, 8, 3), (2, 3), (1, 1), None, (3, 2), kind=kind, dtype="float64")
    case((2, 9, 3), (3,), (2,), "SAME", kind=kind)
    case((2, 10, 3), (4,), (3,), kind=kind, ceil=True)
    case((2, 6, 9, 3), (3, 2), (2, 2), kind=kind, ceil=True)
case((2, 5, 7, 3), (3, 2), (2, 1), "SAME", dtype="float64", second="upstream")
case((2, 5, 7, 3), (3, 2), (2, 1), dtype="float32", second="upstream", first=True)
case((1, 5, 6, 4, 2), (2, 2, 2), (1, 2, 2), "SAME", dtype="float64", first=True)
case((2, 6, 7, 3), (6, 7), as_global=True)
case((0, 5, 6, 2), (2, 3), (2, 2), "SAME")

family.save()

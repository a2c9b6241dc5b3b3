"""Gradients of minimum, sum and Lp pooling, of adaptive and of fractional pooling."""

from golden import CHANNELS_FIRST, SHORT, Family, agree, channels_first, csv, data

import numpy as np
import tensorflow as tf
import torch

import grad_brute
from grad_pool_case import PoolGrad, add, autograd, gathered_grad, tape
from pool_oracles import LIBRARIES, ranks

family = Family("grad_pool_other", LIBRARIES, "grad")
TOLERANCE = {"float32": 1e-6, "float64": 1e-12}


def away(x):
    """The numbers moved away from 0, where |x|^p has no smooth gradient."""
    return x + np.where(x < 0, -0.5, 0.5).astype(x.dtype)


def case(type, shape, window, strides=None, padding=None, dilations=None, dtype="float32", kind="mixed", **more):
    x = data(shape, dtype, kind)
    more.setdefault("upstream", "whole" if type == "min" else "upstream")
    note = "" if kind == "mixed" else kind
    add(family, PoolGrad(away(x) if type == "lp" else x, type, window, strides, padding, dilations, note=note, **more))


GEOMETRIES = [
    ((2, 5, 7, 3), (3, 2), (2, 1), "SAME", None), ((1, 6, 8, 5), (2, 2), None, None, None),
    ((1, 7, 9, 3), (3, 3), (2, 2), [(0, 1), (1, 0)], None), ((1, 7, 9, 3), (2, 3), (3, 2), "SAME_LOWER", None),
    ((2, 9, 8, 3), (3, 3), (2, 1), "SAME", (2, 3)), ((2, 9, 8, 3), (2, 3), (1, 1), None, (3, 2)),
    ((2, 9, 3), (3,), (2,), "SAME", None), ((1, 11, 2), (3,), (2,), None, (2,)),
    ((1, 5, 4, 6, 2), (2, 3, 2), (2, 1, 2), "SAME", None), ((1, 5, 4, 6, 2), (2, 2, 2), (1, 1, 2), [(1, 0), (0, 1), (1, 1)], None)]
for geometry in GEOMETRIES:
    case("min", *geometry)
    case("min", *geometry, dtype="float64", kind="ties", first=True)
    case("sum", *geometry)
    case("sum", *geometry, dtype="float64", first=True)
    for p in [1, 2, 3]:
        case("lp", *geometry, p=p, dtype="float64" if p == 3 else "float32")
case("min", (2, 5, 6, 3), (5, 6), as_global=True)
case("min", (2, 9, 10, 2), (3, 4), (2, 3), ceil=True, kind="ties")
case("min", (1, 8, 2), (3,), (2,), [(1, 1)], ceil=True, upstream=None)
case("min", (2, 5, 7, 3), (2, 2), (2, 1), "SAME", upstream="upstream")
case("min", (0, 5, 4, 2), (2, 2))
case("sum", (2, 5, 6, 3), (5, 6), as_global=True)
case("sum", (2, 9, 10, 2), (3, 4), (2, 3), ceil=True, upstream=None)
case("sum", (0, 7, 2), (2,))
for p in [1, 2, 3]:
    case("lp", (2, 6, 8, 2), (2, 2), p=p, upstream=None)
    case("lp", (1, 7, 9, 3), (3, 2), (1, 2), p=p, dtype="float64", first=True)
    case("lp", (2, 9, 10, 2), (3, 4), (2, 3), p=p, ceil=True)
    case("lp", (1, 6, 7, 2), (6, 7), p=p, as_global=True, dtype="float64")
    case("lp", (0, 5, 4, 2), (2, 2), p=p)
for p in [1.5, 2.5, 4]:
    case("lp", (2, 5, 7, 3), (3, 2), (2, 1), "SAME", p=p, dtype="float64")
for x, note in [(np.abs(away(data((1, 6, 7, 2)))), "positive")]:
    for p in [1, 3]:
        add(family, PoolGrad(x, "lp", (3, 2), (2, 1), p=p, upstream="upstream", note=note))


def record(name, oracle, params, x, dy, dx, tolerance, first, ones):
    if first:
        params["data-format"] = CHANNELS_FIRST[x.ndim - 2]
        x, dy, dx = channels_first(x), channels_first(dy), channels_first(dx)
    family.add(name, oracle, "pool", params, {"x": x, "upstream": None if ones else dy}, {"dx": dx + dx.dtype.type(0)}, tolerance)


def regions(x, cells, dy, type):
    """The gradient of regions by numpy, and by PyTorch over gathered windows."""
    if type == "avg":
        def mean(windows, real):
            return (windows * real).sum(dim=2) / real.sum(dim=2)
        return grad_brute.linear(x, cells, dy), gathered_grad(x, cells, dy, mean).astype(x.dtype)
    order = grad_brute.flat(ranks(x, "max", "propagate"))
    total = order.shape[1]
    places = (order * total + (total - 1 - np.arange(total))[None, :, None]).reshape(x.shape)
    return grad_brute.extremum(x, cells, dy), gathered_grad(places, cells, dy, lambda w, real: w.amax(dim=2)).astype(x.dtype)


def title(start, x, parts, dtype, first, kind, ones):
    shape = (channels_first(x) if first else x).shape
    parts = [start, "x".join(map(str, shape)), *parts, SHORT[dtype]] + [CHANNELS_FIRST[x.ndim - 2]] * first
    return "_".join(parts + [kind] * (kind != "mixed") + ["ones"] * ones)


def adaptive(type, shape, size, dtype="float32", kind="mixed", first=False, ones=False):
    x, rank = data(shape, dtype, kind), len(size)
    out = (shape[0], *size, shape[-1])
    dy = np.ones(out, dtype) if ones else data(out, dtype, "whole" if type == "max" else "upstream")
    name = title(f"adaptive_{type}{rank}d", x, ["to" + "x".join(map(str, size))], dtype, first, kind, ones)
    tolerance = 0 if type == "max" else TOLERANCE[dtype]
    run = getattr(torch.nn.functional, f"adaptive_{type}_pool{rank}d")
    dx = autograd(lambda image: run(image, size), x, dy)
    if x.size:
        for other in regions(x, grad_brute.adaptive_cells(shape[1:-1], size), dy, type):
            agree(name, dx, other, tolerance / 2)
    record(name, f"torch autograd of torch.nn.functional.adaptive_{type}_pool{rank}d",
           {"type": type, "output-size": csv(size)}, x, dy, dx, tolerance, first, ones)


for n, (shape, size) in enumerate([
        ((2, 5, 3), (3,)), ((1, 3, 2), (5,)), ((1, 12, 1), (5,)), ((3, 7, 2), (1,)),
        ((2, 7, 9, 3), (3, 4)), ((1, 5, 4, 2), (7, 3)), ((1, 8, 6, 5), (4, 3)), ((2, 6, 7, 2), (1, 1)), ((1, 3, 5, 1), (6, 10)),
        ((1, 11, 13, 2), (7, 5)), ((0, 5, 4, 2), (3, 2)),
        ((1, 5, 6, 4, 2), (3, 4, 2)), ((2, 3, 4, 5, 1), (1, 2, 7)), ((1, 4, 4, 6, 3), (2, 2, 3))]):
    adaptive("avg", shape, size)
    adaptive("avg", shape, size, dtype="float64", first=True)
    adaptive("max", shape, size, first=n % 2 == 0)
    adaptive("max", shape, size, kind="ties", dtype="float64", first=n % 2 == 1)
for type in ["avg", "max"]:
    adaptive(type, (2, 7, 9, 3), (3, 4), ones=True)
    adaptive(type, (1, 9, 2), (4,), ones=True, first=True)


def fractional(type, shape, ratio, seed=1, pseudo_random=False, overlapping=False, dtype="float32", kind="mixed",
               first=False, ones=False):
    x, value = data(shape, dtype, kind), tf.constant(data(shape, dtype, kind))
    ratios = [1.0, *ratio, 1.0]
    forward = getattr(tf.nn, f"fractional_{type}_pool")
    y, rows, columns = forward(value, ratios, pseudo_random, overlapping, seed)
    dy = np.ones(y.shape, dtype) if ones else data(tuple(y.shape), dtype, "whole" if type == "max" else "upstream")
    parts = ["r" + "x".join(map(str, ratio)), f"seed{seed}"] + ["pseudo"] * pseudo_random + ["overlap"] * overlapping
    name = title(f"fractional_{type}", x, parts, dtype, first, kind, ones)
    tolerance = 0 if type == "max" else TOLERANCE[dtype]
    dx = tape(lambda v: forward(v, ratios, pseudo_random, overlapping, seed)[0], x, dy)
    sequences = {"row_pooling_sequence": rows, "col_pooling_sequence": columns, "overlapping": overlapping}
    if type == "max":
        raw = tf.raw_ops.FractionalMaxPoolGrad(orig_input=value, orig_output=y, out_backprop=dy, **sequences)
    else:
        raw = tf.raw_ops.FractionalAvgPoolGrad(
            orig_input_tensor_shape=np.array(shape, np.int64), out_backprop=dy, **sequences)
    agree(name + ": raw", raw.numpy(), dx, 0)
    cells = grad_brute.fractional_cells(shape[1:-1], [rows.numpy(), columns.numpy()], overlapping)
    for other in regions(x, cells, dy, type):
        agree(name, dx, other, tolerance / 2)
    params = {"type": type, "fractional": csv(ratio), "seed": str(seed)}
    params |= {"pseudo-random": "true"} if pseudo_random else {}
    params |= {"overlapping": "true"} if overlapping else {}
    record(name, f"tf.raw_ops.Fractional{type.capitalize()}PoolGrad", params, x, dy, dx, tolerance, first, ones)


for type in ["max", "avg"]:
    for pseudo_random in [False, True]:
        for overlapping in [False, True]:
            flags = {"pseudo_random": pseudo_random, "overlapping": overlapping}
            fractional(type, (2, 10, 13, 3), (1.44, 1.73), **flags)
            fractional(type, (1, 17, 9, 2), (2.5, 1.2), seed=7, dtype="float64", **flags)
            fractional(type, (1, 8, 12, 2), (2.0, 3.0), seed=3, kind="ties", **flags)
            fractional(type, (1, 5, 64, 1), (1.0, 1.41), seed=12345, first=True, **flags)
            fractional(type, (1, 9, 6, 1), (9.0, 5.5), seed=5, ones=True, **flags)

family.save()

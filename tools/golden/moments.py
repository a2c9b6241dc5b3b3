"""Standard deviations and variances of windows, and their gradients.

The definition is numpy.std and numpy.var of each window's cells: squared deviations
are divided by the number of cells.  Padding does not count; with count-include-pad
its cells are zeros.  A NaN gives NaN, or is skipped with nan=ignore; a window of NaN
alone gives NaN.  Where there is no NaN, numpy over sliding windows of the padded
input must agree.

The gradient is torch's autograd of torch.std and torch.var(unbiased=False).  One
rule differs: where a standard deviation is 0 its gradient is 0, PyTorch's is NaN.
"""

from golden import CHANNELS_FIRST, SHORT, Family, agree, axes, channels_first, csv, data, float_of, pads, sprinkled

import numpy as np
import torch

import grad_brute
from brute import taps

LIBRARIES = ["torch"]
forward = Family("pool_moments", LIBRARIES, generator="moments")
backward = Family("grad_pool_moments", LIBRARIES, "grad", generator="moments")
TOLERANCE = {"float16": 1e-3, "float32": 2e-7, "float64": 1e-14}
GRAD_TOLERANCE = {"float32": 1e-6, "float64": 1e-12}


def pool(x, type, cells, size, count, nan):
    """numpy's answer for the cells of each window; size is how many a window has with its padding."""
    flat = grad_brute.flat(x).astype("float64")
    y = np.zeros((x.shape[0], *map(len, cells), x.shape[-1]))
    for at, positions in grad_brute.windows(x.shape[1:-1], cells):
        for n in range(x.shape[0]):
            for c in range(x.shape[-1]):
                seen = flat[n, positions, c]
                if nan == "ignore":
                    seen = seen[~np.isnan(seen)]
                zeros = np.zeros(size - positions.size if count else 0)
                with np.errstate(all="ignore"):
                    y[(n, *at[1:-1], c)] = getattr(np, type)(np.concatenate([seen, zeros])) if seen.size else np.nan
    with np.errstate(over="ignore"):
        return y.astype(float_of(x.dtype))


def sliding(x, type, window, strides, dilations, out, lo, hi, count):
    """The same by numpy.lib.stride_tricks.sliding_window_view over the padded input."""
    spatial = range(1, x.ndim - 1)
    padded = np.pad(x.astype("float64"), [(0, 0), *zip(lo, hi), (0, 0)], constant_values=0 if count else np.nan)
    eff = [(k - 1) * d + 1 for k, d in zip(window, dilations)]
    views = np.lib.stride_tricks.sliding_window_view(padded, eff, axis=tuple(spatial))
    views = views[(slice(None), *(slice(None, None, s) for s in strides), slice(None), *(slice(None, None, d) for d in dilations))]
    views = views[(slice(None), *map(slice, out))]
    return getattr(np, type if count else "nan" + type)(views, axis=tuple(range(x.ndim, views.ndim))).astype(float_of(x.dtype))


def autograd(x, type, cells, size, count, nan, upstream):
    """y and dx by torch, in float64."""
    leaf = torch.from_numpy(grad_brute.flat(x).astype("float64")).requires_grad_()
    y, total = np.zeros(upstream.shape), 0 * leaf[:, :0].sum()
    for at, positions in grad_brute.windows(x.shape[1:-1], cells):
        for n in range(x.shape[0]):
            for c in range(x.shape[-1]):
                seen, place = leaf[n, torch.from_numpy(positions), c], (n, *at[1:-1], c)
                if nan == "ignore":
                    seen = seen[~seen.isnan()]
                if not len(seen):
                    y[place] = np.nan
                    continue
                seen = torch.cat([seen, torch.zeros(size - positions.size if count else 0, dtype=seen.dtype)])
                value = getattr(torch, type)(seen, unbiased=False)
                y[place] = value.item()
                if type == "var" or y[place] != 0:
                    total = total + value * float(upstream[place])
    total.backward()
    return y.astype(float_of(x.dtype)), leaf.grad.numpy().reshape(x.shape).astype(x.dtype)


def case(x, type, window, strides=None, padding=None, dilations=None, count=False, nan="propagate", first=False, gradient=False, kind="", output=None):
    spatial = x.shape[1:-1]
    params, name = {"type": type}, [type, "x".join(map(str, x.shape))]
    if output:
        cells, size = grad_brute.adaptive_cells(spatial, output), 0
        params["output-size"] = csv(output)
        name.append("o" + "x".join(map(str, output)))
    else:
        steps, rates = strides or window, dilations or (1,) * len(spatial)
        out, lo, hi = axes(spatial, window, steps, rates, padding or "VALID", False)
        cells = [[taps(o, n, k, s, d, l) for o in range(m)] for m, n, k, s, d, l in zip(out, spatial, window, steps, rates, lo)]
        size = int(np.prod(window))
        params["window"] = csv(window)
        name.append("k" + "x".join(map(str, window)))
        for key, value, text in [("strides", strides, "s"), ("dilations", dilations, "d")]:
            if value:
                params[key] = csv(value)
                name.append(text + "x".join(map(str, value)))
        if padding:
            params["padding"] = pads(padding)
            name.append(padding if isinstance(padding, str) else "p" + "_".join(f"{a}.{b}" for a, b in padding))
    if count:
        params["count-include-pad"] = "true"
        name.append("count")
    if nan != "propagate":
        params["nan"] = nan
        name.append("nan-" + nan)
    if first:
        params["data-format"] = CHANNELS_FIRST[len(spatial)]
        name.append(CHANNELS_FIRST[len(spatial)])
    name = "_".join([*name, SHORT[x.dtype.name], *[kind] * bool(kind)])

    y, tolerance = pool(x, type, cells, size, count, nan), TOLERANCE[float_of(x.dtype).name]
    if not output and not (x.dtype.kind == "f" and np.isnan(x).any()):
        agree(name + ": sliding windows", sliding(x, type, window, steps, rates, out, lo, hi, count), y, tolerance)
    turned = channels_first if first else lambda a: a
    if not gradient:
        forward.add(name, f"numpy.{type} of the cells of each window", "pool", params, {"x": turned(x)}, {"y": turned(y)}, tolerance)
        return
    dy = data(y.shape, x.dtype.name, "upstream")
    found, dx = autograd(x, type, cells, size, count, nan, dy)
    agree(name + ": torch", found, y, tolerance)
    backward.add(name, f"torch autograd of torch.{type}(unbiased=False) of the cells of each window", "pool", params,
                 {"x": turned(x), "upstream": turned(dy)}, {"dx": turned(dx)}, GRAD_TOLERANCE[x.dtype.name])


GEOMETRIES = [
    ((2, 5, 7, 3), (3, 2), (2, 1), "SAME", None), ((1, 6, 8, 5), (2, 2), None, None, None),
    ((1, 7, 9, 3), (3, 3), (2, 2), [(0, 1), (1, 0)], None), ((1, 7, 9, 3), (2, 3), (3, 2), "SAME_LOWER", None),
    ((2, 9, 8, 3), (3, 3), (2, 1), "SAME", (2, 3)), ((1, 12, 11, 2), (9, 9), (1, 1), "SAME", None),
    ((2, 9, 3), (3,), (2,), [(2, 1)], None), ((1, 30, 2), (12,), (1,), "SAME", (2,)), ((1, 40, 1), (35,), (1,), None, None),
    ((1, 5, 4, 6, 2), (2, 3, 2), (2, 1, 2), "SAME", None), ((1, 5, 4, 6, 2), (2, 2, 2), (1, 1, 2), [(1, 0), (0, 1), (1, 1)], None)]

for type in ["std", "var"]:
    for shape, *geometry in GEOMETRIES:
        for count in [False, True]:
            case(data(shape), type, *geometry, count=count)
            case(data(shape, "float64"), type, *geometry, count=count, first=True)
            case(data(shape, "uint8"), type, *geometry, count=count)
            case(data(shape, "float64"), type, *geometry, count=count, gradient=True)
        case(data(shape), type, *geometry, count=True, gradient=True, first=True)
        case(data(shape, "float32", "ties"), type, *geometry, gradient=True, kind="ties")
    for dtype in ["int8", "uint16", "int16", "uint32", "int32", "uint64", "int64", "float16"]:
        case(data((2, 5, 7, 3), dtype), type, (3, 2), (1, 1), "SAME", count=True)
        case(data((1, 12, 11, 2), dtype), type, (9, 8), (1, 1))
    for dtype, mean in [("float32", 1e4), ("float64", 1e6)]:
        x = data((1, 12, 11, 2), dtype) + np.dtype(dtype).type(mean)
        case(x, type, (3, 3), (1, 1), "SAME", kind="high")
        case(x, type, (9, 8), (1, 1), kind="high")
    for values, note in [([np.nan], "nan"), ([np.nan, np.inf, -np.inf], "inf")]:
        for nan in ["propagate", "ignore"]:
            x = sprinkled((2, 9, 10, 2), 0.1, values)
            x[0, :4, :4, 0] = np.nan
            case(x, type, (3, 2), (1, 1), "SAME", nan=nan, kind=note)
            case(x, type, (7, 6), (1, 1), "SAME", nan=nan, count=True, kind=note)
            case(x, type, (3, 3), (2, 1), "SAME", nan=nan, count=True, kind=note, gradient=True)
    for gradient in [False, True]:
        case(data((2, 9, 8, 3)), type, None, output=(4, 3), gradient=gradient)
        case(np.full((1, 5, 6, 2), 0.1, "float32"), type, (3, 3), (1, 1), "SAME", kind="equal", gradient=gradient)
        case(data((1, 5, 6, 2)), type, (1, 1), kind="single", gradient=gradient)

forward.save()
backward.save()

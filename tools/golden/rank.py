"""Medians and ranks of windows, and their gradients.

The rule, which no framework has for pooling: the real cells of a window in the
order of their values, the smallest first from 0.  A rank is one of them, in the
type of the input.  A median is the middle one, or the mean of the two middle ones,
in the type that an average has.  A NaN among them gives NaN, or is skipped with
nan=ignore; a window of NaN alone gives NaN.  The gradient goes to the cell, the
first in row-major order of equal ones, halves of it to the two middle ones.

Each window's cells go through torch.kthvalue, whose autograd gives the gradient
where no two cells are equal; windows inside the input at stride 1 are held against
scipy.ndimage.rank_filter.  NaN and ties are numpy's by the rule.
"""

from golden import CHANNELS_FIRST, SHORT, Family, agree, axes, channels_first, csv, data, float_of, pads, sprinkled

import numpy as np
import scipy.ndimage
import torch

import grad_brute
from brute import taps

LIBRARIES = ["torch", "scipy"]
forward = Family("pool_rank", LIBRARIES, generator="rank")
backward = Family("grad_pool_rank", LIBRARIES, "grad", generator="rank")


def middle(n):
    return (n - 1) // 2, n // 2


def by_rule(seen, rank, nan):
    """Which two cells of (cells,) make the result, the first of equal ones; NaN's place where that is the result."""
    isnan = np.isnan(seen) if seen.dtype.kind == "f" else np.zeros(seen.shape, bool)
    numbers = np.sort(seen[~isnan])
    lo, hi = middle(numbers.size) if rank is None else (rank, rank)
    if isnan.any() and nan == "propagate" or hi >= numbers.size:
        first = int(np.argmax(isnan))
        return first, first
    return int(np.argmax(seen == numbers[lo])), int(np.argmax(seen == numbers[hi]))


def mean(a, b):
    """In float64; the sum of two finite numbers may overflow, their mean does not."""
    a, b = a.astype("float64"), b.astype("float64")
    with np.errstate(over="ignore", invalid="ignore"):
        total = a + b
    return np.where(np.isfinite(total), total / 2, a / 2 + b / 2)


def pool(x, cells, rank, nan, upstream):
    """y and dx by the rule, x as N..C."""
    flat, spatial = grad_brute.flat(x), x.shape[1:-1]
    y = np.zeros((x.shape[0], *map(len, cells), x.shape[-1]), x.dtype if rank is not None else float_of(x.dtype))
    dx = np.zeros(flat.shape)
    for at, positions in grad_brute.windows(spatial, cells):
        for n in range(x.shape[0]):
            for c in range(x.shape[-1]):
                lo, hi = (positions[i] for i in by_rule(flat[n, positions, c], rank, nan))
                place = (n, *at[1:-1], c)
                y[place] = flat[n, lo, c] if rank is not None else mean(flat[n, lo, c], flat[n, hi, c])
                if upstream is not None:
                    dx[n, lo, c] += upstream[place] / 2
                    dx[n, hi, c] += upstream[place] / 2
    return y, (dx.reshape(x.shape) + 0.0).astype(x.dtype)


def kthvalues(x, cells, rank, upstream):
    """The same by torch.kthvalue, or None for types that it has not and for NaN."""
    if x.dtype.name in ("uint16", "uint32", "uint64", "float16") or x.dtype.kind == "f" and np.isnan(x).any():
        return None
    leaf = torch.from_numpy(grad_brute.flat(x).copy()).requires_grad_(upstream is not None)
    y = torch.zeros((x.shape[0], *map(len, cells), x.shape[-1]), dtype=torch.float64 if rank is None else leaf.dtype)
    total = 0
    for at, positions in grad_brute.windows(x.shape[1:-1], cells):
        seen = leaf[:, torch.from_numpy(positions)]
        lo, hi = middle(positions.size) if rank is None else (rank, rank)
        low, high = (torch.kthvalue(seen, k + 1, dim=1).values for k in (lo, hi))
        value = low if rank is not None else (low.double() + high.double()) / 2
        y[at] = low.detach() if rank is not None else torch.from_numpy(mean(low.detach().numpy(), high.detach().numpy()))
        if upstream is not None:
            total = total + (value * torch.from_numpy(upstream[at])).sum()
    if upstream is None:
        return y.numpy().astype(x.dtype if rank is not None else float_of(x.dtype)), None
    total.backward()
    return y.numpy().astype(float_of(x.dtype)), leaf.grad.numpy().reshape(x.shape) + 0.0


def filtered(x, window, rank):
    """Windows inside the input at stride 1, by scipy.ndimage.rank_filter."""
    place = middle(int(np.prod(window))) if rank is None else (rank, rank)
    inside = tuple(slice(k // 2, n - (k - 1) // 2) for n, k in zip(x.shape[1:-1], window))
    size = (1, *window, 1)
    lo, hi = (scipy.ndimage.rank_filter(x, p, size=size)[(slice(None), *inside)] for p in place)
    return lo if rank is not None else mean(lo, hi).astype(float_of(x.dtype))


def case(x, window, strides=None, padding=None, dilations=None, rank=None, nan="propagate", first=False, gradient=False, kind="", size=None):
    spatial = x.shape[1:-1]
    params = {"type": "median"} if rank is None else {"type": "rank", "rank": str(rank)}
    name = ["median" if rank is None else f"rank{rank}", "x".join(map(str, x.shape))]
    if size:
        cells = grad_brute.adaptive_cells(spatial, size)
        params["output-size"] = csv(size)
        name.append("o" + "x".join(map(str, size)))
    else:
        steps, rates = strides or window, dilations or (1,) * len(spatial)
        out, lo, _ = axes(spatial, window, steps, rates, padding or "VALID", False)
        cells = [[taps(o, n, k, s, d, l) for o in range(m)] for m, n, k, s, d, l in zip(out, spatial, window, steps, rates, lo)]
        params["window"] = csv(window)
        name.append("k" + "x".join(map(str, window)))
        for key, value, text in [("strides", strides, "s"), ("dilations", dilations, "d")]:
            if value:
                params[key] = csv(value)
                name.append(text + "x".join(map(str, value)))
        if padding:
            params["padding"] = pads(padding)
            name.append(padding if isinstance(padding, str) else "p" + "_".join(f"{a}.{b}" for a, b in padding))
    if nan != "propagate":
        params["nan"] = nan
        name.append("nan-" + nan)
    if first:
        params["data-format"] = CHANNELS_FIRST[len(spatial)]
        name.append(CHANNELS_FIRST[len(spatial)])
    name = "_".join([*name, SHORT[x.dtype.name], *[kind] * bool(kind)])

    dy = data((x.shape[0], *map(len, cells), x.shape[-1]), x.dtype.name, "whole") if gradient else None
    y, dx = pool(x, cells, rank, nan, dy)
    oracle, tolerance = "numpy by the rule", 0 if rank is not None else {"float16": 1e-3, "float32": 1e-7, "float64": 1e-15}[float_of(x.dtype).name]
    distinct = all(np.unique(plane).size == plane.size for plane in np.moveaxis(grad_brute.flat(x), 1, 2).reshape(-1, int(np.prod(spatial))))
    if (found := kthvalues(x, cells, rank, dy)) is not None:
        agree(name + ": torch.kthvalue", found[0], y, tolerance)
        if gradient and distinct:
            agree(name + ": torch.kthvalue, backward", found[1], dx, 0)
        if not gradient or distinct:
            oracle = "torch.kthvalue of the cells of each window"
    if not size and not padding and not dilations and strides == (1,) * len(spatial) and x.dtype.name not in ("float16", "int64", "uint64") and not np.isnan(x).any():  # scipy goes through float64
        agree(name + ": scipy.ndimage.rank_filter", filtered(x, window, rank), y, 0)
    turned = channels_first if first else lambda a: a
    if gradient:
        backward.add(name, "autograd of " + oracle if "torch" in oracle else oracle, "pool", params, {"x": turned(x), "upstream": turned(dy)}, {"dx": turned(dx)}, 0)
    else:
        forward.add(name, oracle, "pool", params, {"x": turned(x)}, {"y": turned(y)}, tolerance)


GEOMETRIES = [
    ((2, 5, 7, 3), (3, 2), (2, 1), "SAME", None), ((1, 6, 8, 5), (2, 2), None, None, None),
    ((1, 9, 11, 2), (3, 3), (1, 1), None, None), ((1, 8, 9, 2), (4, 3), (1, 1), None, None),
    ((1, 7, 9, 3), (3, 3), (2, 2), [(0, 1), (1, 0)], None), ((1, 7, 9, 3), (2, 3), (3, 2), "SAME_LOWER", None),
    ((2, 9, 8, 3), (3, 3), (2, 1), "SAME", (2, 3)), ((1, 20, 21, 2), (9, 9), (1, 1), "SAME", None),
    ((1, 19, 18, 1), (8, 10), (1, 1), None, None), ((1, 30, 2), (12,), (1,), "SAME", (2,)), ((2, 90, 1), (70,), (1,), None, None),
    ((2, 9, 3), (3,), (2,), "SAME", None), ((1, 11, 2), (3,), (2,), None, (2,)),
    ((1, 5, 4, 6, 2), (2, 3, 2), (2, 1, 2), "SAME", None), ((1, 7, 8, 9, 1), (4, 5, 5), (1, 1, 1), None, None)]
INTEGERS = ["uint8", "int8", "uint16", "int16", "uint32", "int32", "uint64", "int64"]

for rank in [None, 0, 1]:
    for shape, *geometry in GEOMETRIES:
        case(data(shape), *geometry, rank=rank)
        case(data(shape, "uint8"), *geometry, rank=rank, first=True)
        case(data(shape, "float64"), *geometry, rank=rank, gradient=True)
        case(data(shape, "float32", "ties"), *geometry, rank=rank, gradient=True, kind="ties", first=True)
    for dtype in [*INTEGERS, "float16", "float64"]:
        small = dtype in ("int64", "uint64") and rank is None  # means of larger ones are rounded twice
        for shape, window in [((2, 5, 7, 3), (3, 2)), ((1, 16, 15, 2), (9, 8))]:
            case(data(shape, dtype, "small" if small else "mixed"), window, (1, 1), rank=rank)
    for values in [[np.nan], [np.nan, np.inf, -np.inf]]:
        for nan in ["propagate", "ignore"]:
            x = sprinkled((2, 12, 13, 2), 0.2, values)
            x[0, :4, :4, 0] = np.nan
            note = "inf" if len(values) > 1 else "nan"
            case(x, (3, 2), (1, 1), "SAME", rank=rank, nan=nan, kind=note)
            case(x, (9, 8), (1, 1), "SAME", rank=rank, nan=nan, kind=note)
            case(x, (3, 3), (2, 1), "SAME", rank=rank, nan=nan, kind=note, gradient=True)
    case(data((2, 9, 8, 3)), None, size=(4, 3), rank=rank)
    case(data((2, 9, 8, 3)), None, size=(4, 3), rank=rank, gradient=True)
case(data((1, 12, 12, 2)), (3, 3), (1, 1), rank=8)
case(data((1, 12, 12, 2)), (9, 9), (1, 1), rank=80)
case(np.full((1, 4, 4, 1), np.finfo("float32").max, "float32"), (2, 2), kind="largest")
case(np.array([[[1.7e308], [1.5e308], [-1.7e308], [5e-324]]]), (2,), (1,), kind="largest")

forward.save()
backward.save()

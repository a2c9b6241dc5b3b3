"""Gradients of maximum pooling: every padding, stride, dilation and layout, ceil mode, ties, infinities and NaN."""

import numpy as np

from golden import Family, data, sprinkled
from grad_pool_case import PoolGrad, add
from pool_oracles import LIBRARIES

family = Family("grad_pool_max", LIBRARIES, "grad")


def case(shape, window, strides=None, padding=None, dilations=None, dtype="float32", kind="mixed", **more):
    note = "" if kind == "mixed" else kind
    add(family, PoolGrad(data(shape, dtype, kind), "max", window, strides, padding, dilations, note=note, **more))


# 2-D: sizes that leave a rest, strides below, at and above the window; equal cells and none
for shape in [(1, 7, 9, 3), (2, 5, 8, 1)]:
    for window, strides in [((2, 2), None), ((3, 3), (1, 1)), ((3, 2), (2, 1)), ((2, 3), (3, 2)),
                            ((1, 1), (3, 2)), ((2, 1), (3, 3)), ((5, 4), (2, 3))]:
        for padding in [None, "SAME", "SAME_LOWER"]:
            case(shape, window, strides, padding, kind="ties" if shape[0] == 2 else "mixed")
for window, strides, padding in [
        ((3, 3), (1, 1), [(1, 1), (1, 1)]), ((3, 3), (2, 2), [(0, 1), (1, 0)]), ((3, 2), (2, 1), [(2, 0), (0, 1)]),
        ((4, 5), (3, 2), [(3, 3), (4, 0)]), ((2, 2), (3, 3), [(1, 1), (1, 0)]), ((5, 3), (1, 2), [(0, 4), (2, 2)])]:
    case((1, 7, 9, 3), window, strides, padding)
    case((2, 5, 8, 1), window, strides, padding, kind="ties")

# dilation with and without strides
for window, strides, dilations, padding in [
        ((2, 2), (1, 1), (2, 2), None), ((3, 2), (1, 1), (2, 3), None), ((3, 3), (2, 2), (2, 2), None),
        ((2, 3), (2, 3), (3, 1), None), ((2, 2), (1, 1), (2, 2), "SAME"), ((3, 3), (2, 1), (2, 3), "SAME"),
        ((3, 2), (3, 2), (1, 2), "SAME"), ((2, 3), (2, 2), (3, 2), "SAME_LOWER"),
        ((3, 3), (1, 1), (2, 2), [(1, 1), (1, 1)]), ((3, 3), (2, 2), (2, 3), [(1, 0), (2, 1)])]:
    case((2, 9, 8, 3), window, strides, padding, dilations)
    case((1, 8, 11, 2), window, strides, padding, dilations, kind="ties")

# real upstreams, float64, ones, NC.. layouts
for dtype in ["float32", "float64"]:
    for upstream in ["upstream", None]:
        case((2, 5, 7, 3), (3, 2), (2, 1), "SAME", dtype=dtype, upstream=upstream)
        case((2, 5, 7, 3), (3, 3), (1, 1), "SAME", dtype=dtype, upstream=upstream, kind="ties")
        case((1, 9, 2), (3,), (2,), "SAME", dtype=dtype, upstream=upstream, first=True)
        case((1, 5, 4, 6, 2), (2, 3, 2), (2, 1, 2), None, dtype=dtype, upstream=upstream)
    case((2, 5, 7, 3), (3, 2), (2, 1), "SAME", dtype=dtype, first=True)
    case((1, 7, 9, 3), (3, 3), (2, 2), [(0, 1), (1, 0)], dtype=dtype, first=True)
    case((2, 9, 2), (3,), (2,), "SAME", dtype=dtype, first=True)
    case((1, 5, 4, 6, 2), (2, 3, 2), (2, 1, 2), None, dtype=dtype, first=True)
    case((2, 9, 8, 3), (3, 3), (2, 1), "SAME", (2, 3), dtype=dtype, first=True)

# channel counts around the width of a vector, odd widths, large windows, global
for channels in [1, 2, 5, 8, 9, 16, 17]:
    case((1, 5, 6, channels), (3, 3), (2, 2), "SAME")
    case((1, 4, 7, channels), (2, 2), (1, 1), "SAME", kind="ties")
for width in [1, 2, 3, 15, 17, 33]:
    case((1, 3, width, 1), (2, 2), (1, 1), "SAME")
    case((1, 3, width, 1), (3, 3), (2, 2), "SAME_LOWER", kind="negative")
case((1, 6, 7, 2), (9, 11), (1, 1), "SAME")
case((1, 4, 3, 2), (6, 6), (1, 1), [(5, 5), (5, 5)])
case((1, 15, 17, 1), (9, 9), (1, 1), "SAME", kind="ties")
case((2, 6, 7, 3), (6, 7), as_global=True)
case((1, 3, 4, 5, 2), (3, 4, 5), as_global=True)

# 1-D
for shape in [(1, 11, 3), (3, 8, 1)]:
    for window, strides, padding, dilations in [
            (2, None, None, None), (3, 1, "SAME", None), (3, 2, "SAME", None), (2, 3, "SAME", None),
            (4, 3, "SAME_LOWER", None), (3, 2, (1, 1), None), (3, 1, (0, 2), None), (2, 1, None, 3), (3, 2, None, 2),
            (3, 1, "SAME", 3), (2, 2, (2, 1), 3), (13, 1, "SAME", None)]:
        one = lambda v: v if v is None or isinstance(v, str) else [v] if isinstance(v, tuple) else (v,)  # noqa: E731
        case(shape, one(window), one(strides), one(padding), one(dilations), kind="ties" if shape[0] == 3 else "mixed")

# 3-D
for shape in [(1, 5, 6, 7, 2), (2, 4, 5, 3, 1)]:
    for window, strides, padding, dilations in [
            ((2, 2, 2), None, None, None), ((3, 3, 3), (1, 1, 1), "SAME", None), ((3, 2, 3), (2, 1, 2), "SAME", None),
            ((2, 3, 2), (3, 2, 1), None, None), ((1, 2, 2), (2, 2, 1), "SAME", None),
            ((2, 2, 3), (2, 3, 1), "SAME_LOWER", None), ((3, 3, 2), (2, 2, 2), [(1, 1), (0, 2), (1, 0)], None),
            ((1, 1, 1), (3, 3, 2), "SAME", None), ((2, 2, 1), (1, 1, 1), None, (2, 3, 1)),
            ((2, 2, 2), (2, 1, 2), None, (3, 2, 1)), ((2, 3, 2), (1, 2, 1), "SAME", (2, 2, 2))]:
        case(shape, window, strides, padding, dilations, kind="ties" if shape[0] == 2 else "mixed")

# ceil mode
for shape, window, strides, padding, dilations in [
        ((2, 6, 9, 3), (3, 2), (2, 2), None, None), ((1, 7, 8, 2), (2, 2), (3, 3), [(1, 1), (1, 1)], None),
        ((1, 4, 6, 5), (4, 3), (3, 2), [(2, 2), (0, 0)], None), ((1, 6, 7, 2), (3, 3), (2, 2), [(0, 1), (1, 0)], None),
        ((1, 7, 9, 3), (3, 2), (2, 2), "SAME", None), ((2, 10, 3), (4,), (3,), None, None), ((2, 9, 2), (2,), (3,), [(1, 1)], None),
        ((1, 5, 6, 7, 2), (2, 3, 2), (2, 2, 3), None, None), ((1, 9, 8, 2), (2, 3), (3, 2), None, (2, 2)),
        ((1, 8, 9, 2), (3, 2), (2, 2), [(1, 1), (1, 1)], (2, 3))]:
    case(shape, window, strides, padding, dilations, ceil=True)
    case(shape, window, strides, padding, dilations, ceil=True, kind="ties", dtype="float64", first=True)

# batches, and outputs without a cell: the gradient is zeros of the input's shape
for batch in [0, 3]:
    case((batch, 5, 6, 2), (2, 3), (2, 2), "SAME")
    case((batch, 7, 2), (2,))
    case((batch, 3, 4, 5, 2), (2, 2, 2), (1, 2, 2), "SAME")
    case((batch, 5, 6, 2), (2, 2), (2, 1), "SAME", (2, 2))
for shape, window, strides in [((2, 2, 5, 3), (3, 2), (1, 1)), ((1, 4, 4, 2), (6, 2), (2, 2)), ((1, 3, 2), (4,), (1,)),
                               ((1, 3, 2, 4, 1), (2, 3, 2), (1, 1, 1)), ((0, 2, 5, 3), (3, 2), (1, 1))]:
    case(shape, window, strides)
    case(shape, window, strides, upstream=None, first=True, dtype="float64")


def special(note, x, window, strides, padding=None, **more):
    add(family, PoolGrad(x, "max", window, strides, padding, note=note, **more))


# infinities: a window of -inf has its maximum in its first cell
INF, NAN = np.inf, np.nan
for dtype in ["float32", "float64"]:
    special("worst", np.full((1, 4, 5, 2), -INF, dtype), (3, 2), (1, 1), [(1, 1), (0, 0)])
    special("worst", np.full((1, 4, 5, 2), -INF, dtype), (3, 3), (2, 2), "SAME")
    special("mostlyworst", sprinkled((2, 6, 7, 3), 0.7, [-INF], dtype), (2, 2), (1, 2))
    special("mostlyworst", sprinkled((2, 6, 7, 3), 0.7, [-INF], dtype), (3, 3), (2, 2), "SAME")
    special("worst", np.full((1, 7, 2), -INF, dtype), (3,), (2,), "SAME")
    special("worst", np.full((1, 3, 4, 3, 2), -INF, dtype), (2, 2, 2), (1, 2, 1), "SAME")
    special("infs", sprinkled((2, 6, 7, 3), 0.3, [INF, -INF], dtype), (2, 3), (2, 1), "SAME")
    special("lowest", np.full((1, 3, 4, 2), np.finfo(dtype).min, dtype), (2, 2), (1, 1), [(1, 1), (1, 1)])

# NaN: the gradient goes to the first one, or to the maximum of what is left
for nan in ["propagate", "ignore"]:
    for dtype in ["float32", "float64"]:
        special("nan", sprinkled((2, 6, 7, 2), 0.1, [NAN], dtype), (3, 2), (2, 1), "SAME", nan=nan)
        special("manynan", sprinkled((2, 6, 7, 2), 0.5, [NAN], dtype), (2, 2), (1, 1), nan=nan)
        special("naninf", sprinkled((2, 6, 7, 2), 0.6, [NAN, -INF, INF, -INF], dtype), (2, 2), (1, 1), "SAME", nan=nan)
        special("manynan", sprinkled((2, 11, 3), 0.3, [NAN], dtype), (3,), (2,), "SAME", nan=nan)
        special("manynan", sprinkled((1, 4, 5, 4, 2), 0.1, [NAN], dtype), (2, 3, 2), (1, 2, 2), "SAME", nan=nan)

family.save()

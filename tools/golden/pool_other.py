"""Minimum, sum and Lp pooling, ceil mode, counted padding and own divisors."""

from golden import Family, data
from pool_case import Pool, add
from pool_oracles import LIBRARIES

family = Family("pool_other", LIBRARIES)


def case(type, shape, window, strides=None, padding=None, dilations=None, dtype="float32", kind="mixed", **more):
    if dtype.startswith(("int", "uint")) and type not in ("min", "max"):
        kind = "small"
    add(family, Pool(data(shape, dtype, kind), type, window, strides, padding, dilations, **more))


# minimum
for shape, window, strides, padding, dilations in [
        ((2, 5, 7, 3), (3, 2), (2, 1), "SAME", None), ((1, 6, 8, 5), (2, 2), None, None, None),
        ((1, 7, 9, 3), (3, 3), (2, 2), [(0, 1), (1, 0)], None), ((1, 7, 9, 3), (2, 3), (3, 2), "SAME_LOWER", None),
        ((1, 6, 7, 2), (9, 11), (2, 3), "SAME", None), ((2, 9, 8, 3), (3, 3), (2, 1), "SAME", (2, 3)),
        ((2, 9, 8, 3), (2, 3), (1, 1), None, (3, 2)), ((2, 9, 3), (3,), (2,), "SAME", None),
        ((1, 11, 2), (3,), (2,), None, (2,)), ((1, 5, 4, 6, 2), (2, 3, 2), (2, 1, 2), "SAME", None),
        ((1, 5, 4, 6, 2), (2, 2, 2), (1, 1, 2), [(1, 0), (0, 1), (1, 1)], None), ((0, 5, 4, 2), (2, 2), None, None, None)]:
    case("min", shape, window, strides, padding, dilations)
    case("min", shape, window, strides, padding, dilations, dtype="uint8", first=True)
for dtype in ["int8", "uint16", "int16", "uint32", "int32", "uint64", "int64", "float16", "float64"]:
    case("min", (2, 5, 7, 3), (3, 2), (2, 1), "SAME", dtype=dtype)
case("min", (2, 5, 6, 3), (5, 6), as_global=True)

# sum
for shape, window, strides, padding, dilations in [
        ((2, 5, 7, 3), (3, 2), (2, 1), "SAME", None), ((1, 6, 8, 5), (2, 2), None, None, None),
        ((1, 7, 9, 3), (3, 3), (2, 2), [(0, 1), (1, 0)], None), ((1, 7, 9, 3), (2, 3), (3, 2), "SAME_LOWER", None),
        ((1, 6, 7, 2), (9, 11), (2, 3), "SAME", None), ((2, 9, 8, 3), (3, 3), (2, 1), "SAME", (2, 3)),
        ((2, 9, 8, 3), (2, 3), (1, 1), None, (3, 2)), ((2, 9, 3), (3,), (2,), "SAME", None),
        ((1, 11, 2), (3,), (2,), None, (2,)), ((1, 5, 4, 6, 2), (2, 3, 2), (2, 1, 2), "SAME", None),
        ((1, 5, 4, 6, 2), (2, 2, 2), (1, 1, 2), [(1, 0), (0, 1), (1, 1)], None), ((1, 7, 8, 2), (3, 3), (1, 1), [(1, 1), (1, 1)], None)]:
    case("sum", shape, window, strides, padding, dilations)
    case("sum", shape, window, strides, padding, dilations, dtype="int32", first=True)
for dtype in ["uint8", "int8", "uint16", "int16", "uint32", "uint64", "int64", "float16", "float64"]:
    case("sum", (2, 5, 7, 3), (3, 2), (2, 1), "SAME", dtype=dtype)
case("sum", (2, 5, 6, 3), (5, 6), as_global=True)
case("sum", (2, 9, 10, 2), (3, 4), (2, 3), ceil=True)

# Lp: ONNX's |x|, odd p on negative data
for p in [1, 2, 3, 4, 5]:
    case("lp", (2, 5, 7, 3), (3, 2), (2, 1), "SAME", p=p)
    case("lp", (1, 6, 8, 2), (2, 2), p=p, kind="negative")
    case("lp", (1, 7, 9, 3), (3, 3), (2, 2), [(0, 1), (1, 0)], p=p, first=True)
    case("lp", (2, 9, 3), (3,), (2,), "SAME", p=p)
    case("lp", (1, 5, 4, 6, 2), (2, 3, 2), (2, 1, 2), None, p=p)
for p in [2, 3]:
    case("lp", (2, 9, 8, 3), (2, 3), (1, 1), None, (3, 2), p=p)
    case("lp", (2, 9, 8, 3), (3, 3), (2, 1), "SAME", (2, 3), p=p)
    case("lp", (1, 7, 9, 3), (2, 3), (3, 2), "SAME_LOWER", p=p)
    case("lp", (2, 9, 10, 2), (3, 4), (2, 3), ceil=True, p=p)
    for dtype in ["uint8", "int16", "int32", "float16", "float64"]:
        case("lp", (2, 5, 7, 3), (3, 2), (2, 1), "SAME", dtype=dtype, p=p)
for p in [0.5, 1.5, 2.5]:
    case("lp", (2, 5, 7, 3), (3, 2), (2, 1), "SAME", p=p)
    case("lp", (2, 5, 7, 3), (2, 2), dtype="float64", p=p)

# ceil mode
for type in ["max", "avg", "min"]:
    for shape, window, strides, padding in [
            ((2, 6, 9, 3), (3, 2), (2, 2), None), ((1, 7, 8, 2), (2, 2), (3, 3), [(1, 1), (1, 1)]),
            ((1, 5, 8, 2), (3, 3), (2, 2), [(1, 1), (1, 1)]), ((1, 4, 6, 5), (4, 3), (3, 2), [(2, 2), (0, 0)]),
            ((1, 6, 7, 2), (3, 3), (2, 2), [(0, 1), (1, 0)]), ((1, 8, 7, 1), (1, 1), (2, 3), None),
            ((2, 7, 5, 2), (2, 3), (4, 2), [(0, 0), (1, 1)]), ((1, 7, 9, 3), (3, 2), (2, 2), "SAME"),
            ((2, 10, 3), (4,), (3,), None), ((2, 9, 2), (2,), (3,), [(1, 1)]), ((1, 8, 2), (3,), (2,), [(1, 1)]),
            ((1, 5, 6, 7, 2), (2, 3, 2), (2, 2, 3), None), ((1, 4, 5, 6, 2), (3, 3, 2), (2, 2, 2), [(1, 1), (1, 1), (0, 0)])]:
        case(type, shape, window, strides, padding, ceil=True)
    case(type, (2, 6, 9, 3), (3, 2), (2, 2), None, ceil=True, dtype="float64", first=True)
    case(type, (2, 6, 9, 3), (3, 2), (2, 2), None, ceil=True, dtype="uint8")
for shape, window, strides, padding, dilations in [
        ((1, 9, 8, 2), (2, 3), (3, 2), None, (2, 2)), ((1, 8, 9, 2), (3, 2), (2, 2), [(1, 1), (1, 1)], (2, 3)),
        ((2, 11, 2), (3,), (3,), [(1, 1)], (2,)), ((1, 6, 5, 7, 1), (2, 2, 2), (2, 2, 2), None, (2, 1, 3))]:
    case("max", shape, window, strides, padding, dilations, ceil=True)
    case("avg", shape, window, strides, padding, dilations, ceil=True)

# counted padding, with and without ceil mode, and divisors
for shape, window, strides, padding in [
        ((1, 5, 6, 2), (3, 3), (1, 1), [(1, 1), (1, 1)]), ((2, 6, 7, 3), (3, 2), (2, 2), [(1, 1), (0, 0)]),
        ((1, 6, 7, 2), (3, 3), (2, 2), [(0, 1), (2, 0)]), ((1, 7, 8, 1), (4, 5), (3, 2), [(2, 2), (2, 2)]),
        ((2, 9, 3), (3,), (2,), [(1, 1)]), ((1, 8, 1), (4,), (3,), [(0, 3)]),
        ((1, 4, 5, 6, 2), (3, 2, 3), (2, 2, 1), [(1, 1), (1, 1), (1, 1)])]:
    case("avg", shape, window, strides, padding, include_pad=True)
    case("avg", shape, window, strides, padding, include_pad=True, ceil=True)
    case("avg", shape, window, strides, padding, divisor=5)
    case("avg", shape, window, strides, padding, divisor=-3, ceil=True, first=True)
    case("avg", shape, window, strides, padding, include_pad=True, dtype="float64")
for padding in ["SAME", "SAME_LOWER"]:
    case("avg", (1, 7, 9, 3), (3, 2), (2, 1), padding, include_pad=True)
    case("avg", (1, 8, 2), (3,), (2,), padding, include_pad=True)
    case("avg", (1, 7, 9, 3), (4, 3), (1, 2), padding, include_pad=True, first=True)
    case("avg", (1, 4, 5, 6, 2), (2, 2, 2), (1, 2, 1), padding, include_pad=True)
    case("avg", (1, 7, 9, 3), (3, 2), (2, 1), padding, divisor=7)
case("avg", (1, 9, 8, 2), (3, 2), (2, 1), [(2, 1), (0, 1)], (2, 3), include_pad=True)
case("avg", (1, 9, 8, 2), (3, 2), (1, 1), [(1, 1), (1, 1)], (2, 2), include_pad=True)
case("avg", (1, 9, 8, 2), (3, 2), (2, 1), None, (2, 3), divisor=2)
case("avg", (2, 5, 6, 2), (2, 2), divisor=3, dtype="uint8")
case("avg", (2, 5, 6, 2), (3, 3), (1, 1), [(1, 1), (1, 1)], include_pad=True, dtype="int32")
case("avg", (2, 5, 6, 2), (3, 3), (1, 1), [(1, 1), (1, 1)], include_pad=True, dtype="float16")
case("avg", (2, 5, 6, 2), (5, 6), divisor=60, as_global=True)

family.save()

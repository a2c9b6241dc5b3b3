"""Average pooling with the divisor of real cells: every padding, stride, dilation, type and layout."""

from golden import Family, data
from pool_case import Pool, add
from pool_oracles import LIBRARIES

family = Family("pool_avg", LIBRARIES)


def case(shape, window, strides=None, padding=None, dilations=None, dtype="float32", kind=None, **more):
    kind = kind or ("mixed" if dtype.startswith(("float", "u")) and dtype not in ("uint32", "uint64") else "small")
    add(family, Pool(data(shape, dtype, kind), "avg", window, strides, padding, dilations, **more))


# 2-D
for shape in [(1, 7, 9, 3), (2, 5, 8, 1)]:
    for window, strides in [((2, 2), None), ((3, 3), (1, 1)), ((3, 2), (2, 1)), ((2, 3), (3, 2)),
                            ((1, 1), (3, 2)), ((2, 1), (3, 3)), ((5, 4), (2, 3)), ((1, 4), (1, 1))]:
        for padding in [None, "SAME", "SAME_LOWER"]:
            case(shape, window, strides, padding)
for window, strides, padding in [
        ((3, 3), (1, 1), [(1, 1), (1, 1)]), ((3, 3), (2, 2), [(0, 1), (1, 0)]), ((3, 2), (2, 1), [(2, 0), (0, 1)]),
        ((4, 5), (3, 2), [(3, 3), (4, 0)]), ((2, 2), (3, 3), [(1, 1), (1, 0)]), ((5, 3), (1, 2), [(0, 4), (2, 2)])]:
    case((1, 7, 9, 3), window, strides, padding)
    case((2, 5, 8, 1), window, strides, padding)

# dilation with and without strides
for window, strides, dilations, padding in [
        ((2, 2), (1, 1), (2, 2), None), ((3, 2), (1, 1), (2, 3), None), ((3, 3), (2, 2), (2, 2), None),
        ((2, 3), (2, 3), (3, 1), None), ((2, 2), (1, 1), (2, 2), "SAME"), ((3, 3), (2, 1), (2, 3), "SAME"),
        ((3, 2), (3, 2), (1, 2), "SAME"), ((2, 3), (2, 2), (3, 2), "SAME_LOWER"),
        ((3, 3), (1, 1), (2, 2), [(1, 1), (1, 1)]), ((3, 3), (2, 2), (2, 3), [(1, 0), (2, 1)]),
        ((2, 2), (1, 2), (3, 2), [(3, 0), (0, 2)]), ((2, 4), (2, 1), (1, 2), [(1, 1), (5, 6)])]:
    case((2, 9, 8, 3), window, strides, padding, dilations)
    case((1, 8, 11, 5), window, strides, padding, dilations)

# every type; integers become float32 (8 and 16 bits) or float64
for dtype in ["uint8", "int8", "uint16", "int16", "uint32", "int32", "uint64", "int64", "float16", "float64"]:
    case((2, 5, 7, 3), (3, 2), (2, 1), "SAME", dtype=dtype)
    case((1, 6, 5, 5), (2, 3), None, None, dtype=dtype)
    case((2, 6, 5, 2), (3, 3), (1, 1), [(1, 1), (1, 1)], dtype=dtype)
    case((1, 9, 2), (3,), (2,), "SAME", dtype=dtype)
    case((1, 5, 4, 6, 2), (2, 3, 2), (2, 1, 2), "SAME", dtype=dtype)
    case((2, 7, 6, 3), (2, 2), (2, 1), "SAME", (2, 3), dtype=dtype)

# NC.. layouts
for dtype in ["float32", "uint8", "float64"]:
    case((2, 5, 7, 3), (3, 2), (2, 1), "SAME", dtype=dtype, first=True)
    case((1, 7, 9, 3), (3, 3), (2, 2), [(0, 1), (1, 0)], dtype=dtype, first=True)
    case((2, 9, 2), (3,), (2,), "SAME", dtype=dtype, first=True)
    case((1, 5, 4, 6, 2), (2, 3, 2), (2, 1, 2), None, dtype=dtype, first=True)
case((2, 9, 8, 3), (3, 3), (2, 1), "SAME", (2, 3), first=True)

# channel counts around the width of a vector, and odd extents
for channels in [1, 2, 4, 5, 7, 8, 9, 16, 17, 33]:
    case((1, 5, 6, channels), (3, 3), (2, 2), "SAME")
for width in [1, 2, 3, 8, 15, 17, 31, 33]:
    case((1, 3, width, 1), (2, 2), (1, 1), "SAME")
    case((1, 3, width, 1), (3, 3), (2, 2), "SAME_LOWER")

# windows as large as the image, larger than it, and global
case((1, 6, 7, 2), (6, 7))
case((1, 6, 7, 2), (9, 11), (1, 1), "SAME", dtype="float64")
case((1, 6, 7, 2), (9, 11), (2, 3), "SAME", kind="negative")
case((1, 4, 3, 2), (6, 6), (1, 1), [(5, 5), (5, 5)])
case((1, 15, 17, 1), (9, 9), (1, 1), "SAME")
case((1, 15, 17, 1), (15, 2), (1, 3), "SAME")
case((2, 6, 7, 3), (6, 7), as_global=True)
case((2, 9, 3), (9,), as_global=True, dtype="int16")
case((1, 3, 4, 5, 2), (3, 4, 5), as_global=True)

# 1-D
for shape in [(1, 11, 3), (3, 8, 1)]:
    for window, strides, padding, dilations in [
            (2, None, None, None), (3, 1, "SAME", None), (3, 2, "SAME", None), (2, 3, "SAME", None),
            (4, 3, "SAME_LOWER", None), (4, 1, "SAME_LOWER", None), (3, 2, (1, 1), None), (3, 1, (0, 2), None),
            (5, 2, (4, 1), None), (2, 1, None, 3), (3, 2, None, 2), (3, 1, "SAME", 3), (3, 2, "SAME_LOWER", 2),
            (2, 2, (2, 1), 3), (13, 1, "SAME", None)]:
        one = lambda v: v if v is None or isinstance(v, str) else [v] if isinstance(v, tuple) else (v,)  # noqa: E731
        case(shape, one(window), one(strides), one(padding), one(dilations))

# 3-D
for shape in [(1, 5, 6, 7, 2), (2, 4, 5, 3, 1)]:
    for window, strides, padding, dilations in [
            ((2, 2, 2), None, None, None), ((3, 3, 3), (1, 1, 1), "SAME", None), ((3, 2, 3), (2, 1, 2), "SAME", None),
            ((2, 3, 2), (3, 2, 1), None, None), ((1, 2, 2), (2, 2, 1), "SAME", None),
            ((2, 2, 3), (2, 3, 1), "SAME_LOWER", None), ((3, 3, 2), (2, 2, 2), [(1, 1), (0, 2), (1, 0)], None),
            ((1, 1, 1), (3, 3, 2), "SAME", None), ((2, 2, 1), (1, 1, 1), None, (2, 3, 1)),
            ((2, 2, 2), (2, 1, 2), None, (3, 2, 1)), ((2, 3, 2), (1, 2, 1), "SAME", (2, 2, 2)),
            ((2, 2, 2), (2, 2, 1), [(1, 1), (1, 0), (0, 1)], (2, 1, 2))]:
        case(shape, window, strides, padding, dilations)
case((1, 5, 6, 7, 2), (3, 3, 3), (2, 2, 2), [(1, 1), (1, 1), (1, 1)], first=True)
case((1, 5, 6, 7, 2), (2, 2, 2), (2, 1, 2), None, (2, 2, 1), first=True)

# batches
for batch in [0, 3]:
    case((batch, 5, 6, 2), (2, 3), (2, 2), "SAME")
    case((batch, 7, 2), (2,))
    case((batch, 3, 4, 5, 2), (2, 2, 2), (1, 2, 2), "SAME")
    case((batch, 5, 6, 2), (2, 2), (2, 1), "SAME", (2, 2))

family.save()

"""Transposed convolution: the gradient of a convolution to its input, with every output size it allows."""

from conv_case import LETTERS, LIBRARIES, Conv, add
from golden import Family, data

family = Family("conv_transpose", LIBRARIES)


def case(shape, window, strides=None, padding=None, dilations=None, size=None, outputs=3, dtype="float32", groups=1,
         bias=False, **more):
    kind = "small" if dtype.startswith(("int", "uint")) else "mixed"
    f = data((*window, outputs // groups, shape[-1]), dtype, kind)
    b = data((outputs,), dtype, kind) if bias else None
    add(family, Conv(data(shape, dtype, kind), f, strides, padding, dilations, groups, b, size=size, transpose=True, **more))


# 2-D: default sizes
for shape in [(1, 3, 4, 2), (2, 4, 3, 1)]:
    for window, strides in [((3, 3), None), ((3, 2), (2, 1)), ((2, 3), (3, 2)), ((1, 1), (2, 2)), ((4, 4), (2, 2)),
                            ((2, 1), (3, 3)), ((5, 4), (2, 3))]:
        for padding in [None, "SAME", "SAME_LOWER"]:
            case(shape, window, strides, padding, bias=strides == (2, 1))

# 2-D: every size that SAME and VALID allow
for size in [(5, 7), (5, 8), (6, 7), (6, 8)]:
    case((1, 3, 4, 2), (3, 3), (2, 2), "SAME", size=size)
    case((1, 3, 4, 2), (3, 2), (2, 2), "SAME_LOWER", size=size)
    case((2, 3, 4, 2), (4, 5), (2, 2), "SAME", size=size, first=True)
for size in [(7, 11), (7, 12), (8, 11), (9, 13)]:
    case((1, 3, 4, 2), (1, 2), (3, 3), None, size=size, bias=True)
for size in [(8, 9), (9, 10), (9, 9), (8, 10)]:
    case((1, 3, 4, 2), (4, 3), (2, 2), None, size=size)
case((1, 3, 4, 2), (3, 2), (1, 1), "SAME", size=(3, 4))
case((1, 3, 4, 2), (1, 1), (3, 3), "SAME", size=(7, 12))

# 2-D: explicit padding, symmetric and not, with surplus
for window, strides, padding, size in [
        ((3, 3), (2, 2), [(1, 1), (1, 1)], None), ((3, 3), (2, 2), [(1, 1), (1, 1)], (6, 8)),
        ((3, 3), (2, 2), [(0, 1), (1, 0)], None), ((3, 3), (2, 2), [(0, 1), (1, 0)], (7, 9)),
        ((4, 2), (1, 2), [(2, 1), (0, 1)], None), ((4, 3), (3, 2), [(2, 2), (1, 1)], (8, 8)),
        ((2, 3), None, [(1, 0), (0, 2)], None)]:
    case((1, 3, 4, 2), window, strides, padding, size=size)
    case((2, 3, 4, 3), window, strides, padding, size=size, outputs=5, bias=True, first=True)

# 2-D: dilation
for window, strides, dilations, padding, size in [
        ((2, 2), None, (2, 2), None, None), ((3, 2), (2, 1), (2, 3), None, None), ((3, 3), None, (2, 2), "SAME", None),
        ((3, 3), (2, 1), (2, 3), "SAME", None), ((3, 3), (2, 1), (2, 3), "SAME", (5, 4)),
        ((2, 3), (2, 2), (3, 2), "SAME_LOWER", None), ((3, 3), (2, 2), (2, 2), [(1, 1), (1, 1)], (8, 10)),
        ((2, 2), (3, 1), (1, 2), [(0, 1), (1, 1)], None), ((2, 2), (1, 1), (3, 3), None, (7, 8))]:
    case((2, 3, 4, 2), window, strides, padding, dilations, size)

# groups, channels
for groups, channels, outputs in [(2, 4, 6), (3, 3, 6), (5, 5, 5), (2, 6, 2)]:
    case((2, 3, 4, channels), (3, 2), (2, 1), None, outputs=outputs, groups=groups)
    case((2, 3, 4, channels), (3, 3), (2, 2), "SAME", outputs=outputs, groups=groups, bias=True)
    case((2, 5, channels), (3,), (2,), "SAME", outputs=outputs, groups=groups)
case((1, 2, 3, 2, 4), (2, 2, 3), (2, 1, 1), None, outputs=6, groups=2)
for channels, outputs in [(1, 1), (8, 5), (5, 8), (9, 17), (16, 16)]:
    case((1, 3, 3, channels), (3, 3), (2, 2), "SAME", outputs=outputs)

# every type
for dtype in ["uint8", "int16", "int32", "float16", "float64"]:
    case((2, 3, 4, 3), (3, 2), (2, 1), "SAME", dtype=dtype)
    case((1, 3, 4, 2), (3, 3), (2, 2), None, size=(8, 9), dtype=dtype, bias=True)
    case((1, 4, 2), (3,), (2,), "SAME", dtype=dtype)
    case((1, 2, 3, 2, 2), (2, 2, 2), (2, 1, 2), "SAME", dtype=dtype)

# filter formats and NC.. layouts in each rank
for rank, shape, window in [(1, (2, 5, 4), (3,)), (2, (2, 3, 4, 4), (3, 2)), (3, (1, 2, 3, 2, 4), (2, 3, 2))]:
    letters, two = LETTERS[rank], (2, 1, 2)[:rank]
    for n, format in enumerate([letters + "IO", "OI" + letters, "IO" + letters]):
        case(shape, window, two, "SAME", format=format, outputs=3, bias=n == 0)
        case(shape, window, None, None, format=format, outputs=6, groups=2, first=n == 1)
        case(shape, window, two, None, format=format, outputs=5, first=True)
    case(shape, window, two, "SAME", outputs=5, first=True, bias=True)
    case(shape, window, None, None, (2, 2, 1)[:rank], outputs=2, first=True)

# 1-D
for shape in [(1, 5, 3), (3, 4, 1)]:
    for window, strides, padding, dilations, surplus in [
            (2, None, None, None, 0), (3, 2, "SAME", None, 0), (3, 2, "SAME", None, -1), (2, 3, "SAME", None, -2),
            (3, 2, None, None, 1), (1, 3, None, None, 2), (4, 3, "SAME_LOWER", None, -1), (3, 2, [(1, 1)], None, 1),
            (4, 2, [(0, 2)], None, 0), (3, None, None, 2, 1), (3, 2, "SAME", 2, 0), (2, 2, [(1, 0)], 3, 2)]:
        c = Conv(data(shape), data((window, 3, shape[-1])), strides and (strides,), padding, dilations and (dilations,),
                 transpose=True)
        case(shape, (window,), strides and (strides,), padding, dilations and (dilations,),
             (c.spatial[0] + surplus,) if surplus else None, bias=strides == 2)

# 3-D
for shape in [(1, 2, 3, 4, 2), (2, 3, 2, 3, 1)]:
    for window, strides, padding, dilations, surplus in [
            ((2, 2, 2), None, None, None, None), ((3, 3, 3), (2, 2, 2), "SAME", None, None),
            ((3, 3, 3), (2, 2, 2), "SAME", None, (-1, 0, -1)), ((2, 3, 2), (2, 1, 3), None, None, None),
            ((2, 3, 2), (2, 1, 3), None, None, (1, 0, 2)), ((2, 3, 4), (2, 3, 1), "SAME_LOWER", None, None),
            ((3, 2, 3), (2, 2, 2), [(1, 1), (0, 1), (1, 0)], None, None), ((2, 2, 2), None, None, (2, 1, 3), None),
            ((2, 2, 3), (2, 1, 2), "SAME", (2, 3, 1), None), ((3, 2, 2), (2, 2, 1), [(1, 1), (0, 0), (1, 1)], (1, 2, 2), (1, 1, 0)),
            ((1, 1, 1), (2, 3, 2), "SAME", None, None)]:
        c = Conv(data(shape), data((*window, 3, shape[-1])), strides, padding, dilations, transpose=True)
        size = surplus and tuple(n + e for n, e in zip(c.spatial, surplus))
        case(shape, window, strides, padding, dilations, size, bias=window[0] == 3)

# batches
for batch in [0, 3]:
    case((batch, 3, 4, 2), (2, 3), (2, 2), "SAME")
    case((batch, 5, 2), (2,), (2,), None)

family.save()

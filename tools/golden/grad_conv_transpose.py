"""Gradients of transposed convolution to the input, the filter and the bias, with every output size it allows."""

from conv_case import LETTERS, LIBRARIES
from golden import Family, data
from grad_conv_case import ConvGrad, add

family = Family("grad_conv_transpose", LIBRARIES, "grad")


def case(shape, window, strides=None, padding=None, dilations=None, surplus=None, outputs=3, dtype="float32", groups=1,
         bias=False, **more):
    """The output's spatial size is the default one plus a surplus."""
    f = data((*window, outputs // groups, shape[-1]), dtype)
    b = data((outputs,), dtype) if bias else None
    c = ConvGrad(data(shape, dtype), f, strides, padding, dilations, groups, b, transpose=True, **more)
    if surplus:
        c.size = tuple(n + e for n, e in zip(c.spatial, surplus))
    add(family, c)


# 2-D: default sizes
for shape in [(1, 3, 4, 2), (2, 4, 3, 1)]:
    for window, strides in [((3, 3), None), ((3, 2), (2, 1)), ((2, 3), (3, 2)), ((1, 1), (2, 2)), ((4, 4), (2, 2)), ((5, 4), (2, 3))]:
        for padding in [None, "SAME", "SAME_LOWER"]:
            case(shape, window, strides, padding, bias=strides == (2, 1), dtype="float64" if window == (2, 3) else "float32")

# 2-D: sizes beside the default one
for surplus in [(-1, -1), (-1, 0), (0, -1)]:
    case((1, 3, 4, 2), (3, 3), (2, 2), "SAME", surplus=surplus)
    case((1, 3, 4, 2), (3, 2), (2, 2), "SAME_LOWER", surplus=surplus, bias=True)
    case((2, 3, 4, 2), (4, 5), (2, 2), "SAME", surplus=surplus, first=True, dtype="float64")
for surplus in [(0, 1), (1, 0), (2, 2)]:
    case((1, 3, 4, 2), (1, 2), (3, 3), surplus=surplus, bias=True)
    case((2, 3, 4, 2), (4, 3), (3, 3), surplus=surplus, dtype="float64", bias=True, first=True)

# 2-D: explicit padding, symmetric and not, with surplus
for window, strides, padding, surplus in [
        ((3, 3), (2, 2), [(1, 1), (1, 1)], None), ((3, 3), (2, 2), [(1, 1), (1, 1)], (1, 1)),
        ((3, 3), (2, 2), [(0, 1), (1, 0)], None), ((3, 3), (2, 2), [(0, 1), (1, 0)], (1, 1)),
        ((4, 2), (1, 2), [(2, 1), (0, 1)], None), ((4, 3), (3, 2), [(2, 2), (1, 1)], (2, 1)), ((2, 3), None, [(1, 0), (0, 2)], None)]:
    case((1, 3, 4, 2), window, strides, padding, surplus=surplus)
    case((2, 3, 4, 3), window, strides, padding, surplus=surplus, outputs=5, bias=True, first=True)

# 2-D: dilation
for window, strides, dilations, padding, surplus in [
        ((2, 2), None, (2, 2), None, None), ((3, 2), (2, 1), (2, 3), None, None), ((3, 3), None, (2, 2), "SAME", None),
        ((3, 3), (2, 1), (2, 3), "SAME", None), ((3, 3), (2, 1), (2, 3), "SAME", (-1, 0)),
        ((2, 3), (2, 2), (3, 2), "SAME_LOWER", None), ((3, 3), (2, 2), (2, 2), [(1, 1), (1, 1)], (1, 1)),
        ((2, 2), (3, 1), (1, 2), [(0, 1), (1, 1)], None), ((2, 2), (1, 1), (3, 3), None, (1, 1))]:
    case((2, 3, 4, 2), window, strides, padding, dilations, surplus, bias=True)

# groups, channels
for groups, channels, outputs in [(2, 4, 6), (3, 3, 6), (5, 5, 5), (2, 6, 2)]:
    case((2, 3, 4, channels), (3, 2), (2, 1), None, outputs=outputs, groups=groups)
    case((2, 3, 4, channels), (3, 3), (2, 2), "SAME", outputs=outputs, groups=groups, bias=True)
    case((2, 5, channels), (3,), (2,), "SAME", outputs=outputs, groups=groups, dtype="float64")
case((1, 2, 3, 2, 4), (2, 2, 3), (2, 1, 1), None, outputs=6, groups=2)
for channels, outputs in [(1, 1), (8, 5), (5, 8), (9, 17)]:
    case((1, 3, 3, channels), (3, 3), (2, 2), "SAME", outputs=outputs)

# ones, filter formats and NC.. layouts in each rank
for rank, shape, window in [(1, (2, 5, 4), (3,)), (2, (2, 3, 4, 4), (3, 2)), (3, (1, 2, 3, 2, 4), (2, 3, 2))]:
    letters, two = LETTERS[rank], (2, 1, 2)[:rank]
    for n, format in enumerate([letters + "IO", "OI" + letters, "IO" + letters]):
        case(shape, window, two, "SAME", format=format, bias=n == 0)
        case(shape, window, None, None, format=format, outputs=6, groups=2, first=n == 1)
        case(shape, window, two, None, format=format, outputs=5, first=True)
    case(shape, window, two, "SAME", outputs=5, first=True, bias=True)
    case(shape, window, None, None, (2, 2, 1)[:rank], outputs=2, first=True, dtype="float64")
    case(shape, window, two, "SAME", outputs=2, bias=True, upstream=None)

# 1-D
for shape in [(1, 5, 3), (3, 4, 1)]:
    for window, strides, padding, dilations, surplus in [
            (2, None, None, None, 0), (3, 2, "SAME", None, 0), (3, 2, "SAME", None, -1), (2, 3, "SAME", None, -2),
            (3, 2, None, None, 1), (1, 3, None, None, 2), (4, 3, "SAME_LOWER", None, -1), (3, 2, [(1, 1)], None, 1),
            (4, 2, [(0, 2)], None, 0), (3, None, None, 2, 1), (3, 2, "SAME", 2, 0), (2, 2, [(1, 0)], 3, 2)]:
        case(shape, (window,), strides and (strides,), padding, dilations and (dilations,), (surplus,) if surplus else None,
             bias=strides == 2)

# 3-D
for shape in [(1, 2, 3, 4, 2), (2, 3, 2, 3, 1)]:
    for window, strides, padding, dilations, surplus in [
            ((2, 2, 2), None, None, None, None), ((3, 3, 3), (2, 2, 2), "SAME", None, None),
            ((3, 3, 3), (2, 2, 2), "SAME", None, (-1, 0, -1)), ((2, 3, 2), (2, 1, 3), None, None, None),
            ((2, 3, 2), (2, 1, 3), None, None, (1, 0, 2)), ((2, 3, 4), (2, 3, 1), "SAME_LOWER", None, None),
            ((3, 2, 3), (2, 2, 2), [(1, 1), (0, 1), (1, 0)], None, None), ((2, 2, 2), None, None, (2, 1, 3), None),
            ((2, 2, 3), (2, 1, 2), "SAME", (2, 3, 1), None), ((3, 2, 2), (2, 2, 1), [(1, 1), (0, 0), (1, 1)], (1, 2, 2), (1, 1, 0))]:
        case(shape, window, strides, padding, dilations, surplus, bias=window[0] == 3,
             dtype="float64" if window == (2, 3, 2) else "float32")

# batches
for batch in [0, 3]:
    case((batch, 3, 4, 2), (2, 3), (2, 2), "SAME", bias=True)
    case((batch, 5, 2), (2,), (2,), None)

family.save()

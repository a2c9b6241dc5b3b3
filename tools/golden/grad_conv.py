"""Gradients of convolution to the input, the filter and the bias, in one, two and three dimensions."""

from conv_case import LETTERS, LIBRARIES
from golden import Family, data
from grad_conv_case import ConvGrad, add

family = Family("grad_conv", LIBRARIES, "grad")


def case(shape, window, strides=None, padding=None, dilations=None, outputs=3, dtype="float32", groups=1, bias=False,
         **more):
    f = data((*window, shape[-1] // groups, outputs), dtype)
    b = data((outputs,), dtype) if bias else None
    add(family, ConvGrad(data(shape, dtype), f, strides, padding, dilations, groups, b, **more))


# 2-D: paddings by strides by windows
for shape in [(1, 7, 9, 2), (2, 5, 8, 1)]:
    for window, strides in [((3, 3), None), ((3, 2), (2, 1)), ((2, 3), (3, 2)), ((1, 1), (3, 2)), ((2, 1), (3, 3)), ((5, 4), (2, 3))]:
        for padding in [None, "SAME", "SAME_LOWER"]:
            case(shape, window, strides, padding, bias=strides == (2, 1), dtype="float64" if window == (2, 3) else "float32")
for window, strides, padding in [
        ((3, 3), None, [(1, 1), (1, 1)]), ((3, 3), (2, 2), [(0, 1), (1, 0)]), ((3, 2), (2, 1), [(2, 0), (0, 1)]),
        ((2, 2), (1, 2), [(3, 2), (0, 4)]), ((5, 3), (1, 2), [(0, 4), (2, 2)]), ((1, 1), (2, 2), [(1, 1), (1, 0)])]:
    case((1, 7, 9, 2), window, strides, padding, bias=True)
    case((2, 5, 8, 1), window, strides, padding, outputs=5, dtype="float64")

# dilation with and without strides
for window, strides, dilations, padding in [
        ((2, 2), None, (2, 2), None), ((3, 2), None, (2, 3), None), ((3, 3), (2, 2), (2, 2), None),
        ((2, 3), (2, 3), (3, 1), None), ((3, 3), None, (2, 2), "SAME"), ((3, 3), (2, 1), (2, 3), "SAME"),
        ((3, 2), (3, 2), (1, 2), "SAME"), ((2, 3), (2, 2), (3, 2), "SAME_LOWER"),
        ((3, 3), None, (2, 2), [(1, 1), (1, 1)]), ((3, 3), (2, 2), (2, 3), [(1, 0), (2, 5)])]:
    case((2, 9, 8, 2), window, strides, padding, dilations, bias=True)
    case((2, 9, 8, 2), window, strides, padding, dilations, dtype="float64", first=True)

# channels in and out, around the width of a vector
for channels, outputs in [(1, 1), (1, 8), (2, 5), (5, 2), (8, 1), (8, 8), (9, 17), (16, 16)]:
    case((1, 4, 5, channels), (2, 3), None, "SAME", outputs=outputs)
case((1, 3, 5, 33), (1, 1), outputs=9)
case((1, 9, 33, 1), (3, 3), None, "SAME", outputs=1)
case((1, 13, 11, 2), (7, 9), (2, 2), "SAME", outputs=2)
case((1, 4, 3, 2), (5, 7), None, "SAME", outputs=2)

# groups, and groups that are channels
for groups, channels, outputs in [(2, 4, 6), (3, 3, 6), (5, 5, 5), (4, 8, 4), (2, 2, 10)]:
    case((2, 5, 6, channels), (3, 2), (2, 1), "SAME", outputs=outputs, groups=groups)
    case((1, 6, 5, channels), (2, 2), None, None, (2, 1), outputs=outputs, groups=groups, bias=True)
    case((1, 7, channels), (3,), (2,), "SAME", outputs=outputs, groups=groups, dtype="float64", bias=True)
case((1, 4, 5, 4, 4), (2, 2, 2), None, "SAME", outputs=6, groups=2)
case((1, 4, 5, 4, 3), (2, 3, 2), (2, 1, 1), None, outputs=6, groups=3, bias=True, dtype="float64")

# ones, filter formats in each rank, with groups, and NC.. layouts
for rank, shape, window in [(1, (2, 9, 4), (3,)), (2, (2, 6, 5, 4), (3, 2)), (3, (1, 4, 5, 3, 4), (2, 3, 2))]:
    letters, two = LETTERS[rank], (2, 1, 2)[:rank]
    for n, format in enumerate([letters + "OI", "OI" + letters, "IO" + letters]):
        case(shape, window, two, "SAME", format=format, outputs=3, bias=n == 0)
        case(shape, window, None, None, format=format, outputs=6, groups=2, first=n == 1)
        case(shape, window, None, "SAME", format=format, outputs=5, first=True)
    case(shape, window, two, "SAME", outputs=5, first=True, bias=True)
    case(shape, window, None, None, (2, 2, 1)[:rank], outputs=2, first=True)
    case(shape, window, two, [(1, 0), (0, 1), (1, 1)][:rank], outputs=3, first=True)
    case(shape, window, two, "SAME", outputs=5, bias=True, upstream=None)
    case(shape, window, None, None, outputs=2, dtype="float64", upstream=None, first=True)

# 1-D
for shape in [(1, 11, 3), (3, 8, 1)]:
    for window, strides, padding, dilations in [
            (2, None, None, None), (3, None, "SAME", None), (3, 2, "SAME", None), (2, 3, "SAME", None),
            (1, 3, "SAME", None), (4, 3, "SAME_LOWER", None), (4, 1, "SAME_LOWER", None), (3, 2, (1, 1), None),
            (3, None, (0, 2), None), (5, 2, (4, 7), None), (2, None, None, 3), (3, 2, None, 2), (3, None, "SAME", 3),
            (3, 2, "SAME_LOWER", 2), (2, 2, (2, 1), 3)]:
        case(shape, (window,), strides and (strides,), [padding] if isinstance(padding, tuple) else padding,
             dilations and (dilations,), bias=strides == 2)

# 3-D
for shape in [(1, 5, 6, 7, 2), (2, 4, 5, 3, 1)]:
    for window, strides, padding, dilations in [
            ((2, 2, 2), None, None, None), ((3, 3, 3), None, "SAME", None), ((3, 2, 3), (2, 1, 2), "SAME", None),
            ((2, 3, 2), (3, 2, 1), None, None), ((1, 2, 2), (2, 2, 1), "SAME", None),
            ((2, 2, 3), (2, 3, 1), "SAME_LOWER", None), ((3, 3, 2), (2, 2, 2), [(1, 1), (0, 2), (1, 0)], None),
            ((1, 1, 1), (3, 3, 2), "SAME", None), ((2, 2, 1), None, None, (2, 3, 1)), ((2, 2, 2), None, "SAME", (2, 1, 2)),
            ((2, 2, 2), (2, 1, 2), None, (3, 2, 1)), ((2, 3, 2), (2, 2, 1), "SAME", (2, 2, 2)),
            ((2, 2, 2), (2, 2, 1), [(1, 1), (1, 0), (0, 1)], (2, 1, 2))]:
        case(shape, window, strides, padding, dilations, bias=window == (2, 2, 2),
             dtype="float64" if window == (2, 3, 2) else "float32")

# batches, and outputs without a cell: gradients of zeros, in the shapes of input, filter and bias
for batch in [0, 3]:
    case((batch, 5, 6, 2), (2, 3), (2, 2), "SAME", bias=True)
    case((batch, 7, 2), (2,))
    case((batch, 3, 4, 5, 2), (2, 2, 2), None, "SAME", bias=True)
for shape, window in [((1, 2, 5, 3), (3, 2)), ((2, 3, 2), (4,)), ((1, 2, 4, 3, 1), (3, 2, 2))]:
    case(shape, window, bias=True, note="empty")

family.save()

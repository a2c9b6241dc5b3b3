"""Extrema with the indices of where they were, in all four conventions."""

from golden import Family, data
from pool_case import Pool, add
from pool_oracles import LIBRARIES

family = Family("argmax", LIBRARIES)
CONVENTIONS = ["tensorflow", "pytorch", "onnx", "onnx-column-major"]


def case(shape, window, strides=None, padding=None, dilations=None, dtype="float32", kind="mixed",
         index="tensorflow", type="max", **more):
    note = "ties" if kind == "ties" else ""
    add(family, Pool(data(shape, dtype, kind), type, window, strides, padding, dilations, argmax=index, note=note, **more))


# TensorFlow's own settings, tie-free and tied, both index rules
for window, strides, padding in [
        ((2, 2), None, "SAME"), ((3, 3), (1, 1), "SAME"), ((3, 2), (2, 1), "SAME"),
        ((2, 3), (3, 2), "SAME"), ((1, 1), (3, 2), "SAME"), ((5, 4), (2, 3), "SAME"),
        ((9, 9), (1, 1), "SAME"), ((5, 7), None, None)]:
    for kind in ["mixed", "ties"]:
        case((2, 5, 7, 3), window, strides, padding, kind=kind)
        case((3, 5, 7, 2), window, strides, padding, kind=kind, batch=True)
    if window[0] < 5:
        case((3, 9, 8, 1), window, strides, kind="ties")

# every type
for dtype in ["uint8", "int8", "uint16", "int16", "uint32", "int32", "uint64", "int64", "float16", "float64"]:
    case((2, 5, 7, 3), (3, 2), (2, 1), "SAME", dtype=dtype)
    case((2, 6, 5, 2), (3, 3), (1, 1), "SAME", dtype=dtype, kind="ties", batch=True)
    case((2, 5, 7, 3), (2, 2), (2, 1), None, dtype=dtype, kind="ties", index="pytorch")
    case((2, 5, 7, 3), (3, 3), (2, 2), [(1, 1), (1, 0)], dtype=dtype, kind="ties", index="onnx")
    case((2, 5, 7, 3), (2, 3), (1, 2), "SAME", dtype=dtype, type="min")

# conventions by rank, padding, dilation and layout
for index in CONVENTIONS:
    for kind in ["mixed", "ties"]:
        case((2, 6, 7, 3), (3, 3), (2, 2), [(1, 1), (1, 1)], index=index, kind=kind)
        case((2, 6, 7, 3), (3, 2), (1, 2), "SAME", index=index, kind=kind, first=True)
        case((2, 8, 9, 2), (3, 2), (2, 1), None, (2, 3), index=index, kind=kind)
        case((2, 9, 3), (3,), (2,), "SAME", index=index, kind=kind)
        case((2, 4, 5, 3, 2), (2, 3, 2), (2, 1, 1), "SAME", index=index, kind=kind)
    case((2, 6, 7, 3), (3, 3), (2, 1), [(2, 0), (0, 1)], index=index)
    case((2, 6, 7, 3), (4, 3), (2, 2), "SAME_LOWER", index=index, kind="ties")
    case((2, 8, 9, 2), (3, 3), (2, 1), "SAME", (2, 2), index=index, kind="ties")
    case((2, 8, 9, 2), (3, 3), (2, 2), [(1, 1), (1, 1)], (2, 3), index=index, kind="ties", first=True)
    case((2, 6, 7, 3), (3, 3), (2, 2), [(1, 1), (1, 1)], index=index, ceil=True)
    case((2, 9, 3), (3,), (1,), [(1, 1)], (2,), index=index, kind="ties", first=True)
    case((2, 10, 3), (4,), (3,), None, index=index, ceil=True)
    case((2, 5, 6, 4, 2), (3, 2, 2), (2, 2, 1), [(1, 1), (1, 1), (0, 0)], index=index, kind="ties", first=True)
    case((1, 6, 6, 5, 2), (2, 2, 3), (2, 1, 1), None, (3, 2, 2), index=index, kind="ties")
    case((2, 5, 4, 3), (2, 2), (1, 1), "SAME", index=index, type="min", kind="ties")
    case((2, 9, 3), (3,), (2,), "SAME", index=index, type="min")
    case((2, 4, 5, 3, 2), (2, 2, 2), (1, 2, 1), "SAME", index=index, type="min", kind="ties")
    case((2, 5, 6, 3), (5, 6), index=index, as_global=True)

# ranks 1 and 3 with the batch in the index
for kind in ["mixed", "ties"]:
    case((3, 8, 2), (3,), (2,), "SAME", kind=kind, batch=True)
    case((3, 8, 2), (3,), (1,), None, (2,), kind=kind, batch=True)
    case((2, 3, 4, 5, 2), (2, 2, 3), (1, 2, 2), "SAME", kind=kind, batch=True)
    case((2, 3, 4, 5, 2), (2, 2, 2), (2, 2, 2), None, kind=kind, batch=True, first=True)
    case((2, 7, 6, 3), (2, 3), (2, 1), "SAME", (3, 2), kind=kind, batch=True)

# channel counts, odd widths, large windows, batch 0
for channels in [1, 5, 8, 9, 17]:
    case((1, 4, 6, channels), (3, 3), (2, 2), "SAME", kind="ties")
    case((1, 4, 6, channels), (2, 2), (1, 1), "SAME", kind="negative")
for width in [1, 3, 15, 17, 33]:
    case((1, 3, width, 1), (3, 3), (1, 1), "SAME", kind="ties")
case((1, 15, 17, 1), (9, 9), (1, 1), "SAME", kind="ties")
case((1, 15, 17, 2), (11, 3), (2, 2), [(5, 5), (1, 1)], kind="ties", index="pytorch")
case((0, 5, 6, 2), (2, 3), (2, 2), "SAME")
case((0, 3, 4, 5, 2), (2, 2, 2), (1, 2, 2), "SAME", index="onnx")

family.save()

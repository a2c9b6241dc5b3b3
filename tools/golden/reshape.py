"""Layers that move or add cells, and their gradients: pad in every mode, flatten, add, concat, roll."""

import layer_brute as brute
from golden import CHANNELS_FIRST, csv, data, pads, sprinkled
from layer_case import Layer, add, families

import numpy as np
import tensorflow as tf
import torch
from onnx import helper, numpy_helper

pair = families("reshape")
NAN, INF = np.nan, np.inf
INTEGERS = ["uint8", "int8", "uint16", "int16", "uint32", "int32", "uint64", "int64"]
TYPES = ["float16", "float64", *INTEGERS]
SHAPES = [(3, 7), (2, 9, 4), (2, 5, 6, 3), (1, 3, 4, 2, 5)]
SPECIAL = [NAN, INF, -INF, -0.0]
functional = torch.nn.functional


def pick(found, only):
    return [f if only is None or name in only else None for f, name in zip(found, ["tensorflow", "torch", "onnx"])]


# pad: TensorFlow has no edge and no wrap, PyTorch no symmetric and no padding of batch or channels but with a constant

def every_axis(paddings, rank, layout=None):
    """The pairs of all axes: paddings has them, or those of the spatial ones, or one for each of those."""
    if len(paddings) == rank:
        return list(paddings)
    inner = list(paddings) * (rank - 2) if len(paddings) == 1 else list(paddings)
    return [(0, 0), (0, 0), *inner] if layout and layout.startswith("NC") else [(0, 0), *inner, (0, 0)]


def torch_pad(amounts, mode, value):
    rank, spatial = len(amounts), amounts[1:-1]
    if mode == "constant":
        flat = [n for p in reversed(amounts) for n in p]
        return lambda t: functional.pad(t["x"], flat, value=value)
    if rank < 3 or amounts[0] != (0, 0) or amounts[-1] != (0, 0) or mode == "symmetric":
        return None
    flat = [n for p in reversed(spatial) for n in p]
    word = {"reflect": "reflect", "edge": "replicate", "wrap": "circular"}[mode]
    return lambda t: torch.movedim(functional.pad(torch.movedim(t["x"], -1, 1), flat, mode=word), 1, -1)


def gathered(amounts, mode):
    """Padding by indices, which PyTorch differentiates: where its own has no such mode or axis."""
    def run(t):
        x = t["x"]
        for axis, pair in enumerate(amounts):
            places = np.pad(brute.cropped(np.arange(x.shape[axis]), [pair]), brute.grown([pair]), mode)
            x = torch.index_select(x, axis, torch.from_numpy(places))
        return x
    return run


def same_bits(run):
    """PyTorch moves few unsigned types: a wide one goes as the signed type of its width."""
    signed = {torch.uint16: torch.int16, torch.uint32: torch.int32, torch.uint64: torch.int64}

    def moved(t):
        kind = t["x"].dtype
        return run({"x": t["x"].view(signed[kind])}).view(kind) if kind in signed else run(t)
    return moved


def pad(x, paddings, mode="constant", value=None, only=None, layout=None, far=False, **more):
    """far: more cells than PyTorch adds by itself, so that it gathers them."""
    amounts = every_axis(paddings, x.ndim, layout)
    v = 0 if value is None else value
    params = {"paddings": pads(paddings)} | ({"mode": mode} if mode != "constant" else {})
    params |= ({"value": str(v)} if value is not None else {}) | ({"data-format": layout} if layout else {})

    def onnx_pad(t):
        begins, ends = [p[0] for p in amounts], [p[1] for p in amounts]
        constants = [numpy_helper.from_array(np.array(begins + ends, "int64"), "pads"),
                     numpy_helper.from_array(np.array(v, t["x"].dtype), "value")]
        return [helper.make_node("Pad", ["x", "pads", "value"], ["y"], mode=mode), *constants]

    own = None if layout or far else torch_pad(amounts, mode, v)
    found = [("tf.pad", lambda t: tf.pad(t["x"], amounts, mode, v)) if mode not in ("edge", "wrap") else None,
             ("torch.nn.functional.pad", same_bits(own)) if own else None if mode == "constant" else
             ("torch.index_select over numpy.pad of the places", same_bits(gathered(amounts, mode))),
             ("ONNX Pad", onnx_pad) if mode != "symmetric" and not 0 in x.shape else None]
    add(pair, Layer("pad", {"x": x}, brute.pad(amounts, mode, v), *pick(found, only), params=params,
                    keeps=True, exact=True, sums=mode != "constant", **more))


for mode in ["constant", "reflect", "symmetric", "edge", "wrap"]:
    for shape, paddings in [
            ((2, 9, 4), [(2, 3)]), ((2, 5, 6, 3), [(1, 1)]), ((2, 5, 6, 3), [(0, 4), (3, 1)]), ((2, 5, 6, 3), [(4, 0), (0, 0)]),
            ((1, 3, 4, 2, 5), [(1, 1)]), ((1, 3, 4, 2, 5), [(2, 1), (0, 3), (1, 0)]),
            ((3, 7), [(0, 0), (2, 3)]), ((3, 7), [(2, 1), (6, 0)]), ((3, 9, 4), [(1, 2), (3, 0), (0, 2)]),
            ((2, 5, 6, 3), [(1, 0), (2, 1), (0, 3), (2, 1)]), ((2, 3, 4, 2, 5), [(0, 1), (1, 0), (2, 2), (0, 1), (3, 0)])]:
        pad(data(shape, kind="whole"), paddings, mode)
    for shape, paddings in [((2, 9, 4), [(2, 3)]), ((2, 5, 6, 3), [(0, 4), (3, 1)]), ((1, 3, 4, 2, 5), [(1, 1)])]:
        pad(data(shape), paddings, mode, note="mixed")
        pad(data(shape), paddings, mode, first=True)
    for dtype in TYPES:
        pad(data((2, 5, 6, 3), dtype), [(2, 1), (0, 3)], mode)
        pad(data((2, 5, 6, 3), dtype), [(1, 1)], mode, first=True, upstream=None)
    pad(data((2, 5, 6, 3)), [(0, 0)], mode)
    pad(data((2, 1, 1, 3)), [(0, 0)] if mode == "reflect" else [(1, 1)], mode)
    pad(data((2, 5, 6, 3)), [(2, 2)], mode, upstream=None)
    pad(data((0, 5, 6, 3)), [(2, 2)], mode, only=["tensorflow", "torch"] if mode == "constant" else ["torch"])
    pad(sprinkled((2, 7, 5), 0.4, SPECIAL), [(2, 3)], mode, note="special")
    pad(data((2, 3, 5, 4)), [(0, 1), (1, 2), (2, 0), (1, 1)], mode, layout="NCHW")
    pad(data((5, 6)), [(2, 1), (0, 3)], mode, layout="HW")
pad(data((2, 5, 6, 3)), [(4, 4), (5, 5)], "reflect", note="most")
pad(data((2, 5, 6, 3)), [(5, 5), (6, 6)], "symmetric", note="most")
pad(data((2, 5, 6, 3)), [(40, 1), (0, 30)], "edge", note="far")
pad(data((2, 5, 6, 3)), [(40, 1), (0, 30)], note="far")
for mode in ["constant", "reflect", "symmetric", "edge", "wrap"]:  # ONNX Runtime mirrors only once
    once = ["torch"] if mode == "reflect" else ["torch", "onnx"]
    for shape, paddings in [((2, 5, 6, 3), [(-1, 2), (2, -1)]), ((2, 9, 4), [(-2, 3)]), ((1, 3, 4, 2, 5), [(1, -1), (-1, 1), (0, 0)]),
                            ((2, 5, 6, 3), [(-1, -2), (0, -3)])]:
        for dtype in ["float32", "float64", "uint8", "int64"] if len(shape) == 4 else ["float32"]:
            pad(data(shape, dtype), paddings, mode, only=["torch", "onnx"], note="cropped")
        pad(data(shape, kind="whole"), paddings, mode, only=["torch"], first=True, note="cropped")
    for shape, paddings in [((2, 9, 4), [(-4, 20)]), ((2, 5, 6, 3), [(14, -2), (-3, 31)]), ((1, 3, 4, 2, 5), [(5, 7), (0, 13), (-1, 4)]),
                            ((2, 1, 1, 3), [(3, 2), (0, 5)])]:
        for dtype in ["float32", "float64", "uint8", "int64"] if shape == (2, 5, 6, 3) else ["float32"]:
            pad(data(shape, dtype, "whole" if dtype[0] == "f" else "mixed"), paddings, mode, only=once, far=mode != "constant", note="far")
for value in [-1.5, 0.1, 1e30]:
    pad(data((2, 5, 6, 3)), [(1, 2)], value=value)
    pad(data((2, 5, 6, 3), "float64"), [(1, 2)], value=value, only=["tensorflow", "torch"])
pad(data((2, 5, 6, 3), "float16"), [(1, 2)], value=0.1)
for dtype, value in [("uint8", 255), ("int8", -128), ("uint16", 65535), ("int16", -32768), ("int32", -2**31), ("int64", 2**53)]:
    pad(data((2, 5, 6, 3), dtype), [(1, 2)], value=value, only=["tensorflow"])
pad(data((2, 0, 6, 3)), [(1, 2)], value=7, only=["tensorflow", "torch"])


# flatten: the order of memory

def flatten(x, layout=None, **more):
    found = [("tf.reshape", lambda t: tf.reshape(t["x"], [x.shape[0], int(np.prod(x.shape[1:]))])),
             ("torch.flatten", lambda t: torch.flatten(t["x"], 1)),
             ("ONNX Flatten", lambda t: [helper.make_node("Flatten", ["x"], ["y"])])]
    add(pair, Layer("flatten", {"x": x}, brute.flatten, *found, params={"data-format": layout} if layout else {},
                    keeps=True, exact=True, **more))


for shape in SHAPES:
    flatten(data(shape))
    if len(shape) > 2:
        flatten(data(shape), CHANNELS_FIRST[len(shape) - 2])
for dtype in TYPES:
    flatten(data((2, 5, 6, 3), dtype))
flatten(data((2, 5, 6, 3)), upstream=None)
flatten(data((0, 5, 6, 3)))
flatten(sprinkled((2, 7, 5), 0.4, SPECIAL), note="special", upstream=sprinkled((2, 35), 0.4, SPECIAL))


# add: one after another

def total(*inputs, only=None, **more):
    def torch_sum(t):
        y, *rest = t.values()
        for x in rest:
            y = y + x
        return y
    found = [("tf.math.add_n", lambda t: tf.math.add_n(list(t.values()))) if len(inputs) > 2 else ("tf.add", lambda t: t["x"] + t["x1"]),
             ("torch.add", torch_sum), ("ONNX Sum", lambda t: [helper.make_node("Sum", list(t), ["y"])])]
    tensors = {"x" + str(i) * (i > 0): x for i, x in enumerate(inputs)}
    add(pair, Layer("add", tensors, brute.add, *pick(found, only), keeps=True, exact=len(inputs) == 2 or inputs[0].dtype.kind in "iu", **more))


def several(n, shape, dtype="float32", kinds=("mixed", "upstream", "negative", "whole", "ties", "ramp")):
    return [data(shape, dtype, kinds[i % len(kinds)]) for i in range(n)]


for shape in SHAPES:
    for n in [2, 3, 5]:
        total(*several(n, shape))
    total(*several(2, shape, "float64"))
for dtype in ["float16", *INTEGERS]:
    total(*several(2, (2, 5, 6, 3), dtype, ("mixed", "upstream") if dtype == "float16" else ("ties", "ties")))
for dtype in TYPES:
    for n in [3, 4]:
        kinds = ("mixed", "upstream") if dtype.startswith("f") else ("ties", "ties")  # no sum that TensorFlow would wrap around
        total(*several(n, (2, 5, 6, 3), dtype, kinds))
total(*several(2, (2, 5, 6, 3)), first=True)
total(*several(3, (2, 5, 6, 3)), upstream=None)
total(*several(2, (0, 5, 6, 3)))
total(sprinkled((2, 7, 5), 0.4, SPECIAL), sprinkled((2, 7, 5), 0.4, SPECIAL[::-1]), note="special")
total(np.array([[0.0, -0.0, 0.0, -0.0]], "float32"), np.array([[0.0, 0.0, -0.0, -0.0]], "float32"), note="zeros")
total(*[data((2, 5, 6, 3))] * 2, note="twice")


# concat

def concat(*inputs, axis=None, layout=None, **more):
    rank = inputs[0].ndim
    at = axis if axis is not None else 1 if layout and layout.startswith("NC") else rank - 1
    found = [("tf.concat", lambda t: tf.concat(list(t.values()), at)),
             ("torch.cat", lambda t: torch.cat(list(t.values()), at)),
             ("ONNX Concat", lambda t: [helper.make_node("Concat", list(t), ["y"], axis=at)])]
    tensors = {"x" + str(i) * (i > 0): x for i, x in enumerate(inputs)}
    params = ({} if axis is None else {"axis": str(axis)}) | ({"data-format": layout} if layout else {})
    add(pair, Layer("concat", tensors, brute.concat(at), *found, params=params, keeps=True, exact=True, **more))


def parts(shape, axis, extents, dtype="float32"):
    shapes = [[*shape[:axis], n, *shape[axis + 1:]] for n in extents]
    return [data(tuple(s), dtype) for s in shapes]


for shape in SHAPES:
    rank = len(shape)
    concat(*parts(shape, rank - 1, [3, 1, 4]))
    for axis in range(rank):
        concat(*parts(shape, axis, [2, 3]), axis=axis)
        concat(*parts(shape, axis, [1, 2, 1]), axis=axis - rank)
    if rank > 2:
        concat(*parts(shape, 1, [2, 5]), layout=CHANNELS_FIRST[rank - 2])
for dtype in TYPES:
    concat(*parts((2, 5, 6, 3), 3, [3, 2], dtype))
    concat(*parts((2, 5, 6, 3), 1, [1, 4], dtype), axis=1)
concat(*parts((2, 5, 6, 3), 3, [2, 3]), upstream=None)
concat(*parts((2, 5, 6, 3), 3, [3, 0, 2]))
concat(*parts((0, 5, 6, 3), 3, [3, 2]))
concat(*parts((2, 5, 6, 3), 0, [0, 2]), axis=0)
concat(*parts((2, 3, 4, 3), 3, [1] * 9), note="nine")
concat(*[data((2, 3, 4, 3))] * 2, note="twice")
concat(*[sprinkled((2, 7, 5), 0.4, SPECIAL)] * 2, note="special")
concat(data((5, 6)), data((5, 3)), axis=1, layout="HW")


# roll: axes count as they lie in memory, whatever the layout; without any the tensor is one line of cells

def roll(x, shift, axis=None, layout=None, only=None, **more):
    """shift and axis are lists; one shift stands for every axis, as in NumPy."""
    params = {"shift": csv(shift)} | ({"axis": csv(axis)} if axis else {}) | ({"data-format": layout} if layout else {})
    shifts = shift * len(axis) if axis and len(shift) == 1 else shift

    def tensorflow_roll(t):
        return tf.roll(t["x"], shifts, axis) if axis else tf.reshape(tf.roll(tf.reshape(t["x"], [-1]), shifts, [0]), x.shape)

    found = [("tf.roll", tensorflow_roll), ("torch.roll", lambda t: torch.roll(t["x"], shifts, axis)), None]
    add(pair, Layer("roll", {"x": x}, brute.roll(shift, axis), *pick(found, only), params=params, keeps=True, exact=True, **more))


for shape in SHAPES:
    rank = len(shape)
    for shift in [1, -2, 0, 1000, -1001]:
        roll(data(shape), [shift])
        for axis in range(rank):
            roll(data(shape), [shift], [axis if shift > 0 else axis - rank])
    roll(data(shape), list(range(1, rank + 1)), list(range(rank)))
    roll(data(shape), [-2, 1], [rank - 1, 0])
    roll(data(shape), [2], [0, 1])
    roll(data(shape), [1, 3, -9], [1, -1, 1])
    if rank > 2:
        for axis in [None, [1], [-1], [0, 2]]:
            roll(data(shape), [2], axis, CHANNELS_FIRST[rank - 2])
roll(data((2, 5, 6, 3)), [2**60 + 1, 1 - 2**60], [1, 2], only=["torch"])  # tf.roll adds shifts in 32 bits
for dtype in TYPES:
    roll(data((2, 5, 6, 3), dtype), [2, -1], [1, 2])
    roll(data((2, 5, 6, 3), dtype), [7])
roll(data((2, 5, 6, 3)), [1, 1], [1, 2], upstream=None)
roll(data((0, 5, 6, 3)), [1, 1], [0, 2])
roll(data((2, 0, 6, 3)), [1])
roll(sprinkled((2, 7, 5), 0.4, SPECIAL), [3, 1], [1, 2], note="special", upstream=sprinkled((2, 7, 5), 0.4, SPECIAL))
roll(data((5, 6)), [2, -1], [0, 1], "HW")

for family in pair:
    family.save()

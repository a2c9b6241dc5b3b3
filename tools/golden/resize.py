"""Resizing and its gradient: nearest, bilinear, area and bicubic, by TensorFlow's kernels in 1-D and 2-D, to the bit.

TensorFlow has no 3-D: there PyTorch computes nearest and trilinear, and TensorFlow resizes the planes and then along
the depth.  Weights of float64 data are float64, as PyTorch's; TensorFlow's kernels always answer in float32.
The definition below in numpy is the second opinion on all of them.
"""

from dataclasses import dataclass

import golden  # before tensorflow: it pins the environment
from golden import CHANNELS_FIRST, SHORT, Family, agree, channels_first, csv, data, float_of, sprinkled, wide

import numpy as np
import onnx
import onnxruntime
import tensorflow as tf
import torch
from onnx import TensorProto, helper

from pool_oracles import LIBRARIES  # sets the libraries to one thread

forward, backward = Family("resize", LIBRARIES), Family("grad_resize", LIBRARIES, "grad", generator="resize")
METHODS = ["nearest", "bilinear", "area", "bicubic"]
COORDINATES = ["half-pixel", "align-corners", "asymmetric"]
INTEGERS = ["uint8", "int8", "uint16", "int16", "uint32", "int32", "uint64", "int64"]
TENSORFLOW = {"nearest": tf.raw_ops.ResizeNearestNeighbor, "bilinear": tf.raw_ops.ResizeBilinear,
              "bicubic": tf.raw_ops.ResizeBicubic}
NAMES = {"nearest": "ResizeNearestNeighbor", "bilinear": "ResizeBilinear", "bicubic": "ResizeBicubic"}


# the definition: a matrix for each axis, its places and weights in the given type

def step(n, out, coordinates, real):
    if coordinates == "align-corners" and n > 1 and out > 1:
        return real(n - 1) / real(out - 1)
    return real(n) / real(out)


def matrix(method, coordinates, n, out, real):
    """The weights of an axis: out rows of n; area's are not yet divided by the step."""
    chosen = np.float32 if method in ("nearest", "bicubic") else real
    s, i = step(n, out, coordinates, chosen), np.arange(out).astype(chosen)
    half = chosen(0.5 if coordinates == "half-pixel" else 0)
    m, rows = np.zeros((out, n), real), np.arange(out)

    def give(cells, weights):
        np.add.at(m, (rows, np.clip(cells.astype(int), 0, n - 1)), weights)

    if method == "nearest":
        place = (i + half) * s
        give(np.floor(place.astype("float64") + 0.5) if coordinates == "align-corners" else np.floor(place), real(1))
    elif method == "bilinear":
        place = (i + half) * s - half
        below = np.floor(place)
        give(below, real(1) - (place - below))
        give(np.ceil(place), place - below)
    elif method == "area":
        for o, (a, b) in enumerate(zip(i * s, (i + chosen(1)) * s)):
            for c in range(int(np.floor(a)), int(np.ceil(b))):
                w = s if c < a and c + 1 > b else chosen(c + 1) - a if c < a else b - chosen(c) if c + 1 > b else 1
                m[o, min(c, n - 1)] += w
    else:
        place = (i + half) * s - half
        below = np.floor(place)
        steps = np.rint((place - below) * np.float32(1024)).astype("float64") / 1024
        a = -0.5 if half else -0.75
        near = lambda x: (((a + 2) * x - (a + 3)) * x * x + 1).astype(real)
        far = lambda x: (((a * x - 5 * a) * x + 8 * a) * x - 4 * a).astype(real)
        weights = np.stack([far(1 + steps), near(steps), near(1 - steps), far(2 - steps)])
        cells = np.stack([below - 1, below, below + 1, below + 2])
        if half:
            weights[(cells < 0) | (cells >= n)] = 0
            weights = weights * (real(1) / (((weights[0] + weights[1]) + weights[2]) + weights[3]))
        for c, w in zip(cells, weights):
            give(c, w)
    return m


def defined(x, size, method, coordinates, dy=None):
    """The result, or with dy the gradient, in float64, of weights of the type that poolctl computes in."""
    real = np.float64 if x.dtype == np.float64 else np.float32
    y, along = (x if dy is None else dy).astype("float64"), range(1, x.ndim - 1)
    for axis in along:
        n, out = x.shape[axis], size[axis - 1]
        m = matrix(method, coordinates, n, out, real).astype("float64")
        if method == "area":
            m = m / step(n, out, coordinates, np.float64)
        y = np.moveaxis(np.tensordot(m if dy is None else m.T, y, (1, axis)), 0, axis)
    return y


# the libraries; channels last

def by_tensorflow(x, size, method, coordinates):
    """1-D and 2-D by one kernel; 3-D the planes, then along the depth."""
    if len(size) == 3:
        n, d, h, w, c = x.shape
        y = by_tensorflow(tf.reshape(x, [n * d, h, w, c]), size[1:], method, coordinates)
        y = by_tensorflow(tf.reshape(y, [n, d, size[1] * size[2], c]), [size[0], size[1] * size[2]], method, coordinates)
        return tf.reshape(y, [n, *size, c])
    if len(size) == 1:
        return by_tensorflow(x[:, None], [1, *size], method, coordinates)[:, 0]
    if coordinates == "half-pixel":
        return tf.image.resize(x, size, method)
    return TENSORFLOW[method](images=x, size=size, align_corners=coordinates == "align-corners", half_pixel_centers=False)


def by_torch(x, size, method, coordinates):
    """None where PyTorch has no such setting."""
    words = {"bilinear": ["linear", "bilinear", "trilinear"][len(size) - 1], "bicubic": "bicubic"}
    options = {"align_corners": coordinates == "align-corners"}
    if method == "nearest":
        if coordinates == "align-corners":
            return None
        words, options = {"nearest": "nearest-exact" if coordinates == "half-pixel" else "nearest"}, {}
    elif coordinates == "asymmetric" or method == "area" or method == "bicubic" and (coordinates == "half-pixel" or len(size) != 2):
        return None
    y = torch.nn.functional.interpolate(torch.movedim(x, -1, 1), tuple(size), mode=words[method], **options)
    return torch.movedim(y, 1, -1)


def by_onnx(x, size, method, coordinates):
    """The operator's words for a coordinate and a factor, in the order N, C, …"""
    if method == "area" or x.size == 0:
        return None
    attributes = {"coordinate_transformation_mode": coordinates.replace("-", "_"),
                  "mode": {"nearest": "nearest", "bilinear": "linear", "bicubic": "cubic"}[method]}
    if method == "nearest":
        attributes["nearest_mode"] = {"half-pixel": "round_prefer_ceil", "align-corners": "round_prefer_ceil", "asymmetric": "floor"}[coordinates]
    if method == "bicubic":
        if len(size) != 2:
            return None
        attributes |= {"cubic_coeff_a": -0.5, "exclude_outside": 1} if coordinates == "half-pixel" else {"cubic_coeff_a": -0.75}
    turned = channels_first(x)
    node = helper.make_node("Resize", ["x", "", "", "sizes"], ["y"], **attributes)
    sizes = helper.make_tensor("sizes", TensorProto.INT64, [x.ndim], [*turned.shape[:2], *size])
    kind = helper.np_dtype_to_tensor_dtype(x.dtype)
    graph = helper.make_graph([node], "resize", [helper.make_tensor_value_info("x", kind, turned.shape)],
                              [helper.make_tensor_value_info("y", kind, None)], [sizes])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 19)], ir_version=9)
    session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    return golden.channels_last(session.run(None, {"x": turned})[0])


# settings

@dataclass
class Case:
    x: np.ndarray
    size: list
    method: str = "bilinear"
    coordinates: str = "half-pixel"
    layout: str = None
    note: str = ""
    ones: bool = False

    def params(self):
        p = {"size": csv(self.size), "method": self.method, "coordinates": self.coordinates}
        return p | ({"data-format": self.layout} if self.layout else {})

    def name(self):
        words = ["x".join(map(str, self.x.shape)), "to", "x".join(map(str, self.size)), self.method, self.coordinates.replace("-", ""),
                 SHORT[self.x.dtype.name]]
        return "_".join(words + [w for w in (self.layout, self.note, "ones" if self.ones else "") if w])


# How far other libraries may be: 1e-6 is rounding; TensorFlow looks cubic weights up in steps of 1/1024 of a cell.
ROUNDING, CUBIC = 2e-6, 5e-3


def near(name, got, want, tolerance):
    agree(name, np.asarray(got, "float64"), np.asarray(want, "float64"), tolerance)


def add(x, size, method="bilinear", coordinates="half-pixel", layout=None, note="", finite=True, gradient=True, ones=False):
    c = Case(x, list(size), method, coordinates, layout, note, ones)
    keeps = method == "nearest"
    double = x.dtype == np.float64
    result = x.dtype if keeps else np.dtype("float32") if x.dtype.kind in "iu" else x.dtype
    compute = x.dtype if keeps and x.dtype.kind in "iu" else np.dtype("float64" if double else "float32")
    with np.errstate(invalid="ignore"):
        exact = defined(x.astype(compute), size, method, coordinates)
    spatial = len(size)

    # forward
    unsigned = x.dtype in (np.uint32, np.uint64)  # TensorFlow has no kernel; the values fit the signed type of the width
    given = x.view(x.dtype.name[1:]) if unsigned and keeps else x.astype("float32") if x.dtype.kind in "iu" and not keeps else x.astype(compute)
    tensorflow = by_tensorflow(tf.constant(given), c.size, method, coordinates).numpy()
    if unsigned and keeps:
        tensorflow = tensorflow.view(x.dtype)
    kernel = "tf.image.resize" if coordinates == "half-pixel" else "tf.raw_ops." + NAMES[method]
    y, by, tolerance = tensorflow.astype(result), kernel, 0.0
    if spatial == 3 and not keeps:
        by, tolerance = by + " of the planes, then along the depth", ROUNDING
    if double and not keeps:
        by, tolerance = by + " in float32", ROUNDING
    other = by_torch(torch.from_numpy(given.copy()), c.size, method, coordinates) if not keeps or x.dtype in (np.float32, np.float64, np.uint8) else None
    if finite and x.size:
        near(c.name() + ": numpy", y, exact, 1e-3 if result == np.float16 else ROUNDING if not keeps else 0)
        if other is not None:
            near(c.name() + ": torch", other.numpy(), exact, 0 if keeps else CUBIC if method == "bicubic" else 5 * ROUNDING)
        if not keeps and not double or x.dtype == np.float32:
            answer = by_onnx(given, c.size, method, coordinates)
            if answer is not None:
                near(c.name() + ": onnx", answer, exact, 0 if keeps else CUBIC if method == "bicubic" else 5 * ROUNDING)
    if other is not None and method == "bilinear" and (double or spatial == 3) and finite:
        y, tolerance = other.numpy().astype(result), 1e-12 if double else ROUNDING
        by = "torch.nn.functional.interpolate"
    if result == np.float16:
        by += ", input as float32, rounded to float16"
        tolerance = max(tolerance, 1e-3 if tolerance else 0)
    elif given.dtype != x.dtype:
        by += f", input as {given.dtype}"
    store(forward, c, by, {"x": x}, {"y": y}, tolerance)
    if not gradient:
        return

    # backward: TensorFlow's gradients are float32
    real, compute = float_of(x.dtype), wide(x.dtype)
    double = compute == np.float64
    dy = np.ones(exact.shape, real) if ones else data(exact.shape, real.name, "upstream")
    want = defined(x.astype(compute), size, method, coordinates, dy)
    tolerance = {"float16": 1e-3, "float32": ROUNDING, "float64": 1e-12}[real.name]
    if x.size == 0:
        dx, by = want, "numpy"
    elif method == "area":
        dx, by = want, "numpy, the adjoint"
        check = adjoint(x.shape, size, dy.astype("float64"))
        near(c.name() + ": TensorFlow's area, cell by cell", check, want, ROUNDING)
    else:
        variable = tf.constant(x.astype("float32"))
        with tf.GradientTape() as tape:
            tape.watch(variable)
            z = by_tensorflow(variable, c.size, method, coordinates)
        dx = tape.gradient(z, variable, tf.constant(dy.astype("float32"))).numpy()
        by = "tf.GradientTape of " + kernel
        near(c.name() + ": gradient: numpy", dx, want, ROUNDING * 2)
        t = torch.from_numpy(x.astype(compute)).requires_grad_()
        other = by_torch(t, c.size, method, coordinates)
        if other is not None:
            other.backward(torch.from_numpy(dy.astype(compute)))
            near(c.name() + ": gradient: torch", t.grad.numpy(), want, CUBIC if method == "bicubic" else 4 * ROUNDING if not double else 1e-12)
        if double and other is not None and method != "bicubic":
            dx, by = t.grad.numpy(), "torch autograd of torch.nn.functional.interpolate"
        elif double:
            by, tolerance = by + " in float32", 2 * ROUNDING
        tolerance = 2 * tolerance if real == np.float32 else tolerance
    store(backward, c, by, {"x": x, "upstream": None if ones else dy}, {"dx": dx.astype(real)}, tolerance)


def adjoint(shape, size, dy):
    """The gradient of each cell, from TensorFlow's answer to a picture that is 1 there and 0 elsewhere."""
    cells = int(np.prod(shape[1:-1]))
    unit = np.eye(cells, dtype="float32").reshape(cells, *shape[1:-1], 1)
    answers = by_tensorflow(tf.constant(unit), list(size), "area", "half-pixel").numpy().astype("float64").reshape(cells, -1)
    flat = dy.reshape(dy.shape[0], -1, dy.shape[-1])
    return np.einsum("ip,npc->nic", answers, flat).reshape(shape)


def store(family, c, by, inputs, outputs, tolerance):
    if c.layout and c.layout.startswith("NC"):
        inputs, outputs = [{k: channels_first(v) if v is not None else None for k, v in arrays.items()} for arrays in (inputs, outputs)]
    if c.layout in ("HW", "HWC"):
        cut = lambda v: v[0, ..., 0] if c.layout == "HW" else v[0]
        inputs, outputs = [{k: cut(v) if v is not None else None for k, v in arrays.items()} for arrays in (inputs, outputs)]
    family.add(c.name(), by, "resize", c.params(), inputs, outputs, tolerance)


def settings():
    for method in METHODS:
        for coordinates in COORDINATES if method != "area" else COORDINATES[:1]:
            yield method, coordinates


for method, coordinates in settings():
    for shape, size in [
            ((2, 7, 10, 3), (7, 10)), ((2, 7, 10, 3), (3, 4)), ((2, 7, 10, 3), (14, 20)), ((1, 7, 10, 3), (5, 17)), ((2, 7, 10, 3), (1, 1)),
            ((2, 7, 10, 3), (21, 1)), ((1, 1, 1, 2), (3, 4)), ((1, 1, 9, 1), (4, 5)), ((1, 8, 8, 4), (2, 2)), ((1, 4, 5, 2), (16, 20)),
            ((1, 31, 29, 1), (9, 11)), ((1, 30, 40, 1), (3, 3)), ((1, 4, 5, 9), (4, 11)), ((1, 5, 4, 1), (16, 4)),
            ((2, 9, 4), (4,)), ((2, 9, 4), (20,)), ((1, 33, 1), (7,)), ((1, 2, 3), (100,)),
            ((1, 3, 4, 5, 2), (5, 3, 7)), ((2, 4, 6, 8, 1), (2, 3, 4)), ((1, 5, 2, 3, 3), (5, 4, 6))]:
        add(data(shape), size, method, coordinates)
    for dtype in ["float16", "float64", *INTEGERS]:
        add(data((2, 5, 6, 3), dtype), (4, 13), method, coordinates)
    add(data((2, 5, 6, 3)), (8, 4), method, coordinates, layout="NCHW")
    add(data((2, 9, 4)), (5,), method, coordinates, layout="NCW")
    add(data((1, 3, 4, 5, 2)), (2, 9, 4), method, coordinates, layout="NCDHW")
    add(data((1, 5, 6, 3)), (8, 4), method, coordinates, layout="HWC")
    add(data((1, 5, 6, 1)), (3, 9), method, coordinates, layout="HW")
    add(data((2, 5, 6, 3)), (9, 4), method, coordinates, ones=True)
    add(data((2, 5, 6, 3), "float64"), (9, 4), method, coordinates, ones=True)
    add(data((1, 6, 7, 2), "float64"), (4, 15), method, coordinates)
    add(data((2, 9, 4), "float64"), (5,), method, coordinates)
    add(data((0, 5, 6, 3)), (8, 4), method, coordinates)
    for n in [2, 3, 5, 100, 255]:
        add(data((1, 1, 33, 1)), (1, n), method, coordinates)
        add(data((1, 1, 97, 1), "uint8"), (1, n), method, coordinates, gradient=False)
    for special in [np.nan, np.inf, -np.inf]:  # weights that are 0 are multiplied too
        x = sprinkled((1, 7, 9, 2), 0.03, [special])
        for size in [(7, 9), (4, 5), (9, 20)]:
            add(x, size, method, coordinates, note=str(special).replace("-", "minus"), finite=False, gradient=False)
for family in forward, backward:
    family.save()

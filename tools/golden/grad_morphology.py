"""Gradients of grey dilation and erosion to input and filter: to the first cell, and its tap, that gave the extremum."""

from golden import SHORT, Family, agree, axes, channels_first, csv, data, pads

import numpy as np
import tensorflow as tf

import grad_brute
from pool_oracles import LIBRARIES

family = Family("grad_morphology", LIBRARIES, "grad")


def tensorflow_grad(x, f, dy, strides, dilations, padding, erode):
    """The tape, checked with the raw gradients; SAME_LOWER and explicit padding on an input padded with cells that never win."""
    op, spelled = "erosion2d" if erode else "dilation2d", ""
    around = None
    if padding not in ("SAME", "VALID"):
        _, lo, hi = axes(x.shape[1:-1], f.shape[:2], strides, dilations, padding)
        around, padding = [(0, 0), *zip(lo, hi), (0, 0)], "VALID"
        spelled = " of the input padded with cells that never win"
    steps, rates = [1, *strides, 1], [1, *dilations, 1]
    value, weight = tf.constant(x), tf.constant(f)
    with tf.GradientTape() as tape:
        tape.watch([value, weight])
        wider = value if around is None else tf.pad(value, around, constant_values=2000 if erode else -2000)
        y = getattr(tf.nn, op)(wider, weight, steps, padding, "NHWC", rates)
    if y.shape != dy.shape:
        raise AssertionError(f"output {y.shape}, upstream {dy.shape}")
    dx, df = (g.numpy() for g in tape.gradient(y, [value, weight], tf.constant(dy)))
    if around is None:
        sign = -1 if erode else 1  # erosion is -dilation of -x by the mirrored filter
        arguments = {"input": sign * x, "filter": f[::-1, ::-1] if erode else f, "out_backprop": dy, "strides": steps,
                     "rates": rates, "padding": padding}
        agree("raw dx", tf.raw_ops.Dilation2DBackpropInput(**arguments).numpy(), dx, 0)
        raw = tf.raw_ops.Dilation2DBackpropFilter(**arguments).numpy()
        agree("raw dfilter", -raw[::-1, ::-1] if erode else raw, df, 0)
    return dx + x.dtype.type(0), df + x.dtype.type(0), f"tf.GradientTape of tf.nn.{op}{spelled}"


def case(shape, window, strides=None, padding=None, dilations=None, dtype="float32", kind="mixed", first=False, flat=False,
         upstream="whole"):
    x = data(shape, dtype, kind)
    f = np.zeros((*window, shape[-1]), dtype) if flat else data((*window, shape[-1]), dtype, kind)
    steps, rates, pad = strides or (1, 1), dilations or (1, 1), padding or "VALID"
    out = (shape[0], *axes(shape[1:-1], window, steps, rates, pad)[0], shape[-1])
    dy = np.ones(out, dtype) if upstream is None else data(out, dtype, upstream)
    tolerance = {"float32": 1e-6, "float64": 1e-12}[dtype] if upstream == "upstream" else 0
    for erode in [False, True]:
        op = "erosion2d" if erode else "dilation2d"
        parts = [op, "x".join(map(str, (channels_first(x) if first else x).shape)), "f" + "x".join(map(str, window)) + "flat" * flat]
        parts += ["s" + "x".join(map(str, strides))] if strides else []
        if padding:
            parts.append(padding if isinstance(padding, str) else "p" + "_".join(f"{a}.{b}" for a, b in padding))
        parts += ["d" + "x".join(map(str, dilations))] if dilations else []
        parts += [SHORT[dtype]] + ["NCHW"] * first + [kind] * (kind != "mixed")
        name = "_".join(parts + ["real"] * (upstream == "upstream") + ["ones"] * (upstream is None))
        want = grad_brute.morphology(x, f, dy, steps, rates, pad, erode)
        dx, df, by = tensorflow_grad(x, f, dy, steps, rates, pad, erode)
        agree(name + ": dx", dx, want[0], tolerance / 2)
        agree(name + ": dfilter", df, want[1], tolerance / 2)
        params = {}
        if strides:
            params["strides"] = csv(strides)
        if padding:
            params["padding"] = pads(padding)
        if dilations:
            params["dilations"] = csv(dilations)
        image, given = x, dy
        if first:
            params["data-format"] = "NCHW"
            image, given, dx = map(channels_first, (x, dy, dx))
        family.add(name, by, op, params, {"x": image, "filter": f, "upstream": None if upstream is None else given},
                   {"dx": dx, "dfilter": df}, tolerance)


for shape in [(1, 7, 9, 3), (2, 5, 8, 1)]:
    for window, strides in [((3, 3), None), ((2, 3), (2, 1)), ((3, 2), (3, 2)), ((1, 1), (2, 2))]:
        for padding in [None, "SAME", "SAME_LOWER"]:
            case(shape, window, strides, padding, kind="ties" if shape[0] == 2 else "mixed")
for window, strides, dilations, padding in [
        ((3, 3), None, (2, 2), None), ((2, 3), (2, 2), (3, 2), None), ((3, 2), None, (2, 3), "SAME"),
        ((3, 3), (2, 3), (2, 1), "SAME"), ((2, 2), None, None, [(1, 0), (0, 1)]), ((3, 3), (2, 2), (2, 2), [(1, 1), (3, 0)])]:
    case((2, 8, 9, 2), window, strides, padding, dilations)
    case((2, 8, 9, 2), window, strides, padding, dilations, dtype="float64", kind="ties")
for dtype in ["float32", "float64"]:
    case((2, 5, 7, 3), (3, 2), (2, 1), "SAME", dtype=dtype, upstream="upstream")
    case((2, 5, 7, 3), (3, 2), (2, 1), dtype=dtype, upstream=None)
    case((2, 6, 7, 5), (2, 3), (2, 2), "SAME", first=True, dtype=dtype)
    case((1, 6, 7, 2), (3, 3), None, "SAME", flat=True, dtype=dtype)
    case((1, 6, 7, 2), (3, 3), None, "SAME", flat=True, kind="ties", dtype=dtype)
case((1, 6, 7, 3), (9, 8), None, "SAME")
case((3, 4, 5, 9), (2, 2), None, "SAME")

family.save()

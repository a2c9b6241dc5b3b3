"""Grey dilation and erosion: tf.nn.dilation2d, and tf.nn.erosion2d with its mirrored filter."""

from golden import SHORT, Family, agree, channels_first, csv, data, pads

import numpy as np
import tensorflow as tf

import brute

family = Family("morphology", ["tensorflow"])


def padded(x, f, strides, dilations, padding, erode):
    """By TensorFlow on an input padded beforehand with cells that never win; SAME_LOWER and explicit padding."""
    out, lo, hi = brute.axes(x.shape[1:-1], f.shape[:2], strides, dilations, padding)
    # far outside the data, yet exact to add to
    cell = x.dtype.type(2000 if erode else -2000)
    wider = np.pad(x, [(0, 0), *zip(lo, hi), (0, 0)], constant_values=cell)
    return tensorflow_run(wider, f, strides, dilations, "VALID", erode)


def tensorflow_run(x, f, strides, dilations, padding, erode):
    run = tf.nn.erosion2d if erode else tf.nn.dilation2d
    return run(tf.constant(x), tf.constant(f), [1, *strides, 1], padding, "NHWC", [1, *dilations, 1]).numpy()


def case(shape, window, strides=None, padding=None, dilations=None, dtype="float32", kind="mixed", first=False, flat=False):
    x = data(shape, dtype, kind)
    f = np.zeros((*window, shape[-1]), dtype) if flat else data((*window, shape[-1]), dtype, kind)
    steps, rates, pad = strides or (1, 1), dilations or (1, 1), padding or "VALID"
    for erode in [False, True]:
        op = "erosion2d" if erode else "dilation2d"
        image = (channels_first(x) if first else x).shape
        parts = [op, "x".join(map(str, image)), "f" + "x".join(map(str, window)) + "flat" * flat]
        parts += ["s" + "x".join(map(str, strides))] if strides else []
        if padding:
            parts.append(padding if isinstance(padding, str) else "p" + "_".join(f"{a}.{b}" for a, b in padding))
        parts += ["d" + "x".join(map(str, dilations))] if dilations else []
        name = "_".join(parts + [SHORT[dtype]] + ["NCHW"] * first + [kind] * (kind != "mixed"))
        own = brute.morphology(x, f, steps, rates, pad, erode)
        if pad in ("SAME", "VALID"):
            y, by = tensorflow_run(x, f, steps, rates, pad, erode), f"tf.nn.{op}"
        else:
            y, by = padded(x, f, steps, rates, pad, erode), f"tf.nn.{op} of the input padded with cells that never win"
        agree(name, y, own, 0)
        params = {}
        if strides:
            params["strides"] = csv(strides)
        if padding:
            params["padding"] = pads(padding)
        if dilations:
            params["dilations"] = csv(dilations)
        image = x
        if first:
            params["data-format"] = "NCHW"
            image, y = channels_first(x), channels_first(y)
        family.add(name, by, op, params, {"x": image, "filter": f}, {"y": y}, 0)


for shape in [(1, 7, 9, 3), (2, 5, 8, 1)]:
    for window, strides in [((3, 3), None), ((2, 3), (2, 1)), ((3, 2), (3, 2)), ((1, 1), (2, 2))]:
        for padding in [None, "SAME", "SAME_LOWER"]:
            case(shape, window, strides, padding)
for window, strides, dilations, padding in [
        ((3, 3), None, (2, 2), None), ((2, 3), (2, 2), (3, 2), None), ((3, 2), None, (2, 3), "SAME"),
        ((3, 3), (2, 3), (2, 1), "SAME"), ((2, 2), None, None, [(1, 0), (0, 1)]), ((3, 3), (2, 2), (2, 2), [(1, 1), (3, 0)])]:
    case((2, 8, 9, 2), window, strides, padding, dilations)
for dtype in ["float64", "float16"]:
    case((2, 5, 7, 3), (3, 2), (2, 1), "SAME", dtype=dtype)
for dtype in ["int32", "int64", "int16", "int8"]:
    case((2, 5, 7, 3), (3, 2), (2, 1), "SAME", dtype=dtype, kind="ties")
case((1, 6, 7, 2), (3, 3), None, "SAME", flat=True)
case((2, 6, 7, 5), (2, 3), (2, 2), "SAME", first=True)
case((1, 6, 7, 3), (9, 8), None, "SAME")
case((3, 4, 5, 9), (2, 2), None, "SAME")

family.save()

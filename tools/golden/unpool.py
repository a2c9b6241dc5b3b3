"""Max unpooling: values go to their indices, in every index convention."""

from golden import CHANNELS_FIRST, SHORT, Family, agree, axes, channels_first, channels_last, csv, data

import numpy as np
import tensorflow as tf
import torch

import brute
from pool_case import Pool
from pool_oracles import LIBRARIES, onnxruntime_run

family = Family("unpool", LIBRARIES)


def scatter(x, where, shape, duplicates):
    """Places x (N, .., C) at spatial positions of a tensor of shape N..C; duplicates last, sum or max."""
    y = np.zeros((shape[0], int(np.prod(shape[1:-1])), shape[-1]), x.dtype)
    taken = np.zeros(y.shape, bool)
    flat, places = (a.reshape(a.shape[0], int(np.prod(a.shape[1:-1])), a.shape[-1]) for a in (x, where))
    for n, i, c in np.ndindex(flat.shape):
        at = (n, places[n, i, c], c)
        if not taken[at] or duplicates == "last":
            y[at] = flat[n, i, c]
        else:
            y[at] = y[at] + flat[n, i, c] if duplicates == "sum" else max(y[at], flat[n, i, c])
        taken[at] = True
    return y.reshape(shape)


def tensorflow_scatter(x, index, shape, duplicates):
    """The same by TensorFlow, from indices that hold the batch: sums, maxima, or distinct places."""
    size = int(np.prod(shape))
    flat, updates = index.reshape(-1, 1), tf.constant(x.reshape(-1))
    if duplicates == "max":
        # rows that nothing reaches stay at the lowest value, and are zero in the end
        info = np.finfo if x.dtype.kind == "f" else np.iinfo
        low = info(x.dtype).min
        y = tf.tensor_scatter_nd_max(tf.fill([size], tf.constant(low, x.dtype)), flat, updates).numpy()
        reached = np.zeros(size, bool)
        reached[flat] = True
        y[~reached] = 0
        return y.reshape(shape), "tf.tensor_scatter_nd_max"
    return tf.scatter_nd(flat, updates, [size]).numpy().reshape(shape), "tf.scatter_nd"


def case(shape, window, strides=None, padding="VALID", convention="tensorflow", batch=False, duplicates=None,
         dtype="float32", kind="mixed", first=False, note="", dilations=None):
    """Unpools the maxima of a seeded image into the image's own shape."""
    rank = len(window)
    image = data(shape, dtype, kind)
    _, where = brute.pool(Pool(image, "max", window, strides, padding, dilations))
    x = data(where.shape, dtype, "small" if duplicates == "sum" and not dtype.startswith("float") else "mixed")
    unique = all(len(set(where[n, ..., c].ravel())) == where[n, ..., c].size
                 for n in range(where.shape[0]) for c in range(where.shape[-1]))
    rule = duplicates or "last"
    y = scatter(x, where, shape, rule)
    index, by = brute.index(where, shape, convention, batch), "numpy brute force of rule 8"
    name = f"unpool{rank}d_" + "x".join(map(str, channels_first(x).shape if first else x.shape)) + "_to" + "x".join(map(str, shape))

    x_first, whole = torch.from_numpy(channels_first(x)), channels_first(image).shape
    # both run through the values in order, on one thread: the last of two stays
    if (unique or rule == "last") and 0 not in shape and dtype in ("float32", "float64"):
        run = getattr(torch.nn.functional, f"max_unpool{rank}d")
        steps = strides or window
        _, lo, hi = axes(shape[1:-1], window, steps, (1,) * rank, padding)
        natural = [(o - 1) * s - 2 * p + k for o, s, p, k in zip(where.shape[1:-1], steps, lo, window)]
        if all(abs(n - m) < s for n, m, s in zip(shape[1:-1], natural, steps)):
            answer = run(x_first, torch.from_numpy(channels_first(where)), window, steps, tuple(lo), whole)
            agree(name, channels_last(answer.numpy()), y, 0)
            if convention == "pytorch" or not unique:
                by = f"torch.nn.functional.max_unpool{rank}d"
        if dtype == "float32":
            full = channels_first(brute.index(where, shape, "onnx"))
            answer, = onnxruntime_run("MaxUnpool", [channels_first(x), full, np.array(whole, np.int64)],
                                      kernel_shape=list(window), strides=list(steps), pads=[*lo, *hi])
            agree(name, channels_last(answer), y, 0)
            if convention == "onnx" or not unique:
                by = "onnxruntime MaxUnpool"
    if unique or rule != "last":
        answer, function = tensorflow_scatter(x, brute.index(where, shape, "tensorflow", True), shape, rule)
        agree(name, answer, y, 1e-7 if rule == "sum" and x.dtype.kind == "f" else 0)
        by = function if by.startswith("numpy") else by
    if duplicates is None and not unique:
        note = (note + "_" if note else "") + "duplicates"
    parts = [name, convention + "-batch" * batch, SHORT[dtype]] + [f"duplicates-{duplicates}"] * bool(duplicates)
    parts += [CHANNELS_FIRST[rank]] * first + [note] * bool(note)
    params = {"output-shape": csv(whole if first else shape)}
    if convention != "tensorflow":
        params["argmax-index"] = convention
    if batch:
        params["include-batch-in-index"] = "true"
    if duplicates:
        params["duplicates"] = duplicates
    if first:
        params["data-format"] = CHANNELS_FIRST[rank]
        x, y, index = channels_first(x), channels_first(y), channels_first(index)
    family.add("_".join(parts), by, "unpool", params, {"x": x, "argmax": index}, {"y": y},
               1e-6 if rule == "sum" and x.dtype.kind == "f" else 0)


for convention in ["tensorflow", "pytorch", "onnx", "onnx-column-major"]:
    case((2, 6, 8, 3), (2, 2), convention=convention)
    case((2, 7, 5, 3), (3, 2), convention=convention, first=True)
    case((1, 7, 9, 2), (2, 2), (3, 2), convention=convention)
    case((2, 5, 7, 3), (2, 2), padding="SAME", convention=convention)
    case((1, 6, 7, 2), (3, 3), (2, 2), [(1, 1), (1, 1)], convention=convention)
    case((2, 9, 3), (3,), convention=convention)
    case((2, 10, 3), (2,), (3,), convention=convention, first=True)
    case((2, 4, 6, 5, 2), (2, 2, 2), convention=convention)
    case((1, 5, 4, 6, 3), (2, 2, 3), padding="SAME", convention=convention, first=True)
    case((2, 5, 6, 2), (3, 3), (1, 1), "SAME", convention=convention, kind="ties")
for kind in ["mixed", "ties"]:
    case((2, 6, 8, 3), (2, 2), batch=True, kind=kind, note=kind)
    case((3, 9, 2), (3,), batch=True, kind=kind, note=kind)
    case((2, 4, 6, 5, 2), (2, 2, 2), batch=True, kind=kind, note=kind)
    case((2, 6, 8, 3), (2, 2), batch=True, kind=kind, note=kind, first=True)
for duplicates in ["last", "sum", "max"]:
    case((2, 5, 6, 2), (3, 3), (1, 1), "SAME", duplicates=duplicates)
    case((2, 5, 6, 2), (3, 3), (1, 1), "SAME", duplicates=duplicates, dtype="int32", convention="pytorch", kind="ties")
    case((2, 9, 2), (4,), (1,), "SAME", duplicates=duplicates, convention="onnx")
    case((1, 4, 5, 3, 2), (2, 3, 2), (1, 1, 1), "SAME", duplicates=duplicates, first=True)
    case((1, 8, 9, 2), (3, 3), (2, 1), "SAME", duplicates=duplicates, dtype="float64", dilations=(2, 2))
case((2, 6, 8, 3), (2, 2), duplicates="error")
for dtype in ["uint8", "int8", "uint16", "int16", "uint32", "int32", "uint64", "int64", "float16", "float64"]:
    case((2, 5, 7, 3), (2, 2), padding="SAME", dtype=dtype)
case((0, 4, 6, 2), (2, 2))

family.save()

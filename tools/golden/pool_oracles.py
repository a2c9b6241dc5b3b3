"""The libraries that can compute a pooling setting (pool_case.Pool), and when.

Each function returns (y, positions of the extrema or None, what computed it), N..C,
or None where the library has no such call or is known to be wrong.
"""

import golden  # before tensorflow: it pins the environment

import numpy as np
import onnx
import onnxruntime
import tensorflow as tf
import torch

import brute
from golden import channels_first, channels_last, float_of, wide

LIBRARIES = ["tensorflow", "torch", "onnx", "onnxruntime"]
tf.config.threading.set_intra_op_parallelism_threads(1)
tf.config.threading.set_inter_op_parallelism_threads(1)
torch.set_num_threads(1)
onnxruntime.set_default_logger_severity(4)


def place(indices, shape, convention, batch=False):
    """A framework's indices as spatial positions, after checking that index() would write them the same."""
    where = brute.position(indices, shape, convention)
    golden.agree(f"indices of {convention}", brute.index(where, shape, convention, batch), indices, 0)
    return where


def tensorflow_pool(c):
    """(y, position, name of the function), or None where TensorFlow has no such call or a known bug."""
    if not c.finite or c.ceil or c.include_pad or c.divisor is not None or c.type not in ("max", "min", "avg"):
        return None
    if c.pad == "SAME_LOWER" or c.argmax and c.x.shape[0] == 0:
        return None
    x, sign = c.flip(c.x), "-" if c.type == "min" else ""
    if not c.dense:
        if c.argmax or not isinstance(c.pad, str) or c.pad != "VALID" or any(s > 1 for s in c.steps):
            return None
        if c.extremum and c.x.dtype != np.float32 or c.rank == 3 and wide(x.dtype) != np.float32:
            return None
        kind = "AVG" if c.type == "avg" else "MAX"
        value = x if c.extremum else x.astype(wide(x.dtype))
        y = tf.nn.pool(tf.constant(value), c.window, kind, strides=c.steps, padding="VALID", dilations=c.rates).numpy()
        y = c.flip(y) if c.extremum else y.astype(float_of(x.dtype))
        return y, None, f"{sign}tf.nn.pool({sign}x, {kind})"
    if c.rank == 3 and c.pad == "SAME":
        out = c.geometry[0]
        if any((o - 1) * s + k - n <= -2 for o, s, k, n in zip(out, c.steps, c.window, c.x.shape[1:-1])):
            return None  # starts at cell 1: Eigen pads negatively
    if c.type == "avg":
        if not isinstance(c.pad, str):
            return None
        f = {1: tf.nn.avg_pool1d, 2: tf.nn.avg_pool2d, 3: tf.nn.avg_pool3d}[c.rank]
        exact = c.x.dtype if c.x.dtype == wide(c.x.dtype) else wide(c.x.dtype)
        if c.rank == 3 and exact != np.float32:
            return None
        y = f(tf.constant(x.astype(exact)), list(c.window), list(c.steps), c.pad).numpy().astype(float_of(x.dtype))
        suffix = "" if exact == x.dtype else f" of the input as {exact}" + (
            ", rounded to float16" if x.dtype == np.float16 else "")
        return y, None, f"tf.nn.avg_pool{c.rank}d{suffix}"
    if c.argmax or x.dtype in (np.uint32, np.uint64):
        if c.rank == 3 or not isinstance(c.pad, str) or c.x.shape[0] == 0:
            return None
        flat = x if c.rank == 2 else x[:, None]
        k, s = (c.window, c.steps) if c.rank == 2 else ((1, *c.window), (1, *c.steps))
        y, i = tf.nn.max_pool_with_argmax(
            tf.constant(flat), k, s, c.pad, output_dtype=tf.int64, include_batch_in_index=c.batch)
        y, i = y.numpy(), i.numpy()
        if c.rank == 1:
            y, i = y[:, 0], i[:, 0]
        height = ", height 1" if c.rank == 1 else ""
        return c.flip(y), place(i, x.shape, "tensorflow", c.batch), (
            f"{sign}tf.nn.max_pool_with_argmax{f'({sign}x)' if sign else ''}{height}")
    if c.rank == 3:
        if not isinstance(c.pad, str) or x.dtype.itemsize > 2 and x.dtype != np.float32:
            return None
        y = tf.nn.max_pool3d(tf.constant(x, tf.float32), list(c.window), list(c.steps), c.pad).numpy().astype(x.dtype)
        suffix = "" if x.dtype == np.float32 else " of the input as float32, which is exact"
        return c.flip(y), None, f"{sign}tf.nn.max_pool3d{f'({sign}x)' if sign else ''}{suffix}"
    f = tf.nn.max_pool1d if c.rank == 1 else tf.nn.max_pool2d
    pad = c.pad if isinstance(c.pad, str) else [[0, 0], *map(list, c.pad), [0, 0]]
    y = f(tf.constant(x), list(c.window), list(c.steps), pad).numpy()
    return c.flip(y), None, f"{sign}tf.nn.max_pool{c.rank}d{f'({sign}x)' if sign else ''}"


def torch_pool(c):
    """The same by PyTorch: symmetric padding of at most half the window."""
    _, lo, hi = c.geometry
    if lo != hi or any(2 * p > k for p, k in zip(lo, c.window)) or c.ceil and c.pad in ("SAME", "SAME_LOWER"):
        return None
    if 0 in c.x.shape[1:] or 0 in c.geometry[0]:
        return None
    spelled = ", padding written out" if c.pad in ("SAME", "SAME_LOWER") and any(lo) else ""
    functional = torch.nn.functional
    if c.extremum:
        if c.x.dtype.kind == "u" and c.x.dtype.itemsize > 1:
            return None
        if not c.finite and c.argmax and np.isnan(c.x).any() and not c.one_nan:
            return None  # its index is the last NaN's
        f = {1: functional.max_pool1d, 2: functional.max_pool2d, 3: functional.max_pool3d}[c.rank]
        x = torch.from_numpy(channels_first(c.flip(c.x)))
        try:
            y, i = f(x, c.window, c.steps, tuple(lo), c.rates, c.ceil, return_indices=True)
        except NotImplementedError:
            return None
        sign = "-" if c.type == "min" else ""
        return c.flip(channels_last(y.numpy())), channels_last(i.numpy()), (
            f"{sign}torch.nn.functional.max_pool{c.rank}d{f'({sign}x)' if sign else ''}{spelled}")
    if not c.dense or c.x.dtype.kind != "f" and c.type == "lp":
        return None
    x = torch.from_numpy(channels_first(c.x.astype(wide(c.x.dtype))))
    result = float_of(c.x.dtype)
    suffix = "" if wide(c.x.dtype) == c.x.dtype else f", input as {wide(c.x.dtype)}"
    if c.type == "lp":
        if c.p not in (2, 4) or any(lo) or c.rank == 3 and not hasattr(functional, "lp_pool3d"):
            return None
        f = {1: functional.lp_pool1d, 2: functional.lp_pool2d, 3: functional.lp_pool3d}[c.rank]
        # 1-D takes a plain int only
        k, s = (c.window[0], c.steps[0]) if c.rank == 1 else (c.window, c.steps)
        y = f(x, float(c.p), k, s, c.ceil)
        if c.ceil:
            return None  # it multiplies the average by the whole window: the overhang is counted
        return channels_last(y.numpy()).astype(result), None, f"torch.nn.functional.lp_pool{c.rank}d{suffix}"
    f = {1: functional.avg_pool1d, 2: functional.avg_pool2d, 3: functional.avg_pool3d}[c.rank]
    divisor = 1 if c.type == "sum" else c.divisor
    if divisor is not None and c.rank == 1:
        y = functional.avg_pool2d(x[:, :, None], (1, *c.window), (1, *c.steps), (0, *lo), c.ceil,
                                  c.include_pad, divisor)[:, :, 0]
        what = f"torch.nn.functional.avg_pool2d, height 1, divisor_override={divisor}"
    else:
        extra = {} if divisor is None else {"divisor_override": divisor}
        y = f(x, c.window, c.steps, tuple(lo), c.ceil, c.include_pad, **extra)
        what = f"torch.nn.functional.avg_pool{c.rank}d" + "".join(f", {k}={v}" for k, v in extra.items())
    return channels_last(y.numpy()).astype(result), None, what + spelled + suffix


def onnxruntime_run(op, inputs, outputs=1, **attributes):
    """Runs a one-node model of opset 21; inputs are arrays in order."""
    names = [f"i{n}" for n in range(len(inputs))]
    results = [f"o{n}" for n in range(outputs)]
    helper = onnx.helper
    node = helper.make_node(op, names, results, **attributes)
    element = helper.np_dtype_to_tensor_dtype
    graph = helper.make_graph(
        [node], "golden",
        [helper.make_tensor_value_info(n, element(a.dtype), a.shape) for n, a in zip(names, inputs)],
        [helper.make_tensor_value_info(r, element(inputs[0].dtype if n == 0 else np.dtype("int64")), None)
         for n, r in enumerate(results)])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 21)], ir_version=10)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    session = onnxruntime.InferenceSession(model.SerializeToString(), options, ["CPUExecutionProvider"])
    return session.run(None, dict(zip(names, inputs)))


def onnxruntime_pool(c):
    """The same by ONNX Runtime: paddings smaller than the window, finite data."""
    out, lo, hi = c.geometry
    if not c.finite or c.divisor is not None or c.type == "sum" or 0 in c.geometry[0] or 0 in c.x.shape:
        return None
    if any(p >= k for p, k in zip([*lo, *hi], [*c.window, *c.window])):
        return None
    attributes = {"kernel_shape": list(c.window), "strides": list(c.steps), "ceil_mode": int(c.ceil)}
    if not c.dense:
        attributes["dilations"] = list(c.rates)
    spelled = ""
    if c.pad in ("SAME", "SAME_LOWER"):
        attributes["ceil_mode"] = 0
        short = any((o - 1) * s + k < n for o, s, k, n in zip(out, c.steps, c.window, c.x.shape[1:-1]))
        if c.dense and not short:  # short: it pads negatively, as TensorFlow does in 3-D
            attributes["auto_pad"] = {"SAME": "SAME_UPPER"}.get(c.pad, c.pad)
        else:
            attributes["pads"] = [*lo, *hi]
            spelled = ", pads written out"
    else:
        attributes["pads"] = [*lo, *hi]
    result, suffix = c.x.dtype, ""
    x = c.x
    if c.extremum:
        if c.x.dtype not in (np.float32, np.float64, np.int8, np.uint8):
            return None
        x = c.flip(x)
    else:
        result = float_of(x.dtype)
        if wide(x.dtype) != np.float32:
            return None
        if x.dtype != np.float32:
            suffix = ", input as float32" + ", rounded to float16" * (x.dtype == np.float16)
        x = x.astype("float32")
    x = channels_first(x)
    if c.extremum:
        column = c.argmax == "onnx-column-major"
        y, i = onnxruntime_run("MaxPool", [x], 2, storage_order=int(column), **attributes)
        shape = c.x.shape
        where = place(channels_last(i), shape, "onnx-column-major" if column else "onnx")
        sign = "-" if c.type == "min" else ""
        return c.flip(channels_last(y)), where, f"{sign}onnxruntime MaxPool{f'({sign}x)' if sign else ''}{spelled}"
    if c.type == "lp":
        if int(c.p) != c.p:
            return None
        if c.ceil:
            return None
        y, = onnxruntime_run("LpPool", [x], p=int(c.p), **attributes)
        what = "LpPool"
    else:
        y, = onnxruntime_run("AveragePool", [x], count_include_pad=int(c.include_pad), **attributes)
        what = "AveragePool"
    return channels_last(y).astype(result), None, f"onnxruntime {what}{spelled}{suffix}"


def ranks(x, type, nan):
    """Each cell's place in the order of values, from 1; a NaN is above all, or 0 where NaN is ignored."""
    isnan = np.isnan(x) if x.dtype.kind == "f" else np.zeros(x.shape, bool)
    order, inverse = np.unique(x[~isnan], return_inverse=True)
    result = np.full(x.shape, len(order) + 1 if nan == "propagate" else 0, "float64")
    result[~isnan] = inverse + 1 if type == "max" else len(order) - inverse
    return result


def torch_pad(c, image, fill):
    """A tensor NC.. padded, and cut, to just the cells that the windows reach."""
    out, lo, _ = c.geometry
    reach = [(o - 1) * s + (k - 1) * d + 1 for o, s, k, d in zip(out, c.steps, c.window, c.rates)]
    ends = [r - l - n for r, l, n in zip(reach, lo, c.x.shape[1:-1])]
    flat = [p for pair in zip(reversed(lo), reversed(ends)) for p in pair]  # last axis first; negative crops
    return torch.nn.functional.pad(image, flat, value=fill)


def counted_cells(c):
    """The divisors of an average by PyTorch, NC..: a convolution by ones of the mask of cells that count."""
    _, lo, hi = c.geometry
    mask = torch_pad(c, torch.ones(channels_first(c.x).shape, dtype=torch.float64), 0.0)
    if c.include_pad:
        mask = torch.zeros(mask.shape, dtype=torch.float64)
        inside = tuple(slice(0, l + n + h) for l, n, h in zip(lo, c.x.shape[1:-1], hi))
        mask[(slice(None), slice(None), *inside)] = 1
    return window_sums(c, mask)


def window_sums(c, padded):
    """The sum of every window of a tensor NC.. in float64, as a convolution by ones."""
    channels = c.x.shape[-1]
    ones = torch.ones((channels, 1, *c.window), dtype=torch.float64)
    return getattr(torch.nn.functional, f"conv{c.rank}d")(padded, ones, None, c.steps, 0, c.rates, channels)


def padded_pool(c):
    """By PyTorch on an input padded beforehand.

    A maximum is taken over the cells' ranks (padding -1), exact for every type and clear about NaN; a sum over zeros,
    an average divides by the sum of a mask of counted cells.
    """
    out, lo, hi = c.geometry
    x = c.x
    if 0 in x.shape or 0 in out:
        return None
    if c.extremum:
        f = getattr(torch.nn.functional, f"max_pool{c.rank}d")
        padded = torch_pad(c, torch.from_numpy(channels_first(ranks(x, c.type, c.nan))), -1.0)
        _, i = f(padded, c.window, c.steps, 0, c.rates, return_indices=True)
        cells = np.unravel_index(channels_last(i.numpy()), padded.shape[2:])
        where = np.ravel_multi_index([a - l for a, l in zip(cells, lo)], x.shape[1:-1])
        flat = x.reshape(x.shape[0], -1, x.shape[-1])
        y = np.take_along_axis(flat, where.reshape(x.shape[0], -1, x.shape[-1]), 1).reshape(where.shape)
        return y, where, f"torch.nn.functional.max_pool{c.rank}d over the ranks of the cells"
    terms = np.abs(x.astype("float64")) ** c.p if c.type == "lp" else x.astype("float64")
    total = window_sums(c, torch_pad(c, torch.from_numpy(channels_first(terms)), 0.0))
    what = f"torch.nn.functional.conv{c.rank}d by ones"
    if c.type == "lp":
        y, what = total ** (1 / c.p), what + " of |x|^p, to the power 1/p"
    elif c.type == "sum":
        y = total
    elif c.divisor is not None:
        y, what = total / c.divisor, what + " over the divisor"
    else:
        y, what = total / counted_cells(c), what + " over that of the mask of counted cells"
    return channels_last(y.numpy()).astype(float_of(x.dtype)), None, what


def brute_pool(c):
    y, where = brute.pool(c)
    rule = {"avg": "2", "sum": "1", "lp": "1"}.get(c.type, "3" if c.argmax else "1")
    if not c.finite and c.extremum:
        rule = "4"
    return y, where, f"numpy brute force of rule {rule}"

"""Depthwise convolution: filters HWIM, output channel i*M + m."""

from golden import SHORT, Family, agree, axes, channels_first, csv, data, float_of, pads, wide

import numpy as np
import tensorflow as tf

import brute
from conv_case import TOLERANCE, Conv, torch_conv

family = Family("depthwise", ["tensorflow", "torch"])


def case(shape, window, strides=None, padding=None, dilations=None, multiplier=2, dtype="float32", bias=False, first=False):
    kind = "small" if dtype.startswith(("int", "uint")) else "mixed"
    channels, result = shape[-1], float_of(dtype)
    x, f = data(shape, dtype, kind), data((*window, channels, multiplier), dtype, kind)
    b = data((channels * multiplier,), dtype, kind) if bias else None
    steps, rates, pad = strides or (1, 1), dilations or (1, 1), padding or "VALID"
    tolerance = TOLERANCE[result.name]

    image = (channels_first(x) if first else x).shape
    parts = ["depthwise", "x".join(map(str, image)), "f" + "x".join(map(str, f.shape))]
    parts += ["s" + "x".join(map(str, strides))] if strides else []
    if padding:
        parts.append(padding if isinstance(padding, str) else "p" + "_".join(f"{a}.{b}" for a, b in padding))
    parts += ["d" + "x".join(map(str, dilations))] if dilations else []
    name = "_".join(parts + ["bias"] * bias + [SHORT[dtype]] + ["NCHW"] * first)

    y = brute.depthwise(x, f, steps, rates, pad, b).astype(result)
    # the same as a convolution with a group for each channel
    grouped = Conv(x, f.reshape(*window, 1, channels * multiplier), strides, padding, dilations, channels, b)
    answer, by = torch_conv(grouped)
    agree(name, answer.astype(result), y, tolerance / 2)
    y, by = answer.astype(result), by + f", groups={channels}"
    square = steps[0] == steps[1]
    if square and pad != "SAME_LOWER" and (rates == (1, 1) or steps == (1, 1)):
        computed = wide(dtype)
        value, weight = tf.constant(x.astype(computed)), tf.constant(f.astype(computed))
        if isinstance(pad, str):
            answer = tf.nn.depthwise_conv2d(value, weight, [1, *steps, 1], pad, dilations=list(rates))
            by = "tf.nn.depthwise_conv2d"
        elif rates == (1, 1):
            explicit = [0, 0, *(p for pair in pad for p in pair), 0, 0]
            answer = tf.raw_ops.DepthwiseConv2dNative(
                input=value, filter=weight, strides=[1, *steps, 1], padding="EXPLICIT", explicit_paddings=explicit)
            by = "tf.raw_ops.DepthwiseConv2dNative"
        else:
            answer = None
        if answer is not None:
            if computed != np.dtype(dtype):
                by += f" of the input as {computed}" + ", rounded to float16" * (dtype == "float16")
            if b is not None:
                answer, by = tf.nn.bias_add(answer, b.astype(computed)), by + ", tf.nn.bias_add"
            agree(name, answer.numpy().astype(result), y, tolerance / 2)
            y = answer.numpy().astype(result)
    assert list(y.shape[1:-1]) == axes(shape[1:-1], window, steps, rates, pad)[0]
    params = {}
    if strides:
        params["strides"] = csv(strides)
    if padding:
        params["padding"] = pads(padding)
    if dilations:
        params["dilations"] = csv(dilations)
    if first:
        params["data-format"] = "NCHW"
        x, y = channels_first(x), channels_first(y)
    family.add(name, by, "depthwise-conv2d", params, {"x": x, "filter": f, "bias": b}, {"y": y}, tolerance)


for shape in [(1, 7, 9, 3), (2, 5, 8, 1)]:
    for window, strides in [((3, 3), None), ((3, 2), (2, 2)), ((2, 3), (3, 2)), ((1, 1), (2, 2)), ((5, 4), (1, 3))]:
        for padding in [None, "SAME", "SAME_LOWER"]:
            case(shape, window, strides, padding)
for window, strides, padding in [
        ((3, 3), None, [(1, 1), (1, 1)]), ((3, 3), (2, 2), [(0, 1), (1, 0)]), ((3, 2), (2, 1), [(2, 0), (0, 3)]),
        ((2, 2), (1, 2), [(3, 2), (0, 4)])]:
    case((2, 6, 7, 2), window, strides, padding, multiplier=3, bias=True)
for window, strides, dilations, padding in [
        ((3, 3), None, (2, 2), "SAME"), ((2, 3), None, (3, 2), None), ((3, 3), (2, 2), (2, 2), "SAME"),
        ((2, 2), (2, 1), (1, 3), None), ((3, 2), None, (2, 3), [(1, 2), (0, 1)]), ((2, 3), (2, 2), (3, 2), "SAME_LOWER")]:
    case((2, 8, 9, 3), window, strides, padding, dilations, multiplier=1)
    case((1, 9, 7, 2), window, strides, padding, dilations, first=True)
for channels in [1, 2, 5, 8, 9, 17]:
    for multiplier in [1, 2, 3]:
        case((1, 4, 5, channels), (3, 3), (1, 1), "SAME", multiplier=multiplier)
for dtype in ["uint8", "int8", "uint16", "int16", "int32", "int64", "float16", "float64"]:
    case((2, 5, 7, 3), (3, 2), (2, 2), "SAME", dtype=dtype)
    case((1, 6, 5, 2), (3, 3), None, [(1, 0), (2, 1)], dtype=dtype, bias=True, first=True)
case((2, 5, 6, 3), (2, 3), (2, 2), "SAME", first=True, bias=True)
case((0, 5, 6, 2), (2, 3), (2, 2), "SAME")
case((3, 5, 6, 2), (2, 3), (2, 2), "SAME")

family.save()

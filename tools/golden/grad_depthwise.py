"""Gradients of depthwise convolution: filters HWIM, output channel i*M + m."""

from conv_case import LIBRARIES
from golden import Family, agree, channels_first, data

import tensorflow as tf

import grad_brute
from grad_conv_case import ConvGrad, torch_grad

family = Family("grad_depthwise", LIBRARIES, "grad")


def tensorflow_grad(c, f):
    """Square strides; dilation without strides only, through space_to_batch; SAME, VALID, and explicit padding undilated."""
    if c.steps[0] != c.steps[1] or c.pad == "SAME_LOWER" or c.rates != (1, 1) and c.steps != (1, 1) or 0 in c.x.shape:
        return None
    if isinstance(c.pad, str):
        by = "tf.nn.depthwise_conv2d"

        def run(x, f):
            return tf.nn.depthwise_conv2d(x, f, [1, *c.steps, 1], c.pad, dilations=list(c.rates))
    elif c.rates == (1, 1):
        by = "tf.raw_ops.DepthwiseConv2dNative"

        def run(x, f):
            return tf.raw_ops.DepthwiseConv2dNative(input=x, filter=f, strides=[1, *c.steps, 1], padding="EXPLICIT",
                                                    explicit_paddings=[0, 0, *(p for pair in c.pad for p in pair), 0, 0])
    else:
        return None
    tensors = [tf.constant(a) for a in (c.x, f, c.bias) if a is not None]
    with tf.GradientTape() as tape:
        tape.watch(tensors)
        y = run(*tensors[:2])
        y = y if c.bias is None else tf.nn.bias_add(y, tensors[2])
    found = [g.numpy() for g in tape.gradient(y, tensors, tf.constant(c.dy))]
    return (found + [None])[:3], f"tf.GradientTape of {by}" + ", tf.nn.bias_add" * (c.bias is not None)


def case(shape, window, strides=None, padding=None, dilations=None, multiplier=2, dtype="float32", bias=False, **more):
    channels = shape[-1]
    f = data((*window, channels, multiplier), dtype)
    b = data((channels * multiplier,), dtype) if bias else None
    # the same as a convolution with a group for each channel
    c = ConvGrad(data(shape, dtype), f.reshape(*window, 1, channels * multiplier), strides, padding, dilations, channels, b, **more)
    name = c.name().replace("conv2d_", "depthwise_", 1).replace(f"_g{channels}", "", 1) + f"_m{multiplier}"
    dy = c.dy
    exact = [g.astype(dtype) for g in grad_brute.conv(c.x, c.f, dy, c.steps, c.rates, c.pad, channels)]
    exact[1] = exact[1].reshape(f.shape)
    found = [a for a in [tensorflow_grad(c, f), torch_grad(c)] if a is not None]
    for gradients, by in found:
        gradients[1] = gradients[1].reshape(f.shape)
        for role, got, want in zip(["dx", "dfilter", "dbias"], gradients, exact):
            if got is not None:
                agree(f"{name}: {by}: {role}", got, want, c.tolerance / 2)
    (dx, df, db), by = found[0]
    by += f", groups={channels}" * by.startswith("torch")
    params = c.params()
    params.pop("groups", None)
    x, upstream = c.x, None if c.upstream is None else dy
    if c.first:
        x, dx = channels_first(x), channels_first(dx)
        upstream = None if upstream is None else channels_first(upstream)
    family.add(name, by, "depthwise-conv2d", params, {"x": x, "filter": f, "bias": b, "upstream": upstream},
               {"dx": dx, "dfilter": df, "dbias": db}, c.tolerance)


for shape in [(1, 7, 9, 3), (2, 5, 8, 1)]:
    for window, strides in [((3, 3), None), ((3, 2), (2, 2)), ((2, 3), (3, 2)), ((1, 1), (2, 2)), ((5, 4), (1, 3))]:
        for padding in [None, "SAME", "SAME_LOWER"]:
            case(shape, window, strides, padding, dtype="float64" if window == (2, 3) else "float32")
for window, strides, padding in [
        ((3, 3), None, [(1, 1), (1, 1)]), ((3, 3), (2, 2), [(0, 1), (1, 0)]), ((3, 2), (2, 1), [(2, 0), (0, 3)]),
        ((2, 2), (1, 2), [(3, 2), (0, 4)])]:
    case((2, 6, 7, 2), window, strides, padding, multiplier=3, bias=True)
    case((2, 6, 7, 2), window, strides, padding, multiplier=1, dtype="float64", first=True)
for window, strides, dilations, padding in [
        ((3, 3), None, (2, 2), "SAME"), ((2, 3), None, (3, 2), None), ((3, 3), (2, 2), (2, 2), "SAME"),
        ((2, 2), (2, 1), (1, 3), None), ((3, 2), None, (2, 3), [(1, 2), (0, 1)]), ((2, 3), (2, 2), (3, 2), "SAME_LOWER")]:
    case((2, 8, 9, 3), window, strides, padding, dilations, multiplier=1)
    case((1, 9, 7, 2), window, strides, padding, dilations, first=True, dtype="float64", bias=True)
for channels, multiplier in [(1, 1), (2, 3), (5, 2), (8, 1), (9, 2), (17, 1)]:
    case((1, 4, 5, channels), (3, 3), (1, 1), "SAME", multiplier=multiplier)
case((2, 5, 6, 3), (2, 3), (2, 2), "SAME", first=True, bias=True)
case((2, 5, 6, 3), (2, 3), (2, 2), "SAME", bias=True, upstream=None)
case((0, 5, 6, 2), (2, 3), (2, 2), "SAME", bias=True)
case((3, 5, 6, 2), (2, 3), (2, 2), "SAME")

family.save()

"""TensorFlow with oneDNN, its default. It cannot be given memory for an output."""

import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
import tensorflow as tf

configured = False


def prepare(w, threads):
    global configured
    if not configured:
        tf.config.threading.set_intra_op_parallelism_threads(threads)
        tf.config.threading.set_inter_op_parallelism_threads(1)
        configured = True
    tf.random.set_seed(1)
    x = tf.random.uniform(w.shape, -1, 1)
    k, s = [1, *w.window, 1], [1, *w.strides, 1]
    call = pooling(w, x, k, s) if w.op == "pool" else convolution(w, x, s)
    return {name: waiting(function) for name, function in call.items()}


def waiting(function):
    def run():
        result = function()
        for y in result if isinstance(result, (tuple, list)) else [result]:
            y._numpy()
    return run


def pooling(w, x, k, s):
    raw, three = tf.raw_ops, len(w.spatial) == 3
    if w.grad:
        y = (tf.nn.max_pool2d if w.type == "max" else tf.nn.avg_pool2d)(x, k, s, w.padding)
        dy = tf.random.uniform(y.shape)
        if w.type == "max":
            return {"": lambda: raw.MaxPoolGrad(orig_input=x, orig_output=y, grad=dy, ksize=k, strides=s, padding=w.padding)}
        return {"": lambda: raw.AvgPoolGrad(orig_input_shape=w.shape, grad=dy, ksize=k, strides=s, padding=w.padding)}
    if w.argmax:
        return {"": lambda: tf.nn.max_pool_with_argmax(x, k, s, w.padding)}
    names = {("max", False): raw.MaxPool, ("max", True): raw.MaxPool3D, ("avg", False): raw.AvgPool, ("avg", True): raw.AvgPool3D}
    function = names[w.type, three]
    key = "value" if function is raw.AvgPool else "input"
    return {"": lambda: function(**{key: x}, ksize=k, strides=s, padding=w.padding)}


def convolution(w, x, s):
    raw, f = tf.raw_ops, tf.random.uniform(w.filter, -0.5, 0.5)
    if w.op == "depthwise-conv2d":
        return {"": lambda: raw.DepthwiseConv2dNative(input=x, filter=f, strides=s, padding=w.padding)}
    if w.op == "conv3d":
        return {"": lambda: raw.Conv3D(input=x, filter=f, strides=s, padding=w.padding)}
    if not w.grad:
        return {"": lambda: raw.Conv2D(input=x, filter=f, strides=s, padding=w.padding)}
    dy = tf.random.uniform(w.out_shape)
    if w.grad == "input":
        return {"": lambda: raw.Conv2DBackpropInput(input_sizes=w.shape, filter=f, out_backprop=dy, strides=s, padding=w.padding)}
    return {"": lambda: raw.Conv2DBackpropFilter(input=x, filter_sizes=w.filter, out_backprop=dy, strides=s, padding=w.padding)}

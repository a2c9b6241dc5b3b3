"""Operations in bfloat16 as TensorFlow itself computes them, forward and backward.

Maxima, sums of two, and gradients that only route are exact. Everything else is held to a
tolerance: TensorFlow rounds to bfloat16 along the way, poolctl at the end. Pooling must
agree with TensorFlow's own in float32, rounded at the end.
"""

import golden  # before tensorflow: it pins the environment

import ml_dtypes
import numpy as np
import tensorflow as tf

from golden import Family, csv, data

BF16 = ml_dtypes.bfloat16
STEP = 2.0**-8  # half a unit in the last place of 1
forward = Family("bfloat16", ["tensorflow", "ml_dtypes"])
backward = Family("grad_bfloat16", ["tensorflow", "ml_dtypes"], "grad", generator="bfloat16")


def numbers(shape, kind="mixed"):
    return data(shape, "float32", kind).astype(BF16)


def pool(shape, kind, window, strides, padding, tolerance, values="mixed"):
    x = numbers(shape, values)
    f = tf.nn.max_pool2d if kind == "max" else tf.nn.avg_pool2d
    with tf.GradientTape() as tape:
        v = tf.constant(x)
        tape.watch(v)
        y = f(v, window, strides, padding)
    dy = numbers(tuple(y.shape), "upstream")
    dx = tape.gradient(y, v, tf.constant(dy))
    golden.agree(f"{kind} {shape} in float32", y.numpy(), f(x.astype("float32"), window, strides, padding).numpy().astype(BF16), tolerance)
    params = {"type": kind, "window": csv(window), "strides": csv(strides), "padding": padding}
    name = f"{kind}_{'x'.join(map(str, shape))}_k{'x'.join(map(str, window))}_s{'x'.join(map(str, strides))}_{padding}_{values}"
    forward.add(name, f"tf.nn.{kind}_pool2d", "pool", params, {"x": x}, {"y": y.numpy()}, tolerance)
    overlap = any(k > s for k, s in zip(window, strides))  # sums of upstream gradients, which TensorFlow rounds one by one
    backward.add(name, f"gradient of tf.nn.{kind}_pool2d", "pool", params, {"x": x, "upstream": dy}, {"dx": dx.numpy()},
                 3 * STEP if overlap else tolerance)


for shape in [(1, 7, 9, 3), (2, 8, 6, 1), (1, 6, 5, 16)]:
    for window, strides in [((2, 2), (2, 2)), ((3, 3), (1, 1)), ((3, 2), (2, 1))]:
        for padding in ["VALID", "SAME"]:
            pool(shape, "max", window, strides, padding, 0)
            pool(shape, "avg", window, strides, padding, 2 * STEP)
pool((1, 12, 12, 2), "max", (5, 5), (2, 2), "SAME", 0, "negative")
pool((1, 4, 4, 1), "max", (2, 2), (2, 2), "VALID", 0, "ties")

x, other = numbers((2, 5, 6, 3)), numbers((2, 5, 6, 3), "upstream")
forward.add("add", "tf.add", "add", {}, {"x": x, "x1": other}, {"y": tf.add(x, other).numpy()}, 0)
for name, f in [("relu", tf.nn.relu), ("relu6", tf.nn.relu6)]:
    forward.add(name, f"tf.nn.{name}", name, {}, {"x": x}, {"y": f(tf.constant(x)).numpy()}, 0)
for name, f in [("sigmoid", tf.nn.sigmoid), ("tanh", tf.nn.tanh), ("softmax", tf.nn.softmax)]:
    forward.add(name, f"tf.nn.{name}", name, {}, {"x": x}, {"y": f(tf.constant(x)).numpy()}, 3 * STEP)
w = numbers((3, 3, 3, 4), "upstream")
for padding in ["VALID", "SAME"]:
    y = tf.nn.conv2d(tf.constant(x), tf.constant(w), 1, padding)
    forward.add(f"conv2d_{padding}", "tf.nn.conv2d", "conv2d", {"padding": padding}, {"x": x, "filter": w}, {"y": y.numpy()}, 2 * STEP)
y = tf.pad(tf.constant(x), [(0, 0), (1, 2), (0, 1), (0, 0)], "REFLECT")
forward.add("pad", "tf.pad", "pad", {"paddings": "1:2,0:1", "mode": "reflect"}, {"x": x}, {"y": y.numpy()}, 0)

forward.save()
backward.save()

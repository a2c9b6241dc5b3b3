"""The classical exercise: convolution, then average and maximum pooling, in two and three dimensions."""

from golden import Family, agree, csv, data

import tensorflow as tf

import brute
from pool_case import Pool

family = Family("tutorial", ["tensorflow"])


def pool(name, function, y, x, type, window, strides, argmax=None, dilations=None, padding="SAME"):
    """Records a pooling result after checking it against brute force."""
    own, where = brute.pool(Pool(x, type, window, strides, padding, dilations))
    tolerance = 0 if type == "max" else 1e-6
    agree(name, y.numpy(), own, tolerance / 2)
    params = {"type": type, "window": csv(window), "strides": csv(strides), "padding": padding}
    if dilations:
        params["dilations"] = csv(dilations)
    if argmax is not None:
        argmax = argmax.numpy()
        agree(name, argmax, brute.index(where, x.shape, "tensorflow"), 0)
    family.add(name, function, "pool", params, {"x": x}, {"y": y.numpy(), "argmax": argmax}, tolerance)
    return y


def conv(name, function, y, op, x, f, strides):
    agree(name, y.numpy(), brute.conv(x, f, strides, (1,) * len(strides), "SAME").astype("float32"), 5e-6)
    family.add(name, function, op, {"strides": csv(strides), "padding": "SAME"}, {"x": x, "filter": f}, {"y": y.numpy()}, 1e-5)
    return y.numpy()


image, f2 = data((10, 9, 9, 3)), data((2, 2, 3, 2))
out2 = conv("conv2d", "tf.nn.conv2d", tf.nn.conv2d(image, f2, [1, 1, 1, 1], "SAME"), "conv2d", image, f2, (1, 1))
assert out2.shape == (10, 9, 9, 2)
pool("avg_pool", "tf.nn.avg_pool", tf.nn.avg_pool(out2, [1, 2, 2, 1], [1, 1, 1, 1], "SAME"), out2, "avg", (2, 2), (1, 1))
pool("max_pool", "tf.nn.max_pool", tf.nn.max_pool(out2, [1, 2, 2, 1], [1, 1, 1, 1], "SAME"), out2, "max", (2, 2), (1, 1))
y, i = tf.nn.max_pool_with_argmax(out2, [1, 2, 2, 1], [1, 1, 1, 1], "SAME", output_dtype=tf.int64)
pool("max_pool_with_argmax", "tf.nn.max_pool_with_argmax", y, out2, "max", (2, 2), (1, 1), argmax=i)

volume, f3 = data((1, 2, 5, 5, 1)), data((2, 3, 3, 1, 3))
out3 = conv("conv3d", "tf.nn.conv3d", tf.nn.conv3d(volume, f3, [1, 2, 2, 1, 1], "SAME"), "conv3d", volume, f3, (2, 2, 1))
assert out3.shape == (1, 1, 3, 5, 3)
y = pool("avg_pool3d", "tf.nn.avg_pool3d", tf.nn.avg_pool3d(out3, [1, 1, 2, 2, 1], [1, 2, 2, 1, 1], "SAME"), out3, "avg", (1, 2, 2), (2, 2, 1))
assert y.shape == (1, 1, 2, 5, 3)
pool("max_pool3d", "tf.nn.max_pool3d", tf.nn.max_pool3d(out3, [1, 1, 2, 2, 1], [1, 2, 2, 1, 1], "SAME"), out3, "max", (1, 2, 2), (2, 2, 1))

for kind in ["avg", "max"]:
    y = tf.nn.pool(out2, [2, 2], kind.upper(), strides=[1, 1], padding="SAME")
    pool(f"pool_{kind}", f"tf.nn.pool(x, {kind.upper()})", y, out2, kind, (2, 2), (1, 1))
    y = tf.nn.pool(out2, [2, 2], kind.upper(), strides=[1, 1], padding="VALID", dilations=[2, 2])
    pool(f"pool_{kind}_dilated", f"tf.nn.pool(x, {kind.upper()})", y, out2, kind, (2, 2), (1, 1), dilations=(2, 2), padding="VALID")
    y = tf.nn.pool(out3, [1, 2, 2], kind.upper(), strides=[1, 2, 1], padding="SAME")
    pool(f"pool_{kind}_3d", f"tf.nn.pool(x, {kind.upper()})", y, out3, kind, (1, 2, 2), (1, 2, 1))

family.save()

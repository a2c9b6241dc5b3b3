"""Golden data of the input section of pipeline files: resizing, cropping, scale and offset."""

import numpy as np
from golden import Family, data

import tensorflow as tf

family = Family("prepare", ["tensorflow"], "prepare")
METHODS = ["nearest", "bilinear", "area", "bicubic"]


def add(name, x, size=None, method=None, crop=None, at=None, scale=None, offset=None, layout="NHWC", tolerance=0.0):
    """Resizes, crops, then multiplies and adds in float32, each as TensorFlow does."""
    y = tf.constant(x)
    oracle = []
    params = {"layout": layout}
    if size:
        y = tf.image.resize(y, size, method)
        oracle.append("tf.image.resize")
        params |= {"size": ",".join(map(str, size)), "filter": method}
    if crop:
        top, left = at or [(n - k) // 2 for n, k in zip(y.shape[1:3], crop)]
        y = tf.image.crop_to_bounding_box(y, top, left, *crop)
        oracle.append("tf.image.crop_to_bounding_box")
        params |= {"crop": ",".join(map(str, crop))} | ({"at": ",".join(map(str, at))} if at else {})
    if scale is not None:
        y = tf.cast(y, tf.float32) * tf.constant(scale, tf.float32)
        params["scale"] = ",".join(map(str, np.atleast_1d(scale)))
    if offset is not None:
        y = tf.cast(y, tf.float32) + tf.constant(offset, tf.float32)
        params["offset"] = ",".join(map(str, np.atleast_1d(offset)))
    y = y.numpy()
    if layout == "NCHW":
        x, y = x.transpose(0, 3, 1, 2), y.transpose(0, 3, 1, 2)
    family.add(name, ", ".join(oracle) or "tf.multiply, tf.add", "prepare", params, {"x": x}, {"y": np.ascontiguousarray(y)}, tolerance)


for dtype in ["uint8", "float32"]:
    x = data((2, 7, 10, 3), dtype)
    for method in METHODS:
        for size in [(7, 10), (3, 4), (14, 20), (5, 17), (1, 1), (11, 3)]:
            add(f"{dtype}_{method}_{size[0]}x{size[1]}", x, size, method)
        add(f"{dtype}_{method}_crop", x, (9, 13), method, crop=(4, 4))
        add(f"{dtype}_{method}_crop_at", x, (9, 13), method, crop=(4, 5), at=(5, 8))
        add(f"{dtype}_{method}_nchw", x, (4, 6), method, crop=(3, 3), layout="NCHW")
x = data((1, 5, 6, 3), "uint8")
add("crop", x, crop=(2, 3))
add("crop_at", x, crop=(2, 3), at=(3, 0))
add("scale", x, scale=1 / 256)
add("scale_offset", x, scale=0.0078125, offset=-1)
add("channels", x, scale=[0.5, 0.25, 2], offset=[-103.939, -116.779, -123.68], tolerance=1e-7)
add("channels_nchw", x, scale=[0.5, 0.25, 2], offset=[1, 2, 3], layout="NCHW")
add("everything", x, (9, 9), "bilinear", crop=(7, 8), scale=[0.5, 0.25, 2], offset=[1, 2, 3], tolerance=1e-6)
for n in [2, 3, 5, 100, 255]:  # where a picture of odd and even sizes rounds
    add(f"line_nearest_{n}", data((1, 1, 33, 1), "uint8"), (1, n), "nearest")
    add(f"line_bilinear_{n}", data((1, 1, 33, 1), "float32"), (1, n), "bilinear")
family.save()

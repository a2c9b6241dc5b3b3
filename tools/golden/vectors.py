"""Small results that can be checked by eye, recomputed and compared with the table they are published in.

x(n..) below is 0, 1, 2, ... in row-major order.
"""

import golden
from golden import Family, agree, channels_first, channels_last, csv, pads

import numpy as np
import tensorflow as tf
import torch

import brute
from pool_oracles import LIBRARIES, onnxruntime_run

family = Family("vectors", LIBRARIES)
functional = torch.nn.functional


def ramp(*shape):
    return np.arange(np.prod(shape), dtype="float32").reshape(shape)


def ones(*shape):
    return np.ones(shape, "float32")


def add(name, oracle, op, params, x, y, table, argmax=None, indices=None, tolerance=0, places=None, filter=None):
    """Asserts that the computed y (and its indices) are the table's numbers, then records them; places: unpool's."""
    y = np.asarray(y)
    agree(name, y.ravel(), np.array(table, y.dtype).ravel(), tolerance)
    if indices is not None:
        argmax = np.asarray(argmax).astype("int64")
        agree(name, argmax.ravel(), np.array(indices, "int64"), 0)
    family.add(name, oracle, op, params, {"x": x, "filter": filter, "argmax": places}, {"y": y, "argmax": argmax}, tolerance)


def max2d(name, x, window, strides, padding, table, run=tf.nn.max_pool2d, type="max", tolerance=0):
    spelled = padding if isinstance(padding, str) else [[0, 0], *map(list, padding), [0, 0]]
    y = run(tf.constant(x), list(window), list(strides), spelled).numpy()
    params = {"type": type, "window": csv(window), "strides": csv(strides), "padding": pads(padding)}
    add(name, f"tf.nn.{type}_pool{len(window)}d", "pool", params, x, y, table, tolerance=tolerance)


max2d("max2d_k3_s2_SAME", ramp(1, 4, 4, 1), (3, 3), (2, 2), "SAME", [10, 11, 14, 15])
max2d("max2d_k1_s3_SAME", ramp(1, 5, 5, 1), (1, 1), (3, 3), "SAME", [0, 3, 15, 18])
max2d("max2d_k2_s3_VALID", ramp(1, 5, 5, 1), (2, 2), (3, 3), "VALID", [6, 9, 21, 24])
max2d("avg2d_ones_k2_s2_SAME", ones(1, 5, 5, 1), (2, 2), (2, 2), "SAME", [1] * 9, tf.nn.avg_pool2d, "avg", 1e-6)
max2d("max2d_negative_explicit", -(ramp(1, 2, 2, 1) + 1), (2, 2), (2, 2), [(1, 1), (1, 1)], [-1, -2, -3, -4])
max2d("max1d_negative_explicit", -(ramp(1, 4, 1) + 1), (2,), (2,), [(1, 1)], [-1, -2, -4], tf.nn.max_pool1d)

for batch, second in [(False, [0, 1, 4, 5, 12, 13, 16, 17]), (True, [18, 19, 22, 23, 30, 31, 34, 35])]:
    x = 0 - ramp(2, 3, 3, 2)
    y, i = tf.nn.max_pool_with_argmax(x, 2, 2, "SAME", include_batch_in_index=batch)
    params = {"type": "max", "window": "2,2", "strides": "2,2", "padding": "SAME"}
    add("argmax_k2_s2_SAME" + "_batch" * batch, "tf.nn.max_pool_with_argmax", "pool",
        {**params, "include-batch-in-index": "true"} if batch else params, x, y, x.reshape(2, -1)[:, [0, 1, 4, 5, 12, 13, 16, 17]],
        i, [0, 1, 4, 5, 12, 13, 16, 17, *second])
y, i = tf.nn.max_pool_with_argmax(ones(1, 3, 3, 1), 3, 1, "SAME")
add("argmax_ones_k3_s1_SAME", "tf.nn.max_pool_with_argmax", "pool",
    {"type": "max", "window": "3,3", "strides": "1,1", "padding": "SAME"}, ones(1, 3, 3, 1), y, [1] * 9, i, [0, 0, 1, 0, 0, 1, 3, 3, 4])

for kind, x, table in [("max", -(ramp(1, 5, 5, 1) + 1), [-1, -2, -3, -6, -7, -8, -11, -12, -13]),
                       ("avg", ramp(1, 5, 5, 1), [6, 7, 8, 11, 12, 13, 16, 17, 18])]:
    y = tf.nn.pool(x, [2, 2], kind.upper(), strides=[1, 1], padding="VALID", dilations=[2, 2]).numpy()
    add(f"pool_{kind}_dilated", f"tf.nn.pool(x, {kind.upper()})", "pool",
        {"type": kind, "window": "2,2", "strides": "1,1", "dilations": "2,2"}, x, y, table, tolerance=0 if kind == "max" else 1e-6)


def conv2d(name, x, f, params, table, **keywords):
    y = tf.nn.conv2d(x, f, **keywords).numpy()
    add(name, "tf.nn.conv2d", "conv2d", params, x, y, table, tolerance=1e-5, filter=f)


square = ones(2, 2, 1, 1)
conv2d("conv2d_s2_d2_VALID", ramp(1, 5, 5, 1), square, {"strides": "2,2", "dilations": "2,2"}, [24, 32, 64, 72],
       strides=2, padding="VALID", dilations=2)
y = brute.conv(ones(1, 5, 5, 1), square, (1, 1), (2, 2), "SAME")
assert y[0, 0, :, 0].tolist() == [1, 2, 2, 2, 1]
conv2d("conv2d_ones_d2_SAME", ones(1, 5, 5, 1), square, {"padding": "SAME", "dilations": "2,2"}, y, strides=1, padding="SAME", dilations=2)
conv2d("conv2d_explicit", ramp(1, 2, 2, 1), square, {"padding": "1:1,1:1"}, [0, 1, 1, 2, 6, 4, 2, 5, 3],
       strides=1, padding=[[0, 0], [1, 1], [1, 1], [0, 0]])
conv2d("conv2d_groups", ramp(1, 1, 1, 4), ones(1, 1, 2, 2), {"groups": "2"}, [1, 5], strides=1, padding="VALID")
x, f = ramp(1, 4, 4, 4, 1), ones(2, 2, 2, 1, 1)
add("conv3d_d2_VALID", "tf.nn.convolution", "conv3d", {"dilations": "2,2,2"}, x,
    tf.nn.convolution(x, f, padding="VALID", dilations=[2, 2, 2]), [168, 176, 200, 208, 296, 304, 328, 336], tolerance=1e-5, filter=f)

x, f = ramp(1, 3, 3, 1), np.zeros((2, 2, 1), "float32")
add("dilation2d_flat_SAME", "tf.nn.dilation2d", "dilation2d", {"padding": "SAME"}, x,
    tf.nn.dilation2d(x, f, [1] * 4, "SAME", "NHWC", [1] * 4), [4, 5, 5, 7, 8, 8, 7, 8, 8], filter=f)
add("erosion2d_flat_SAME", "tf.nn.erosion2d", "erosion2d", {"padding": "SAME"}, x,
    tf.nn.erosion2d(x, f, [1] * 4, "SAME", "NHWC", [1] * 4).numpy() + np.float32(0), ramp(9), filter=f)

# the mean of threes in float16, whose own count saturates in TensorFlow: the right answer is 3
for n in [16, 32, 45, 46, 64]:
    x = np.full((1, n, n, 1), 3, "float16")
    y = functional.avg_pool2d(torch.from_numpy(channels_first(x)), n)
    add(f"avg2d_threes_f16_k{n}", "torch.nn.functional.avg_pool2d", "pool", {"type": "avg", "window": f"{n},{n}"}, x,
        channels_last(y.numpy()), [3], tolerance=1e-3)


def torch_case(name, oracle, params, x, y, table, argmax=None, indices=None, tolerance=0, op="pool", places=None):
    """x and y are NC..; the case is stored so."""
    params = {**params, "data-format": golden.CHANNELS_FIRST[x.ndim - 2]}
    argmax = None if argmax is None else argmax.numpy()
    add(name, oracle, op, params, x, np.asarray(y), table, argmax, indices, tolerance, places)


x = -(ramp(1, 1, 5, 5) + 1)
y, i = functional.max_pool2d(torch.from_numpy(x), 3, 1, 1, 2, return_indices=True)
torch_case("torch_max2d_dilated", "torch.nn.functional.max_pool2d",
           {"type": "max", "window": "3,3", "strides": "1,1", "padding": "1:1,1:1", "dilations": "2,2", "argmax-index": "pytorch"},
           x, y, [-7, -6, -7, -2, -1, -2, -7, -6, -7], i, [6, 5, 6, 1, 0, 1, 6, 5, 6])
four = ones(1, 1, 4)
for counted, table in [(True, [2 / 3, 1, 1 / 2]), (False, [1, 1, 1])]:
    params = {"type": "avg", "window": "3", "strides": "2", "padding": "1:1", "ceil-mode": "true"}
    torch_case("torch_avg1d_ceil" + "_counted" * counted, "torch.nn.functional.avg_pool1d",
               {**params, "count-include-pad": "true"} if counted else params, four,
               functional.avg_pool1d(torch.from_numpy(four), 3, 2, 1, True, counted), table, tolerance=1e-6)
nine = ones(1, 1, 3, 3)
torch_case("torch_avg2d_counted", "torch.nn.functional.avg_pool2d",
           {"type": "avg", "window": "3,3", "strides": "1,1", "padding": "1:1,1:1", "count-include-pad": "true"}, nine,
           functional.avg_pool2d(torch.from_numpy(nine), 3, 1, 1), [4 / 9, 2 / 3, 4 / 9, 2 / 3, 1, 2 / 3, 4 / 9, 2 / 3, 4 / 9], tolerance=1e-6)
for n, size, table in [(5, 3, [0.5, 2, 3.5]), (3, 5, [0, 0.5, 1, 1.5, 2])]:
    torch_case(f"torch_adaptive_avg1d_{n}_to_{size}", "torch.nn.functional.adaptive_avg_pool1d",
               {"type": "avg", "output-size": str(size)}, ramp(1, 1, n),
               functional.adaptive_avg_pool1d(torch.from_numpy(ramp(1, 1, n)), size), table, tolerance=1e-6)
y, i = functional.adaptive_max_pool1d(torch.from_numpy(ramp(1, 1, 5)), 3, return_indices=True)
torch_case("torch_adaptive_max1d", "torch.nn.functional.adaptive_max_pool1d",
           {"type": "max", "output-size": "3", "argmax-index": "pytorch"}, ramp(1, 1, 5), y, [1, 3, 4], i, [1, 3, 4])
x, i = ramp(1, 1, 2, 2) + 1, np.zeros((1, 1, 2, 2), "int64")
torch_case("torch_unpool_duplicates", "torch.nn.functional.max_unpool2d",
           {"output-shape": "1,1,4,4", "argmax-index": "pytorch", "duplicates": "last"}, x,
           functional.max_unpool2d(torch.from_numpy(x), torch.from_numpy(i), 2), [4] + [0] * 15, op="unpool", places=i)

x = ramp(1, 1, 2, 3)
for order, index, indices in [(1, "onnx-column-major", [3, 5]), (0, "onnx", [4, 5])]:
    y, i = onnxruntime_run("MaxPool", [x], 2, kernel_shape=[2, 2], strides=[1, 1], storage_order=order)
    torch_case(f"onnx_max2d_{index}", "onnxruntime MaxPool",
               {"type": "max", "window": "2,2", "strides": "1,1", "argmax-index": index}, x, y, [4, 5], torch.from_numpy(i), indices)
y, = onnxruntime_run("AveragePool", [four], kernel_shape=[3], strides=[2], auto_pad="SAME_UPPER", count_include_pad=1)
torch_case("onnx_avg1d_SAME_counted", "onnxruntime AveragePool",
           {"type": "avg", "window": "3", "strides": "2", "padding": "SAME", "count-include-pad": "true"}, four, y, [1, 2 / 3], tolerance=1e-6)
y, = onnxruntime_run("AveragePool", [ramp(1, 1, 4)], kernel_shape=[2], strides=[1], auto_pad="SAME_LOWER")
torch_case("onnx_avg1d_SAME_LOWER", "onnxruntime AveragePool", {"type": "avg", "window": "2", "strides": "1", "padding": "SAME_LOWER"},
           ramp(1, 1, 4), y, [0, 0.5, 1.5, 2.5], tolerance=1e-6)
x, i = ramp(1, 1, 2, 2) + 5, np.array([0, 2, 8, 10]).reshape(1, 1, 2, 2)
y, = onnxruntime_run("MaxUnpool", [x, i], kernel_shape=[2, 2], strides=[2, 2])
torch_case("onnx_unpool", "onnxruntime MaxUnpool", {"output-shape": "1,1,4,4", "argmax-index": "onnx"}, x, y,
           [5, 0, 6, 0, 0, 0, 0, 0, 7, 0, 8, 0, 0, 0, 0, 0], op="unpool", places=i)

family.save()

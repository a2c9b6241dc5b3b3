"""Small gradients that can be checked by eye, recomputed and compared with the table they are published in.

x(n..) below is 0, 1, 2, ... in row-major order; upstream gradients are ones unless said.
"""

from golden import Family, agree, data

import numpy as np
import tensorflow as tf
import torch

from grad_pool_case import autograd, tape
from pool_oracles import LIBRARIES

family = Family("grad_vectors", LIBRARIES, "grad")
functional = torch.nn.functional


def ones(*shape):
    return np.ones(shape, "float32")


def ramp(*shape):
    return data(shape, "float32", "ramp")


def add(name, oracle, params, x, dx, table, tolerance=0, upstream=None, argmax=None, op="pool"):
    """Asserts that the computed gradient is the table's, where the table has a number, then records it."""
    wanted = np.array(table, "float64").ravel()
    known = ~np.isnan(wanted)
    agree(name, dx.ravel()[known], wanted[known].astype(dx.dtype), tolerance)
    family.add(name, oracle, op, params, {"x": x, "argmax": argmax, "upstream": upstream}, {"dx": dx}, tolerance)


UNSAID = np.nan
# every window shares its gradient among its real cells; the corner window of SAME has four, hence 1/4 at [3,3]
params = {"type": "avg", "window": "3,3", "strides": "2,2", "padding": "SAME"}
dx = tape(lambda x: tf.nn.avg_pool2d(x, 3, 2, "SAME"), ones(1, 4, 4, 1), ones(1, 2, 2, 1))
add("avg2d_k3_s2_SAME", "tf.GradientTape of tf.nn.avg_pool2d", params, ones(1, 4, 4, 1), dx,
    [1 / 9, 1 / 9, 5 / 18, 1 / 6, *[UNSAID] * 6, 25 / 36, *[UNSAID] * 4, 1 / 4], 1e-6)

table = [4, 2, 0, 2, 1, 0, 0, 0, 0]
nine = ones(1, 3, 3, 1)
dx = tape(lambda x: tf.nn.max_pool2d(x, 3, 1, "SAME"), nine, nine)
agree("max2d_ones by PyTorch", autograd(lambda x: functional.max_pool2d(x, 3, 1, 1), nine, nine), dx, 0)
add("max2d_ones_k3_s1_SAME", "tf.GradientTape of tf.nn.max_pool2d",
    {"type": "max", "window": "3,3", "strides": "1,1", "padding": "SAME"}, nine, dx, table)
add("max2d_ones_k3_s1_p1", "torch autograd of torch.nn.functional.max_pool2d",
    {"type": "max", "window": "3,3", "strides": "1,1", "padding": "1:1,1:1"}, nine,
    autograd(lambda x: functional.max_pool2d(x, 3, 1, 1), nine, nine), table)

x = ramp(1, 4, 4, 1)
dx = tape(lambda x: tf.nn.max_pool2d(x, 1, 2, "VALID"), x, ones(1, 2, 2, 1))
add("max2d_k1_s2", "tf.GradientTape of tf.nn.max_pool2d", {"type": "max", "window": "1,1", "strides": "2,2"}, x, dx,
    [1, 0, 1, 0, 0, 0, 0, 0, 1, 0, 1, 0, 0, 0, 0, 0])

# one call, three answers: TensorFlow's kernel gives every tie the full amount, its compiler and PyTorch the first
x, five = ones(1, 2, 2, 2, 1), np.full((1, 1, 1, 1, 1), 5, "float32")


def pool3d(x):
    return tf.nn.max_pool3d(x, 2, 2, "VALID")


add("max3d_ties_all", "tf.GradientTape of tf.nn.max_pool3d", {"type": "max", "window": "2,2,2", "ties": "all"}, x,
    tape(pool3d, x, five), [5] * 8, upstream=five)


@tf.function(jit_compile=True)
def compiled(x, dy):
    with tf.GradientTape() as t:
        t.watch(x)
        y = pool3d(x)
    return t.gradient(y, x, dy)


dx = compiled(tf.constant(x), tf.constant(five)).numpy()
agree("max3d_ties by PyTorch", autograd(lambda x: functional.max_pool3d(x, 2), x, five), dx, 0)
add("max3d_ties_first", "tf.GradientTape of tf.nn.max_pool3d, jit_compile=True", {"type": "max", "window": "2,2,2"}, x, dx,
    [5, 0, 0, 0, 0, 0, 0, 0], upstream=five)
add("max3d_ties_split", "torch autograd of torch.amax", {"type": "max", "window": "2,2,2", "ties": "split"}, x,
    autograd(lambda x: x.amax(dim=(2, 3, 4), keepdim=True), x, five), [5 / 8] * 8, 1e-6, upstream=five)

x = ramp(1, 5, 1)
dx = tape(lambda x: tf.nn.pool(x, [2], "MAX", strides=[1], padding="VALID", dilations=[2]), x, ones(1, 3, 1))
add("max1d_dilated", "tf.GradientTape of tf.nn.pool", {"type": "max", "window": "2", "strides": "1", "dilations": "2"}, x, dx,
    [0, 0, 1, 1, 1])

x = ones(1, 3, 3, 3, 1)
dx = tape(lambda x: tf.nn.avg_pool3d(x, 2, 2, "SAME"), x, ones(1, 2, 2, 2, 1))
add("avg3d_k2_s2_SAME", "tf.GradientTape of tf.nn.avg_pool3d",
    {"type": "avg", "window": "2,2,2", "strides": "2,2,2", "padding": "SAME"}, x, dx,
    [1 / 8, 1 / 8, 1 / 4, *[UNSAID] * 23, 1], 1e-6)

# a NaN takes the gradient, though TensorFlow's forward result would be 3
x = np.array([np.nan, 1, 2, 3], "float32").reshape(1, 2, 2, 1)
assert tf.nn.max_pool2d(x, 2, 2, "VALID").numpy().item() == 3
dx = tape(lambda x: tf.nn.max_pool2d(x, 2, 2, "VALID"), x, ones(1, 1, 1, 1))
add("max2d_nan", "tf.GradientTape of tf.nn.max_pool2d", {"type": "max", "window": "2,2"}, x, dx, [1, 0, 0, 0])

# four values for one cell: PyTorch keeps the last, yet gives each of them the gradient, which is that of their sum
x, index = ramp(1, 1, 2, 2) + 1, np.zeros((1, 1, 2, 2), "int64")
leaf = torch.from_numpy(x).requires_grad_()
functional.max_unpool2d(leaf, torch.from_numpy(index), 2).sum().backward()
add("unpool_duplicates_sum", "torch autograd of torch.nn.functional.max_unpool2d",
    {"output-shape": "1,1,4,4", "argmax-index": "pytorch", "duplicates": "sum", "data-format": "NCHW"}, x, leaf.grad.numpy(),
    [1, 1, 1, 1], argmax=index, op="unpool")

family.save()

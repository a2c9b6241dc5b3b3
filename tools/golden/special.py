"""NaN, infinities, extremes, ties, empty outputs and batch 0.

TensorFlow's own answers to NaN and -inf are known deviations (they change with
the channel count and the CPU), so PyTorch computes these: directly, or over the
cells' ranks where its own index would be the last NaN's, or NaN is ignored.
"""

from golden import Family, agree, data, sprinkled

import numpy as np
import tensorflow as tf

import brute
from conv_case import Conv, torch_conv
from pool_case import Pool, add
from pool_oracles import LIBRARIES

family = Family("special", LIBRARIES)
NAN, INF = np.nan, np.inf
CONVENTIONS = ["tensorflow", "pytorch", "onnx", "onnx-column-major"]


def pool(note, x, type, window, strides=None, padding=None, **more):
    add(family, Pool(x, type, window, strides, padding, note=note, **more))


def one_nan(shape, places):
    """Seeded data with a NaN in every channel at the given spatial places."""
    x = data(shape).copy()
    for p in places:
        x[(slice(None), *p)] = NAN
    return x


# NaN propagates: values in every rank, at any place and channel count
for type in ["max", "min"]:
    for channels in [1, 3, 8, 17]:
        x = sprinkled((2, 6, 7, channels), 0.1, [NAN])
        pool("nan", x, type, (3, 2), (2, 1), "SAME")
        pool("nan", x, type, (2, 2))
    for nan in ["propagate", "ignore"]:
        x = sprinkled((2, 6, 7, 2), 0.4, [NAN])
        pool("manynan", x, type, (2, 2), (1, 1), "SAME", nan=nan)
        pool("manynan", x, type, (3, 3), (2, 2), [(1, 1), (0, 2)], nan=nan)
        pool("manynan", x, type, (2, 2), (1, 1), dilations=(2, 3), nan=nan)
        pool("naninf", sprinkled((2, 6, 7, 2), 0.6, [NAN, -INF, INF, -INF]), type, (2, 2), (1, 1), "SAME", nan=nan)
        pool("manynan", sprinkled((2, 11, 3), 0.3, [NAN]), type, (3,), (2,), "SAME", nan=nan)
        pool("manynan", sprinkled((1, 4, 5, 4, 2), 0.1, [NAN]), type, (2, 3, 2), (1, 2, 2), "SAME", nan=nan)
        pool("manynan", sprinkled((1, 5, 6, 2), 0.2, [NAN], "float64"), type, (2, 3), (1, 2), nan=nan)
        pool("manynan", sprinkled((1, 5, 6, 2), 0.2, [NAN], "float16"), type, (2, 3), (1, 2), nan=nan)
        # indices with several NaN in a window: the first one's
        for convention in CONVENTIONS:
            pool("manynan", x, type, (3, 2), (2, 1), "SAME", nan=nan, argmax=convention, first=convention == "onnx")
        pool("naninf", sprinkled((2, 6, 7, 2), 0.6, [NAN, -INF, INF, -INF]), type, (2, 2), (1, 1), "SAME", nan=nan, argmax="pytorch")
        pool("manynan", sprinkled((2, 11, 3), 0.3, [NAN]), type, (3,), (2,), "SAME", nan=nan, argmax="tensorflow")
        pool("manynan", sprinkled((1, 4, 5, 4, 2), 0.1, [NAN]), type, (2, 3, 2), (1, 2, 2), "SAME", nan=nan, argmax="tensorflow")
        pool("allnan", np.full((1, 3, 4, 2), NAN, "float32"), type, (2, 2), (1, 1), "SAME", nan=nan, argmax="tensorflow")
        # the four places of one NaN in a window, alone and among equals
        for place in range(4):
            x = np.array([1, 2, 3, 4], "float32")
            x[place] = NAN
            pool(f"nan{place}", x.reshape(1, 2, 2, 1), type, (2, 2), nan=nan, argmax="tensorflow", one_nan=True)
            pool(f"nan{place}x8", np.repeat(x.reshape(1, 2, 2, 1), 8, axis=3), type, (2, 2), nan=nan)
            pool(f"nan{place}", x.reshape(1, 4, 1), type, (4,), nan=nan)
    # one NaN a window: PyTorch's index is the first one's too
    pool("onenan", one_nan((2, 6, 8, 3), [(1, 1), (4, 6)]), type, (3, 2), argmax="pytorch", one_nan=True)
    pool("onenan", one_nan((2, 6, 8, 3), [(2, 3)]), type, (3, 3), (1, 1), [(1, 1), (1, 1)], argmax="pytorch", one_nan=True)
    pool("onenan", one_nan((2, 6, 8, 3), [(2, 3)]), type, (3, 3), (1, 1), [(1, 1), (1, 1)], argmax="tensorflow", one_nan=True)
    pool("onenan", one_nan((2, 9, 3), [(4,)]), type, (3,), (2,), [(1, 1)], argmax="pytorch", one_nan=True)
    pool("onenan", one_nan((1, 4, 5, 4, 2), [(2, 2, 1)]), type, (2, 3, 2), (1, 2, 2), argmax="pytorch", one_nan=True)

# infinities: a window of -inf gives -inf, and its first cell's index
for type in ["max", "min"]:
    low = -INF if type == "max" else INF
    full = np.full((1, 4, 5, 2), low, "float32")
    some = sprinkled((2, 6, 7, 3), 0.7, [low])
    for convention in [None, "tensorflow", "pytorch"]:
        pool("worst", full, type, (3, 2), (1, 1), [(1, 1), (0, 0)], argmax=convention)
        pool("mostlyworst", some, type, (2, 2), (1, 2), argmax=convention)
        pool("mostlyworst", some, type, (3, 3), (2, 2), "SAME", argmax=convention)
    pool("worst", np.full((1, 7, 2), low, "float32"), type, (3,), (2,), "SAME", argmax="tensorflow")
    pool("worst", np.full((1, 3, 4, 3, 2), low, "float32"), type, (2, 2, 2), (1, 2, 1), "SAME", argmax="tensorflow")
    pool("worst", np.full((1, 3, 4, 2), low, "float64"), type, (2, 2), (1, 1), "SAME")
    pool("infs", sprinkled((2, 6, 7, 3), 0.3, [INF, -INF]), type, (2, 3), (2, 1), "SAME", argmax="tensorflow")

# averages, sums, Lp: infinities and NaN reach exactly the windows that hold them
for type in ["avg", "sum", "lp"]:
    for note, values in [("inf", [INF]), ("infs", [INF, -INF]), ("nan", [NAN]), ("naninf", [NAN, -INF])]:
        x = sprinkled((1, 9, 11, 2), 0.04, values)
        pool(note, x, type, (2, 2), (1, 1))
        pool(note, x, type, (5, 4), (1, 2), "SAME" if type == "avg" else None)
    pool("nan", sprinkled((1, 13, 2), 0.1, [NAN, INF]), type, (3,), (1,))
    pool("nan", sprinkled((1, 4, 5, 6, 2), 0.02, [NAN, INF]), type, (2, 2, 2), (1, 1, 1))
pool("inf", sprinkled((1, 19, 21, 1), 0.01, [INF, NAN]), "avg", (7, 9), (1, 1), [(3, 3), (4, 4)])

# averages of constants in float16, whose own count and sum would saturate
for extent in [16, 32, 46, 64]:
    pool("threes", np.full((1, extent, extent, 1), 3, "float16"), "avg", (extent, extent), as_global=True)
pool("large", np.full((1, 8, 8, 2), 60000, "float16"), "avg", (5, 5), (1, 1), "SAME")
pool("tenth", np.full((1, 33, 31, 1), 0.1, "float16"), "avg", (33, 31), as_global=True)
pool("tenth", np.full((1, 33, 31, 1), 0.1, "float32"), "avg", (15, 15), (6, 6), "SAME", accurate=True)
pool("tenth", np.full((1, 33, 31, 1), 0.1, "float64"), "avg", (15, 15), (6, 6), "SAME")

# no infinity comes out of a window that holds none, even where a float32 sum would overflow
pool("large", np.full((1, 4, 5, 2), 3e38, "float32"), "avg", (2, 3), (1, 1), "SAME", accurate=True)

# extremes of a type: nothing is a sentinel
biggest = np.finfo("float32").max
lowest = np.zeros((1, 2, 2, 2, 1), "float32")
lowest[0, 0, 0, 0, 0] = -biggest
pool("lowestcell", lowest, "avg", (2, 2, 2), (1, 1, 1), accurate=True)  # TensorFlow leaves that cell out
pool("lowest", np.full((1, 3, 4, 2), -biggest, "float32"), "max", (2, 2), (1, 1), [(1, 1), (1, 1)], argmax="pytorch")
pool("highest", np.full((1, 3, 4, 2), biggest, "float32"), "min", (2, 2), (1, 1), "SAME", argmax="tensorflow")
tiny = (data((1, 5, 6, 2)) * np.float32(1e-41)).astype("float32") + np.float32(0)
pool("subnormal", tiny, "max", (2, 2), (1, 1), [(1, 1), (1, 1)], accurate=True)  # TensorFlow flushes them to zero
pool("subnormal", tiny, "min", (3, 2), (2, 1), accurate=True)
for dtype in ["uint8", "int8", "uint16", "int16", "uint32", "int32", "uint64", "int64"]:
    info = np.iinfo(dtype)
    for type, worst, best in [("max", info.min, info.max), ("min", info.max, info.min)]:
        x = np.full((1, 4, 5, 2), worst, dtype)
        x[0, 1, 2, 1] = best
        pool("extreme", x, type, (2, 3), (1, 2), "SAME", argmax="tensorflow")

# ties: the first in row-major order
for type in ["max", "min"]:
    for convention in CONVENTIONS:
        pool("constant", np.ones((2, 4, 5, 2), "float32"), type, (3, 3), (1, 1), "SAME", argmax=convention)
        pool("constant", np.ones((1, 3, 4, 3, 2), "uint8"), type, (2, 2, 2), (1, 1, 1), "SAME", argmax=convention)
        pool("constant", np.ones((2, 7, 2), "float64"), type, (3,), (1,), "SAME", argmax=convention)

# empty outputs, where the window is larger than the input
for shape, window, strides, type in [
        ((2, 2, 5, 3), (3, 2), (1, 1), "max"), ((2, 2, 5, 3), (3, 2), (1, 1), "avg"), ((1, 4, 4, 2), (6, 2), (2, 2), "max"),
        ((1, 3, 2), (4,), (1,), "max"), ((1, 3, 2), (4,), (1,), "avg"), ((1, 3, 2, 4, 1), (2, 3, 2), (1, 1, 1), "max"),
        ((1, 3, 2, 4, 1), (2, 3, 2), (1, 1, 1), "avg"), ((0, 2, 5, 3), (3, 2), (1, 1), "max")]:
    pool("empty", data(shape), type, window, strides)

# batch 0 in every rank
for rank, shape, window in [(1, (0, 7, 2), (2,)), (2, (0, 5, 4, 3), (2, 3)), (3, (0, 4, 3, 5, 1), (2, 2, 2))]:
    for type in ["max", "avg", "min", "sum", "lp"]:
        pool("batch0", data(shape), type, window)
    pool("batch0", data(shape), "max", window, argmax="pytorch", first=True)
    pool("batch0", data(shape), "avg", window, (1,) * rank, "SAME")


# convolution: padding is a real zero, so that a NaN or infinite weight over it gives NaN
def conv(note, x, f, strides, padding):
    c = Conv(x, f, strides, padding, note=note)
    answer, by = torch_conv(c)
    if isinstance(padding, str):
        run = {1: tf.nn.conv1d, 2: tf.nn.conv2d, 3: tf.nn.conv3d}[c.rank]
        steps = [1, *c.steps, 1] if c.rank == 3 else list(c.steps) if c.rank == 2 else c.steps[0]
        y = run(tf.constant(x), tf.constant(f), steps, padding).numpy()
        agree(c.name(), answer, y, 1e-6)
        answer, by = y, f"tf.nn.conv{c.rank}d"
    family.add(c.name(), by, c.op, c.params(), {"x": x, "filter": f}, {"y": answer}, c.tolerance)


for note, value in [("nanweight", NAN), ("infweight", INF)]:
    for shape, window, strides, padding in [
            ((1, 4, 5, 2), (3, 3), (1, 1), "SAME"), ((1, 5, 6, 1), (2, 3), (2, 2), [(1, 0), (2, 1)]), ((1, 7, 2), (3,), (2,), "SAME"),
            ((1, 3, 4, 3, 1), (2, 3, 2), (1, 1, 1), "SAME")]:
        f = data((*window, shape[-1], 3)).copy()
        f[(0,) * len(window)][0, 1] = value
        conv(note, data(shape), f, strides, padding)
conv("naninput", sprinkled((1, 7, 8, 2), 0.03, [NAN]), data((3, 2, 2, 3)), (1, 1), "SAME")
conv("infinput", sprinkled((1, 7, 8, 2), 0.03, [INF]), data((3, 2, 2, 3)), (2, 1), "SAME")
for shape, window in [((1, 2, 5, 3), (3, 2)), ((1, 3, 2), (4,)), ((1, 2, 4, 3, 1), (3, 2, 2))]:
    c = Conv(data(shape), data((*window, shape[-1], 4)), note="empty")
    run = {1: lambda x, f: tf.nn.conv1d(x, f, 1, "VALID"), 2: lambda x, f: tf.nn.conv2d(x, f, 1, "VALID"),
           3: lambda x, f: tf.nn.conv3d(x, f, [1] * 5, "VALID")}[c.rank]
    y = run(tf.constant(c.x), tf.constant(c.f)).numpy()
    agree(c.name(), y, brute.conv(c.x, c.f, c.steps, c.rates, c.pad).astype("float32"), 0)
    assert y.size == 0
    family.add(c.name(), f"tf.nn.conv{c.rank}d", c.op, {**c.params(), "empty": "allow"}, {"x": c.x, "filter": c.f}, {"y": y}, 0)

family.save()

"""Fractional pooling: tf.nn.fractional_max_pool and fractional_avg_pool with their region sequences.

Each call starts its random generator anew, so a seed always gives the same
regions: checked here by asking twice, with another call between, and against
the raw operation with TensorFlow's default graph seed.
"""

from golden import SHORT, Family, agree, channels_first, csv, data, float_of

import numpy as np
import tensorflow as tf

family = Family("fractional", ["tensorflow"])
DEFAULT_GRAPH_SEED = 87654321
TOLERANCE = {"float16": 1e-3, "float32": 1e-6, "float64": 1e-12}


def brute(x, rows, columns, overlapping, type):
    """The pooled regions in numpy; an overlapping region includes the first cell of the next."""
    y = np.zeros((x.shape[0], len(rows) - 1, len(columns) - 1, x.shape[-1]), x.dtype)
    for i in range(y.shape[1]):
        for j in range(y.shape[2]):
            region = x[:, rows[i]:rows[i + 1] + overlapping, columns[j]:columns[j + 1] + overlapping]
            y[:, i, j] = region.max(axis=(1, 2)) if type == "max" else region.mean(axis=(1, 2), dtype="float64")
    return y


def case(type, shape, ratio, seed=1, pseudo_random=False, overlapping=False, dtype="float32", kind=None, first=False):
    x = data(shape, dtype, kind or ("small" if dtype.startswith(("int", "uint")) else "mixed"))
    # TensorFlow has float32, float64, int32, int64; its integer average truncates, ours does not
    result = x.dtype if type == "max" else float_of(dtype)
    compute = np.dtype("float64" if result.itemsize == 8 else "float32")
    if type == "max" and dtype.startswith("int") and x.dtype.itemsize >= 4:
        compute = x.dtype
    value = tf.constant(x.astype(compute))
    run = getattr(tf.nn, f"fractional_{type}_pool")
    raw = {"max": tf.raw_ops.FractionalMaxPool, "avg": tf.raw_ops.FractionalAvgPool}[type]
    ratios = [1.0, *ratio, 1.0]

    def answer():
        return [a.numpy() for a in run(value, ratios, pseudo_random, overlapping, seed)]

    y, rows, columns = answer()
    run(tf.zeros((1, 9, 8, 1)), ratios, pseudo_random, overlapping, seed)
    again = [answer(), [a.numpy() for a in raw(
        value=value, pooling_ratio=ratios, pseudo_random=pseudo_random, overlapping=overlapping, deterministic=True,
        seed=DEFAULT_GRAPH_SEED, seed2=seed % (2**31 - 1))]]
    parts = [type, "x".join(map(str, channels_first(x).shape if first else shape)), "r" + "x".join(map(str, ratio)), f"seed{seed}"]
    parts += ["pseudo"] * pseudo_random + ["overlap"] * overlapping + [SHORT[dtype]] + ["NCHW"] * first
    name = "fractional_" + "_".join(parts)
    for other in again:
        for a, b in zip((y, rows, columns), other):
            agree(name, a, b, 0)
    y = y.astype(result)
    tolerance = 0 if type == "max" else TOLERANCE[result.name]
    agree(name, y, brute(x.astype(compute), rows, columns, overlapping, type).astype(result), tolerance / 2)
    params = {"type": type, "fractional": csv(ratio), "seed": str(seed)}
    if pseudo_random:
        params["pseudo-random"] = "true"
    if overlapping:
        params["overlapping"] = "true"
    if first:
        params["data-format"] = "NCHW"
        x, y = channels_first(x), channels_first(y)
    oracle = f"tf.nn.fractional_{type}_pool" + ("" if compute == np.dtype(dtype) else f" of the input as {compute}")
    oracle += ", rounded to float16" * (result == np.float16)
    family.add(name, oracle, "pool", params, {"x": x},
               {"y": y, "sequence0": rows.astype("int64"), "sequence1": columns.astype("int64")}, tolerance)


for type in ["max", "avg"]:
    for pseudo_random in [False, True]:
        for overlapping in [False, True]:
            flags = {"pseudo_random": pseudo_random, "overlapping": overlapping}
            case(type, (2, 10, 13, 3), (1.44, 1.73), **flags)
            case(type, (1, 20, 31, 1), (1.44, 1.73), seed=2, **flags)
            case(type, (1, 17, 9, 2), (2.5, 1.2), seed=7, **flags)
            case(type, (1, 8, 12, 2), (2.0, 3.0), seed=3, **flags)
            case(type, (1, 5, 64, 1), (1.0, 1.41), seed=12345, **flags)
            case(type, (1, 11, 7, 1), (1.1, 1.4), seed=4, **flags)
            case(type, (1, 9, 6, 1), (9.0, 5.5), seed=5, **flags)
            case(type, (1, 6, 100, 1), (1.9, 1.01), seed=2147483646, **flags)
            for dtype in ["float64", "int32", "int64"]:
                case(type, (2, 10, 13, 3), (1.7, 1.3), seed=9, dtype=dtype, **flags)
    case(type, (3, 9, 11, 2), (1.5, 1.6), seed=2147483653, overlapping=True)
    case(type, (2, 9, 11, 5), (1.5, 1.6), seed=6, pseudo_random=True, first=True)
    case(type, (2, 9, 11, 5), (1.5, 1.6), seed=6, first=True)
    case(type, (1, 7, 7, 2), (1.3, 1.8), seed=8, kind="negative", pseudo_random=True, overlapping=True)
    case(type, (1, 9, 10, 3), (1.6, 1.4), seed=10, dtype="uint8")
    case(type, (1, 9, 10, 3), (1.6, 1.4), seed=11, dtype="float16", overlapping=True)
for seed in range(20, 36):
    case("max", (1, 23, 29, 1), (1.35, 1.62), seed=seed, pseudo_random=seed % 2 == 0, kind="ramp")

family.save()

"""Adaptive pooling by PyTorch's rule, averages and maxima with indices."""

import itertools
import math

from golden import CHANNELS_FIRST, SHORT, Family, agree, channels_first, channels_last, csv, data, float_of, wide

import numpy as np
import torch

import brute

family = Family("adaptive", ["torch"])
TOLERANCE = {"float16": 1e-3, "float32": 1e-6, "float64": 1e-12}
torch.set_num_threads(1)


def by_definition(x, size, type):
    """Window i of an axis is floor(i*in/out) <= cell < ceil((i+1)*in/out)."""
    spatial = x.shape[1:-1]
    y = np.zeros((x.shape[0], *size, x.shape[-1]), x.dtype if type == "max" else float_of(x.dtype))
    where = np.zeros(y.shape, np.int64)
    for o in itertools.product(*map(range, size)):
        cells = [range(i * n // m, math.ceil((i + 1) * n / m)) for i, n, m in zip(o, spatial, size)]
        positions = np.array([np.ravel_multi_index(p, spatial) for p in itertools.product(*cells)])
        values = x.reshape(x.shape[0], math.prod(spatial), x.shape[-1])[:, positions]
        at = (slice(None), *o, slice(None))
        if type == "max":
            y[at], where[at] = values.max(axis=1), positions[np.argmax(values, axis=1)]
        else:
            y[at] = values.mean(axis=1, dtype="float64")
    return y, where


def case(type, shape, size, argmax=None, dtype="float32", kind=None, first=False):
    x, rank = data(shape, dtype, kind or ("small" if dtype.startswith(("int", "uint")) and type == "avg" else "mixed")), len(size)
    image = torch.from_numpy(channels_first(x if type == "max" else x.astype(wide(x.dtype))))
    oracle, indices = f"torch.nn.functional.adaptive_{type}_pool{rank}d", None
    run = getattr(torch.nn.functional, f"adaptive_{type}_pool{rank}d")
    own, where = by_definition(x, size, type)
    parts = [f"{type}{rank}d", "x".join(map(str, channels_first(x).shape if first else shape)), "to" + "x".join(map(str, size))]
    parts += [f"argmax-{argmax}"] * bool(argmax) + [SHORT[dtype]] + [CHANNELS_FIRST[rank]] * first + ["ties"] * (kind == "ties")
    name = "adaptive_" + "_".join(parts)
    if type == "max":
        try:
            y, found = run(image, size, return_indices=True)
            y, found = channels_last(y.numpy()), channels_last(found.numpy())
            agree(name + ": argmax", found, where, 0)
        except (NotImplementedError, RuntimeError) as refused:
            if "not implemented" not in str(refused):
                raise
            widened = torch.from_numpy(channels_first(x.astype("float32")))
            y, found = run(widened, size, return_indices=True)
            y, found = channels_last(y.numpy()).astype(x.dtype), channels_last(found.numpy())
            oracle += " of the input as float32, which is exact"
        if argmax:
            indices = brute.index(found, x.shape, argmax)
            oracle += "" if argmax == "pytorch" else f", its indices written as {argmax}'s"
        tolerance = 0
    else:
        y = channels_last(run(image, size).numpy()).astype(float_of(x.dtype))
        tolerance = TOLERANCE[y.dtype.name]
        if wide(x.dtype) != x.dtype:
            oracle += f" of the input as {wide(x.dtype)}" + ", rounded to float16" * (dtype == "float16")
    agree(name, y, own, tolerance / 2)
    params = {"type": type, "output-size": csv(size)}
    if argmax and argmax != "tensorflow":
        params["argmax-index"] = argmax
    if first:
        params["data-format"] = CHANNELS_FIRST[rank]
        x, y = channels_first(x), channels_first(y)
        indices = None if indices is None else channels_first(indices)
    family.add(name, oracle, "pool", params, {"x": x}, {"y": y, "argmax": indices}, tolerance)


SETTINGS = [
    ((2, 5, 3), (3,)), ((1, 3, 2), (5,)), ((1, 12, 1), (5,)), ((3, 7, 2), (1,)), ((1, 8, 2), (8,)),
    ((2, 7, 9, 3), (3, 4)), ((1, 5, 4, 2), (7, 3)), ((1, 8, 6, 5), (4, 3)), ((2, 6, 7, 2), (1, 1)), ((1, 3, 5, 1), (6, 10)),
    ((1, 11, 13, 2), (7, 5)), ((0, 5, 4, 2), (3, 2)),
    ((1, 5, 6, 4, 2), (3, 4, 2)), ((2, 3, 4, 5, 1), (1, 2, 7)), ((1, 4, 4, 6, 3), (2, 2, 3))]
for n, (shape, size) in enumerate(SETTINGS):
    case("avg", shape, size)
    case("avg", shape, size, dtype="float64", first=True)
    case("max", shape, size, argmax="pytorch", first=n % 2 == 0)
    case("max", shape, size, argmax="tensorflow", kind="ties", first=n % 2 == 1)
    case("max", shape, size, argmax="onnx", kind="negative")
for dtype in ["uint8", "int8", "uint16", "int16", "int32", "int64", "float16", "float64"]:
    case("avg", (2, 7, 9, 3), (3, 4), dtype=dtype)
    if dtype not in ("int32", "int64"):
        case("max", (2, 7, 9, 3), (3, 4), argmax="pytorch", dtype=dtype)
    case("max", (1, 5, 6, 4, 2), (3, 4, 2), dtype=dtype, kind="ties")

family.save()

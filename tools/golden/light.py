"""Averages and resizing in linear light, by the definition in numpy, in float64.

Samples are decoded by the transfer function of IEC 61966-2-1, averaged or resized by a matrix for each axis, and encoded
to the nearest level, half to even.  The last of 2 or 4 channels is alpha, which is averaged as it is.  poolctl computes in float32: samples of
8 bits must be equal, those of 16 bits may be off by one level.  Sizes are such that weights of bilinear are exact in float32, as halves of alpha must be.
"""

from golden import CHANNELS_FIRST, SHORT, Family, axes, channels_first, csv, data, pads

import numpy as np

from brute import taps

family = Family("light", [], "light")


def decode(level, top):
    """Light, 12.92 * top where white is 1 in the standard: so that dark levels, and halves between them, are exact."""
    v = level / top
    return np.where(v <= 0.04045, level, 12.92 * top * ((np.maximum(v, 0.04045) + 0.055) / 1.055) ** 2.4)


def encode(light, top):
    v = light / (12.92 * top)
    return np.where(v <= 0.0031308, light, top * (1.055 * np.maximum(v, 0.0031308) ** (1 / 2.4) - 0.055))


def in_light(x, compute):
    top = np.iinfo(x.dtype).max
    alpha = x.shape[-1] in (2, 4)
    light = decode(x.astype("float64"), top)
    if alpha:
        light[..., -1] = x[..., -1]
    y = compute(light)
    levels = encode(y, top)
    if alpha:
        levels[..., -1] = y[..., -1]
    return np.clip(np.rint(levels), 0, top).astype(x.dtype)


def along(x, matrices):
    """Each spatial axis of N..C multiplied by its matrix, out rows of in."""
    for axis, m in enumerate(matrices, 1):
        x = np.moveaxis(np.tensordot(m, x, (1, axis)), 0, axis)
    return x


def mean_of(cells, n):
    m = np.zeros((len(cells), n))
    for o, seen in enumerate(cells):
        m[o, seen] = 1 / len(seen)
    return m


def resize_matrix(method, n, out):
    m, ratio = np.zeros((out, n)), n / out
    for o in range(out):
        place = (o + 0.5) * ratio - 0.5
        below = int(np.floor(place))
        if method == "area":
            for c in range(n):
                m[o, c] = max(0, min((o + 1) * ratio, c + 1) - max(o * ratio, c)) / ratio
        elif method == "bilinear":
            m[o, np.clip(below, 0, n - 1)] += 1 - (place - below)
            m[o, np.clip(below + 1, 0, n - 1)] += place - below
        else:  # Keys, factor -1/2; cells outside weigh nothing
            for c in range(max(0, below - 1), min(n, below + 3)):
                d = abs(place - c)
                m[o, c] = 1.5 * d**3 - 2.5 * d**2 + 1 if d <= 1 else -0.5 * d**3 + 2.5 * d**2 - 4 * d + 2
            m[o] /= m[o].sum()
    return m


def add(name, op, params, x, y, first):
    if first:
        params["data-format"] = CHANNELS_FIRST[x.ndim - 2]
        name.append("first")
        x, y = channels_first(x), channels_first(y)
    tolerance = 0 if x.dtype == np.uint8 else 1 / int(y.max())
    family.add("_".join([*name, SHORT[x.dtype.name]]), "numpy, by the definition", op, {**params, "linear-light": "true"}, {"x": x}, {"y": y}, tolerance)


def pool(x, window, strides=None, padding="VALID", first=False):
    strides = strides or window
    out, lo, _ = axes(x.shape[1:-1], window, strides, [1] * len(window), padding)
    cells = [[taps(o, n, k, s, 1, l) for o in range(m)] for m, n, k, s, l in zip(out, x.shape[1:-1], window, strides, lo)]
    y = in_light(x, lambda light: along(light, [mean_of(c, n) for c, n in zip(cells, x.shape[1:-1])]))
    name = ["pool", "x".join(map(str, x.shape)), csv(window), csv(strides), pads(padding)]
    add(name, "pool", {"type": "avg", "window": csv(window), "strides": csv(strides), "padding": pads(padding)}, x, y, first)


def resize(x, size, method, first=False):
    y = in_light(x, lambda light: along(light, [resize_matrix(method, n, m) for n, m in zip(x.shape[1:-1], size)]))
    add([method, "x".join(map(str, x.shape)), csv(size)], "resize", {"size": csv(size), "method": method}, x, y, first)


def levels(dtype):
    """Every level of uint8, or levels at even distances and the darkest ones."""
    top = np.iinfo(dtype).max
    ramp = np.unique(np.concatenate([np.arange(256), np.linspace(0, top, 4096).round().astype(int)])) if top > 255 else np.arange(256)
    return ramp.astype(dtype).reshape(1, -1, 1)


for dtype in ["uint8", "uint16"]:
    pool(levels(dtype), (1,))
    pool(levels(dtype), (2,), (1,))
    for channels in [1, 2, 3, 4]:
        for first in [False, True]:
            x = data((2, 12, 10, channels), dtype)
            pool(x, (3, 2), first=first)
            pool(x, (3, 3), (2, 1), "SAME", first=first)
            resize(x, (8, 20), "bilinear", first)
            resize(x, (4, 5), "area", first)
            resize(x, (24, 5), "bicubic", first)
    for first in [False, True]:
        pool(data((2, 30, 4), dtype), (4,), (3,), "SAME", first=first)
        resize(data((2, 30, 4), dtype), (20,), "area", first)
        pool(data((1, 6, 8, 4, 2), dtype), (2, 3, 2), first=first)
        resize(data((1, 6, 8, 4, 2), dtype), (3, 16, 8), "bilinear", first)

family.save()

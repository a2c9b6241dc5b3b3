"""Pooling, convolution and morphology by their definition, in plain numpy.

The rules: padding is skipped by pooling and is zero for convolution; an average
divides by its real cells; the first of equal extrema in row-major order wins; a
window that holds a NaN gives NaN and the index of its first NaN.  Every tensor
is N..C.  These functions stand in only where no framework can compute a case;
everywhere else they are the second opinion.
"""

import itertools

import numpy as np

from golden import axes, float_of


def taps(o, n, k, s, d, lo):
    """The input cells that output o sees along one axis."""
    return [p for t in range(k) if 0 <= (p := o * s - lo + t * d) < n]


def pool(c):
    """y and the position (row-major, spatial) of the extremum, for a pool_case.Pool."""
    spatial = c.x.shape[1:-1]
    out, lo, hi = axes(spatial, c.window, c.steps, c.rates, c.pad, c.ceil)
    extremum = c.type in ("max", "min")
    result = np.zeros((c.x.shape[0], *out, c.x.shape[-1]), c.x.dtype if extremum else float_of(c.x.dtype))
    where = np.zeros(result.shape, np.int64)
    for o in itertools.product(*map(range, out)):
        cells = [taps(*a) for a in zip(o, spatial, c.window, c.steps, c.rates, lo)]
        positions = np.array([np.ravel_multi_index(p, spatial) for p in itertools.product(*cells)], np.int64)
        if positions.size == 0:
            raise ValueError(f"window {o} holds no real cell")
        values = c.x.reshape(c.x.shape[0], int(np.prod(spatial)), c.x.shape[-1])[:, positions, :]
        at = (slice(None), *o, slice(None))
        if extremum:
            first = first_extremum(values, c.type, c.nan)
            result[at] = np.take_along_axis(values, first[:, None, :], 1)[:, 0, :]
            where[at] = positions[first]
            continue
        values = values.astype("float64")
        if c.type == "lp":
            result[at] = ((np.abs(values) ** c.p).sum(axis=1) ** (1 / c.p)).astype(result.dtype)
            continue
        with np.errstate(invalid="ignore"):  # inf - inf
            total = values.sum(axis=1)
        if c.type == "avg":
            count = len(positions)
            if c.include_pad:
                count = np.prod([
                    sum(-l <= oi * s - l + t * d < n + h for t in range(k))
                    for oi, n, k, s, d, l, h in zip(o, spatial, c.window, c.steps, c.rates, lo, hi)])
            total = total / (c.divisor if c.divisor is not None else count)
        result[at] = total.astype(result.dtype)
    return result, where


def first_extremum(values, kind, nan):
    """The place of the first maximum (minimum) along axis 1 of (N, cells, C)."""
    best = np.argmax if kind == "max" else np.argmin
    if values.dtype.kind != "f":
        return best(values, axis=1)
    isnan = np.isnan(values)
    if nan == "propagate":
        worst = -np.inf if kind == "max" else np.inf
        return np.where(isnan.any(axis=1), np.argmax(isnan, axis=1), best(np.where(isnan, worst, values), axis=1))
    with np.errstate(all="ignore"):
        reduce = np.fmax.reduce if kind == "max" else np.fmin.reduce
        extreme = reduce(values, axis=1)
    return np.argmax(values == extreme[:, None, :], axis=1)  # all NaN: none is equal, 0


def index(position, shape, convention, batch=False):
    """Spatial positions, an array (N, .., C), as flat indices of a convention; shape is the input's N..C."""
    spatial, channels = shape[1:-1], shape[-1]
    cells = int(np.prod(spatial))
    n = np.arange(position.shape[0]).reshape(-1, *[1] * (position.ndim - 1))
    ch = np.arange(channels)
    if convention == "tensorflow":
        return (n * cells * batch + position) * channels + ch
    if convention == "pytorch":
        return position.copy()
    if convention == "onnx-column-major":
        coordinates = np.unravel_index(position, spatial)
        position = np.ravel_multi_index(coordinates[::-1], spatial[::-1])
    return (n * channels + ch) * cells + position


def position(index_, shape, convention):
    """The inverse of index, for indices of a tensor N..C (batch and channel parts are dropped)."""
    spatial, channels = shape[1:-1], shape[-1]
    cells = int(np.prod(spatial))
    if convention == "tensorflow":
        return index_ // channels % cells
    if convention == "pytorch":
        return index_
    place = index_ % cells
    if convention == "onnx-column-major":
        coordinates = np.unravel_index(place, spatial[::-1])
        place = np.ravel_multi_index(coordinates[::-1], spatial)
    return place


def conv(x, f, strides, dilations, padding, groups=1, bias=None):
    """Cross-correlation in float64 of N..C with k..IO, I counted per group."""
    window, (ci, co) = f.shape[:-2], f.shape[-2:]
    out, lo, _ = axes(x.shape[1:-1], window, strides, dilations, padding)
    y = np.zeros((x.shape[0], *out, co))
    wide_x, wide_f = x.astype("float64"), f.astype("float64")
    per = co // groups
    for o in itertools.product(*map(range, out)):
        for t in itertools.product(*map(range, window)):
            p = [a * s - l + b * d for a, s, l, b, d in zip(o, strides, lo, t, dilations)]
            if any(not 0 <= a < n for a, n in zip(p, x.shape[1:-1])):
                continue
            cell, tap = wide_x[(slice(None), *p)], wide_f[t]
            for g in range(groups):
                y[(slice(None), *o, slice(g * per, (g + 1) * per))] += (
                    cell[:, g * ci:(g + 1) * ci] @ tap[:, g * per:(g + 1) * per])
    return y if bias is None else y + bias.astype("float64")


def conv_transpose(x, f, spatial, strides, dilations, padding, groups=1, bias=None):
    """The gradient of conv to its input of the given spatial size; f is k..OI, O counted per group.

    Beyond SAME the size may hold a surplus below max(stride, dilation), as PyTorch's output_padding allows.
    """
    window, (co, ci) = f.shape[:-2], f.shape[-2:]
    out, lo, hi = axes(spatial, window, strides, dilations, padding)
    if padding in ("SAME", "SAME_LOWER"):
        valid = tuple(out) == x.shape[1:-1]
    else:
        natural = [(n - 1) * s + (k - 1) * d + 1 - l - h
                   for n, s, k, d, l, h in zip(x.shape[1:-1], strides, window, dilations, lo, hi)]
        valid = all(0 <= n - m < max(s, d) for n, m, s, d in zip(spatial, natural, strides, dilations))
    if not valid:
        raise ValueError(f"{x.shape[1:-1]} cannot become {spatial}")
    out = x.shape[1:-1]
    y = np.zeros((x.shape[0], *spatial, co * groups))
    wide_x, wide_f = x.astype("float64"), f.astype("float64")
    per = ci // groups
    for o in itertools.product(*map(range, out)):
        for t in itertools.product(*map(range, window)):
            p = [a * s - l + b * d for a, s, l, b, d in zip(o, strides, lo, t, dilations)]
            if any(not 0 <= a < n for a, n in zip(p, spatial)):
                continue
            cell, tap = wide_x[(slice(None), *o)], wide_f[t]
            for g in range(groups):
                y[(slice(None), *p, slice(g * co, (g + 1) * co))] += (
                    cell[:, g * per:(g + 1) * per] @ tap[:, g * per:(g + 1) * per].T)
    return y if bias is None else y + bias.astype("float64")


def depthwise(x, f, strides, dilations, padding, bias=None):
    """Depthwise convolution of NHWC with HWIM: channel i*M + m sees input channel i only."""
    h, w, channels, multiplier = f.shape
    return conv(x, f.reshape(h, w, 1, channels * multiplier), strides, dilations, padding, channels, bias)


def morphology(x, f, strides, dilations, padding, erode):
    """max(x + f), or min(x - mirrored f) like tf.nn.erosion2d; padding is skipped."""
    window = f.shape[:2]
    out, lo, _ = axes(x.shape[1:-1], window, strides, dilations, padding)
    y = np.zeros((x.shape[0], *out, x.shape[-1]), x.dtype)
    for o in itertools.product(*map(range, out)):
        found = []
        for t in itertools.product(*map(range, window)):
            p = [a * s - l + b * d for a, s, l, b, d in zip(o, strides, lo, t, dilations)]
            if all(0 <= a < n for a, n in zip(p, x.shape[1:-1])):
                cell = x[(slice(None), *p)]
                found.append(cell - f[::-1, ::-1][t] if erode else cell + f[t])
        y[(slice(None), *o)] = (np.min if erode else np.max)(found, axis=0)
    return y

"""Gradients by their definition, in plain numpy: the second opinion on every library's.

Every tensor is N..C.  A window is the list of its real cells, so that one rule
serves pooling with any padding, stride and dilation, and adaptive and fractional
regions.  Sums are made in float64 and rounded once, +0 where they vanish.
"""

import itertools
import math

import numpy as np

from brute import first_extremum, taps
from golden import axes


def window_cells(c):
    """For every axis the cells that each output sees, of a pool_case.Pool."""
    out, lo, _ = c.geometry
    return [[taps(o, n, k, s, d, l) for o in range(m)]
            for m, n, k, s, d, l in zip(out, c.x.shape[1:-1], c.window, c.steps, c.rates, lo)]


def adaptive_cells(spatial, size):
    """The same of adaptive pooling: floor(i*in/out) <= cell < ceil((i+1)*in/out)."""
    return [[range(i * n // m, math.ceil((i + 1) * n / m)) for i in range(m)] for n, m in zip(spatial, size)]


def fractional_cells(spatial, sequences, overlapping):
    """The same of fractional pooling: an overlapping region includes the first cell of the next."""
    return [[range(s[i], min(s[i + 1] + overlapping, n)) for i in range(len(s) - 1)]
            for n, s in zip(spatial, sequences)]


def windows(spatial, cells):
    """Each output's place with the positions (row-major, spatial) of its cells."""
    for o in itertools.product(*(range(len(axis)) for axis in cells)):
        inside = itertools.product(*(axis[i] for axis, i in zip(cells, o)))
        yield (slice(None), *o, slice(None)), np.array([np.ravel_multi_index(p, spatial) for p in inside], np.int64)


def flat(x):
    """N..C as N, cells, C."""
    return x.reshape(x.shape[0], math.prod(x.shape[1:-1]), x.shape[-1])


def finish(dx, x):
    return (dx.reshape(x.shape) + 0.0).astype(x.dtype)


def extremum(x, cells, upstream, type="max", ties="first", nan="propagate"):
    """Routes each upstream gradient to the extremum: to the first or last of equal ones, in full to each, or in equal parts."""
    dx, values = np.zeros(flat(x).shape), flat(x)
    batch, channel = np.arange(x.shape[0])[:, None], np.arange(x.shape[-1])
    for at, positions in windows(x.shape[1:-1], cells):
        seen, dy = values[:, positions], upstream[at].astype("float64")
        first = first_extremum(seen, type, nan)
        if ties == "first":
            np.add.at(dx, (batch, positions[first], channel), dy)
            continue
        equal = seen == np.take_along_axis(seen, first[:, None], 1)
        if ties == "last":
            last = len(positions) - 1 - np.argmax(equal[:, ::-1], axis=1)
            np.add.at(dx, (batch, positions[last], channel), dy)
        else:
            share = dy / equal.sum(axis=1) if ties == "split" else dy
            dx[:, positions] += equal * share[:, None]
    return finish(dx, x)


def linear(x, cells, upstream, divisor=None):
    """The gradient of a sum over divisor(place, count of real cells); None divides by that count."""
    dx = np.zeros(flat(x).shape)
    for at, positions in windows(x.shape[1:-1], cells):
        by = len(positions) if divisor is None else divisor(at[1:-1], len(positions))
        dx[:, positions] += (upstream[at].astype("float64") / by)[:, None]
    return finish(dx, x)


def lp(x, cells, upstream, p):
    """The gradient of (sum |x|^p)^(1/p), for windows that are not all 0."""
    dx, values = np.zeros(flat(x).shape), flat(x).astype("float64")
    for at, positions in windows(x.shape[1:-1], cells):
        seen = values[:, positions]
        y = (np.abs(seen) ** p).sum(axis=1) ** (1 / p)
        dx[:, positions] += (upstream[at] * y ** (1 - p))[:, None] * np.sign(seen) * np.abs(seen) ** (p - 1)
    return finish(dx, x)


def pool(c, upstream):
    """The gradient of a pool_case.Pool with ties."""
    cells = window_cells(c)
    if c.extremum:
        return extremum(c.x, cells, upstream, c.type, c.ties, c.nan)
    if c.type == "lp":
        return lp(c.x, cells, upstream, c.p)
    if c.type == "sum" or c.divisor is not None:
        return linear(c.x, cells, upstream, lambda place, count: 1 if c.type == "sum" else c.divisor)
    if not c.include_pad:
        return linear(c.x, cells, upstream)
    _, lo, hi = c.geometry

    def counted(place, _):
        return math.prod(sum(o * s - l + t * d < n + h for t in range(k)) for o, n, k, s, d, l, h in zip(
            place, c.x.shape[1:-1], c.window, c.steps, c.rates, lo, hi))

    return linear(c.x, cells, upstream, counted)


def gather(g, where):
    """g (N..C) at spatial positions (N..C, row-major): the second derivative of a maximum, the gradient of unpooling."""
    return np.take_along_axis(flat(g), flat(where), 1).reshape(where.shape)


def scatter(upstream, where, shape):
    """Adds every upstream gradient at its spatial position, in a tensor of shape N..C."""
    dx = np.zeros((shape[0], math.prod(shape[1:-1]), shape[-1]))
    np.add.at(dx, (np.arange(shape[0])[:, None, None], flat(where), np.arange(shape[-1])), flat(upstream))
    return (dx.reshape(shape) + 0.0).astype(upstream.dtype)


def conv(x, f, upstream, strides, dilations, padding, groups=1, transpose=False):
    """dx, dfilter and dbias in float64 of brute.conv, or of brute.conv_transpose (which has f as k..OI)."""
    window, (ci, co) = f.shape[:-2], f.shape[-2:]
    # a transpose exchanges the image with what it is convolved to
    image, result = (upstream, x) if transpose else (x, upstream)
    _, lo, _ = axes(image.shape[1:-1], window, strides, dilations, padding)
    image, result, tap = image.astype("float64"), result.astype("float64"), f.astype("float64")
    dx, df, per = np.zeros(x.shape), np.zeros(f.shape), co // groups
    for o in itertools.product(*map(range, result.shape[1:-1])):
        for t in itertools.product(*map(range, window)):
            p = [a * s - l + b * d for a, s, l, b, d in zip(o, strides, lo, t, dilations)]
            if any(not 0 <= a < n for a, n in zip(p, image.shape[1:-1])):
                continue
            for g in range(groups):
                near, far = slice(g * ci, (g + 1) * ci), slice(g * per, (g + 1) * per)
                cell, seen = image[(slice(None), *p, near)], result[(slice(None), *o, far)]
                df[(*t, slice(None), far)] += cell.T @ seen
                if transpose:
                    dx[(slice(None), *o, far)] += cell @ tap[t][:, far]
                else:
                    dx[(slice(None), *p, near)] += seen @ tap[t][:, far].T
    return dx, df, upstream.astype("float64").reshape(-1, upstream.shape[-1]).sum(axis=0)


def morphology(x, f, upstream, strides, dilations, padding, erode):
    """dx and dfilter: the gradient goes to the first cell that gave the extremum, and its tap; minus for erosion's tap."""
    window = f.shape[:2]
    out, lo, _ = axes(x.shape[1:-1], window, strides, dilations, padding)
    dx, df = np.zeros(x.shape), np.zeros(f.shape)
    for o in itertools.product(*map(range, out)):
        places, found = [], []
        for t in itertools.product(*map(range, window)):
            p = tuple(a * s - l + b * d for a, s, l, b, d in zip(o, strides, lo, t, dilations))
            if all(0 <= a < n for a, n in zip(p, x.shape[1:-1])):
                tap = tuple(k - 1 - b for k, b in zip(window, t)) if erode else t
                places.append((p, tap))
                cell = x[(slice(None), *p)]
                found.append(cell - f[tap] if erode else cell + f[tap])
        chosen = (np.argmin if erode else np.argmax)(np.array(found), axis=0)
        for n, channel in np.ndindex(chosen.shape):
            p, tap = places[chosen[n, channel]]
            dy = float(upstream[(n, *o, channel)])
            dx[(n, *p, channel)] += dy
            df[(*tap, channel)] += -dy if erode else dy
    return finish(dx, x), finish(df, f)

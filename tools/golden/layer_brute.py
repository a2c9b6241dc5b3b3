"""Layers by their definition, in plain numpy, with the gradient of each: the second opinion on every library's.

Each function returns what Layer.brute calls: of tensors by role, in float64, and the
gradient that arrives or None, it gives (y, gradients by role).
"""

import math

import numpy as np


def elementwise(f, slope):
    """y = f(x); slope(x, y) is the derivative, an array of booleans where it is 0 or 1: a gradient that it stops is 0 even if infinite."""
    def brute(t, dy):
        y = f(t["x"])
        if dy is None:
            return y, None
        s = slope(t["x"], y)
        return y, {"x": np.where(s, dy, 0) if s.dtype == bool else dy * s}
    return brute


def summed(a):
    """Over everything but the channels, exactly rounded."""
    rows = a.reshape(-1, a.shape[-1]) if a.size else np.zeros((0, a.shape[-1]))
    return np.array([math.fsum(rows[:, c]) if np.isfinite(rows[:, c]).all() else rows[:, c].sum() for c in range(a.shape[-1])])


def bias_add(t, dy):
    return t["x"] + t["bias"], None if dy is None else {"x": dy, "bias": summed(dy)}


def batch_norm(epsilon):
    def brute(t, dy):
        inverse = 1 / np.sqrt(t["variance"] + epsilon)
        normal, scale = (t["x"] - t["mean"]) * inverse, t.get("scale", 1.0)
        y = normal * scale + t.get("offset", 0.0)
        if dy is None:
            return y, None
        gradients = {"x": dy * scale * inverse, "scale": summed(dy * normal), "offset": summed(dy)}
        return y, {k: v for k, v in gradients.items() if k in t}
    return brute


def dense(t, dy):
    rows = t["x"].reshape(-1, t["x"].shape[-1])
    y = (rows @ t["filter"]).reshape(*t["x"].shape[:-1], t["filter"].shape[1]) + t.get("bias", 0.0)
    if dy is None:
        return y, None
    d = dy.reshape(-1, dy.shape[-1])
    gradients = {"x": (d @ t["filter"].T).reshape(t["x"].shape), "filter": rows.T @ d, "bias": summed(dy)}
    return y, {k: v for k, v in gradients.items() if k in t}


def softmax(axis):
    def brute(t, dy):
        e = np.exp(t["x"] - t["x"].max(axis=axis, keepdims=True, initial=-np.inf))
        y = e / e.sum(axis=axis, keepdims=True)
        return y, None if dy is None else {"x": y * (dy - (dy * y).sum(axis=axis, keepdims=True))}
    return brute


def neighbours(a, before, after):
    """The sum of every channel's neighbours, term by term."""
    channels = a.shape[-1]
    return np.stack([a[..., max(0, c - before):c + after + 1].sum(-1) for c in range(channels)], -1)


def lrn(before, after, bias, alpha, beta):
    def brute(t, dy):
        x = t["x"]
        n = bias + alpha * neighbours(x * x, before, after)
        y = x * n ** -beta
        if dy is None:
            return y, None
        return y, {"x": dy * n ** -beta - 2 * alpha * beta * x * neighbours(dy * x * n ** (-beta - 1), after, before)}
    return brute


def cropped(a, pads):
    return a[tuple(slice(max(0, -lo), n + min(0, hi)) for n, (lo, hi) in zip(a.shape, pads))]


def grown(pads):
    return [(max(0, lo), max(0, hi)) for lo, hi in pads]


def pad(pads, mode, value):
    """By padding the cells' places: each new cell holds a place, or none. Negative pads are cropped first."""
    def brute(t, dy):
        x = t["x"]
        places = cropped(np.arange(x.size).reshape(x.shape), pads)
        if mode == "constant":
            places = np.pad(places, grown(pads), constant_values=-1)
        else:
            places = np.pad(places, grown(pads), mode)
        y = np.append(x.reshape(-1), np.array([value], x.dtype))[places]
        if dy is None:
            return y, None
        dx = np.zeros(x.size + 1)
        np.add.at(dx, places.reshape(-1), dy.reshape(-1))
        return y, {"x": dx[:-1].reshape(x.shape)}
    return brute


def flatten(t, dy):
    x = t["x"]
    return x.reshape(x.shape[0], math.prod(x.shape[1:])), None if dy is None else {"x": dy.reshape(x.shape)}


def roll(shift, axis):
    """Each cell moves to (place + shift) mod size; the gradient moves back."""
    def brute(t, dy):
        back = None if dy is None else {"x": np.roll(dy, [-s for s in shift], axis)}
        return np.roll(t["x"], shift, axis), back
    return brute


def add(t, dy):
    y, *rest = t.values()
    for x in rest:
        y = y + x
    return y, None if dy is None else dict.fromkeys(t, dy)


def concat(axis):
    def brute(t, dy):
        y = np.concatenate(list(t.values()), axis)
        if dy is None:
            return y, None
        ends = np.cumsum([x.shape[axis] for x in t.values()])[:-1]
        return y, dict(zip(t, np.split(dy, ends, axis)))
    return brute

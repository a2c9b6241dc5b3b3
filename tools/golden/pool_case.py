"""One pooling case: its setting, and the check that all its oracles agree."""

from dataclasses import dataclass

import golden  # before tensorflow: it pins the environment

import numpy as np

import brute
from golden import CHANNELS_FIRST, SHORT, axes, channels_first, csv, float_of
from pool_oracles import brute_pool, onnxruntime_pool, padded_pool, tensorflow_pool, torch_pool


@dataclass
class Pool:
    """A setting; x is N..C whatever layout the case is stored in."""

    x: np.ndarray
    type: str
    window: tuple
    strides: tuple | None = None       # None: the window, left out of the parameters
    padding: object = None             # None: VALID, left out; a word; or pairs
    dilations: tuple | None = None
    ceil: bool = False
    include_pad: bool = False
    divisor: int | None = None
    p: object = 2
    nan: str = "propagate"
    argmax: str | None = None          # the index convention, or None for no argmax
    batch: bool = False                # include_batch_in_index
    first: bool = False                # store in NC..
    note: str = ""                     # ends the name
    one_nan: bool = False              # at most one NaN a window: torch's index is the first then
    as_global: bool = False            # written as --window global
    accurate: bool = False             # what float32 arithmetic loses: in float64 only

    @property
    def rank(self):
        return self.x.ndim - 2

    @property
    def steps(self):
        return self.strides or self.window

    @property
    def rates(self):
        return self.dilations or (1,) * self.rank

    @property
    def pad(self):
        return self.padding or "VALID"

    @property
    def geometry(self):
        return axes(self.x.shape[1:-1], self.window, self.steps, self.rates, self.pad, self.ceil)

    @property
    def dense(self):
        return all(d == 1 for d in self.rates)

    @property
    def finite(self):
        return self.x.dtype.kind != "f" or bool(np.isfinite(self.x).all())

    @property
    def extremum(self):
        return self.type in ("max", "min")

    @property
    def tolerance(self):
        if self.extremum:
            return 0
        return {"float16": 1e-3, "float32": 1e-6, "float64": 1e-12}[float_of(self.x.dtype).name]

    def params(self):
        p = {"type": self.type, "window": "global" if self.as_global else csv(self.window)}
        if self.strides:
            p["strides"] = csv(self.strides)
        if self.padding:
            p["padding"] = golden.pads(self.padding)
        if self.dilations:
            p["dilations"] = csv(self.dilations)
        if self.ceil:
            p["ceil-mode"] = "true"
        if self.include_pad:
            p["count-include-pad"] = "true"
        if self.divisor is not None:
            p["divisor"] = str(self.divisor)
        if self.type == "lp" and self.p != 2:
            p["p"] = str(self.p)
        if self.nan != "propagate":
            p["nan"] = self.nan
        if self.argmax and self.argmax != "tensorflow":
            p["argmax-index"] = self.argmax
        if self.batch:
            p["include-batch-in-index"] = "true"
        if self.first:
            p["data-format"] = CHANNELS_FIRST[self.rank]
        if 0 in self.geometry[0]:
            p["empty"] = "allow"
        return p

    def name(self):
        shape = (channels_first(self.x) if self.first else self.x).shape
        parts = [f"{self.type}{self.rank}d", "x".join(map(str, shape))]
        parts.append("kglobal" if self.as_global else "k" + "x".join(map(str, self.window)))
        if self.strides:
            parts.append("s" + "x".join(map(str, self.strides)))
        if isinstance(self.padding, str):
            parts.append(self.padding)
        elif self.padding:
            parts.append("p" + "_".join(f"{a}.{b}" for a, b in self.padding))
        if self.dilations:
            parts.append("d" + "x".join(map(str, self.dilations)))
        parts += ["ceil"] * self.ceil + ["includepad"] * self.include_pad
        if self.divisor is not None:
            parts.append(f"div{self.divisor}")
        if self.type == "lp":
            parts.append(f"lp{self.p}")
        if self.nan != "propagate":
            parts.append("nan-" + self.nan)
        if self.argmax:
            parts.append("argmax-" + self.argmax + "-batch" * self.batch)
        parts.append(SHORT[self.x.dtype.name])
        if self.first:
            parts.append(CHANNELS_FIRST[self.rank])
        return "_".join(parts + [self.note] * bool(self.note))

    def flip(self, values):
        """For min: an order-reversing map that is its own inverse (minimum = flip of maximum of flip)."""
        if self.type != "min":
            return values
        return -values if values.dtype.kind == "f" else ~values


def add(family, c):
    """Computes a case by the first oracle that can, checks it against all others, and adds it."""
    name, exact = c.name(), brute_pool(c)
    order = [tensorflow_pool, torch_pool, onnxruntime_pool]
    if c.argmax == "pytorch":
        order = [torch_pool, tensorflow_pool, onnxruntime_pool]
    elif c.argmax and c.argmax.startswith("onnx"):
        order = [onnxruntime_pool, tensorflow_pool, torch_pool]
    if c.accurate or c.nan != "propagate" and not c.finite:
        order = []
    found = [a for a in (oracle(c) for oracle in [*order, padded_pool]) if a is not None]
    for y, where, by in found:
        golden.agree(f"{name}: {by}", y, exact[0], c.tolerance / 2)
        if c.argmax and where is not None:
            golden.agree(f"{name}: {by}: argmax", where, exact[1], 0)
    found = [a for a in found if not c.argmax or a[1] is not None] + [exact]
    y, where, by = found[0]
    indices = brute.index(where, c.x.shape, c.argmax, c.batch) if c.argmax else None
    if indices is not None and not by.startswith("numpy"):
        native = {"tf": "tensorflow", "torch": "pytorch"}.get(by.lstrip("-").split(".")[0], "onnx")
        if not c.argmax.startswith(native):
            by += f", its indices written as {c.argmax}'s"
    x = c.x
    if c.first:
        x, y = channels_first(x), channels_first(y)
        indices = channels_first(indices) if c.argmax else None
    family.add(name, by, "pool", c.params(), {"x": x}, {"y": y, "argmax": indices}, c.tolerance)

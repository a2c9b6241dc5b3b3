"""The workloads of ../workloads.txt, and the geometry that the peers need to be told."""

import shlex
from dataclasses import dataclass, field
from pathlib import Path

FILE = Path(__file__).resolve().parent.parent / "workloads.txt"
LARGE = 15  # windows from which a library is asked for one axis after another


def put(values, i, value):
    return [value if j == i else v for j, v in enumerate(values)]


@dataclass
class Workload:
    name: str
    command: str  # of `poolctl bench`
    op: str
    goal_peer: float
    goal_limit: float
    shape: tuple  # channels last
    type: str = ""
    window: tuple = ()  # spatial size of the window or filter
    strides: tuple = ()
    padding: str = "VALID"
    argmax: bool = False
    grad: str = ""
    filter: tuple = ()
    pads: list = field(default_factory=list)  # (before, after) of each spatial dimension

    @property
    def spatial(self):
        return self.shape[1:-1]

    @property
    def axes(self):
        """The windows to apply one after another: a large window gives the same result axis by axis."""
        if max(self.window) < LARGE:
            return [(self.window, self.strides, self.pads)]
        ones, none = [1] * len(self.window), [(0, 0)] * len(self.window)
        return [tuple(put(rest, i, of[i]) for rest, of in ((ones, self.window), (ones, self.strides), (none, self.pads)))
                for i in range(len(self.window))]

    @property
    def out_spatial(self):
        return tuple((n + lo + hi - k) // s + 1
                     for n, k, s, (lo, hi) in zip(self.spatial, self.window, self.strides, self.pads))

    @property
    def out_channels(self):
        if self.op == "depthwise-conv2d":
            return self.filter[-2] * self.filter[-1]
        return self.filter[-1] if self.filter else self.shape[-1]

    @property
    def out_shape(self):
        return (self.shape[0], *self.out_spatial, self.out_channels)


def numbers(text):
    return tuple(int(n) for n in text.split(","))


def spread(values, rank):
    return values * rank if len(values) == 1 else values


def parse(line):
    name, command, goals = (part.strip() for part in line.split("|"))
    op, *words = shlex.split(command)
    flags, i = {}, 0
    while i < len(words):
        key = words[i].lstrip("-")
        if i + 1 == len(words) or words[i + 1].startswith("--"):
            flags[key], i = True, i + 1
        else:
            flags[key], i = words[i + 1], i + 2
    peer, limit = (float(g) for g in goals.split())
    w = Workload(name, command, op, peer, limit, numbers(flags["shape"]), flags.get("type", ""),
                 padding=flags.get("padding", "VALID"), argmax="argmax" in flags, grad=flags.get("grad", ""),
                 filter=numbers(flags["filter-shape"]) if "filter-shape" in flags else ())
    rank = len(w.spatial)
    w.window = w.filter[:rank] if w.filter else spread(numbers(flags["window"]), rank)
    default = (1,) if w.filter else w.window
    w.strides = spread(numbers(flags["strides"]) if "strides" in flags else default, rank)
    for n, k, s in zip(w.spatial, w.window, w.strides):
        total = max(0, (-(-n // s) - 1) * s + k - n) if w.padding == "SAME" else 0
        w.pads.append((total // 2, total - total // 2))
    return w


def workloads():
    lines = FILE.read_text().splitlines()
    return [parse(line) for line in lines if line.strip() and not line.startswith("#")]

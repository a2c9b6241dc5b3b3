#!/usr/bin/env python3
"""Times poolctl as the work grows and writes docs/performance.md's tables of it and their plot: growth.py POOLCTL

Pixels from 10^4 to 10^9, channels, windows from 2 to 255, threads. Needs 8 GB of memory and some three minutes.
"""

import json
import os
import subprocess
import sys

from page import fill, plt, save, table

POOLCTL = sys.argv[1]
THREADS = len(os.sched_getaffinity(0))
SIDES = [100, 316, 1000, 3162, 10000, 31623]
CHANNELS = [1, 2, 3, 4, 8, 16, 32, 64, 128, 256]
WINDOWS = [2, 3, 5, 9, 15, 31, 63, 127, 255]


def milliseconds(command, threads=THREADS):
    done = subprocess.run([POOLCTL, "bench", *command.split(), "--quiet", "--no-roofline", "--min-time", "200ms", "--threads", str(threads)],
                          stdout=subprocess.PIPE, check=True)
    return 1e3 * json.loads(done.stdout)["seconds"]["min"]


def family(values, commands):
    """For each command, by name, the times of all values."""
    return {name: [milliseconds(command(v)) for v in values] for name, command in commands.items()}


def text(value):
    return f"{value:.3g}" if value < 1000 else f"{value:,.0f}"


def main():
    image, conv = "--shape 1,1080,1920,{}", "conv2d --padding SAME --shape 1,256,256,{0} --filter-shape 3,3,{0},{0}"
    pixels = family(SIDES, {
        "max 2x2, uint8": lambda n: f"pool --type max --window 2 --dtype uint8 --shape 1,{n},{n},1",
        "avg 3x3 stride 1, uint8": lambda n: f"pool --type avg --window 3 --strides 1 --padding SAME --dtype uint8 --shape 1,{n},{n},1",
    })
    channels = family(CHANNELS, {
        "max 2x2": lambda c: "pool --type max --window 2 " + image.format(c),
        "avg 3x3 stride 1": lambda c: "pool --type avg --window 3 --strides 1 --padding SAME " + image.format(c),
        "conv 3x3, as many out (256x256)": lambda c: conv.format(c),
    })
    windows = family(WINDOWS, {
        f"{kind} stride 1, {c} channels": lambda k, kind=kind, c=c: f"pool --type {kind.split()[0]} {'--argmax' if 'argmax' in kind else ''} --window {k} --strides 1 --padding SAME --shape 1,512,512,{c}"
        for kind in ("max", "avg", "max with argmax") for c in (3, 16)
    })
    threads = {name: [milliseconds(command, n) for n in range(1, THREADS + 1)] for name, command in {
        "max 3x3 stride 1 (16,56,56,256)": "pool --type max --window 3 --strides 1 --padding SAME --shape 16,56,56,256",
        "max 31x31 (1,1080,1920,3)": "pool --type max --window 31 --strides 1 --padding SAME --shape 1,1080,1920,3",
        "conv 3x3, 64 to 64 (8,56,56,64)": "conv2d --padding SAME --shape 8,56,56,64 --filter-shape 3,3,64,64",
    }.items()}

    def grown(what, values, times):
        return table([what, *map(str, values)], [[name, *map(text, row)] for name, row in times.items()], right=range(1, len(values) + 1))

    nanoseconds = {f"{name}: ns a pixel": [1e6 * t / n / n for t, n in zip(row, SIDES)] for name, row in pixels.items()}
    body = ("\nMilliseconds, the fastest of 200 ms.\n\n"
            + grown("pixels", [f"{n * n:,}" for n in SIDES], pixels | nanoseconds) + "\n" + grown("channels", CHANNELS, channels) + "\n"
            + grown("window", [f"{k}x{k}" for k in WINDOWS], windows) + "\n" + grown("threads", range(1, THREADS + 1), threads)
            + "\n![Time against pixels, channels and window, on logarithmic axes](images/growth.svg)\n\n")
    fill("performance.md", "growth", body)
    figure, axes = plt.subplots(1, 3, figsize=(10, 3.6))
    for a, what, values, times in zip(axes, ("pixels", "channels", "side of the window"), ([n * n for n in SIDES], CHANNELS, WINDOWS), (pixels, channels, windows)):
        for name, row in times.items():
            a.plot(values, row, marker="o", markersize=3, linewidth=1.2, label=name)
        a.set(xscale="log", yscale="log", xlabel=what)
        a.grid(color="#dddddd", linewidth=0.6)
        a.legend(fontsize=7, frameon=False, loc="lower center", bbox_to_anchor=(0.5, 1))
    axes[0].set_ylabel("milliseconds")
    save(figure, "growth.svg")


if __name__ == "__main__":
    main()

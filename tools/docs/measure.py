#!/usr/bin/env python3
"""Measures the figures of docs/performance.md and prints its tables: tools/docs/measure.py POOLCTL

POOLCTL is a static, stripped binary: CGO_ENABLED=0 go build -trimpath -ldflags "-s -w" ./cmd/poolctl
Takes a minute.  files.py times whole runs from file to file, bench/peers the comparison with other libraries.
"""

import json
import os
import subprocess
import sys
import time
from pathlib import Path

POOLCTL = str(Path(sys.argv[1]).resolve())
SHAPE = "8,224,224,64"
FIRST = "8,64,224,224"  # the same, channels first
OPERATIONS = [
    *(f"pool --type {t} --window 2 --shape {SHAPE}" for t in ("max", "min", "avg", "sum", "lp")),
    f"pool --type lp --p 3 --window 2 --shape {SHAPE}",
    f"pool --type lp --p 2.5 --window 3 --strides 1 --padding SAME --shape {SHAPE}",
    f"pool --type max --window 2 --argmax --shape {SHAPE}",
    *(f"pool --type {t} --window 3 --strides 2 --padding SAME --shape {SHAPE}" for t in ("max", "avg")),
    *(f"pool --type {t} --window 3 --strides 1 --padding SAME --shape {SHAPE}" for t in ("max", "avg", "lp")),
    f"pool --type max --window 3 --strides 1 --padding SAME --argmax --shape {SHAPE}",
    *(f"pool --type {t} --window global --shape {SHAPE}" for t in ("max", "avg")),
    f"pool --type avg --output-size 7 --shape {SHAPE}",
    f"pool --type max --fractional 1.44 --seed 1 --shape {SHAPE}",
    f"unpool --shape 8,112,112,64 --output-shape {SHAPE}",
    "conv1d --filter-shape 3,64,64 --padding SAME --shape 8,50176,64",
    f"conv2d --filter-shape 1,1,64,64 --shape {SHAPE}",
    f"conv2d --filter-shape 3,3,64,8 --padding SAME --shape {SHAPE}",
    f"conv2d --filter-shape 3,3,64,64 --padding SAME --strides 2 --shape {SHAPE}",
    f"conv2d --filter-shape 3,3,64,64 --padding SAME --shape {SHAPE}",
    f"conv2d --filter-shape 3,3,2,64 --groups 32 --padding SAME --shape {SHAPE}",
    "conv3d --filter-shape 2,2,2,64,16 --padding SAME --shape 8,14,56,64,64",
    "conv2d-transpose --filter-shape 2,2,64,64 --strides 2 --shape 8,112,112,64",
    f"depthwise-conv2d --filter-shape 3,3,64,1 --padding SAME --shape {SHAPE}",
    f"dilation2d --filter-shape 3,3,64 --padding SAME --shape {SHAPE}",
    f"erosion2d --filter-shape 3,3,64 --padding SAME --shape {SHAPE}",
    *(f"pool --type {t} --window 3 --strides 2 --padding SAME --grad input --shape {SHAPE}" for t in ("max", "avg")),
    *(f"conv2d --filter-shape 3,3,64,64 --padding SAME --grad {which} --shape {SHAPE}" for which in ("input", "filter")),
    f"depthwise-conv2d --filter-shape 3,3,64,1 --padding SAME --grad input --shape {SHAPE}",
    *(f"pool --type {t} --window 2 --data-format NCHW --shape {FIRST}" for t in ("max", "avg")),
    f"pool --type max --window 3 --strides 1 --padding SAME --data-format NCHW --shape {FIRST}",
    f"pool --type max --window 3 --strides 2 --padding SAME --grad input --data-format NCHW --shape {FIRST}",
    f"conv2d --filter-shape 3,3,64,64 --padding SAME --data-format NCHW --shape {FIRST}",
]


def timed(*command):
    """Seconds of wall clock."""
    start = time.perf_counter()
    subprocess.run(command, stdout=subprocess.DEVNULL, check=True)
    return time.perf_counter() - start


def spread(runs):
    runs = sorted(runs)
    return runs[0], runs[len(runs) // 2]


def bench(arguments):
    done = subprocess.run([POOLCTL, "bench", *arguments.split(), "--min-time", "300ms"],
                          stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=True)
    return json.loads(done.stdout)


print(f"binary: {os.path.getsize(POOLCTL) / 1e6:.1f} MB")
timed(POOLCTL, "version")
print("poolctl version: fastest {:.1f} ms, median {:.1f} ms of 50".format(
    *(1e3 * s for s in spread([timed(POOLCTL, "version") for _ in range(50)]))))

print("\n| `poolctl bench …` | fastest | median | GB/s | Gop/s |\n|---|---|---|---|---|")
for operation in OPERATIONS:
    r = bench(operation)
    s = r["seconds"]
    print(f"| `{operation}` | {s['min'] * 1e3:.0f} ms | {s['median'] * 1e3:.0f} ms | {r['gb_per_s']:.2f} | {r['gflop_per_s']:.2f} |", flush=True)

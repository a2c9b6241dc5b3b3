#!/usr/bin/env python3
"""Writes the comparison with other libraries into docs/performance.md, at the CPU level that it was made at, and its plot: report.py results.json"""

import json
import sys
from pathlib import Path
from statistics import median

from page import fill, plt, save, table

COLOURS = {"PyTorch": "#d1495b", "TensorFlow": "#edae49", "ONNX Runtime": "#00798c", "OpenVINO": "#8d6a9f", "OpenCV": "#5b8e3e", "JAX": "#4b6584"}
WINOGRAD = "poolctl, Winograd"
FARTHEST = 100  # multiples that the plot has room for


def fastest(w):
    """The least time of each library over all rounds, in milliseconds."""
    best = {}
    for r in w["rounds"]:
        for way, seconds in r.items():
            name = next((n for n in COLOURS if way.startswith(n)), way)
            best[name] = min(best.get(name, float("inf")), 1e3 * seconds)
    return best


def milliseconds(value):
    return "" if value is None else f"{value:.2f}" if value < 100 else f"{value:.0f}"


def against(value, goal):
    return f"**{value:.2f}**" if value <= goal else f"{value:.2f}"


RATES = {"memory": "copy_gb_per_s", "compute": "gflop_per_s"}


def limit_seconds(w, report):
    """The machine's limit, the median over the workloads' own measurements, since another program may have run beside one of them."""
    rate = RATES[w["roofline"]["bound"]]
    return w["roofline"]["limit_seconds"] * w["roofline"][rate] / median(other["roofline"][rate] for other in report["workloads"])


def rows(report):
    for w in report["workloads"]:
        best, goal = fastest(w), w["goal"]
        peers = {n: t for n, t in best.items() if n in COLOURS}
        first = min(peers, key=peers.get)
        limit = best["poolctl"] / 1e3 / limit_seconds(w, report)
        ratio = against(w["ratio"]["poolctl"], goal["peer"])
        if WINOGRAD in best:
            ratio += f", Winograd {w['ratio'][WINOGRAD]:.2f}"
        yield [w["name"], milliseconds(best["poolctl"]), f"{first} {milliseconds(peers[first])}", ratio, f"{goal['peer']:.2f}",
               against(limit, goal["limit"]), f"{goal['limit']:.2f}", w["roofline"]["bound"]]


def plot(report, name):
    listed = report["workloads"][::-1]
    figure, axes = plt.subplots(figsize=(7.5, 0.27 * len(listed) + 1))
    for y, w in enumerate(listed):
        best = fastest(w)
        for library, colour in COLOURS.items():
            if library in best:
                multiple = best[library] / best["poolctl"]
                axes.plot(min(multiple, FARTHEST), y, ">" if multiple > FARTHEST else "o", color=colour, markersize=5, alpha=0.9)
    axes.axvline(1, color="black", linewidth=1)
    axes.set_title("poolctl = 1", fontsize=9, loc="left")
    axes.set(xscale="log", yticks=range(len(listed)), yticklabels=[w["name"] for w in listed],
             xlabel="time, as a multiple of poolctl's (to the right is slower)")
    axes.set_xticks([0.5, 1, 2, 5, 10, 20, 50, 100], ["0.5", "1", "2", "5", "10", "20", "50", "100"])
    axes.minorticks_off()
    axes.grid(axis="x", color="#dddddd", linewidth=0.6)
    axes.set_axisbelow(True)
    axes.legend([plt.Line2D([], [], marker="o", linestyle="", color=c) for c in COLOURS.values()], COLOURS, loc="upper left", bbox_to_anchor=(1, 1), frameon=False)
    save(figure, name)


def main():
    report = json.loads(Path(sys.argv[1]).read_text())
    versions = ", ".join(f"{name} {version}" for name, version in report["versions"].items())
    text = (f"\n{report['processor']}, {report['isa']}, {report['threads']} threads; {report['rounds']} rounds; {versions}.\n\n"
            + table(["workload", "poolctl ms", "fastest other library ms", "ratio", "goal", "of the limit", "goal", "bound"], rows(report), right=(1, 3, 4, 5, 6))
            + f"\n![Each library's time for each workload, as a multiple of poolctl's, on a logarithmic axis](images/peers-{report['isa']}.svg)\n\n")
    libraries = [n for n in COLOURS if any(n in fastest(w) for w in report["workloads"])]
    text += "The least times of all libraries, in milliseconds:\n\n" + table(
        ["workload", "poolctl", *libraries], [[w["name"], *(milliseconds(fastest(w).get(n)) for n in ("poolctl", *libraries))] for w in report["workloads"]],
        right=range(1, len(libraries) + 2)) + "\n"
    fill("performance.md", "peers " + report["isa"], text)
    plot(report, f"peers-{report['isa']}.svg")


if __name__ == "__main__":
    main()

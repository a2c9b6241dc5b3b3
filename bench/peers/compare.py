#!/usr/bin/env python3
"""Times poolctl beside other libraries and writes the results as JSON; see README.md for the rule.

    compare.py --poolctl ./poolctl --out results.json [--match TEXT] [--rounds 5] [--seconds 0.2] [--threads N]
"""

import argparse
import json
import os
import platform
import statistics
import subprocess
import sys
import time
from importlib import metadata
from pathlib import Path

from peer import PEERS
from workloads import workloads

HERE = Path(__file__).resolve().parent
NAMES = {"pytorch": "PyTorch", "tensorflow_peer": "TensorFlow", "onnx_runtime": "ONNX Runtime",
         "openvino_peer": "OpenVINO", "opencv": "OpenCV", "jax_peer": "JAX"}
PACKAGES = ["torch", "tensorflow-cpu", "onnxruntime", "openvino", "opencv-python-headless", "jax"]
PAUSE = 0.05  # seconds after each measurement, for threads that spin to go to sleep


class Peer:
    """A library in a process of its own."""

    def __init__(self, library, threads):
        environment = os.environ | {"PEER_THREADS": str(threads), "OMP_NUM_THREADS": str(threads)}
        self.process = subprocess.Popen([sys.executable, "peer.py", library, str(threads)], cwd=HERE, text=True, env=environment,
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=None if os.environ.get("PEER_LOG") else subprocess.DEVNULL)

    def ask(self, *words):
        print(*words, sep="\t", file=self.process.stdin, flush=True)
        answer = self.process.stdout.readline()
        if not answer:
            raise RuntimeError("the peer's process ended")
        return json.loads(answer)


class Poolctl:
    def __init__(self, program, threads):
        self.program, self.threads = program, threads

    def bench(self, command, seconds, *more):
        done = subprocess.run([self.program, "bench", *command.split(), "--min-time", f"{round(1000 * seconds)}ms", "--threads", str(self.threads), *more],
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        if done.returncode:
            sys.exit(done.stderr)
        return json.loads(done.stdout)


def compare(w, index, poolctl, peers, options):
    """Runs the rounds of one workload; returns the least time of each way in each round."""
    first = poolctl.bench(w.command, options.seconds)
    if tuple(first["out_shape"]) != w.out_shape and not w.grad:
        sys.exit(f"{w.name}: poolctl's output has shape {first['out_shape']}, the peers' {w.out_shape}")
    ours = {"poolctl": w.command}
    if w.op == "conv2d" and w.window == (3, 3) and w.strides == (1, 1) and not w.grad and w.shape[-1] >= 16:
        ours["poolctl, Winograd"] = w.command + " --allow-winograd"
    ways = [(library, name) for library, peer in peers.items() for name in peer.ask("prepare", index)]
    rounds = []
    for _ in range(options.rounds):
        times = {}
        for name, command in ours.items():
            times[name] = poolctl.bench(command, options.seconds, "--no-roofline")["seconds"]["min"]
            time.sleep(PAUSE)
        for library, name in ways:
            times[f"{NAMES[library]} {name}".strip()] = peers[library].ask("time", name, options.seconds)
            time.sleep(PAUSE)
        rounds.append(times)
    result = {"name": w.name, "command": w.command, "impl": first["impl"], "roofline": first["roofline"],
              "goal": {"peer": w.goal_peer, "limit": w.goal_limit}, "rounds": rounds}
    for name in ours:
        result.setdefault("ratio", {})[name] = statistics.median(r[name] / min(t for n, t in r.items() if n not in ours) for r in rounds)
    return result


def processor():
    for line in Path("/proc/cpuinfo").read_text().splitlines() if Path("/proc/cpuinfo").exists() else []:
        if line.startswith("model name"):
            return line.split(":", 1)[1].strip()
    return platform.processor()


def main():
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--poolctl", default="poolctl", help="the program")
    options.add_argument("--out", default="results.json")
    options.add_argument("--match", default="", help="only workloads whose name holds this")
    options.add_argument("--rounds", type=int, default=5)
    options.add_argument("--seconds", type=float, default=0.2, help="of a measurement, at least")
    options.add_argument("--threads", type=int, default=len(os.sched_getaffinity(0)))
    options.add_argument("--peers", nargs="+", choices=PEERS, default=PEERS)
    options = options.parse_args()

    poolctl = Poolctl(options.poolctl, options.threads)
    peers = {library: Peer(library, options.threads) for library in options.peers}
    results = []
    for index, w in enumerate(workloads()):
        if options.match in w.name:
            r = compare(w, index, poolctl, peers, options)
            results.append(r)
            print(f"{w.name:<22} {r['ratio']['poolctl']:.2f} of the best peer's time, goal {w.goal_peer:.2f}", file=sys.stderr, flush=True)
    cpu = json.loads(subprocess.run([options.poolctl, "cpu", "--json"], stdout=subprocess.PIPE, check=True).stdout)
    report = {"processor": processor(), "isa": cpu["detected"], "threads": options.threads, "rounds": options.rounds,
              "versions": {name: metadata.version(name) for name in PACKAGES}, "workloads": results}
    Path(options.out).write_text(json.dumps(report, indent=1) + "\n")


if __name__ == "__main__":
    main()

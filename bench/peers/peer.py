"""A peer in a process of its own: `peer.py LIBRARY THREADS`.

Reads commands from standard input, a line each, and answers each with one line of JSON:

    prepare N           -> the names of the ways in which the library can do workload N
    time NAME SECONDS   -> the least time of a call, in seconds

Every library of PEERS is a module with prepare(workload, threads): a dict of functions without arguments, by name.
A function returns when the result is ready. Inputs are random, and outputs reused wherever the library can.
"""

import importlib
import json
import os
import sys
import time

PEERS = ["pytorch", "tensorflow_peer", "onnx_runtime", "openvino_peer", "opencv", "jax_peer"]


def least(function, seconds):
    """The least time of calls during the given seconds, after a warm-up call; the warm-up's own time if it took far longer."""
    begin = time.perf_counter()
    function()
    best = time.perf_counter() - begin
    if best > 5 * seconds:
        return best
    best, begin, rounds = float("inf"), time.perf_counter(), 0
    while rounds < 5 or time.perf_counter() - begin < seconds:
        start = time.perf_counter()
        function()
        best = min(best, time.perf_counter() - start)
        rounds += 1
    return best


def main():
    library, threads = sys.argv[1], int(sys.argv[2])
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # a library's own output must not mix with the answers
    from workloads import workloads
    module = importlib.import_module(library)
    listed, ways = workloads(), {}
    for line in sys.stdin:
        command, *rest = line.rstrip("\n").split("\t")
        if command == "prepare":
            ways = module.prepare(listed[int(rest[0])], threads)
            answer = list(ways)
        else:
            answer = least(ways[rest[0]], float(rest[1]))
        print(json.dumps(answer), file=answers, flush=True)


if __name__ == "__main__":
    main()

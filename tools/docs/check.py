#!/usr/bin/env python3
"""Runs the commands of ```console blocks and compares their output with the text below them.

    tools/docs/check.py README.md docs/*.md           exits with 1 if something differs
    tools/docs/check.py --fill docs/semantics.md      writes their output into the page

A line that begins with "$ " is a command for bash; the lines after it are its output, standard error included.
A page's commands run in order in one temporary folder that has links to samples/ and configs/; a ```sh block after
"<!-- setup -->" comes before each. poolctl is built from the project; semantics.md needs python3 with NumPy.
"""

import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
SETUP = re.compile(r"<!-- setup -->\n```sh\n(.*?)```", re.S)
CONSOLE = re.compile(r"```console\n(.*?)```", re.S)


def run(command, setup, folder, path):
    environment = os.environ | {"PATH": path, "HOME": folder, "LC_ALL": "C.UTF-8"}
    done = subprocess.run(["bash", "-c", setup + command], cwd=folder, env=environment, text=True,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    return [line.rstrip() for line in done.stdout.splitlines()]


def check(page, path, fill):
    """Runs a page's commands; returns how many there are and how many print something else."""
    text = page.read_text()
    setup = "".join(SETUP.findall(text))
    count = differ = 0
    with tempfile.TemporaryDirectory() as folder:
        for name in ["samples", "configs"]:
            os.symlink(ROOT / name, Path(folder) / name)

        def block(match):
            nonlocal count, differ
            lines = []
            for part in re.split(r"^(?=\$ )", match[1], flags=re.M)[1:]:
                command, *want = part.splitlines()
                got = run(command[2:], setup, folder, path)
                count += 1
                if got != [line.rstrip() for line in want]:
                    differ += 1
                    print(f"{page}: {command}\n  got:", *got, sep="\n    ")
                lines += [command, *got]
            return "```console\n" + "".join(line + "\n" for line in lines) + "```"

        filled = CONSOLE.sub(block, text)
    if fill:
        page.write_text(filled)
    return count, differ


pages = [Path(name) for name in sys.argv[1:] if name != "--fill"]
with tempfile.TemporaryDirectory() as folder:
    subprocess.run(["go", "build", "-o", folder + "/poolctl", "./cmd/poolctl"], cwd=ROOT, check=True)
    results = [check(page, f"{folder}:{os.environ['PATH']}", "--fill" in sys.argv) for page in pages]
commands, differ = map(sum, zip(*results))
print(f"{commands} commands, {differ} print something else")
sys.exit(1 if differ and "--fill" not in sys.argv else 0)

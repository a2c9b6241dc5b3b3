#!/usr/bin/env bash
# Compares poolctl with other libraries on this machine, and writes docs/performance.md: bench/peers/run.sh [compare.py's flags]
# Linux, Go, Python 3.11 or newer. The libraries (3 GB) are installed into bench/peers/venv. Takes some fifteen minutes.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"
if [[ ! -x venv/bin/python ]]; then
  python3 -m venv venv
  venv/bin/pip install -q -r requirements.txt
fi
CGO_ENABLED=0 go build -trimpath -ldflags "-s -w" -o venv/poolctl ../../cmd/poolctl
venv/bin/python compare.py --poolctl venv/poolctl --out venv/results.json "$@"
venv/bin/python report.py venv/results.json
venv/bin/python growth.py venv/poolctl

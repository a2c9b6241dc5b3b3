#!/bin/sh
# Computes every golden family with the pinned libraries.
#   tools/golden/generate.sh            rewrites internal/ops/testdata/golden and internal/pipeline/testdata/networks
#   tools/golden/generate.sh FOLDER     writes FOLDER instead, to compare with diff -r
# PYTHON names the interpreter (3.11 to 3.13); GOLDEN_VENV keeps the virtual environment in that folder for the next time.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
out=${1:-$here/../../internal/ops/testdata/golden}
venv=${GOLDEN_VENV:-}
if [ -z "$venv" ]; then
	venv=$(mktemp -d)
	trap 'rm -rf "$venv"' EXIT
fi
if [ ! -x "$venv/bin/python" ]; then
	"${PYTHON:-python3}" -m venv "$venv"
	"$venv/bin/python" -m pip install --quiet --requirement "$here/requirements.txt"
fi
mkdir -p "$out"
export PYTHONDONTWRITEBYTECODE=1
for family in pool_max pool_avg argmax pool_nd pool_other rank moments adaptive fractional unpool \
	conv conv_transpose depthwise morphology special vectors tutorial activation norm reshape resize \
	grad_pool_max grad_pool_avg grad_pool_other grad_argmax grad_second grad_unpool \
	grad_conv grad_conv_transpose grad_depthwise grad_morphology grad_ties grad_vectors \
	bfloat16 prepare light; do
	"$venv/bin/python" "$here/$family.py" "$out"
done
"$venv/bin/python" -W ignore "$here/networks.py" ${1:+"$out/networks"}

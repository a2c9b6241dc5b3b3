#!/bin/sh
# Makes the pictures of this folder with poolctl itself, from samples/.
# Run it in the project's folder: sh docs/images/make.sh
set -eu
go build -o "${TMPDIR:-/tmp}/poolctl-docs" ./cmd/poolctl
poolctl() { "${TMPDIR:-/tmp}/poolctl-docs" "$@"; }
out=docs/images

# The README: what the demo draws, a photograph pooled by maximum, where those maxima were, and edges.
temp=$(mktemp -d)
poolctl demo -o "$temp/demo" >"$temp/log"
cp "$temp/demo/comparison.png" "$out/"
poolctl pool samples/chelsea.png --type max --window 3 -o "$out/max.png"
poolctl pool samples/chelsea.png --type avg --window 3 -o "$out/avg.png"
poolctl pool samples/chelsea.png --type min --window 3 -o "$out/min.png"
poolctl pool samples/camera.png --type max --window 24 --strides 8 --padding SAME --argmax "$out/argmax.png"
poolctl conv2d samples/camera.png --filter sobel-x --strides 3 --padding SAME --normalize symmetric -o "$out/edges.png"

# The tutorial.
poolctl conv2d samples/input_10x9x9x3.npy --filter samples/filter_2x2x3x2.npy --strides 1 --padding SAME -o "$temp/conv.npy"
poolctl conv2d samples/input_10x9x9x3.npy --filter samples/filter_2x2x3x2.npy --strides 1 --padding SAME \
  --normalize symmetric -o "$out/tutorial-conv.png"
poolctl pool "$temp/conv.npy" --type avg --window 2 --strides 1 --padding SAME --normalize symmetric -o "$out/tutorial-avg.png"
poolctl pool "$temp/conv.npy" --type max --window 2 --strides 1 --padding SAME --normalize symmetric -o "$out/tutorial-max.png" \
  --argmax "$out/tutorial-argmax.png"

# Semantics: which pixels win.
poolctl pool samples/chelsea_rgba.png --type max --window 8 --strides 4 --padding SAME --argmax-overlay "$out/winners.png"

# How gradients travel back.
poolctl grad pool samples/ramp_6x6.npy --type max --window 3 --arrows "$out/grad-tiles.svg"
poolctl grad pool samples/ramp_6x6.npy --type max --window 3 --strides 2 --padding SAME --arrows "$out/grad-overlap.svg"
poolctl pool samples/camera.png --type avg --window 4 -o "$temp/small.png"
poolctl grad pool "$temp/small.png" --type max --window 9 --strides 3 --padding SAME --overlay "$out/grad-max.png"
poolctl grad pool "$temp/small.png" --type avg --window 9 --strides 3 --padding SAME --heatmap "$out/grad-avg.png"
poolctl grad conv2d "$temp/small.png" --filter laplacian --padding SAME --loss l2 --heatmap "$out/grad-laplacian.png"
rm -r "$temp" "${TMPDIR:-/tmp}/poolctl-docs"

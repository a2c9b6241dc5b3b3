// Package samples carries the inputs that poolctl's demo runs on, so that the
// demo works wherever the binary does. README.md describes them, and the other
// files of this folder, with source and licence.
//
// It imports the standard library only and promises that FS holds each file
// under its name in this folder.
package samples

import "embed"

// FS holds a colour and a grey photograph, a ramp, and the arrays of the tutorial:
// input, filter and bias of its conv2d, volume and filter of its conv3d.
//
//go:embed chelsea.png camera.png ramp_6x6.npy
//go:embed input_10x9x9x3.npy filter_2x2x3x2.npy bias_2.npy
//go:embed volume_1x2x5x5x1.npy filter3d_2x3x3x1x3.npy
var FS embed.FS

// Package imgio reads and writes the files that poolctl works on: arrays
// (.npy, .npz), the weights of networks (safetensors, ONNX) and pictures (PNG,
// JPEG, GIF, BMP, TIFF, WebP).
//
// Reading happens in two steps. Open looks at the header only and tells the
// tensor's type and shape, so that limits can be checked before anything large
// is allocated; Read then decodes. Files are recognised by their content. A
// picture is a tensor NHWC with N = 1 that holds the file's own sample values:
// straight alpha, no colour management, levels of 1, 2 and 4 bits scaled to
// 0…255, 16-bit samples kept as 0…65535.
//
// Writing is all or nothing: WriteAll encodes every output into a temporary
// file beside its target and renames them only when all are complete.
//
// Each format is a package below this one. All of them share package input, those
// of pictures package raster.
package imgio

// Package tiff reads the first picture of a TIFF or BigTIFF (grey, palettes, RGB,
// CMYK and Lab, of integers and floats of up to 64 bits) and writes TIFF: grey and RGB of 8 or 16 bits, with or
// without alpha.
//
// It imports tensor, format, input, raster, jpeg, the LZW decoder of
// golang.org/x/image, and a library for deflate.
package tiff

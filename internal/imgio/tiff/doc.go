// Package tiff reads a TIFF's first picture and writes TIFF: grey, RGB and RGBA
// of 8 or 16 bits.
//
// It imports tensor, input, raster, golang.org/x/image and a library for deflate.
package tiff

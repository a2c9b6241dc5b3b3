// Package tiff reads a TIFF's first picture (grey, palettes or RGB, with or without
// alpha, of up to 16 bits) and writes TIFF: grey and RGB of 8 or 16 bits, with or
// without alpha.
//
// It imports tensor, format, input, raster, the LZW and CCITT decoders of
// golang.org/x/image, and a library for deflate.
package tiff

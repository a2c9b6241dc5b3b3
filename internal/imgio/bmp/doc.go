// Package bmp reads and writes BMP: palettes, run-length coded ones too, and
// pixels of 16, 24 and 32 bits with any masks.
//
// It imports tensor, input, raster and the standard library.
package bmp

// Package jpeg reads and writes JPEG. Baseline files of 8 bits are decoded here,
// to libjpeg's samples; all others by the standard library.
//
// It imports tensor, input, raster and the standard library.
package jpeg

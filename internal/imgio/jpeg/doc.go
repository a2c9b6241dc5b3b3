// Package jpeg reads and writes JPEG. It decodes baseline files of 8 bits itself,
// to the same samples as libjpeg. The standard library decodes all others.
//
// It imports tensor, input, raster and the standard library.
package jpeg

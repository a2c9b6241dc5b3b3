// Package png reads and writes PNG: every colour type and depth, interlaced or
// not, with the transparency of a tRNS chunk as an alpha channel. Levels of 1, 2
// and 4 bits are scaled to 0…255, palettes become RGB.
//
// It imports tensor, input, raster and a library for deflate.
package png

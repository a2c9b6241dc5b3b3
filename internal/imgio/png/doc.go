// Package png reads and writes PNG. It reads every colour type and depth,
// interlaced or not. Levels of 1, 2 and 4 bits are scaled to 0…255, palettes become
// RGB, and a tRNS chunk becomes an alpha channel.
//
// It imports tensor, input, raster and a library for deflate.
package png

// Package gif reads a GIF's first frame on its canvas, and writes GIF: up to 256
// colours exactly, more of them reduced and dithered.
//
// It imports tensor, input, raster and the standard library.
package gif

// Package geom is the arithmetic of windows: output sizes, padding, and which
// input cells belong to which output. All operations use it, forward and backward,
// so that the formula for SAME padding exists once.
//
// It imports the standard library only. Everything is computed in 64 bits.
// Parameters are limited to 31 bits and extents to MaxExtent, so that no sum or
// product in this package can overflow.
package geom

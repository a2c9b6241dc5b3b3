// Package raster holds what the picture formats share: a picture to be encoded,
// what a header tells, limits on sizes, EXIF orientations, and the work on
// several goroutines.
//
// It imports tensor, input and the standard library.
package raster

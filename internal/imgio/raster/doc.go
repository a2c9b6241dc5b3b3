// Package raster is what the picture formats share: the contents of a header,
// limits on sizes, pictures to encode, EXIF orientations, conversions from
// image.Image, and loops over rows on several goroutines.
//
// It imports tensor, input and the standard library.
package raster

// Package webp reads WebP, lossy to libwebp's samples.
//
// It imports tensor, input, raster and golang.org/x/image.
package webp

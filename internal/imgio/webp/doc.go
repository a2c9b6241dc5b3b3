// Package webp reads WebP. Lossy pictures have the same samples as libwebp's.
//
// It imports tensor, input, raster and golang.org/x/image.
package webp

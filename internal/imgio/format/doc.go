// Package format says what a file format is: one value, which the package of the
// format declares and which the table of package imgio lists. Names in messages
// and help texts, the formats of outputs, limits and estimates of memory all
// follow from it.
//
// It imports tensor, input and raster.
package format

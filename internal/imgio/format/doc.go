// Package format defines what a file format is: one value of type Format. The
// format's package declares it and the table in package imgio lists it. Messages,
// help texts, the choice of a format by extension, limits and estimates of memory
// all follow from it.
//
// It imports tensor, input and raster.
package format

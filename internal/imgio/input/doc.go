// Package input is what all formats share for reading: opened files, arrays whose
// header has been read, and errors.
//
// It imports tensor and the standard library.
package input

// Package input holds what all file formats share when they are read: an opened
// file, the arrays that its header names, and errors.
//
// It imports tensor and the standard library.
package input

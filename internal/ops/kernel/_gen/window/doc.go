// Package window is what the generators of pooling share: lists of taps, extrema
// with their rules for NaN, windows reduced in registers, and bands of rows of
// windows.
package window

// Package arrows computes what a drawing of a gradient with arrows shows: it runs
// pooling forward and backward on one channel of one image, and finds the share
// of each output cell's gradient that each input cell gets.
//
// It imports the standard library, figure, ops and tensor. It draws nothing.
package arrows

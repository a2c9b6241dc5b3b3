// Package tensor holds dense row-major arrays: their element types, shapes and
// layouts (which axis is the batch, which holds the channels), and conversions
// between them.
//
// It imports the standard library only. Sizes are checked for overflow where
// they are made: a Spec whose Bytes succeeded can be allocated without another
// check.
//
// An element type is one row of the table in dtype.go. Everything else asks the
// table.
package tensor

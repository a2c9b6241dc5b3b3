// Package gradcheck compares the gradients of an operation with numerical
// differentiation in float64, and those of a linear operation with its adjoint.
//
// It imports the standard library, ops, tensor and gonum. It reads no files; text
// goes to the io.Writer it is given.
package gradcheck

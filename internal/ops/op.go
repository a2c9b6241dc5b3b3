package ops

import (
	"errors"
	"fmt"

	"github.com/poolctl/poolctl/internal/geom"
	"github.com/poolctl/poolctl/internal/tensor"
)

// Spec describes an operation, without parameter values.
type Spec struct {
	Name     string // of the command, and the value of a step's op key
	Alias    string // another name that Lookup accepts; may be empty
	TF       string // the TensorFlow functions that give the same results
	Summary  string // one line, lower case, no full stop
	Doc      string // paragraphs: formula, shapes, what differs between frameworks
	Rank     [2]int // smallest and largest number of spatial dimensions
	Argmax   bool   // there is an argmax output
	Linear   bool   // f(a·x + b·y) = a·f(x) + b·f(y) for its main input
	Space    bool   // a layer that treats two axes as (H, W), not (N, C)
	Several  bool   // there are two or more main inputs, which come first in Plan
	Examples []Example
	New      func() Op
}

// Layer reports whether the operation has no windows: it is one of those that a
// network has between convolution and pooling.
func (s Spec) Layer() bool { return s.Rank == oneTensor }

// Example is a command line that runs as it is in the root folder of the
// project.
type Example struct{ Does, Command string }

// Op is an operation with values for its parameters.
type Op interface {
	// Params returns the parameters, bound to this value's fields.
	Params() []Param
	// Check reports parameters that are wrong whatever the input is, as a
	// *UsageError.
	Check() error
	// Inputs returns the tensors that the operation takes besides its main
	// input x, in the order in which Plan expects them. An operation with
	// several main inputs takes no others.
	Inputs(x tensor.Spec) ([]Input, error)
	// Plan plans the operation for inputs of those types and shapes. Errors are
	// *UsageError or *DataError.
	Plan(in []tensor.Spec, want Want) (*Plan, error)
}

// defaults sets every parameter to its default, which declaring it does.
func defaults(op Op) Op {
	op.Params()
	if d, ok := op.(Differentiable); ok {
		d.GradParams()
	}
	return op
}

// Want says which outputs are wanted besides the first, and which
// implementation: one of Plan.Impls, or empty for the best.
//
// With Picture, the first output will be written as a picture and may be
// rounded to picture samples: an average of unsigned integers of 8 or 16 bits
// keeps their type. With Winners, maximum pooling also has an output "winners",
// a byte for each window that says which of its taps won, if the gradient can
// use it (WantGrad.Winners).
type Want struct {
	Argmax  bool
	Winners bool
	Impl    string
	Picture bool
}

// Input is a tensor that an operation takes besides its main input. It is read
// from Source, or made by Make if that is not nil (a named filter).
type Input struct {
	Name   string // the parameter: "filter", "bias", "argmax"
	Source string
	Spec   tensor.Spec // what Make makes; without Make, the only shape that fits, if there is only one
	Make   func() *tensor.Tensor

	names []string // that Source may have instead of a file
}

// UsageError says that a command line or a pipeline step is wrong by itself.
type UsageError struct {
	Op  string
	Err error
}

func (e *UsageError) Error() string { return e.Op + ": " + e.Err.Error() }

// Unwrap returns the cause.
func (e *UsageError) Unwrap() error { return e.Err }

// DataError says that the parameters do not fit the data.
type DataError struct {
	Op  string
	Err error
}

func (e *DataError) Error() string { return e.Op + ": " + e.Err.Error() }

// Unwrap returns the cause.
func (e *DataError) Unwrap() error { return e.Err }

// usage makes a UsageError about one parameter.
func usage(op, param, format string, args ...any) error {
	return &UsageError{op, &geom.Error{Field: param, Problem: fmt.Sprintf(format, args...)}}
}

// unfit makes a DataError about one parameter.
func unfit(op, param, format string, args ...any) error {
	return &DataError{op, &geom.Error{Field: param, Problem: fmt.Sprintf(format, args...)}}
}

// advise sets the advice of an error about a parameter.
func advise(err error, hint string) error {
	var field *geom.Error
	if errors.As(err, &field) {
		field.Advice = hint
	}
	return err
}

// Field returns the parameter that an error is about, or "".
func Field(err error) string {
	var field *geom.Error
	if errors.As(err, &field) {
		return field.Field
	}
	return ""
}

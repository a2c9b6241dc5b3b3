// Package ops declares poolctl's operations: for each, its parameters, which
// tensors it takes, what shape it gives, and how it is planned on the kernels.
// Flags, pipeline keys, the JSON Schema and the reference pages all come from
// these declarations; table.go lists them.
//
// It imports tensor, geom and kernel. Every error that a user can cause is
// returned by Param.Set, Op.Check, Op.Inputs, Op.Plan or Plan.Validate; running
// a plan cannot fail.
package ops

import (
	"errors"
	"fmt"

	"github.com/poolctl/poolctl/internal/geom"
	"github.com/poolctl/poolctl/internal/tensor"
)

// Spec describes an operation, without parameter values.
type Spec struct {
	Name     string // the command and the value of a step's op key
	Alias    string // another name that Lookup knows, or ""
	TF       string // the TensorFlow functions that it agrees with
	Summary  string // one line, lower case, no full stop
	Doc      string // paragraphs: formula, shapes, what differs between frameworks
	Rank     [2]int // least and most spatial dimensions
	Argmax   bool   // has an argmax output
	Linear   bool   // f(a·x + b·y) = a·f(x) + b·f(y) for its main input
	Space    bool   // a layer that lays something over space: two axes are (H, W), not (N, C)
	Several  bool   // takes two or more main inputs, all of which stand first in Plan
	Examples []Example
	New      func() Op
}

// Layer reports whether the operation lays no windows: one of those that a
// network has between convolution and pooling.
func (s Spec) Layer() bool { return s.Rank == oneTensor }

// Example is a command line that runs as it stands in the project's folder.
type Example struct{ Does, Command string }

// Op is an operation with values for its parameters.
type Op interface {
	// Params returns the parameters, bound to this value's fields.
	Params() []Param
	// Check reports what is wrong with the parameters by themselves, whatever
	// the input, as a *UsageError.
	Check() error
	// Inputs returns the tensors that the operation takes beside its main
	// input x, in the order in which Plan expects them after it. An operation
	// with several main inputs takes none.
	Inputs(x tensor.Spec) ([]Input, error)
	// Plan lays the operation out for inputs of those types and shapes. Errors
	// are *UsageError or *DataError.
	Plan(in []tensor.Spec, want Want) (*Plan, error)
}

// defaults gives every parameter its default: declaring a parameter does.
func defaults(op Op) Op {
	op.Params()
	if d, ok := op.(Differentiable); ok {
		d.GradParams()
	}
	return op
}

// Want says which outputs are asked for beside the first, and of what
// implementation: the name of one of Plan.Impls, or empty for the best. With
// Picture the first is to be written as a picture and may be what its numbers
// would be rounded to there: an average of 8- or 16-bit unsigned integers then
// keeps their type. With Winners maximum pooling also notes in a byte, as an output
// of that name, which tap of each window won, where its gradient can take that
// (WantGrad.Winners).
type Want struct {
	Argmax  bool
	Winners bool
	Impl    string
	Picture bool
}

// Input is a tensor that an operation takes beside its main input: read from
// Source, or made by Make where that is not nil (a named filter).
type Input struct {
	Name   string // the parameter: "filter", "bias", "argmax"
	Source string
	Spec   tensor.Spec // of what Make makes; or where that is nil, the only shape that fits, if there is just one
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

// DataError says that a parameter does not fit the data.
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

// advise adds to an error about a parameter what to do about it.
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

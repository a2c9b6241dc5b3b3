package pipeline

import (
	"errors"
	"strings"

	"github.com/poolctl/poolctl/internal/config"
	"github.com/poolctl/poolctl/internal/ops"
)

// StepError is an error in a step of a pipeline file, for an input.
type StepError struct {
	Place config.Place
	Step  string
	Key   string // the parameter; may be empty
	Err   error
}

func (e *StepError) Error() string {
	text := e.Place.String() + ": " + e.Step + ": "
	if e.Key != "" {
		text += e.Key + ": "
	}
	return text + config.Problem(e.Err)
}

// Unwrap returns the cause.
func (e *StepError) Unwrap() error { return e.Err }

// located names the step and the place of the parameter that an error is about.
func located(step *config.Step, err error) *StepError {
	key := ops.Field(err)
	return &StepError{step.At(key), step.Name, key, err}
}

// Faults lists every error in the steps of a pipeline, for an input.
type Faults []*StepError

func (f Faults) Error() string {
	lines := make([]string, len(f))
	for i, fault := range f {
		lines[i] = fault.Error()
	}
	return strings.Join(lines, "\n")
}

// Unwrap returns the faults.
func (f Faults) Unwrap() []error {
	list := make([]error, len(f))
	for i, fault := range f {
		list[i] = fault
	}
	return list
}

// Usage reports whether the pipeline is invalid whatever the input: whether
// every fault is.
func (f Faults) Usage() bool {
	for _, fault := range f {
		var usage *ops.UsageError
		if !errors.As(fault, &usage) {
			return false
		}
	}
	return true
}

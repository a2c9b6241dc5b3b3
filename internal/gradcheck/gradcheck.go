package gradcheck

import (
	"errors"
	"fmt"
	"io"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/poolctl/poolctl/internal/ops"
	"github.com/poolctl/poolctl/internal/tensor"
)

// Check is an operation with its parameters, and how to check its gradients.
type Check struct {
	Spec      ops.Spec
	Op        ops.Differentiable
	Tolerance float64 // largest relative error
	Samples   int     // how many elements of each tensor are perturbed at most
	Threads   int
}

// Result is the result of a check.
type Result struct {
	Equal     bool     `json:"equal"`
	Tolerance float64  `json:"tolerance"`
	Tensors   []Tensor `json:"tensors"`
	// Adjoint is the relative difference of <dy, f(x)> and <f*(dy), x>, for
	// operations that are linear in their input.
	Adjoint *float64 `json:"adjoint,omitempty"`
}

// Tensor compares the gradient with respect to one tensor.
type Tensor struct {
	Name    string  `json:"name"`
	Checked int     `json:"checked"`
	Ties    int     `json:"at_ties"` // skipped: the output has a kink there
	Of      int     `json:"of"`
	Error   float64 `json:"max_relative_error"`
	At      []int   `json:"at"`
	Got     float64 `json:"gradient"`
	Want    float64 `json:"numerical"`

	Written *Written `json:"written"`
}

// ErrTies means that the output has a kink at every element that was tried, so
// there is no derivative to compare with.
var ErrTies = errors.New("at ties, where there is no derivative to compare with")

// Run checks the gradients at the given inputs. The last input is the upstream
// gradient. All must be finite. written are the gradients as they are written,
// for the input and every parameter that is given, in the order of the plan.
func (c *Check) Run(in, written []*tensor.Tensor) (*Result, error) {
	upstream := len(in) - 1
	in = slices.Clone(in)
	specs := make([]tensor.Spec, len(in))
	for i := range in {
		if i == upstream || c.differentiates(i) {
			if d := ops.ElementType(c.Op); d != tensor.Invalid {
				in[i], _ = tensor.Converted(in[i], d) // as the operation does first
			}
			in[i], _ = tensor.Converted(in[i], tensor.Float64)
			if slices.ContainsFunc(tensor.Of[float64](in[i]), func(v float64) bool { return !finite(v) }) {
				return nil, c.errorf("%s holds NaN or infinities, want finite numbers", c.inputName(i, upstream))
			}
		}
		specs[i] = in[i].Spec
	}
	n, err := c.newNumerical(specs, in)
	if err != nil {
		return nil, err
	}
	defer n.close()
	if len(written) != len(n.gradients) {
		return nil, c.errorf("got %d gradients as they are written, want %d", len(written), len(n.gradients))
	}
	terms, err := c.magnitudes(in)
	if err != nil {
		return nil, err
	}
	result := &Result{Equal: true, Tolerance: c.Tolerance}
	for i, dx := range n.gradients {
		t, err := n.compare(i, dx, c.Samples)
		if err != nil {
			return nil, c.errorf("%w", err)
		}
		if t.Checked == 0 && t.Ties > 0 {
			return nil, c.errorf("%s: all %d numbers that were tried are %w", t.Name, t.Ties, ErrTies)
		}
		t.Written = compareWritten(written[i], dx, terms[i], n.weights)
		result.Tensors = append(result.Tensors, t)
		result.Equal = result.Equal && t.Error <= c.Tolerance && t.Written.Beyond == 0
	}
	if ops.IsLinear(c.Spec, c.Op) {
		gap, err := n.adjoint(slices.Contains(c.tensorParams(), "bias"))
		if err != nil {
			return nil, err
		}
		result.Adjoint = &gap
		result.Equal = result.Equal && gap <= c.Tolerance
	}
	return result, nil
}

func (c *Check) errorf(format string, args ...any) error {
	return &ops.DataError{Op: c.Spec.Name, Err: fmt.Errorf("check: "+format, args...)}
}

// Bytes returns the memory that Run needs for inputs of the given types and
// shapes.
func (c *Check) Bytes(specs []tensor.Spec) (int, error) {
	forward, backward, err := c.plans(specs)
	if err != nil {
		return 0, err
	}
	total := 0
	for _, plan := range []*ops.Plan{forward, backward, backward} { // once more for the magnitudes
		n, err := plan.Bytes(c.Threads)
		if err != nil || n > math.MaxInt-total {
			return 0, &TooLargeError{c.Spec.Name}
		}
		total += n
	}
	return total, nil
}

// TooLargeError means that the memory of a check does not fit in an int.
type TooLargeError struct{ Op string }

func (e *TooLargeError) Error() string {
	return e.Op + ": check: the bytes in float64 do not fit in 63 bits"
}

// plans plans the operation and all of its gradients in float64.
func (c *Check) plans(specs []tensor.Spec) (forward, backward *ops.Plan, err error) {
	op := ops.Clone(c.Op)
	if err := ops.Set(op, "dtype", "float64"); err != nil {
		return nil, nil, err
	}
	wide := slices.Clone(specs)
	for i := range wide {
		if c.differentiates(i) {
			wide[i].DType = tensor.Float64
		}
	}
	if forward, err = op.Plan(wide[:len(wide)-1], ops.Want{}); err != nil {
		return nil, nil, err
	}
	want := ops.WantGrad{Input: true}
	for _, name := range ops.Gradients(op) {
		*want.Of(name) = ops.Get(op, name) != ""
	}
	backward, err = op.PlanGrad(wide, want)
	return forward, backward, err
}

// differentiates reports whether input i holds numbers to differentiate by.
// Indices are no such numbers.
func (c *Check) differentiates(i int) bool { return !(c.Spec.Name == "unpool" && i == 1) }

// inputName names input i in messages.
func (c *Check) inputName(i, upstream int) string {
	switch {
	case i == upstream:
		return "the upstream gradient"
	case i == 0:
		return "the input"
	case c.Spec.Several:
		return fmt.Sprintf("input %d", i+1)
	default:
		return c.tensorParams()[i-1]
	}
}

// tensorParams returns the names of the tensors given beside the input, in the
// order in which the operation takes them.
func (c *Check) tensorParams() []string {
	var names []string
	for _, p := range c.Op.Params() {
		if p.Kind.File() && p.String() != "" {
			names = append(names, p.Name)
		}
	}
	return names
}

// inputOf returns the input that a gradient belongs to: the first for dx, the
// third for dx2, the filter for dfilter.
func (c *Check) inputOf(name string) int {
	if text, ok := strings.CutPrefix(name, "dx"); ok {
		n, _ := strconv.Atoi(text) // 0 for dx
		return n
	}
	return 1 + slices.Index(c.tensorParams(), name[1:])
}

// WriteText writes the result for people.
func (r *Result) WriteText(w io.Writer) error {
	for _, t := range r.Tensors {
		fmt.Fprintf(w, "check %-7s largest relative error %.2g", t.Name, t.Error)
		if t.At != nil {
			fmt.Fprintf(w, " at [%s]: gradient %.9g, numerical %.9g", tensor.Join(t.At, ","), t.Got, t.Want)
		}
		fmt.Fprintf(w, " (%d of %d numbers", t.Checked, t.Of)
		if t.Ties > 0 {
			fmt.Fprintf(w, ", %d at ties left out", t.Ties)
		}
		fmt.Fprintln(w, ")")
		t.Written.writeText(w, t.Name)
	}
	if r.Adjoint != nil {
		fmt.Fprintf(w, "check adjoint <dy, f(x)> and <f*(dy), x> differ by %.2g relative\n", *r.Adjoint)
	}
	verdict := "the gradient agrees with numerical differentiation"
	if !r.Equal {
		verdict = "the gradient DIFFERS from numerical differentiation"
	}
	_, err := fmt.Fprintf(w, "%s (tolerance %g)\n", verdict, r.Tolerance)
	return err
}

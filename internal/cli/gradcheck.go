package cli

import (
	"fmt"
	"io"
	"math"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"

	"gonum.org/v1/gonum/diff/fd"
	"gonum.org/v1/gonum/floats"

	"github.com/poolctl/poolctl/internal/ops"
	"github.com/poolctl/poolctl/internal/tensor"
)

// gradientCheck is what --check found.
type gradientCheck struct {
	Equal     bool          `json:"equal"`
	Tolerance float64       `json:"tolerance"`
	Tensors   []tensorCheck `json:"tensors"`
	// Adjoint is the relative difference of <dy, f(x)> and <f*(dy), x>, for
	// operations that are linear in their input.
	Adjoint *float64 `json:"adjoint,omitempty"`
}

// tensorCheck compares the gradient with respect to one tensor.
type tensorCheck struct {
	Name    string  `json:"name"`
	Checked int     `json:"checked"`
	Ties    int     `json:"at_ties"` // skipped: the output has a kink there
	Of      int     `json:"of"`
	Error   float64 `json:"max_relative_error"`
	At      []int   `json:"at"`
	Got     float64 `json:"gradient"`
	Want    float64 `json:"numerical"`
}

// checkGradient compares the gradients with numerical differentiation in
// float64, on the same input and upstream gradient.
func (a *app) checkGradient(g *gradient, tensors []*tensor.Tensor, upstream int) (*gradientCheck, error) {
	in := make([]*tensor.Tensor, upstream+1)
	for i, t := range tensors[:upstream+1] {
		in[i] = t
		if g.differentiates(i) || i == upstream {
			in[i], _ = tensor.Converted(t, tensor.Float64)
			if slices.ContainsFunc(tensor.Of[float64](in[i]), func(v float64) bool { return !finite(v) }) {
				return nil, fmt.Errorf("%s: check: %s holds NaN or infinities, want finite numbers", g.spec.Name, g.inputName(i, upstream))
			}
		}
	}
	specs := make([]tensor.Spec, len(in))
	for i, t := range in {
		specs[i] = t.Spec
	}
	forward, backward, err := g.numericalPlans(specs, upstream)
	if err != nil {
		return nil, err
	}
	c, err := g.newNumerical(forward, backward, in, a.Threads)
	if err != nil {
		return nil, err
	}
	defer c.close()
	result := &gradientCheck{Equal: true, Tolerance: g.Tolerance}
	for i, dx := range c.gradients {
		t, err := c.compare(i, dx, g.Samples)
		if err != nil {
			return nil, fmt.Errorf("%s: check: %w", g.spec.Name, err)
		}
		if t.Checked == 0 && t.Ties > 0 {
			return nil, &hinted{&ops.DataError{Op: g.spec.Name, Err: fmt.Errorf("check: %s: all %d numbers that were tried are at ties, where there is no derivative to compare with", t.Name, t.Ties)},
				"try an input without equal values, or more numbers by --check-samples"}
		}
		result.Tensors = append(result.Tensors, t)
		result.Equal = result.Equal && t.Error <= g.Tolerance
	}
	if ops.IsLinear(g.spec, g.op) {
		gap, err := c.adjoint(hasTensor(g.op, "bias"))
		if err != nil {
			return nil, err
		}
		result.Adjoint = &gap
		result.Equal = result.Equal && gap <= g.Tolerance
	}
	return result, nil
}

// writeCheck prints what --check found, where a report of that format has not
// said it or would be broken by it; a difference is an error.
func (a *app) writeCheck(result *gradientCheck, format string, toStdout bool) error {
	if format != "json" {
		if err := result.write(a.reportWriter(toStdout || format == "csv")); err != nil {
			return err
		}
	}
	if !result.Equal {
		return errDiffers
	}
	return nil
}

func (r *gradientCheck) write(w io.Writer) error {
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

// inputName says in messages what input i is.
func (g *gradient) inputName(i, upstream int) string {
	switch {
	case i == upstream:
		return "the upstream gradient"
	case i == 0:
		return "the input"
	case g.spec.Several:
		return fmt.Sprintf("input %d", i+1)
	default:
		return g.tensorParams()[i-1]
	}
}

// tensorParams names the tensors that were given beside the input, in the order
// in which the operation takes them.
func (g *gradient) tensorParams() []string {
	var names []string
	for _, p := range g.op.Params() {
		if p.Kind.File() && p.String() != "" {
			names = append(names, p.Name)
		}
	}
	return names
}

// inputOf returns which input the gradient of that name belongs to.
func (g *gradient) inputOf(name string) int {
	if text, ok := strings.CutPrefix(name, "dx"); ok {
		n, _ := strconv.Atoi(text) // dx is the first
		return n
	}
	return 1 + slices.Index(g.tensorParams(), name[1:])
}

// hasTensor reports whether a tensor is given for the parameter of that name.
func hasTensor(op ops.Op, name string) bool {
	return slices.Contains(ops.Gradients(op), name) && paramText(op, name) != ""
}

// differentiates reports whether input i is a number to differentiate by, not
// an index.
func (g *gradient) differentiates(i int) bool { return !(g.spec.Name == "unpool" && i == 1) }

// numerical evaluates an operation around a point.
type numerical struct {
	in        []*tensor.Tensor // x, filter, bias, …; then the upstream gradient
	forward   *ops.Runner
	out, base []*tensor.Tensor
	weights   []float64 // the upstream gradient
	gradients []*tensor.Tensor
	names     []string
	inputs    []int // which input each gradient belongs to
}

// numericalPlans plans the operation and all of its gradients in float64.
func (g *gradient) numericalPlans(specs []tensor.Spec, upstream int) (forward, backward *ops.Plan, err error) {
	op := ops.Clone(g.op)
	if err := ops.Set(op, "dtype", "float64"); err != nil {
		return nil, nil, err
	}
	wide := slices.Clone(specs[:upstream+1])
	for i := range wide {
		if g.differentiates(i) {
			wide[i].DType = tensor.Float64
		}
	}
	if forward, err = op.Plan(wide[:upstream], ops.Want{}); err != nil {
		return nil, nil, err
	}
	want := ops.WantGrad{Input: true}
	for _, name := range ops.Gradients(op) {
		*want.Of(name) = paramText(op, name) != ""
	}
	backward, err = op.PlanGrad(wide, want)
	return forward, backward, err
}

// numericalBytes returns the memory that --check needs beside the gradient's
// own.
func (a *app) numericalBytes(g *gradient, specs []tensor.Spec, upstream int) (int, error) {
	forward, backward, err := g.numericalPlans(specs, upstream)
	if err != nil {
		return 0, err
	}
	total := 0
	for _, plan := range []*ops.Plan{forward, backward} {
		n, err := plan.Bytes(a.Threads)
		if err != nil {
			return 0, &limitError{fmt.Sprintf("%s: check: the bytes in float64 do not fit in 63 bits", g.spec.Name), ""}
		}
		total = plus(total, n)
	}
	return total, nil
}

func (g *gradient) newNumerical(forward, backward *ops.Plan, in []*tensor.Tensor, threads int) (*numerical, error) {
	c := &numerical{in: in, weights: tensor.Of[float64](in[len(in)-1])}
	var err error
	if c.gradients, _, err = ops.Run(backward, threads, in...); err != nil {
		return nil, err
	}
	for _, o := range backward.Outputs {
		c.names = append(c.names, o.Name)
		c.inputs = append(c.inputs, g.inputOf(o.Name))
	}
	c.out = []*tensor.Tensor{tensor.New(forward.Outputs[0].Spec)}
	c.base = []*tensor.Tensor{tensor.New(forward.Outputs[0].Spec)}
	c.forward = ops.NewRunner(forward, threads)
	return c, c.forward.Run(in[:len(in)-1], c.base)
}

func (c *numerical) close() { c.forward.Close() }

// loss returns <dy, f(x) - f(x0)> where number at of an input has the value v.
// Differences of outputs are summed, not outputs, so that those which do not
// change do not blur those which do.
func (c *numerical) loss(input, at int, v float64) (float64, error) {
	data := tensor.Of[float64](c.in[input])
	before := data[at]
	data[at] = v
	err := c.forward.Run(c.in[:len(c.in)-1], c.out)
	data[at] = before
	sum := 0.0
	y, y0 := tensor.Of[float64](c.out[0]), tensor.Of[float64](c.base[0])
	for i, w := range c.weights {
		if d := y[i] - y0[i]; d != 0 {
			sum += w * d
		}
	}
	return sum, err
}

// compare differentiates by some numbers of one input.
func (c *numerical) compare(which int, gradient *tensor.Tensor, samples int) (tensorCheck, error) {
	input := c.inputs[which]
	n := gradient.Len()
	check := tensorCheck{Name: c.names[which], Of: n}
	analytic, x := tensor.Of[float64](gradient), tensor.Of[float64](c.in[input])
	if n == 0 {
		return check, nil
	}
	scale := floats.Norm(analytic, math.Inf(1))
	var failure error
	for _, at := range sampled(n, samples) {
		known := map[float64]float64{x[at]: 0} // the three formulas share their points
		f := func(v float64) float64 {
			if _, ok := known[v]; !ok && failure == nil {
				known[v], failure = c.loss(input, at, v)
			}
			return known[v]
		}
		step := 1e-5 * max(1, math.Abs(x[at]))
		central := fd.Derivative(f, x[at], &fd.Settings{Formula: fd.Central, Step: step})
		ahead := fd.Derivative(f, x[at], &fd.Settings{Formula: fd.Forward, Step: step})
		behind := fd.Derivative(f, x[at], &fd.Settings{Formula: fd.Backward, Step: step})
		if failure != nil {
			return check, failure
		}
		if !finite(central) || !finite(analytic[at]) {
			return check, fmt.Errorf("%s at [%s]: got %g, numerical differentiation gives %g, want finite numbers",
				check.Name, tensor.Join(gradient.Shape.Index(at), ","), analytic[at], central)
		}
		if math.Abs(ahead-behind) > 1e-3*max(scale, math.Abs(central)) {
			check.Ties++
			continue
		}
		check.Checked++
		e := math.Abs(central-analytic[at]) / max(math.Abs(central), math.Abs(analytic[at]), 1e-3*scale, 1e-12)
		if e > check.Error || check.At == nil {
			check.Error, check.At, check.Got, check.Want = e, gradient.Shape.Index(at), analytic[at], central
		}
	}
	return check, nil
}

func finite(v float64) bool { return !math.IsNaN(v) && !math.IsInf(v, 0) }

// sampled returns at most most of the numbers below n, in order and the same
// every time.
func sampled(n, most int) []int {
	if n <= most {
		list := make([]int, n)
		for i := range list {
			list[i] = i
		}
		return list
	}
	random := rand.New(rand.NewPCG(uint64(n), uint64(most)))
	chosen := map[int]bool{}
	for len(chosen) < most {
		chosen[random.IntN(n)] = true
	}
	list := make([]int, 0, most)
	for at := range chosen {
		list = append(list, at)
	}
	slices.Sort(list)
	return list
}

// adjoint returns the relative difference of <dy, f(x)> and <f*(dy), x>; the
// bias, which is not linear, is taken off the output first.
func (c *numerical) adjoint(bias bool) (float64, error) {
	y := slices.Clone(tensor.Of[float64](c.base[0]))
	if bias {
		zeroed := slices.Clone(c.in[:len(c.in)-1])
		zeroed[0] = tensor.New(c.in[0].Spec)
		if err := c.forward.Run(zeroed, c.out); err != nil {
			return 0, err
		}
		floats.Sub(y, tensor.Of[float64](c.out[0]))
	}
	left := floats.Dot(c.weights, y)
	dx, x := tensor.Of[float64](c.gradients[0]), tensor.Of[float64](c.in[0])
	right := floats.Dot(dx, x)
	scale := floats.Norm(dx, 2) * floats.Norm(x, 2)
	if scale == 0 {
		return math.Abs(left - right), nil
	}
	return math.Abs(left-right) / scale, nil
}

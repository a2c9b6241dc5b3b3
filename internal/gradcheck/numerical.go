package gradcheck

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"

	"gonum.org/v1/gonum/diff/fd"
	"gonum.org/v1/gonum/floats"

	"github.com/poolctl/poolctl/internal/ops"
	"github.com/poolctl/poolctl/internal/tensor"
)

// numerical evaluates an operation around a point.
type numerical struct {
	in        []*tensor.Tensor // x, filter, bias, … and the upstream gradient
	forward   *ops.Runner
	out, base []*tensor.Tensor
	weights   []float64 // the upstream gradient
	gradients []*tensor.Tensor
	names     []string
	inputs    []int // which input each gradient belongs to
}

// newNumerical computes the gradients and the output at the point.
func (c *Check) newNumerical(specs []tensor.Spec, in []*tensor.Tensor) (*numerical, error) {
	forward, backward, err := c.plans(specs)
	if err != nil {
		return nil, err
	}
	n := &numerical{in: in, weights: tensor.Of[float64](in[len(in)-1])}
	if n.gradients, _, err = ops.Run(backward, c.Threads, in...); err != nil {
		return nil, err
	}
	for _, o := range backward.Outputs {
		n.names = append(n.names, o.Name)
		n.inputs = append(n.inputs, c.inputOf(o.Name))
	}
	n.out = []*tensor.Tensor{tensor.New(forward.Outputs[0].Spec)}
	n.base = []*tensor.Tensor{tensor.New(forward.Outputs[0].Spec)}
	n.forward = ops.NewRunner(forward, c.Threads)
	if err := n.forward.Run(in[:len(in)-1], n.base); err != nil {
		n.close()
		return nil, err
	}
	return n, nil
}

func (n *numerical) close() { n.forward.Close() }

// loss returns <dy, f(x) - f(x0)>, where x has the value v at one element of an
// input. It sums differences of outputs, so that outputs which do not change
// add no rounding error.
func (n *numerical) loss(input, at int, v float64) (float64, error) {
	data := tensor.Of[float64](n.in[input])
	before := data[at]
	data[at] = v
	err := n.forward.Run(n.in[:len(n.in)-1], n.out)
	data[at] = before
	sum := 0.0
	y, y0 := tensor.Of[float64](n.out[0]), tensor.Of[float64](n.base[0])
	for i, w := range n.weights {
		if d := y[i] - y0[i]; d != 0 {
			sum += w * d
		}
	}
	return sum, err
}

// compare compares the gradient of one input with numerical differentiation at
// some of its elements.
func (n *numerical) compare(which int, gradient *tensor.Tensor, samples int) (Tensor, error) {
	input := n.inputs[which]
	count := gradient.Len()
	check := Tensor{Name: n.names[which], Of: count}
	analytic, x := tensor.Of[float64](gradient), tensor.Of[float64](n.in[input])
	if count == 0 {
		return check, nil
	}
	scale := floats.Norm(analytic, math.Inf(1))
	var failure error
	for _, at := range sampled(count, samples) {
		known := map[float64]float64{x[at]: 0} // the three formulas share their points
		f := func(v float64) float64 {
			if _, ok := known[v]; !ok && failure == nil {
				known[v], failure = n.loss(input, at, v)
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

// adjoint returns the relative difference of <dy, f(x)> and <f*(dy), x>. A bias
// is not linear, so it is subtracted from the output first.
func (n *numerical) adjoint(bias bool) (float64, error) {
	y := slices.Clone(tensor.Of[float64](n.base[0]))
	if bias {
		zeroed := slices.Clone(n.in[:len(n.in)-1])
		zeroed[0] = tensor.New(n.in[0].Spec)
		if err := n.forward.Run(zeroed, n.out); err != nil {
			return 0, err
		}
		floats.Sub(y, tensor.Of[float64](n.out[0]))
	}
	left := floats.Dot(n.weights, y)
	dx, x := tensor.Of[float64](n.gradients[0]), tensor.Of[float64](n.in[0])
	right := floats.Dot(dx, x)
	scale := floats.Norm(dx, 2) * floats.Norm(x, 2)
	if scale == 0 {
		return math.Abs(left - right), nil
	}
	return math.Abs(left-right) / scale, nil
}

// sampled returns up to most numbers below n in ascending order. It returns the
// same ones every time.
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

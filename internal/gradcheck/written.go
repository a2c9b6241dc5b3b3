package gradcheck

import (
	"fmt"
	"io"
	"math"

	"gonum.org/v1/gonum/floats"

	"github.com/poolctl/poolctl/internal/ops"
	"github.com/poolctl/poolctl/internal/tensor"
)

// Written compares a gradient in the type that it is written in with the same
// gradient in float64. It looks at every number.
type Written struct {
	DType  string  `json:"dtype"`
	Of     int     `json:"of"`
	Beyond int     `json:"beyond_rounding"` // numbers that rounding does not explain
	Ratio  float64 `json:"max_error_to_bound"`
	At     []int   `json:"at"` // empty if no number differs
	Got    float64 `json:"written"`
	Want   float64 `json:"float64"`
	Bound  float64 `json:"bound"`
}

// A sum of n terms in a type of unit roundoff u is off by at most n·u times the
// sum of the terms' magnitudes (Higham, Accuracy and Stability of Numerical
// Algorithms, section 4.2). A number of a gradient has at most one term for each
// number of the upstream gradient. elementary is what functions such as a power
// or a square root add to n.
const elementary = 64

// roundoff returns half of the distance between 1 and the next number of a
// floating-point type.
func roundoff(d tensor.DType) float64 { return math.Ldexp(1, -d.Precision()) }

// magnitudes returns for every number of every gradient the sum of the
// magnitudes of its terms: the gradient for the magnitude of the upstream one,
// and of the tensors too where the operation is linear, so that its terms are
// products of them.
func (c *Check) magnitudes(in []*tensor.Tensor) ([]*tensor.Tensor, error) {
	specs, last := make([]tensor.Spec, len(in)), len(in)-1
	positive := make([]*tensor.Tensor, len(in))
	linear := ops.IsLinear(c.Spec, c.Op)
	for i, t := range in {
		specs[i], positive[i] = t.Spec, t
		if i != last && !(linear && c.differentiates(i)) {
			continue
		}
		positive[i] = tensor.New(t.Spec)
		for at, v := range tensor.Of[float64](t) {
			tensor.Of[float64](positive[i])[at] = math.Abs(v)
		}
	}
	_, backward, err := c.plans(specs)
	if err != nil {
		return nil, err
	}
	sums, _, err := ops.Run(backward, c.Threads, positive...)
	return sums, err
}

// compareWritten compares one gradient with what float64 gives. terms are the
// magnitudes, upstream is the upstream gradient.
func compareWritten(written, exact, terms *tensor.Tensor, upstream []float64) *Written {
	w := &Written{DType: written.DType.String(), Of: written.Len(), At: []int{}}
	wide, _ := tensor.Converted(written, tensor.Float64)
	narrow, _ := tensor.Converted(exact, written.DType)
	rounded, _ := tensor.Converted(narrow, tensor.Float64)
	got, want, once, sums := tensor.Of[float64](wide), tensor.Of[float64](exact), tensor.Of[float64](rounded), tensor.Of[float64](terms)
	largest := 0.0
	if len(upstream) > 0 {
		largest = floats.Norm(upstream, math.Inf(1))
	}
	own := roundoff(written.DType)                 // of the result, and of parameters that come in a wider type
	computed := min(own, roundoff(tensor.Float32)) // narrower types compute in float32
	for i, v := range want {
		if got[i] == once[i] {
			continue
		}
		sum := max(math.Abs(sums[i]), math.Abs(v))
		bound := own*(math.Abs(v)+sum) + computed*(float64(len(upstream)+elementary)*sum+elementary*largest)
		ratio := math.Abs(got[i]-v) / bound
		if math.IsNaN(ratio) {
			ratio = math.Inf(1)
		}
		if !(ratio <= 1) {
			w.Beyond++
		}
		if ratio = min(ratio, math.MaxFloat64); ratio > w.Ratio { // JSON has no infinity
			w.Ratio, w.At, w.Bound, w.Want = ratio, written.Shape.Index(i), bound, v
			w.Got = max(-math.MaxFloat64, min(math.MaxFloat64, got[i]))
		}
	}
	return w
}

// writeText writes the comparison for people.
func (w *Written) writeText(out io.Writer, name string) {
	if w.Beyond == 0 {
		fmt.Fprintf(out, "check %-7s as written in %s, all %d numbers are float64's but for rounding\n", name, w.DType, w.Of)
		return
	}
	fmt.Fprintf(out, "check %-7s as written in %s, %d of %d numbers DIFFER from float64's by more than rounding, most at [%s]: written %.9g, float64 %.9g, rounding at most %.2g\n",
		name, w.DType, w.Beyond, w.Of, tensor.Join(w.At, ","), w.Got, w.Want, w.Bound)
}

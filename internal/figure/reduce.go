package figure

import (
	"math"

	"github.com/poolctl/poolctl/internal/tensor"
)

// Reduction combines the channels at each position into one value.
type Reduction uint8

// The reductions. MaxReduction takes the value of the largest magnitude with
// its sign, the first of equal ones. L2Reduction takes the root of the sum of
// squares, which has no sign. A NaN in a channel makes the value NaN.
const (
	NoReduction Reduction = iota
	SumReduction
	MaxReduction
	L2Reduction
)

// Reduce returns a float64 tensor of one channel, and its layout, which is that
// of t. It returns t itself for NoReduction, and if the layout does not fit or
// the tensor is empty; the function that draws it reports that.
func Reduce(t *tensor.Tensor, layout tensor.Layout, how Reduction) (*tensor.Tensor, tensor.Layout) {
	e, err := layout.Split(t.Shape)
	if err != nil || how == NoReduction || t.Len() == 0 {
		return t, layout
	}
	step := 1 // from one channel to the next
	if layout.ChannelsFirst() {
		for _, extent := range e.Spatial {
			step *= extent
		}
	}
	channels := e.C
	e.C = 1
	reduced := tensor.New(tensor.Spec{DType: tensor.Float64, Shape: layout.Join(e)})
	data := tensor.Of[float64](reduced)
	values := make([]float64, channels)
	for i := range data {
		first := i/step*step*channels + i%step
		for c := range values {
			values[c] = t.At(first + c*step)
		}
		data[i] = how.of(values)
	}
	return reduced, layout
}

// of reduces the values of one place.
func (r Reduction) of(values []float64) float64 {
	result := 0.0
	for _, v := range values {
		switch {
		case v != v:
			return v
		case r == SumReduction:
			result += v
		case r == L2Reduction:
			result = math.Hypot(result, v) // no square overflows or vanishes
		case math.Abs(v) > math.Abs(result):
			result = v
		}
	}
	return result
}

package timing

import (
	"math/rand/v2"

	"github.com/poolctl/poolctl/internal/tensor"
)

// randomPeriod is the number of elements after which random data repeats: making
// more takes longer than most operations. It is odd, so that rows differ.
const randomPeriod = 1<<20 - 1

// Random returns a tensor of uniform random numbers, the same every time:
// floating-point numbers in [-1, 1), integers from 0 to 99, or, for int64 with
// a limit, indices below the limit.
func Random(spec tensor.Spec, limit int) *tensor.Tensor {
	t := tensor.New(spec)
	n := t.Len()
	wide := tensor.New(tensor.Spec{DType: tensor.Float64, Shape: tensor.Shape{min(n, randomPeriod)}})
	random := rand.New(rand.NewPCG(1, 2))
	data := tensor.Of[float64](wide)
	for i := range data {
		switch {
		case spec.DType.IsFloat():
			data[i] = 2*random.Float64() - 1
		case spec.DType == tensor.Int64 && limit > 0:
			data[i] = float64(random.IntN(limit))
		default:
			data[i] = float64(random.IntN(100))
		}
	}
	period, _ := tensor.Converted(wide, spec.DType)
	tensor.Repeat(t, period)
	return t
}

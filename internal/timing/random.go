package timing

import (
	"fmt"
	"math/rand/v2"

	"github.com/poolctl/poolctl/internal/tensor"
)

// randomPeriod is after how many numbers random data repeat; making them takes
// longer than most operations. It is odd, so that rows differ.
const randomPeriod = 1<<20 - 1

// Random returns a tensor of uniform numbers, always the same: floating-point
// numbers in [-1, 1), whole numbers from 0 to 99, or indices below limit if that
// is not 0 and the type is int64.
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
	switch from := period.Data.(type) {
	case []uint8:
		repeat(tensor.Of[uint8](t), from)
	case []int8:
		repeat(tensor.Of[int8](t), from)
	case []uint16:
		repeat(tensor.Of[uint16](t), from)
	case []int16:
		repeat(tensor.Of[int16](t), from)
	case []uint32:
		repeat(tensor.Of[uint32](t), from)
	case []int32:
		repeat(tensor.Of[int32](t), from)
	case []uint64:
		repeat(tensor.Of[uint64](t), from)
	case []int64:
		repeat(tensor.Of[int64](t), from)
	case []tensor.Float16:
		repeat(tensor.Of[tensor.Float16](t), from)
	case []float32:
		repeat(tensor.Of[float32](t), from)
	case []float64:
		repeat(tensor.Of[float64](t), from)
	default:
		panic(fmt.Sprintf("timing: no random data of %s", spec.DType))
	}
	return t
}

func repeat[T any](to, period []T) {
	for len(to) > 0 && len(period) > 0 {
		to = to[copy(to, period):]
	}
}

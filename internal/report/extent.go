package report

import (
	"fmt"
	"math"

	"github.com/poolctl/poolctl/internal/tensor"
)

// Extent is the range of a tensor's finite elements, and the counts of zeros
// and of what is not finite.
type Extent struct {
	Lo, Hi              float64 // of the finite elements; both 0 if there is none
	Min, Max            Value   // the same, exact
	Finite, Zeros       int
	NaN, PosInf, NegInf int
}

// Scale returns the largest finite magnitude, 0 if there is none.
func (e *Extent) Scale() float64 {
	return max(math.Abs(e.Lo), math.Abs(e.Hi))
}

// Measure finds the extent of a tensor in one pass.
func Measure(t *tensor.Tensor) Extent {
	if t.DType.IsInteger() {
		return measureIntegers.For(t.DType)(t)
	}
	e := Extent{Lo: math.Inf(1), Hi: math.Inf(-1)}
	buf := make([]float64, block)
	for i, n := 0, t.Len(); i < n; i += block {
		part := buf[:min(block, n-i)]
		tensor.Widen(part, t, i)
		e.add(part)
	}
	if e.Finite == 0 {
		e.Lo, e.Hi = 0, 0
		return e
	}
	e.Min, e.Max = ValueOf(e.Lo), ValueOf(e.Hi)
	return e
}

func (e *Extent) add(part []float64) {
	for _, v := range part {
		if v-v != 0 {
			switch {
			case v != v:
				e.NaN++
			case v > 0:
				e.PosInf++
			default:
				e.NegInf++
			}
			continue
		}
		e.Finite++
		if v == 0 {
			e.Zeros++
		}
		if v < e.Lo {
			e.Lo = v
		}
		if v > e.Hi {
			e.Hi = v
		}
	}
}

var measureIntegers = tensor.PerInteger(measure[uint8], measure[int8], measure[uint16], measure[int16],
	measure[uint32], measure[int32], measure[uint64], measure[int64])

func measure[T tensor.Integer](t *tensor.Tensor) Extent {
	data := tensor.Of[T](t)
	if len(data) == 0 {
		return Extent{}
	}
	e := Extent{Finite: len(data)}
	lo, hi := data[0], data[0]
	for _, v := range data {
		if v == 0 {
			e.Zeros++
		}
		lo, hi = min(lo, v), max(hi, v)
	}
	e.Lo, e.Hi = float64(lo), float64(hi)
	e.Min, e.Max = Value(fmt.Sprint(lo)), Value(fmt.Sprint(hi))
	return e
}

package pool

import (
	"math"

	"github.com/poolctl/poolctl/internal/tensor"
)

// loader fills accumulators with single elements; at is the offset of src[0]
// within the image.
type loader[T, A any] func(acc []A, src []T, at int)

func loadSame[T any](acc, src []T, _ int) { copy(acc, src) }

func loadLocated[T tensor.Real](acc []located[T], src []T, at int) {
	for i, v := range src {
		acc[i] = located[T]{v, at + i}
	}
}

func loadWide[T tensor.Real](acc []float64, src []T, _ int) {
	for i, v := range src {
		acc[i] = float64(v)
	}
}

func loadDouble[T tensor.Real](acc []double, src []T, _ int) {
	for i, v := range src {
		acc[i] = toDouble(float64(v))
	}
}

func loadCounted[T tensor.Real](acc []counted, src []T, _ int) {
	for i, v := range src {
		acc[i] = counting(float64(v))
	}
}

func counting(v float64) counted {
	if v != v {
		return counted{skipped: double{hi: 1}}
	}
	return counted{sum: toDouble(v)}
}

func loadTally[T tensor.Real](acc []tally, src []T, _ int) {
	for i, v := range src {
		acc[i] = tallied(float64(v))
	}
}

func tallied(v float64) tally {
	if v != v {
		return tally{skipped: 1}
	}
	return tally{sum: v}
}

// loadPower returns a loader of |x|^p.
func loadPower[T tensor.Real](p powers) loader[T, float64] {
	power := p.power()
	if p.isRaised() {
		return func(acc []float64, src []T, _ int) {
			for i, v := range src {
				acc[i] = raise(math.Abs(float64(v)), p.p)
			}
		}
	}
	return func(acc []float64, src []T, _ int) {
		for i, v := range src {
			acc[i] = power(float64(v))
		}
	}
}

// loadPowerOf returns a loader of accumulators of |x|^p.
func loadPowerOf[T tensor.Real, A any](p powers, of func(v float64) A) loader[T, A] {
	power := p.power()
	return func(acc []A, src []T, _ int) {
		for i, v := range src {
			acc[i] = of(power(float64(v)))
		}
	}
}

// powers computes |x|^p and its inverse. For results that are rounded to float32 it
// uses raise, which is faster than math.Pow.
type powers struct {
	p      float64
	narrow bool
}

// isRaised reports whether the power is computed by raise.
func (w powers) isRaised() bool {
	return w.narrow && w.p != 1 && w.p != 2 && w.p != 3 && w.p <= mostRaised
}

// raise returns x^p for x that is not negative.
func (w powers) raise(p float64) func(x float64) float64 {
	if w.narrow && p <= mostRaised {
		return func(x float64) float64 { return raise(x, p) }
	}
	return func(x float64) float64 { return math.Pow(x, p) }
}

// power returns the function |x|^p; for infinite p it is |x|.
func (w powers) power() func(float64) float64 {
	switch p := w.p; {
	case p == 2:
		return func(x float64) float64 { return x * x }
	case p == 1 || math.IsInf(p, 1):
		return math.Abs
	case p == 3: // several times as fast as math.Pow; two roundings in float64
		return func(x float64) float64 { return math.Abs(x * x * x) }
	default:
		raise := w.raise(p)
		return func(x float64) float64 { return raise(math.Abs(x)) }
	}
}

// root returns the inverse of power for values that are not negative.
func (w powers) root() func(float64) float64 {
	switch p := w.p; {
	case p == 2:
		return math.Sqrt
	case p == 1 || math.IsInf(p, 1):
		return func(x float64) float64 { return x }
	case p == 3:
		return math.Cbrt
	default:
		return w.raise(1 / p)
	}
}

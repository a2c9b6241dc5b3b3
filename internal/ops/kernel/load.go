package kernel

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
		if v != v {
			acc[i] = counted{skipped: 1}
		} else {
			acc[i] = counted{double: toDouble(float64(v))}
		}
	}
}

// loadPower returns a loader of |x|^p.
func loadPower[T tensor.Real](p float64) loader[T, float64] {
	power := powerOf(p)
	return func(acc []float64, src []T, _ int) {
		for i, v := range src {
			acc[i] = power(float64(v))
		}
	}
}

// loadCountedPower is loadPower that skips NaN.
func loadCountedPower[T tensor.Real](p float64) loader[T, counted] {
	power := powerOf(p)
	return func(acc []counted, src []T, _ int) {
		for i, v := range src {
			if v != v {
				acc[i] = counted{skipped: 1}
			} else {
				acc[i] = counted{double: toDouble(power(float64(v)))}
			}
		}
	}
}

// powerOf returns the function |x|^p; for infinite p it is |x|.
func powerOf(p float64) func(float64) float64 {
	switch {
	case p == 2:
		return func(x float64) float64 { return x * x }
	case p == 1 || math.IsInf(p, 1):
		return math.Abs
	case p == 3: // several times as fast as math.Pow; two roundings in float64
		return func(x float64) float64 { return math.Abs(x * x * x) }
	default:
		return func(x float64) float64 { return math.Pow(math.Abs(x), p) }
	}
}

// rootOf returns the inverse of powerOf for values that are not negative.
func rootOf(p float64) func(float64) float64 {
	switch {
	case p == 2:
		return math.Sqrt
	case p == 1 || math.IsInf(p, 1):
		return func(x float64) float64 { return x }
	case p == 3:
		return math.Cbrt
	default:
		return func(x float64) float64 { return math.Pow(x, 1/p) }
	}
}

package kernel

import "github.com/poolctl/poolctl/internal/tensor"

// Merger combines rows of accumulators: dst[i] = a[i] ⊕ b[i], where a comes before b
// in row-major order. dst may be a.
type Merger[A any] func(dst, a, b []A)

// ExtremumKind is one of the four ways to merge maxima and minima.
type ExtremumKind int

// KindOf numbers the kinds: maxima, maxima that ignore NaN, minima, minima that
// ignore NaN.
func KindOf(minimum, ignoreNaN bool) ExtremumKind {
	kind := ExtremumKind(0)
	if minimum {
		kind = 2
	}
	if ignoreNaN {
		kind++
	}
	return kind
}

// The comparisons below say when b replaces the earlier a. For integers the tests
// for NaN are always false.

// MergeMax keeps the larger number, the earlier of equal ones, and the first NaN.
func MergeMax[T tensor.Real](dst, a, b []T) {
	a, b = a[:len(dst)], b[:len(dst)]
	for i := range dst {
		v := a[i]
		if w := b[i]; w > v || w != w && v == v {
			v = w
		}
		dst[i] = v
	}
}

// MergeMin keeps the smaller number, the earlier of equal ones, and the first NaN.
func MergeMin[T tensor.Real](dst, a, b []T) {
	a, b = a[:len(dst)], b[:len(dst)]
	for i := range dst {
		v := a[i]
		if w := b[i]; w < v || w != w && v == v {
			v = w
		}
		dst[i] = v
	}
}

// MergeMaxIgnoreNaN is MergeMax, but a NaN gives way to whatever follows.
func MergeMaxIgnoreNaN[T tensor.Real](dst, a, b []T) {
	a, b = a[:len(dst)], b[:len(dst)]
	for i := range dst {
		v := a[i]
		if w := b[i]; w > v || v != v {
			v = w
		}
		dst[i] = v
	}
}

// MergeMinIgnoreNaN is MergeMin, but a NaN gives way to whatever follows.
func MergeMinIgnoreNaN[T tensor.Real](dst, a, b []T) {
	a, b = a[:len(dst)], b[:len(dst)]
	for i := range dst {
		v := a[i]
		if w := b[i]; w < v || v != v {
			v = w
		}
		dst[i] = v
	}
}

package kernel

import "github.com/poolctl/poolctl/internal/tensor"

// Merger combines rows of accumulators: dst[i] = a[i] ⊕ b[i], where a stands
// before b in row-major order. dst may be a.
type Merger[A any] func(dst, a, b []A)

// ExtremumKind is one of the four ways to merge maxima and minima.
type ExtremumKind int

// KindOf numbers the kinds in the order of rowTable.extrema: maxima, maxima that
// ignore NaN, minima, minima that ignore NaN.
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

// The comparisons below say when b replaces the earlier a. For integers the
// tests for NaN are constant false.

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

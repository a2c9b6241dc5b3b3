package pool

import (
	"math"

	"github.com/poolctl/poolctl/internal/tensor"
)

// located is a value and where it stands: its offset within the image in
// memory.
type located[T tensor.Real] struct {
	value T
	at    int
}

// double is a sum in twice float64's precision: hi is the rounded sum, lo the
// rest. lo is NaN when an infinite or NaN term was added, so that overflow of
// finite terms can be told from that.
type double struct{ hi, lo float64 }

// noDouble changes nothing that it is added to.
var noDouble = double{hi: math.Copysign(0, -1)}

// counted is a sum that skipped NaN terms, and how many. The count is a double too,
// so that both are added by the same instructions.
type counted struct{ sum, skipped double }

// tally is counted for results that are rounded to float32.
type tally struct{ sum, skipped float64 }

func mergeArgMax[T tensor.Real](dst, a, b []located[T]) {
	a, b = a[:len(dst)], b[:len(dst)]
	for i := range dst {
		v := a[i]
		if w := b[i]; w.value > v.value || w.value != w.value && v.value == v.value {
			v = w
		}
		dst[i] = v
	}
}

func mergeArgMin[T tensor.Real](dst, a, b []located[T]) {
	a, b = a[:len(dst)], b[:len(dst)]
	for i := range dst {
		v := a[i]
		if w := b[i]; w.value < v.value || w.value != w.value && v.value == v.value {
			v = w
		}
		dst[i] = v
	}
}

// A NaN is replaced by the first number after it; among NaN alone the first
// stays.

func mergeArgMaxIgnoreNaN[T tensor.Real](dst, a, b []located[T]) {
	a, b = a[:len(dst)], b[:len(dst)]
	for i := range dst {
		v := a[i]
		if w := b[i]; w.value > v.value || v.value != v.value && w.value == w.value {
			v = w
		}
		dst[i] = v
	}
}

func mergeArgMinIgnoreNaN[T tensor.Real](dst, a, b []located[T]) {
	a, b = a[:len(dst)], b[:len(dst)]
	for i := range dst {
		v := a[i]
		if w := b[i]; w.value < v.value || v.value != v.value && w.value == w.value {
			v = w
		}
		dst[i] = v
	}
}

func mergeSum(dst, a, b []float64) {
	a, b = a[:len(dst)], b[:len(dst)]
	for i := range dst {
		dst[i] = a[i] + b[i]
	}
}

func mergeDouble(dst, a, b []double) {
	a, b = a[:len(dst)], b[:len(dst)]
	for i := range dst {
		dst[i] = addDouble(a[i], b[i])
	}
}

func mergeCounted(dst, a, b []counted) {
	a, b = a[:len(dst)], b[:len(dst)]
	for i := range dst {
		dst[i] = counted{addDouble(a[i].sum, b[i].sum), addDouble(a[i].skipped, b[i].skipped)}
	}
}

func mergeTally(dst, a, b []tally) {
	a, b = a[:len(dst)], b[:len(dst)]
	for i := range dst {
		dst[i] = tally{a[i].sum + b[i].sum, a[i].skipped + b[i].skipped}
	}
}

// addDouble adds without losing the rounding error (Knuth's two-sum), which is
// none where the sum is infinite or NaN.
func addDouble(a, b double) double {
	hi := a.hi + b.hi
	from := hi - a.hi
	rest := (a.hi - (hi - from)) + (b.hi - from)
	if rest != rest {
		rest = 0
	}
	return double{hi, a.lo + b.lo + rest}
}

// toDouble returns a term: v - v is 0, or NaN where v is infinite or NaN.
func toDouble(v float64) double { return double{v, v - v} }

// over divides by a count, whose reciprocal is given too, and rounds once. The
// remainder needs only its leading bits, so it is multiplied by the reciprocal.
func (s double) over(count, reciprocal float64) float64 {
	q := s.hi / count
	if q-q != 0 {
		return q
	}
	return q + (math.FMA(-q, count, s.hi)+s.lo)*reciprocal
}

// overflowed reports whether finite terms had a sum beyond float64.
func (s double) overflowed() bool {
	return s.hi-s.hi != 0 && s.lo == s.lo
}

package pool

import (
	"github.com/poolctl/poolctl/internal/ops/kernel"
	"github.com/poolctl/poolctl/internal/tensor"
)

// rowTable holds the row functions of a CPU level that are faster than plain Go.
// Plain Go does the rest.
type rowTable struct {
	extrema [4][]any // by ExtremumKind: merger[T] for some types T
	widen   []any    // loader[T, float64] for some types T
	sum     kernel.Merger[float64]
	divide  divider[float32]
}

// pick returns the function of a list that has the wanted type, else the plain
// one, and whether it was found.
func pick[F any](list []any, plain F) (F, bool) {
	for _, f := range list {
		if f, ok := f.(F); ok {
			return f, true
		}
	}
	return plain, false
}

// extremumMerger returns the fastest merger of a kind at a level, and its ISA.
func extremumMerger[T tensor.Real](level kernel.Level, minimum, ignoreNaN bool) (kernel.Merger[T], string) {
	kind := kernel.KindOf(minimum, ignoreNaN)
	plain := [4]kernel.Merger[T]{kernel.MergeMax[T], kernel.MergeMaxIgnoreNaN[T], kernel.MergeMin[T], kernel.MergeMinIgnoreNaN[T]}[kind]
	f, found := pick(rowTables[level].extrema[kind], plain)
	return f, kernel.ISA(level, found)
}

// sumMerger returns the fastest merger of sums at a level, and its ISA.
func sumMerger(level kernel.Level) (kernel.Merger[float64], string) {
	if f := rowTables[level].sum; f != nil {
		return f, kernel.ISA(level, true)
	}
	return mergeSum, kernel.ISA(level, false)
}

// wideLoader returns the fastest conversion to float64 at a level.
func wideLoader[T tensor.Real](level kernel.Level) loader[T, float64] {
	f, _ := pick(rowTables[level].widen, loader[T, float64](loadWide[T]))
	return f
}

// sumFinisher returns the fastest division of sums at a level.
func sumFinisher[T tensor.Real, O tensor.Floating](level kernel.Level) finisher[T, float64, O] {
	divide, ok := any(rowTables[level].divide).(divider[O])
	if !ok || divide == nil {
		divide = divideAll[O]
	}
	return finishSum[T](divide)
}

// mergeVectors returns a merger whose multiples of the lanes are merged by
// assembly; lanes is a power of 2.
func mergeVectors[T any](lanes int, rows func(dst, a, b *T, n int), plain kernel.Merger[T]) kernel.Merger[T] {
	return func(dst, a, b []T) {
		a, b = a[:len(dst)], b[:len(dst)]
		n := len(dst) &^ (lanes - 1)
		if n > 0 {
			rows(&dst[0], &a[0], &b[0], n)
		}
		if n < len(dst) {
			plain(dst[n:], a[n:], b[n:])
		}
	}
}

// loadVectors is mergeVectors for conversions to float64.
func loadVectors[T tensor.Real](lanes int, rows func(dst *float64, src *T, n int)) loader[T, float64] {
	return func(acc []float64, src []T, at int) {
		acc = acc[:len(src)]
		n := len(src) &^ (lanes - 1)
		if n > 0 {
			rows(&acc[0], &src[0], n)
		}
		if n < len(src) {
			loadWide(acc[n:], src[n:], at+n)
		}
	}
}

// divideVectors is mergeVectors for divisions.
func divideVectors(lanes int, rows func(dst *float32, src *float64, reciprocal float64, n, stream int)) divider[float32] {
	return func(dst []float32, src []float64, divisor float64, stream bool) {
		if len(src) < lanes {
			divideAll(dst, src, divisor, false)
			return
		}
		kernel.SplitStream(stream, lanes, len(src), kernel.Misaligned(dst, lanes), func(at, n, stream int) {
			rows(&dst[at], &src[at], 1/divisor, n, stream)
		})
	}
}

// Package kernel holds the CPU kernels: pooling, convolution and morphology
// over slices and a geom.Geometry.
//
// A kernel is a value made when planning: it knows its geometry, how its work
// splits into units, and how much scratch memory a worker needs. Running a unit
// neither allocates nor fails, and units may run in any order at the same time:
// each writes its own part of the output, so the result does not depend on the
// number of threads.
//
// The package imports geom, tensor and CPU detection only. What it promises:
//
//   - Padding never enters a pooling reduction: it is skipped, not filled. In
//     convolution it is a real zero, so a NaN or infinite weight over padding
//     gives NaN.
//   - Maxima and minima are exact. Of equal values the first in row-major order
//     wins, for values (-0 and +0) as for positions.
//   - NaN: a window that holds one gives NaN, and its position is that of the
//     first NaN. With IgnoreNaN it is skipped unless the window holds nothing
//     else. TensorFlow's own kernels depend on SIMD lanes here (SpatialMaxPool
//     seeds with the lowest number); this rule does not.
//   - Averages and sums are accumulated in float64, those of float64 in twice
//     that precision, and rounded once: the mean of a constant is that
//     constant, whatever the window.
package kernel

import "unsafe"

// Scratch is one worker's memory, handed out piece by piece within a unit.
type Scratch struct {
	words []uint64
	used  int // words
}

// NewScratch books n bytes.
func NewScratch(n int) Scratch { return Scratch{words: make([]uint64, (n+7)/8)} }

// reset makes the whole memory available again.
func (s *Scratch) reset() { s.used = 0 }

// take hands out n elements of uninitialised memory. T must hold no pointers.
func take[T any](s *Scratch, n int) []T {
	words := scratchWords[T](n)
	if n == 0 {
		return nil
	}
	part := s.words[s.used : s.used+words]
	s.used += words
	return unsafe.Slice((*T)(unsafe.Pointer(&part[0])), n)
}

// takeLines is take from the beginning of a cache line on.
func takeLines[T any](s *Scratch, n int) []T {
	for s.used < len(s.words) && uintptr(unsafe.Pointer(&s.words[s.used]))%64 != 0 {
		s.used++
	}
	return take[T](s, n)
}

// lineWords is what takeLines may need beside scratchWords.
const lineWords = 7

// scratchWords returns how many words take needs for n elements.
func scratchWords[T any](n int) int {
	var t T
	return (n*int(unsafe.Sizeof(t)) + 7) / 8
}

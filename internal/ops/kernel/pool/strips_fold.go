package pool

import (
	"unsafe"

	"github.com/poolctl/poolctl/internal/ops/kernel"
	"github.com/poolctl/poolctl/internal/tensor"
)

// folder combines shifted copies of a row: number i of output o is the merge, in
// order, of src[o*step + taps[t] + i] over all t, for n numbers of each output,
// side by side in dst. Taps are given in bytes. Where rounding up n to vectors is
// within dst and src, in-place is allowed: dst may be src with a first tap of 0.
// With stream, dst is written past the caches.
type folder[A any] func(dst, src []A, taps []int, outputs, n, step int, stream bool)

// scratchLanes is the multiple that lengths in scratch memory are rounded up to:
// whole vectors of every type.
const scratchLanes = 16

// foldMerging builds a folder from a merger.
func foldMerging[A any](merge kernel.Merger[A]) folder[A] {
	size := int(unsafe.Sizeof(*new(A)))
	return func(dst, src []A, taps []int, outputs, n, step int, _ bool) {
		for o := range outputs {
			part, from := dst[o*n:(o+1)*n], src[o*step:]
			first := from[taps[0]/size:]
			if len(taps) == 1 {
				copy(part, first)
				continue
			}
			merge(part, first, from[taps[1]/size:])
			for _, tap := range taps[2:] {
				merge(part, part, from[tap/size:])
			}
		}
	}
}

// foldVectors is foldMerging by assembly where a cell has a vector's lanes, a
// power of 2.
func foldVectors[A any](lanes int, wide func(dst, src *A, taps *int, ntaps, n, outputs, step, stream, fetches int), merge kernel.Merger[A]) folder[A] {
	plain := foldMerging(merge)
	size := int(unsafe.Sizeof(*new(A)))
	return func(dst, src []A, taps []int, outputs, n, step int, stream bool) {
		if n < lanes {
			plain(dst, src, taps, outputs, n, step, false)
			return
		}
		kernel.SplitStream(stream && outputs == 1, lanes, n, kernel.Misaligned(dst, lanes), func(at, n, stream int) {
			wide(&dst[at], &src[at], &taps[0], len(taps), n, outputs, size*step, stream, 0)
		})
	}
}

// foldPairs is foldVectors for accumulators that are so many pairs of numbers of 8
// bytes; a vector holds lanes pairs.
func foldPairs[A any](pairs, lanes int, wide func(dst, src *float64, taps *int, ntaps, n, outputs, step, stream, fetches int), merge kernel.Merger[A]) folder[A] {
	return foldVectors(lanes/pairs, func(dst, src *A, taps *int, ntaps, n, outputs, step, stream, fetches int) {
		wide((*float64)(unsafe.Pointer(dst)), (*float64)(unsafe.Pointer(src)), taps, ntaps, pairs*n, outputs, step, stream, fetches)
	}, merge)
}

// foldTable holds the folders of a CPU level that are better than plain Go.
type foldTable struct {
	extrema [4][]any // by ExtremumKind: folder[T] for some types T
	sum     folder[float64]
	slide   slider[float64] // of sums
	tally   folder[tally]
	double  folder[double]
	counted folder[counted]
	located [4]folder[located[float64]] // by ExtremumKind
	keys    folder[int64]
	load    func(acc []int64, src []float32, at int, o keyOrder) // loadKeys
}

func extremumFolder[T tensor.Real](level kernel.Level, kind kernel.ExtremumKind, merge kernel.Merger[T]) folder[T] {
	f, _ := pick(foldTables[level].extrema[kind], foldMerging(merge))
	return f
}

func sumFolder(level kernel.Level) folder[float64] {
	if f := foldTables[level].sum; f != nil {
		return f
	}
	return foldMerging(mergeSum)
}

// slider merges windows of size cells of n numbers that end in a block of src, the
// whole windows among them, which begins at a place and has as many cells or, at
// the end of a row, less. It notes what the cells from each on to the block's end
// come to, for the next block, and finds that of the block before. n is at least 2;
// up to two numbers before and behind may be read and written, and a block before
// in ends.
type slider[A any] func(windows, ends, src []A, at, n, size, cells int)

// sumSlider returns the slider of sums. There is one at every level, so that sums
// are added in the same order at all of them.
func sumSlider(level kernel.Level) slider[float64] {
	if f := foldTables[level].slide; f != nil {
		return f
	}
	return slideSums
}

func slideSums(windows, ends, src []float64, at, n, size, cells int) {
	end := at + n*cells
	block := windows[:end]
	copy(block[at:], src[at:at+n])
	for i := at + n; i < end; i++ {
		block[i] = block[i-n] + src[i]
	}
	if at > 0 {
		before := ends[at-n*(size-1):]
		for i := at; i < at+n*min(cells, size-1); i++ {
			block[i] += before[i-at]
		}
	}
	copy(ends[end-n:], src[end-n:end])
	for i := end - n - 1; i >= at; i-- {
		ends[i] = src[i] + ends[i+n]
	}
}

func keyFolder(level kernel.Level) folder[int64] {
	if f := foldTables[level].keys; f != nil {
		return f
	}
	return foldMerging(mergeKeys)
}

func tallyFolder(level kernel.Level) folder[tally] {
	if f := foldTables[level].tally; f != nil {
		return f
	}
	return foldMerging(mergeTally)
}

func doubleFolder(level kernel.Level) folder[double] {
	if f := foldTables[level].double; f != nil {
		return f
	}
	return foldMerging(mergeDouble)
}

func countedFolder(level kernel.Level) folder[counted] {
	if f := foldTables[level].counted; f != nil {
		return f
	}
	return foldMerging(mergeCounted)
}

// locatedFolder returns the folder of values with their places, and its ISA.
func locatedFolder[T tensor.Real](level kernel.Level, kind kernel.ExtremumKind, merge kernel.Merger[located[T]]) (f folder[located[T]], isa string) {
	if f, ok := any(foldTables[level].located[kind]).(folder[located[T]]); ok && f != nil {
		return f, level.String()
	}
	return foldMerging(merge), "go"
}

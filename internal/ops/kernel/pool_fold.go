package kernel

import (
	"unsafe"

	"github.com/poolctl/poolctl/internal/tensor"
)

// folder combines shifted copies of a row: number i of output o is the merge, in
// order, of src[o*step + taps[t] + i] over all t, for n numbers of each output,
// side by side in dst. Taps are given in bytes. Where rounding up n to vectors is
// within dst and src, in-place is allowed: dst may be src with a first tap of 0.
// With stream, dst is written past the caches.
type folder[A any] func(dst, src []A, taps []int, outputs, n, step int, stream bool)

// scratchLanes is what lengths in scratch memory are rounded up to: whole
// vectors of every type.
const scratchLanes = 16

// foldMerging returns the folder that a merger makes.
func foldMerging[A any](merge merger[A]) folder[A] {
	size := 8 * scratchWords[A](2) / 2
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
func foldVectors[A any](lanes int, wide func(dst, src *A, taps *int, ntaps, n, outputs, step, stream, fetches int), merge merger[A]) folder[A] {
	plain := foldMerging(merge)
	size := 8 * scratchWords[A](2) / 2
	return func(dst, src []A, taps []int, outputs, n, step int, stream bool) {
		if n < lanes {
			plain(dst, src, taps, outputs, n, step, false)
			return
		}
		splitStream(stream && outputs == 1, lanes, n, misaligned(dst, lanes), func(at, n, stream int) {
			wide(&dst[at], &src[at], &taps[0], len(taps), n, outputs, size*step, stream, 0)
		})
	}
}

// foldPairs is foldVectors for accumulators that are so many pairs of numbers of 8
// bytes; a vector holds lanes pairs.
func foldPairs[A any](pairs, lanes int, wide func(dst, src *float64, taps *int, ntaps, n, outputs, step, stream, fetches int), merge merger[A]) folder[A] {
	return foldVectors(lanes/pairs, func(dst, src *A, taps *int, ntaps, n, outputs, step, stream, fetches int) {
		wide((*float64)(unsafe.Pointer(dst)), (*float64)(unsafe.Pointer(src)), taps, ntaps, pairs*n, outputs, step, stream, fetches)
	}, merge)
}

// splitStream calls do for the whole of n numbers, or for the part that may be
// streamed, to addresses that are multiples of a vector, and the ends on both
// sides, which overlap it; they begin off numbers past such an address.
func splitStream(stream bool, lanes, n, off int, do func(at, n, stream int)) {
	if !stream || n < 4*lanes {
		do(0, n, 0)
		return
	}
	head := (lanes - off) % lanes
	whole := (n - head) &^ (lanes - 1)
	if head > 0 {
		do(0, lanes, 0)
	}
	do(head, whole, 1)
	if head+whole < n {
		do(n-lanes, lanes, 0)
	}
}

// foldTable holds the folders of a CPU level that are better than plain Go.
type foldTable struct {
	extrema [4][]any // by extremumKind: folder[T] for some types T
	sum     folder[float64]
	slide   slider[float64] // of sums
	tally   folder[tally]
	double  folder[double]
	counted folder[counted]
	located [4]folder[located[float64]] // by extremumKind
	keys    folder[int64]
	load    func(acc []int64, src []float32, at int, o keyOrder) // loadKeys
}

func extremumFolder[T tensor.Real](level Level, kind extremumKind, merge merger[T]) folder[T] {
	f, _ := pick(foldTables[level].extrema[kind], foldMerging(merge))
	return f
}

func sumFolder(level Level) folder[float64] {
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

// sumSlider always returns one: sums are of one order at every level.
func sumSlider(level Level) slider[float64] {
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

func keyFolder(level Level) folder[int64] {
	if f := foldTables[level].keys; f != nil {
		return f
	}
	return foldMerging(mergeKeys)
}

func tallyFolder(level Level) folder[tally] {
	if f := foldTables[level].tally; f != nil {
		return f
	}
	return foldMerging(mergeTally)
}

func doubleFolder(level Level) folder[double] {
	if f := foldTables[level].double; f != nil {
		return f
	}
	return foldMerging(mergeDouble)
}

func countedFolder(level Level) folder[counted] {
	if f := foldTables[level].counted; f != nil {
		return f
	}
	return foldMerging(mergeCounted)
}

// locatedFolder also returns what it is written for.
func locatedFolder[T tensor.Real](level Level, kind extremumKind, merge merger[located[T]]) (f folder[located[T]], isa string) {
	if f, ok := any(foldTables[level].located[kind]).(folder[located[T]]); ok && f != nil {
		return f, level.String()
	}
	return foldMerging(merge), "go"
}

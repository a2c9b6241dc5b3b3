package pool

import (
	"github.com/poolctl/poolctl/internal/geom"
	"github.com/poolctl/poolctl/internal/ops/kernel"
)

// pass reduces one spatial axis of a tile. Cells and outputs are runs of equal
// length, contiguous in memory.
type pass struct {
	axis      geom.Axis
	threshold int  // the largest window for which tap by tap is cheaper
	blocks    bool // van Herk's prefix and suffix blocks instead of tap by tap
}

// newPass chooses the algorithm for an axis whose runs have about the given
// length. Tap by tap costs size/stride merges a cell, blocks cost 2 + 1/stride
// whatever the size; short runs make the merges of blocks dearer, since those
// of taps join whole rows at stride 1.
func newPass(axis geom.Axis, run int) pass {
	threshold := 2*axis.Stride + 3
	if run*axis.Dilation < 16 {
		threshold = 2*axis.Stride + 16
	}
	return pass{axis, threshold, axis.Bounds == nil && axis.Size > threshold}
}

// cells returns the range of input cells that outputs o0 <= o < o1 see.
func (p *pass) cells(o0, o1 int) (i0, i1 int) {
	a := &p.axis
	if a.Bounds != nil {
		return a.Bounds[o0][0], a.Bounds[o1-1][1]
	}
	return max(0, o0*a.Stride-a.Lo), min(a.In, (o1-1)*a.Stride-a.Lo+a.Effective())
}

// reduce fills dst, the outputs o0 <= o < o1, from src, the cells i0 <= i < i1
// of the same tile; both consist of runs of the given length. With blocks it
// destroys src and needs suffix, which is as long.
func reduce[A any](p *pass, merge kernel.Merger[A], dst, src, suffix []A, run, o0, o1, i0, i1 int) {
	src = src[:(i1-i0)*run]
	if p.blocks {
		reduceBlocks(p, merge, dst, src, suffix[:len(src)], run, o0, o1, i0)
		return
	}
	a := &p.axis
	step := a.Dilation * run
	in0, in1 := o1, o1 // interior of stride 1: all outputs at once
	if a.Stride == 1 && a.Bounds == nil {
		in0, in1 = a.Interior()
		in0, in1 = max(in0, o0), min(in1, o1)
	}
	for o := o0; o < o1; o++ {
		n := 1
		first, taps := a.Cells(o)
		if o == in0 && in0 < in1 {
			n = in1 - in0
		}
		part := dst[(o-o0)*run : (o-o0+n)*run]
		cell := src[(first-i0)*run:]
		if taps == 1 {
			copy(part, cell)
		} else {
			merge(part, cell, cell[step:])
		}
		for t := 2; t < taps; t++ {
			merge(part, part, cell[t*step:])
		}
		o += n - 1
	}
}

// reduceBlocks is van Herk's and Gil and Werman's algorithm: the sequence is
// cut into blocks of the window's size; a window is the suffix of one block and
// the prefix of the next. It needs three merges a cell for any size, never
// subtracts, and so keeps infinities and NaN where they belong. With dilation
// d, d interleaved sequences advance together: one step is d runs.
//
// A window that the input's border clips starts or ends with the sequence, so
// that it is still a prefix, a suffix, or both joined.
func reduceBlocks[A any](p *pass, merge kernel.Merger[A], dst, src, suffix []A, run, o0, o1, i0 int) {
	a := &p.axis
	size, step := a.Size, a.Dilation*run
	last := (len(src) - 1) / step
	for q := last; q >= 0; q-- {
		cell := src[q*step : min((q+1)*step, len(src))]
		out := suffix[q*step:][:len(cell)]
		if q == last || q%size == size-1 {
			copy(out, cell)
			continue
		}
		next := suffix[(q+1)*step : min((q+2)*step, len(src))]
		merge(out[:len(next)], cell, next)
		copy(out[len(next):], cell[len(next):])
	}
	for q := 1; q <= last; q++ { // prefixes, in place
		if q%size == 0 {
			continue
		}
		cell := src[q*step : min((q+1)*step, len(src))]
		merge(cell, src[(q-1)*step:][:len(cell)], cell)
	}
	for o := o0; o < o1; o++ {
		first, taps := a.Cells(o)
		from := first - i0
		to := from + (taps-1)*a.Dilation
		q0, q1 := from/a.Dilation, to/a.Dilation
		part := dst[(o-o0)*run : (o-o0+1)*run]
		switch {
		case q0/size != q1/size:
			merge(part, suffix[from*run:], src[to*run:])
		case q0%size == 0:
			copy(part, src[to*run:])
		default:
			copy(part, suffix[from*run:])
		}
	}
}

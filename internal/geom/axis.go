package geom

import "sort"

// Axis is the resolved geometry along one spatial axis: Out windows over In
// cells. Window o of a regular axis has its tap t on input cell
// o*Stride - Lo + t*Dilation; taps that fall outside [0, In) are padding.
//
// An irregular axis (adaptive and fractional pooling) has Bounds instead: its
// window o covers the cells Bounds[o][0] <= i < Bounds[o][1], and Size is the
// largest of them.
type Axis struct {
	In, Out  int
	Size     int
	Stride   int
	Dilation int
	Lo, Hi   int
	Bounds   [][2]int
}

// Effective returns the extent of a window with its gaps: (Size-1)*Dilation+1.
func (a Axis) Effective() int { return effective(a.Size, a.Dilation) }

// Trivial reports whether every window is one cell and every cell has a window:
// pooling along the axis changes nothing.
func (a Axis) Trivial() bool {
	return a.Bounds == nil && a.Size == 1 && a.Stride == 1 && a.Lo == 0 && a.Hi == 0
}

// Span returns the taps t0 <= t < t1 of window o that are inside the input. t0
// == t1 if there are none.
func (a Axis) Span(o int) (t0, t1 int) {
	if a.Bounds != nil {
		return 0, a.Bounds[o][1] - a.Bounds[o][0]
	}
	return Inside(o*a.Stride-a.Lo, a.Dilation, a.Size, a.In)
}

// Inside returns which of n cells are in [0, extent): k0 <= k < k1. Cell k is
// cell + k*step, with step > 0. k0 == k1 if there are none.
func Inside(cell, step, n, extent int) (k0, k1 int) {
	k0 = max(0, CeilDiv(-cell, step))
	k1 = min(n, FloorDiv(extent-1-cell, step)+1)
	return k0, max(k0, k1)
}

// Cells returns the input cell of the first tap of window o that is inside the
// input, and the number of those taps. Their cells are Dilation apart.
func (a Axis) Cells(o int) (first, n int) {
	if a.Bounds != nil {
		return a.Bounds[o][0], a.Bounds[o][1] - a.Bounds[o][0]
	}
	start := o*a.Stride - a.Lo
	if start >= 0 && start+(a.Size-1)*a.Dilation < a.In {
		return start, a.Size
	}
	t0, t1 := a.Span(o)
	return start + t0*a.Dilation, t1 - t0
}

// Fewest returns how many real cells the smallest window has, without looking at
// every window.
func (a Axis) Fewest() int {
	n := a.Size
	if a.Bounds != nil {
		for _, b := range a.Bounds {
			n = min(n, b[1]-b[0])
		}
		return n
	}
	if a.Lo > 0 { // the first window has lost most taps before the input
		n += FloorDiv(-a.Lo, a.Dilation)
		inside := CeilDiv(a.In, a.Dilation) // taps that reach over the whole input
		if _, fewer := a.stepsOver(a.In % a.Dilation); fewer && a.In%a.Dilation != 0 {
			inside--
		}
		n = min(n, inside)
	}
	if last := (a.Out-1)*a.Stride - a.Lo; last >= 0 { // and the last one most behind it
		n = min(n, CeilDiv(a.In-last, a.Dilation))
	}
	return max(0, n)
}

// Counted returns the number of taps of window o in the input or its padding:
// all but those past the padding in ceil mode.
func (a Axis) Counted(o int) int {
	if a.Bounds != nil {
		return a.Bounds[o][1] - a.Bounds[o][0]
	}
	start := o*a.Stride - a.Lo
	return min(a.Size, FloorDiv(a.In+a.Hi-1-start, a.Dilation)+1)
}

// Interior returns the windows o0 <= o < o1 whose taps are all inside the
// input. o0 == o1 if there are none.
func (a Axis) Interior() (o0, o1 int) {
	if a.Bounds != nil {
		return 0, a.Out
	}
	o0, o1 = Inside(-a.Lo, a.Stride, a.Out, a.In-(a.Size-1)*a.Dilation)
	return min(a.Out, o0), min(a.Out, o1)
}

// Reach returns the windows o0 <= o < o1 that may see input cell i. With
// dilation some of them step over it, as Tap tells. Gradients are gathered by
// it.
func (a Axis) Reach(i int) (o0, o1 int) {
	if a.Bounds != nil {
		o0 = sort.Search(a.Out, func(o int) bool { return a.Bounds[o][1] > i })
		o1 = sort.Search(a.Out, func(o int) bool { return a.Bounds[o][0] > i })
		return o0, max(o0, o1)
	}
	o0 = max(0, CeilDiv(i+a.Lo-(a.Size-1)*a.Dilation, a.Stride))
	o1 = min(a.Out, FloorDiv(i+a.Lo, a.Stride)+1)
	return o0, max(o0, o1)
}

// Tap returns the tap with which window o sees input cell i, and whether it
// sees it.
func (a Axis) Tap(o, i int) (t int, ok bool) {
	if a.Bounds != nil {
		return i - a.Bounds[o][0], a.Bounds[o][0] <= i && i < a.Bounds[o][1]
	}
	distance := i - (o*a.Stride - a.Lo)
	t = distance / a.Dilation
	return t, distance >= 0 && t < a.Size && distance%a.Dilation == 0
}

// FloorDiv returns a/b rounded down, for b > 0.
func FloorDiv(a, b int) int {
	q := a / b
	if a%b < 0 {
		q--
	}
	return q
}

// CeilDiv returns a/b rounded up, for b > 0.
func CeilDiv(a, b int) int { return -FloorDiv(-a, b) }

package pool

import (
	"math"

	"github.com/poolctl/poolctl/internal/tensor"
)

// Finishing is a row of outputs whose accumulators are complete.
type Finishing[T, O tensor.Real] struct {
	Spec   *Spec
	inner  int // numbers a cell
	image  int // which image, or which plane when channels come first
	src    []T // of the image
	dst    []O
	argmax []int64
	Z, Y   int // the row
	x0     int // its first output
	at     int // where that stands in dst
	spans  []span
	stream bool // write past the caches
}

// span is a range of outputs of a row whose averages have the same divisor.
type span struct{ x0, x1, taps int }

// spans lists the ranges of outputs of a row, of a regular axis.
func (s *Spec) spans() []span {
	f := Finishing[uint8, float32]{Spec: s}
	x := &s.Geometry.Axes[2]
	in0, in1 := x.Interior()
	if x.Bounds != nil {
		in0 = in1
	}
	var list []span
	for o := 0; o < x.Out; {
		next := span{o, o + 1, f.Taps(2, o)}
		if o == in0 {
			next.x1 = max(next.x1, in1)
		}
		o = next.x1
		if n := len(list); n > 0 && list[n-1].taps == next.taps {
			list[n-1].x1 = next.x1
			continue
		}
		list = append(list, next)
	}
	return list
}

// finisher turns a row of accumulators into results. It takes the row by value,
// because a pointer passed to a function value would move the row to the heap.
type finisher[T tensor.Real, A any, O tensor.Real] func(f Finishing[T, O], acc []A)

func finishSame[T tensor.Real](f Finishing[T, T], acc []T) { copy(f.dst[f.at:], acc) }

func finishLocated[T tensor.Real](f Finishing[T, T], acc []located[T]) {
	dst, argmax := f.dst[f.at:], f.argmax[f.at:]
	x := &f.Spec.Index
	if f.Spec.ChannelsFirst {
		n, c := f.image/x.Channels, f.image%x.Channels
		for i, a := range acc {
			dst[i], argmax[i] = a.value, x.Encode(n, c, a.at)
		}
		return
	}
	if x.Convention == TensorFlow { // the offset in memory, but for the batch
		base := 0
		if x.Batch {
			base = f.image * len(f.src)
		}
		for i, a := range acc {
			dst[i], argmax[i] = a.value, int64(base+a.at)
		}
		return
	}
	for i, a := range acc {
		dst[i], argmax[i] = a.value, x.Encode(f.image, a.at%f.inner, a.at/f.inner)
	}
}

// Divisor returns the divisor of the row's averages, before skipped NaN are taken
// off. With perOutput it must still be multiplied by the taps along the width.
func (f *Finishing[T, O]) Divisor() (row int, perOutput bool) {
	s := f.Spec
	switch {
	case s.Reduction == Sum:
		return 1, false
	case s.Divisor != 0:
		return s.Divisor, false
	}
	return f.Taps(0, f.Z) * f.Taps(1, f.Y), true
}

// Taps returns how many taps of window o of an axis count in an average.
func (f *Finishing[T, O]) Taps(axis, o int) int {
	if f.Spec.CountPadding {
		return f.Spec.Geometry.Axes[axis].Counted(o)
	}
	_, n := f.Spec.Geometry.Axes[axis].Cells(o)
	return n
}

// eachSpan calls do for outputs of the row that lie side by side and have the
// same divisor, with the first of them, their accumulators and their results.
func eachSpan[T, O tensor.Real, A any](f *Finishing[T, O], acc []A, do func(x int, acc []A, dst []O, divisor float64)) {
	dst := f.dst[f.at:][:len(acc)]
	row, perOutput := f.Divisor()
	if !perOutput {
		do(f.x0, acc, dst, float64(row))
		return
	}
	end := f.x0 + len(acc)/f.inner
	for _, s := range f.spans {
		x0, x1 := max(s.x0, f.x0), min(s.x1, end)
		if x0 < x1 {
			from, to := (x0-f.x0)*f.inner, (x1-f.x0)*f.inner
			do(x0, acc[from:to], dst[from:to], float64(row*s.taps))
		}
	}
}

func finishSum[T tensor.Real, O tensor.Floating](divide divider[O]) finisher[T, float64, O] {
	return func(f Finishing[T, O], acc []float64) {
		eachSpan(&f, acc, func(_ int, acc []float64, dst []O, divisor float64) { divide(dst, acc, divisor, f.stream) })
	}
}

// divider divides and rounds a row of sums; with stream it writes past the caches.
// For float32 it multiplies by the reciprocal. The product is off by about a unit in
// the last place of float64, which rounding to float32 hides except near ties. The
// mean of a constant is still that constant.
type divider[O tensor.Floating] func(dst []O, src []float64, divisor float64, stream bool)

func divideAll[O tensor.Floating](dst []O, src []float64, divisor float64, _ bool) {
	dst = dst[:len(src)]
	if tensor.SizeOf[O]() == 4 {
		reciprocal := 1 / divisor
		for i, sum := range src {
			dst[i] = O(sum * reciprocal)
		}
		return
	}
	for i, sum := range src {
		dst[i] = O(sum / divisor)
	}
}

func finishDouble[T tensor.Real, O tensor.Floating](f Finishing[T, O], acc []double) {
	eachSpan(&f, acc, func(x int, acc []double, dst []O, divisor float64) {
		reciprocal := 1 / divisor
		for i, sum := range acc {
			if sum.overflowed() {
				sum = f.scaled(x, i)
				dst[i] = O(sum.over(divisor, reciprocal) * scaleUp)
			} else {
				dst[i] = O(sum.over(divisor, reciprocal))
			}
		}
	})
}

// lowers reports whether skipped cells lower the divisor.
func (s *Spec) lowers() bool { return s.Reduction == Average && s.Divisor == 0 }

func finishCounted[T tensor.Real, O tensor.Floating](f Finishing[T, O], acc []counted) {
	lowers := f.Spec.lowers()
	eachSpan(&f, acc, func(x int, acc []counted, dst []O, divisor float64) {
		for i, a := range acc {
			d := divisor
			if lowers {
				d -= a.skipped.hi
			}
			switch {
			case f.allSkipped(x, i, a.skipped.hi):
				dst[i] = O(math.NaN())
			case a.sum.overflowed():
				sum := f.scaled(x, i)
				dst[i] = O(sum.over(d, 1/d) * scaleUp)
			default:
				dst[i] = O(a.sum.over(d, 1/d))
			}
		}
	})
}

func finishTally[T tensor.Real, O tensor.Floating](f Finishing[T, O], acc []tally) {
	lowers := f.Spec.lowers()
	eachSpan(&f, acc, func(x int, acc []tally, dst []O, divisor float64) {
		reciprocal := 1 / divisor
		for i, a := range acc {
			switch {
			case a.skipped == 0:
				dst[i] = O(a.sum * reciprocal)
			case f.allSkipped(x, i, a.skipped):
				dst[i] = O(math.NaN())
			case lowers:
				dst[i] = O(a.sum / (divisor - a.skipped))
			default:
				dst[i] = O(a.sum * reciprocal)
			}
		}
	})
}

func finishRoot[T tensor.Real, O tensor.Floating](root rooting[T, O]) finisher[T, float64, O] {
	return func(f Finishing[T, O], acc []float64) {
		dst, of := f.dst[f.at:][:len(acc)], root.root
		for i, sum := range acc {
			dst[i] = O(of(sum))
		}
		if math.IsInf(root.least, -1) {
			return
		}
		for i, sum := range acc {
			if root.odd(sum) {
				dst[i] = root.again(&f, i)
			}
		}
	}
}

// finishSkippingRoot is finishRoot of sums that skipped NaN; of returns the sum
// and how many it skipped.
func finishSkippingRoot[T tensor.Real, A any, O tensor.Floating](root rooting[T, O], of func(A) (sum, skipped float64)) finisher[T, A, O] {
	return func(f Finishing[T, O], acc []A) {
		dst := f.dst[f.at:][:len(acc)]
		for i, a := range acc {
			sum, skipped := of(a)
			if f.allSkipped(f.x0, i, skipped) {
				dst[i] = O(math.NaN())
			} else if root.odd(sum) {
				dst[i] = root.again(&f, i)
			} else {
				dst[i] = O(root.root(sum))
			}
		}
	}
}

// allSkipped reports whether the window of number i, counted from output x on,
// has no more cells than were skipped.
func (f *Finishing[T, O]) allSkipped(x, i int, skipped float64) bool {
	return skipped > 0 && int(skipped) == f.cells(x+i/f.inner)
}

// cells returns the number of real cells of output x of the row.
func (f *Finishing[T, O]) cells(x int) int {
	n := 1
	for i, o := range [3]int{f.Z, f.Y, x} {
		_, taps := f.Spec.Geometry.Axes[i].Cells(o)
		n *= taps
	}
	return n
}

// Terms are scaled by 2^-64 where their sum overflows: no window has more
// cells, and no term of such a sum loses a bit that matters.
const (
	scaleDown = 1.0 / (1 << 64)
	scaleUp   = 1 << 64
)

// scaled sums the finite window of number i, counted from output x on, once more
// with every term multiplied by scaleDown.
func (f *Finishing[T, O]) scaled(x, i int) (sum double) {
	f.eachCell(x, i, func(v float64) { sum = addDouble(sum, double{v * scaleDown, 0}) })
	return sum
}

// eachCell calls do for the cells of the window of number i, from output x on, but
// for NaN that are skipped.
func (f *Finishing[T, O]) eachCell(x, i int, do func(v float64)) {
	x, i = x+i/f.inner, i%f.inner
	axes := &f.Spec.Geometry.Axes
	z0, nz := axes[0].Cells(f.Z)
	y0, ny := axes[1].Cells(f.Y)
	x0, nx := axes[2].Cells(x)
	for z := range nz {
		for y := range ny {
			row := ((z0+z*axes[0].Dilation)*axes[1].In + y0 + y*axes[1].Dilation) * axes[2].In
			for col := range nx {
				if v := float64(f.src[(row+x0+col*axes[2].Dilation)*f.inner+i]); v == v || !f.Spec.IgnoreNaN {
					do(v)
				}
			}
		}
	}
}

// Alike returns a number of outputs of a row, from x on and before end, that have as
// many taps as the first one. There may be more.
func (f *Finishing[T, O]) Alike(x, end int) int {
	a := &f.Spec.Geometry.Axes[2]
	if lo, hi := a.Interior(); a.Bounds == nil && lo <= x && x < hi {
		return min(end, hi) - x
	}
	return 1
}

package kernel

import (
	"math"

	"github.com/poolctl/poolctl/internal/tensor"
)

// finishing is one row of outputs that is ready to be written.
type finishing[T, O tensor.Real] struct {
	spec   *PoolSpec
	inner  int // numbers a cell
	image  int // which image, or which plane when channels come first
	src    []T // of the image
	dst    []O
	argmax []int64
	z, y   int // the row
	x0     int // its first output
	at     int // where that stands in dst
	spans  []span
	stream bool // write past the caches
}

// span is a range of outputs of a row that averages divide alike.
type span struct{ x0, x1, taps int }

// spans lists the ranges of outputs of a row, of a regular axis.
func (s *PoolSpec) spans() []span {
	f := finishing[uint8, float32]{spec: s}
	x := &s.Geometry.Axes[2]
	in0, in1 := x.Interior()
	if x.Bounds != nil {
		in0 = in1
	}
	var list []span
	for o := 0; o < x.Out; {
		next := span{o, o + 1, f.taps(2, o)}
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

// finisher turns a row of accumulators into results. It takes the row by value:
// what an unknown function gets a pointer to is allocated.
type finisher[T tensor.Real, A any, O tensor.Real] func(f finishing[T, O], acc []A)

func finishSame[T tensor.Real](f finishing[T, T], acc []T) { copy(f.dst[f.at:], acc) }

func finishLocated[T tensor.Real](f finishing[T, T], acc []located[T]) {
	dst, argmax := f.dst[f.at:], f.argmax[f.at:]
	x := &f.spec.Index
	if f.spec.ChannelsFirst {
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

// divisor returns what averages of the row's outputs are divided by, but for NaN
// that were skipped; perOutput when it is still to be multiplied by the taps
// along the width.
func (f *finishing[T, O]) divisor() (row int, perOutput bool) {
	s := f.spec
	switch {
	case s.Reduction == Sum:
		return 1, false
	case s.Divisor != 0:
		return s.Divisor, false
	}
	return f.taps(0, f.z) * f.taps(1, f.y), true
}

// taps returns how many taps of window o of an axis count in an average.
func (f *finishing[T, O]) taps(axis, o int) int {
	if f.spec.CountPadding {
		return f.spec.Geometry.Axes[axis].Counted(o)
	}
	_, n := f.spec.Geometry.Axes[axis].Cells(o)
	return n
}

// eachOutput calls do for every output of the row with its accumulators,
// results and divisor.
func eachOutput[T, O tensor.Real, A any](f *finishing[T, O], acc []A, do func(x int, acc []A, dst []O, divisor float64)) {
	dst := f.dst[f.at:][:len(acc)]
	row, perOutput := f.divisor()
	for x := f.x0; len(acc) > 0; x++ {
		divisor := row
		if perOutput {
			divisor *= f.taps(2, x)
		}
		do(x, acc[:f.inner], dst[:f.inner], float64(divisor))
		acc, dst = acc[f.inner:], dst[f.inner:]
	}
}

// finishSum divides: outputs side by side that have the same divisor at once.
func finishSum[T tensor.Real, O tensor.Floating](divide divider[O]) finisher[T, float64, O] {
	return func(f finishing[T, O], acc []float64) {
		dst := f.dst[f.at:][:len(acc)]
		row, perOutput := f.divisor()
		if !perOutput {
			divide(dst, acc, float64(row), f.stream)
			return
		}
		end := f.x0 + len(acc)/f.inner
		for _, s := range f.spans {
			x0, x1 := max(s.x0, f.x0), min(s.x1, end)
			if x0 < x1 {
				from, to := (x0-f.x0)*f.inner, (x1-f.x0)*f.inner
				divide(dst[from:to], acc[from:to], float64(row*s.taps), f.stream)
			}
		}
	}
}

// divider divides and rounds a row of sums; with stream past the caches. For
// float32 it multiplies by the reciprocal: the product is off by a unit or so in
// the last place of float64, which the rounding to float32 swallows unless it is
// a tie, and the mean of a constant is that constant still.
type divider[O tensor.Floating] func(dst []O, src []float64, divisor float64, stream bool)

func divideAll[O tensor.Floating](dst []O, src []float64, divisor float64, _ bool) {
	dst = dst[:len(src)]
	if tensor.TypeOf[O]() == tensor.Float32 {
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

func finishDouble[T tensor.Real, O tensor.Floating](f finishing[T, O], acc []double) {
	eachOutput(&f, acc, func(x int, acc []double, dst []O, divisor float64) {
		for i, sum := range acc {
			if sum.overflowed() {
				dst[i] = O(f.scaled(x, i).over(divisor) * scaleUp)
			} else {
				dst[i] = O(sum.over(divisor))
			}
		}
	})
}

func finishCounted[T tensor.Real, O tensor.Floating](f finishing[T, O], acc []counted) {
	lowers := f.spec.Reduction == Average && f.spec.Divisor == 0 // a skipped cell does not count
	eachOutput(&f, acc, func(x int, acc []counted, dst []O, divisor float64) {
		cells := f.cells(x)
		for i, sum := range acc {
			d := divisor
			if lowers {
				d -= float64(sum.skipped)
			}
			switch {
			case sum.skipped == cells:
				dst[i] = O(math.NaN())
			case sum.overflowed():
				dst[i] = O(f.scaled(x, i).over(d) * scaleUp)
			default:
				dst[i] = O(sum.over(d))
			}
		}
	})
}

func finishRoot[T tensor.Real, O tensor.Floating](root func(float64) float64) finisher[T, float64, O] {
	return func(f finishing[T, O], acc []float64) {
		dst := f.dst[f.at:][:len(acc)]
		for i, sum := range acc {
			dst[i] = O(root(sum))
		}
	}
}

func finishCountedRoot[T tensor.Real, O tensor.Floating](root func(float64) float64) finisher[T, counted, O] {
	return func(f finishing[T, O], acc []counted) {
		eachOutput(&f, acc, func(x int, acc []counted, dst []O, _ float64) {
			cells := f.cells(x)
			for i, sum := range acc {
				if sum.skipped == cells {
					dst[i] = O(math.NaN())
				} else {
					dst[i] = O(root(sum.over(1)))
				}
			}
		})
	}
}

// cells returns the number of real cells of output x of the row.
func (f *finishing[T, O]) cells(x int) int {
	n := 1
	for i, o := range [3]int{f.z, f.y, x} {
		_, taps := f.spec.Geometry.Axes[i].Cells(o)
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

// scaled sums the finite window of output x, number i of the cell, once more
// with every term multiplied by scaleDown. NaN, which only get here when they
// are to be ignored, are skipped.
func (f *finishing[T, O]) scaled(x, i int) (sum double) {
	axes := &f.spec.Geometry.Axes
	z0, nz := axes[0].Cells(f.z)
	y0, ny := axes[1].Cells(f.y)
	x0, nx := axes[2].Cells(x)
	for z := range nz {
		for y := range ny {
			row := ((z0+z*axes[0].Dilation)*axes[1].In + y0 + y*axes[1].Dilation) * axes[2].In
			for col := range nx {
				v := float64(f.src[(row+x0+col*axes[2].Dilation)*f.inner+i])
				if v == v {
					sum = addDouble(sum, double{v * scaleDown, 0})
				}
			}
		}
	}
	return sum
}

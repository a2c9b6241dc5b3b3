package kerneltest

import (
	"math"
	"math/big"

	"github.com/poolctl/poolctl/internal/geom"
	"github.com/poolctl/poolctl/internal/ops/kernel/pool"
	"github.com/poolctl/poolctl/internal/tensor"
)

// The reference below is written from the definitions alone: lists of cells,
// read one by one. It calls nothing of the packages under test.

// CellsOf lists the cells of window o along one axis, with the tap of each.
func CellsOf(a geom.Axis, o int) (cells, taps []int) {
	if a.Bounds != nil {
		for i := a.Bounds[o][0]; i < a.Bounds[o][1]; i++ {
			cells, taps = append(cells, i), append(taps, i-a.Bounds[o][0])
		}
		return cells, taps
	}
	for t := range a.Size {
		if i := o*a.Stride - a.Lo + t*a.Dilation; i >= 0 && i < a.In {
			cells, taps = append(cells, i), append(taps, t)
		}
	}
	return cells, taps
}

// countedOf counts the taps of window o that lie in the input or its padding.
func countedOf(a geom.Axis, o int) int {
	if a.Bounds != nil {
		return a.Bounds[o][1] - a.Bounds[o][0]
	}
	n := 0
	for t := range a.Size {
		if i := o*a.Stride - a.Lo + t*a.Dilation; i < a.In+a.Hi {
			n++
		}
	}
	return n
}

// Order is how numbers lie in memory.
type Order struct {
	ChannelsFirst bool
	Channels      int
	Size          [3]int
}

// Cells returns the cells of a plane.
func (l Order) Cells() int { return l.Size[0] * l.Size[1] * l.Size[2] }

// At returns the offset of a cell of image n, channel c.
func (l Order) At(n, c, z, y, x int) int {
	if l.ChannelsFirst {
		return (((n*l.Channels+c)*l.Size[0]+z)*l.Size[1]+y)*l.Size[2] + x
	}
	return (((n*l.Size[0]+z)*l.Size[1]+y)*l.Size[2]+x)*l.Channels + c
}

// InputOrder is how the input of a pooling lies in memory.
func InputOrder(g *geom.Geometry, channelsFirst bool) Order {
	return Order{channelsFirst, g.C, [3]int{g.Axes[0].In, g.Axes[1].In, g.Axes[2].In}}
}

// OutputOrder is how the output lies in memory.
func OutputOrder(g *geom.Geometry, channels int, channelsFirst bool) Order {
	return Order{channelsFirst, channels, [3]int{g.Axes[0].Out, g.Axes[1].Out, g.Axes[2].Out}}
}

// Window is what an output sees: places in row-major order.
type Window struct {
	N, C    int
	Out     int // offset of the output
	Places  [][3]int
	Offsets []int // of the same cells in the input
	Counted int   // taps in input and padding
}

// EachWindow calls do for every output of a pooling; the window is reused.
func EachWindow(g *geom.Geometry, channelsFirst bool, do func(w *Window)) {
	in, out := InputOrder(g, channelsFirst), OutputOrder(g, g.C, channelsFirst)
	var w Window
	for oz := range g.Axes[0].Out {
		zs, _ := CellsOf(g.Axes[0], oz)
		for oy := range g.Axes[1].Out {
			ys, _ := CellsOf(g.Axes[1], oy)
			for ox := range g.Axes[2].Out {
				xs, _ := CellsOf(g.Axes[2], ox)
				w.Places = w.Places[:0]
				for _, z := range zs {
					for _, y := range ys {
						for _, x := range xs {
							w.Places = append(w.Places, [3]int{z, y, x})
						}
					}
				}
				w.Counted = countedOf(g.Axes[0], oz) * countedOf(g.Axes[1], oy) * countedOf(g.Axes[2], ox)
				for w.N = range g.N {
					for w.C = range g.C {
						w.Out = out.At(w.N, w.C, oz, oy, ox)
						w.Offsets = w.Offsets[:0]
						for _, p := range w.Places {
							w.Offsets = append(w.Offsets, in.At(w.N, w.C, p[0], p[1], p[2]))
						}
						do(&w)
					}
				}
			}
		}
	}
}

// Winner returns which cell of the window its maximum or minimum is: the first
// NaN; or the first of the largest numbers; where NaN are ignored, the first of
// them only if there is no number.
func Winner[T tensor.Real](data []T, w *Window, least, ignoreNaN bool) int {
	best := -1
	for k, at := range w.Offsets {
		v := data[at]
		if v != v {
			if !ignoreNaN {
				return k
			}
			continue
		}
		if best < 0 || !least && v > data[w.Offsets[best]] || least && v < data[w.Offsets[best]] {
			best = k
		}
	}
	return max(best, 0)
}

// IndexOf numbers a cell as the conventions are written down.
func IndexOf(x pool.Index, n, c int, p [3]int) int {
	d, h, w := x.Extent[0], x.Extent[1], x.Extent[2]
	switch x.Convention {
	case pool.PyTorch:
		return (p[0]*h+p[1])*w + p[2]
	case pool.ONNX:
		return (((n*x.Channels+c)*d+p[0])*h+p[1])*w + p[2]
	case pool.ONNXColumnMajor:
		return (((n*x.Channels+c)*w+p[2])*h+p[1])*d + p[0]
	case pool.TensorFlow:
		if x.Batch {
			return (((n*d+p[0])*h+p[1])*w+p[2])*x.Channels + c
		}
		return ((p[0]*h+p[1])*w+p[2])*x.Channels + c
	}
	panic("kerneltest: no such index convention")
}

// Same compares to the bit, but for the payload of NaN.
func Same[T tensor.Real](a, b T) bool {
	return a == b && math.Signbit(float64(a)) == math.Signbit(float64(b)) || a != a && b != b
}

// Total is an exact sum, with what is not finite kept apart.
type Total struct {
	Sum, magnitude   *big.Float
	Nan, Plus, Minus int
	Terms            int
}

// SumOf adds up the cells of a window.
func SumOf[T tensor.Real](data []T, w *Window) Total {
	s := Total{Sum: exact(0), magnitude: exact(0)}
	for _, at := range w.Offsets {
		v := float64(data[at])
		switch {
		case math.IsNaN(v):
			s.Nan++
		case math.IsInf(v, 1):
			s.Plus++
		case math.IsInf(v, -1):
			s.Minus++
		default:
			s.Sum.Add(s.Sum, exact(v))
			s.magnitude.Add(s.magnitude, exact(math.Abs(v)))
		}
	}
	s.Terms = len(w.Offsets)
	return s
}

func exact(v float64) *big.Float { return new(big.Float).SetPrec(2200).SetFloat64(v) }

// Agrees says whether got is the sum divided by a number, rounded to a type
// with the given mantissa and largest exponent; the sum may be off by unit times
// its terms' magnitudes.
func (s Total) Agrees(got, divisor float64, ignoreNaN bool, mantissa, exponent int, unit float64) bool {
	switch {
	case s.Nan > 0 && !ignoreNaN, s.Plus > 0 && s.Minus > 0, s.Nan == s.Terms:
		return math.IsNaN(got)
	case s.Plus > 0:
		return math.IsInf(got, int(math.Copysign(1, divisor)))
	case s.Minus > 0:
		return math.IsInf(got, -int(math.Copysign(1, divisor)))
	}
	want := new(big.Float).Quo(s.Sum, exact(divisor))
	slack := new(big.Float).Quo(new(big.Float).Mul(s.magnitude, exact(unit)), exact(math.Abs(divisor)))
	largest := new(big.Float).SetMantExp(big.NewFloat(1), exponent)
	if math.IsInf(got, 0) { // right where the rounded result is past the largest number
		beyond := new(big.Float).SetPrec(2200).Sub(largest, new(big.Float).SetMantExp(big.NewFloat(1), exponent-mantissa-1))
		return new(big.Float).Add(new(big.Float).Abs(want), slack).Cmp(beyond) >= 0 && math.Signbit(got) == want.Signbit()
	}
	if math.IsNaN(got) {
		return false
	}
	// Half a unit in the last place of the result, or of the least normal number.
	_, e := math.Frexp(got)
	e = max(e, 3-exponent)
	half := new(big.Float).SetMantExp(big.NewFloat(1.0001), e-mantissa-1)
	off := new(big.Float).Sub(want, exact(got))
	return off.Abs(off).Cmp(new(big.Float).SetPrec(2200).Add(half, slack)) <= 0
}

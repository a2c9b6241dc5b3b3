package kernel_test

import (
	"math"
	"math/big"
	"math/rand/v2"

	"github.com/poolctl/poolctl/internal/geom"
	"github.com/poolctl/poolctl/internal/ops/kernel"
	"github.com/poolctl/poolctl/internal/tensor"
)

// The reference below is written from the definitions alone: lists of cells,
// read one by one. It calls nothing of the packages under test.

// cellsOf lists the cells of window o along one axis, with the tap of each.
func cellsOf(a geom.Axis, o int) (cells, taps []int) {
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

// order is how numbers lie in memory.
type order struct {
	channelsFirst bool
	channels      int
	size          [3]int
}

func (l order) cells() int { return l.size[0] * l.size[1] * l.size[2] }

// at returns the offset of a cell of image n, channel c.
func (l order) at(n, c, z, y, x int) int {
	if l.channelsFirst {
		return (((n*l.channels+c)*l.size[0]+z)*l.size[1]+y)*l.size[2] + x
	}
	return (((n*l.size[0]+z)*l.size[1]+y)*l.size[2]+x)*l.channels + c
}

func inputOrder(g *geom.Geometry, channelsFirst bool) order {
	return order{channelsFirst, g.C, [3]int{g.Axes[0].In, g.Axes[1].In, g.Axes[2].In}}
}

func outputOrder(g *geom.Geometry, channels int, channelsFirst bool) order {
	return order{channelsFirst, channels, [3]int{g.Axes[0].Out, g.Axes[1].Out, g.Axes[2].Out}}
}

// window is what an output sees: places in row-major order.
type window struct {
	n, c    int
	out     int // offset of the output
	places  [][3]int
	offsets []int // of the same cells in the input
	counted int   // taps in input and padding
}

// eachWindow calls do for every output of a pooling; the window is reused.
func eachWindow(g *geom.Geometry, channelsFirst bool, do func(w *window)) {
	in, out := inputOrder(g, channelsFirst), outputOrder(g, g.C, channelsFirst)
	var w window
	for oz := range g.Axes[0].Out {
		zs, _ := cellsOf(g.Axes[0], oz)
		for oy := range g.Axes[1].Out {
			ys, _ := cellsOf(g.Axes[1], oy)
			for ox := range g.Axes[2].Out {
				xs, _ := cellsOf(g.Axes[2], ox)
				w.places = w.places[:0]
				for _, z := range zs {
					for _, y := range ys {
						for _, x := range xs {
							w.places = append(w.places, [3]int{z, y, x})
						}
					}
				}
				w.counted = countedOf(g.Axes[0], oz) * countedOf(g.Axes[1], oy) * countedOf(g.Axes[2], ox)
				for w.n = range g.N {
					for w.c = range g.C {
						w.out = out.at(w.n, w.c, oz, oy, ox)
						w.offsets = w.offsets[:0]
						for _, p := range w.places {
							w.offsets = append(w.offsets, in.at(w.n, w.c, p[0], p[1], p[2]))
						}
						do(&w)
					}
				}
			}
		}
	}
}

// winner returns which cell of the window its maximum or minimum is: the first
// NaN; or the first of the largest numbers; where NaN are ignored, the first of
// them only if there is no number.
func winner[T tensor.Real](data []T, w *window, least, ignoreNaN bool) int {
	best := -1
	for k, at := range w.offsets {
		v := data[at]
		if v != v {
			if !ignoreNaN {
				return k
			}
			continue
		}
		if best < 0 || !least && v > data[w.offsets[best]] || least && v < data[w.offsets[best]] {
			best = k
		}
	}
	return max(best, 0)
}

// indexOf numbers a cell as the conventions are written down.
func indexOf(x kernel.Index, n, c int, p [3]int) int {
	d, h, w := x.Extent[0], x.Extent[1], x.Extent[2]
	switch x.Convention {
	case kernel.PyTorch:
		return (p[0]*h+p[1])*w + p[2]
	case kernel.ONNX:
		return (((n*x.Channels+c)*d+p[0])*h+p[1])*w + p[2]
	case kernel.ONNXColumnMajor:
		return (((n*x.Channels+c)*w+p[2])*h+p[1])*d + p[0]
	}
	if x.Batch {
		return (((n*d+p[0])*h+p[1])*w+p[2])*x.Channels + c
	}
	return ((p[0]*h+p[1])*w+p[2])*x.Channels + c
}

// same compares to the bit, but for the payload of NaN.
func same[T tensor.Real](a, b T) bool {
	return a == b && math.Signbit(float64(a)) == math.Signbit(float64(b)) || a != a && b != b
}

// total is an exact sum, with what is not finite kept apart.
type total struct {
	sum, magnitude   *big.Float
	nan, plus, minus int
	terms            int
}

func sumOf[T tensor.Real](data []T, w *window) total {
	s := total{sum: exact(0), magnitude: exact(0)}
	for _, at := range w.offsets {
		v := float64(data[at])
		switch {
		case math.IsNaN(v):
			s.nan++
		case math.IsInf(v, 1):
			s.plus++
		case math.IsInf(v, -1):
			s.minus++
		default:
			s.sum.Add(s.sum, exact(v))
			s.magnitude.Add(s.magnitude, exact(math.Abs(v)))
		}
	}
	s.terms = len(w.offsets)
	return s
}

func exact(v float64) *big.Float { return new(big.Float).SetPrec(2200).SetFloat64(v) }

// agrees says whether got is the sum divided by a number, rounded to a type
// with the given mantissa and largest exponent; the sum may be off by unit times
// its terms' magnitudes.
func (s total) agrees(got, divisor float64, ignoreNaN bool, mantissa, exponent int, unit float64) bool {
	switch {
	case s.nan > 0 && !ignoreNaN, s.plus > 0 && s.minus > 0, s.nan == s.terms:
		return math.IsNaN(got)
	case s.plus > 0:
		return math.IsInf(got, int(math.Copysign(1, divisor)))
	case s.minus > 0:
		return math.IsInf(got, -int(math.Copysign(1, divisor)))
	}
	want := new(big.Float).Quo(s.sum, exact(divisor))
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

// palette says what kind of numbers fills a tensor.
type palette string

const (
	ties     palette = "ties"     // few values, both zeros
	specials palette = "specials" // NaN and infinities among them
	extremes palette = "extremes" // the ends of the type's range
	spread   palette = "spread"   // many magnitudes
)

var palettes = []palette{ties, specials, extremes, spread}

// fill makes n numbers of a palette.
func fill[T tensor.Real](random *rand.Rand, p palette, n int) []T {
	data := make([]T, n)
	for i := range data {
		data[i] = value[T](random, p)
	}
	return data
}

func value[T tensor.Real](random *rand.Rand, p palette) T {
	var v any
	var zero T
	pick := random.IntN(20)
	switch any(zero).(type) {
	case uint64:
		v = []uint64{0, 1, math.MaxUint64, math.MaxUint64 - 1, 1 << 63, 1<<53 + 1, random.Uint64(), random.Uint64() >> random.IntN(64)}[pick%8]
	case int64:
		v = []int64{0, 1, -1, math.MaxInt64, math.MinInt64, math.MinInt64 + 1, 1<<53 + 1, int64(random.Uint64())}[pick%8]
	case float32:
		v = float32(realNumber(random, p, pick, math.MaxFloat32, math.SmallestNonzeroFloat32))
	case float64:
		v = realNumber(random, p, pick, math.MaxFloat64, math.SmallestNonzeroFloat64)
	default: // up to 32 bits: keep the low ones
		bits := random.Uint32()
		if p == ties {
			bits = uint32(random.IntN(5)) - 2
		}
		return T(int64(int32(bits))) // wraps
	}
	return v.(T)
}

func realNumber(random *rand.Rand, p palette, pick int, largest, smallest float64) float64 {
	small := []float64{0, math.Copysign(0, -1), 1, -1, 2, -2, 3, 0.5}[random.IntN(8)]
	switch p {
	case specials:
		switch pick {
		case 0, 1:
			return math.NaN()
		case 2:
			return math.Inf(1)
		case 3:
			return math.Inf(-1)
		}
		return small
	case extremes:
		return []float64{largest, -largest, largest / 2, -largest / 2, smallest, -smallest, 1, 0}[pick%8]
	case spread:
		return random.NormFloat64() * math.Pow(10, float64(random.IntN(9)-4))
	}
	return small
}

package layer

import (
	"github.com/poolctl/poolctl/internal/tensor"
)

// Lanes are the lines of an array along one of its axes: element c of the lane
// (o, i) lies at (o·Extent + c)·Inner + i, for o < Outer, i < Inner.
type Lanes struct{ Outer, Extent, Inner int }

// LanesAlong returns the lanes of an array of that shape along an axis.
func LanesAlong(shape tensor.Shape, axis int) Lanes {
	l := Lanes{1, shape[axis], 1}
	for i, n := range shape {
		switch {
		case i < axis:
			l.Outer *= n
		case i > axis:
			l.Inner *= n
		}
	}
	return l
}

// laneBlock is about how many elements a unit covers.
const laneBlock = 1 << 15

// split says how lanes make units: some outer positions of all inner ones, or
// one outer position of some inner ones.
func (l Lanes) split() (outer, inner, units int) {
	whole := max(1, l.Extent*l.Inner)
	if whole <= laneBlock || l.Inner == 1 {
		outer = max(1, laneBlock/whole)
		return outer, l.Inner, (l.Outer + outer - 1) / outer
	}
	inner = min(l.Inner, max(16, laneBlock/l.Extent)) // a cache line of each row at least
	return 1, inner, l.Outer * ((l.Inner + inner - 1) / inner)
}

// Units returns the number of units.
func (l Lanes) Units() int {
	if l.Outer*l.Extent*l.Inner == 0 {
		return 0
	}
	_, _, units := l.split()
	return units
}

// part returns the outer and inner positions of a unit.
func (l Lanes) part(unit int) (o0, o1, i0, i1 int) {
	outer, inner, _ := l.split()
	if inner == l.Inner {
		return unit * outer, min((unit+1)*outer, l.Outer), 0, inner
	}
	parts := (l.Inner + inner - 1) / inner
	o, i := unit/parts, unit%parts*inner
	return o, o + 1, i, min(i+inner, l.Inner)
}

// Affine computes dst = src·scale[c] + shift[c] for channels along the lanes, in
// float64, rounded once; or dst = src + shift[c] in the type itself when scale
// is nil. Where channels are innermost, scale and shift are repeated: Pattern
// says how long they are.
type Affine struct {
	Lanes
	Pattern int // numbers of scale and of shift
}

// NewAffine plans it.
func NewAffine(l Lanes) Affine {
	a := Affine{l, l.Extent}
	if l.Inner == 1 && l.Extent > 0 {
		a.Pattern *= max(1, min(512/l.Extent, l.Outer))
	}
	return a
}

// Fill repeats the first Extent numbers of each pattern.
func (a Affine) Fill(patterns ...*tensor.Tensor) {
	for _, p := range patterns {
		if data, ok := p.Data.([]float32); ok {
			repeatPattern(data, a.Extent)
		} else {
			repeatPattern(tensor.Of[float64](p), a.Extent)
		}
	}
}

func repeatPattern[F tensor.Floating](data []F, n int) {
	for done := n; done < len(data); {
		done += copy(data[done:], data[:done])
	}
}

// AddBias adds a bias, of the type of src and dst, in the units lo <= u < hi.
func (a Affine) AddBias(dst, src, bias *tensor.Tensor, lo, hi int) {
	if dst.DType == tensor.Float32 {
		addBias(a, tensor.Of[float32](dst), tensor.Of[float32](src), tensor.Of[float32](bias), lo, hi)
		return
	}
	addBias(a, tensor.Of[float64](dst), tensor.Of[float64](src), tensor.Of[float64](bias), lo, hi)
}

func addBias[F tensor.Floating](a Affine, dst, src, bias []F, lo, hi int) {
	for unit := lo; unit < hi; unit++ {
		a.rows(unit, func(c, from, to int) {
			if c < 0 {
				addNumbers(dst[from:to], src[from:to], bias[:to-from])
				return
			}
			b := bias[c]
			d, s := dst[from:to], src[from:to]
			for i, v := range s {
				d[i] = v + b
			}
		})
	}
}

// addNumbers is dst = a + b.
func addNumbers[F tensor.Floating](dst, a, b []F) {
	dst, b = dst[:len(a)], b[:len(a)]
	for i, v := range a {
		dst[i] = v + b[i]
	}
}

// rows calls do for every contiguous run of a unit: of one channel c, or of
// whole patterns from their beginning, with c = -1.
func (a Affine) rows(unit int, do func(c, from, to int)) {
	o0, o1, i0, i1 := a.part(unit)
	if a.Inner == 1 {
		for from, end := o0*a.Extent, o1*a.Extent; from < end; from += a.Pattern {
			do(-1, from, min(from+a.Pattern, end))
		}
		return
	}
	for row := o0 * a.Extent; row < o1*a.Extent; row++ {
		do(row%a.Extent, row*a.Inner+i0, row*a.Inner+i1)
	}
}

// Scale computes dst = src·scale + shift in the units lo <= u < hi; scale and
// shift are float64, src and dst float32 or float64. With shift nil it is
// src·scale.
func (a Affine) Scale(dst, src, scale, shift *tensor.Tensor, lo, hi int) {
	var t []float64
	if shift != nil {
		t = tensor.Of[float64](shift)
	}
	if dst.DType == tensor.Float32 {
		scaleRows(a, tensor.Of[float32](dst), tensor.Of[float32](src), tensor.Of[float64](scale), t, lo, hi)
		return
	}
	scaleRows(a, tensor.Of[float64](dst), tensor.Of[float64](src), tensor.Of[float64](scale), t, lo, hi)
}

func scaleRows[F tensor.Floating](a Affine, dst, src []F, scale, shift []float64, lo, hi int) {
	for unit := lo; unit < hi; unit++ {
		a.rows(unit, func(c, from, to int) {
			d, x := dst[from:to], src[from:to]
			switch {
			case c < 0 && shift == nil:
				for i, s := range scale[:len(x)] {
					d[i] = F(float64(x[i]) * s)
				}
			case c < 0:
				t := shift[:len(x)]
				for i, s := range scale[:len(x)] {
					d[i] = F(float64(x[i])*s + t[i])
				}
			default:
				s, t := scale[c], 0.0
				if shift != nil {
					t = shift[c]
				}
				for i, v := range x {
					d[i] = F(float64(v)*s + t)
				}
			}
		})
	}
}

// SumLanes writes, for the channels lo <= c < hi, the sum over all lanes of
// a's elements times those of b, less mean[c] times the sum of a's, and all of
// that times factor[c]; b nil stands for ones, mean and factor nil for none.
// Sums are float64 and taken in order of memory. It is the gradient of a bias
// and of a scale.
func (l Lanes) SumLanes(dst, a, b *tensor.Tensor, mean, factor []float64, lo, hi int) {
	if a.DType == tensor.Float32 {
		var other []float32
		if b != nil {
			other = tensor.Of[float32](b)
		}
		sumLanes(l, tensor.Of[float32](dst), tensor.Of[float32](a), other, mean, factor, lo, hi)
		return
	}
	var other []float64
	if b != nil {
		other = tensor.Of[float64](b)
	}
	sumLanes(l, tensor.Of[float64](dst), tensor.Of[float64](a), other, mean, factor, lo, hi)
}

// sumGroup is how many channels are summed side by side: a cache line of them.
const sumGroup = 16

// SumUnits returns the number of units of SumLanes, which sums some channels in
// each; its lo and hi count them.
func (l Lanes) SumUnits() int { return (l.Extent + sumGroup - 1) / sumGroup }

func sumLanes[F tensor.Floating](l Lanes, dst, a, b []F, mean, factor []float64, lo, hi int) {
	for unit := lo; unit < hi; unit++ {
		var products, sums [sumGroup]float64
		c0, c1 := unit*sumGroup, min((unit+1)*sumGroup, l.Extent)
		for o := range l.Outer {
			for c := c0; c < c1; c++ {
				at := (o*l.Extent + c) * l.Inner
				row := a[at : at+l.Inner]
				sum, product := sums[c-c0], products[c-c0]
				if b == nil {
					for _, v := range row {
						sum += float64(v)
					}
				} else {
					for i, w := range b[at : at+l.Inner] {
						v := float64(row[i])
						sum += v
						product += v * float64(w)
					}
				}
				sums[c-c0], products[c-c0] = sum, product
			}
		}
		for c := c0; c < c1; c++ {
			total := sums[c-c0]
			if b != nil {
				total = products[c-c0]
				if mean != nil {
					total -= mean[c] * sums[c-c0]
				}
			}
			if factor != nil {
				total *= factor[c]
			}
			dst[c] = F(total)
		}
	}
}

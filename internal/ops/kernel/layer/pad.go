package layer

import (
	"github.com/poolctl/poolctl/internal/ops/kernel"
	"github.com/poolctl/poolctl/internal/tensor"
)

// Pad makes an array larger along some of its axes.
type Pad struct {
	In, Out tensor.Shape // of the same rank, at least 1
	Pads    [][2]int     // cells before and after, for each axis
	Mode    PadMode
}

// PadMode says what padding holds.
type PadMode uint8

// PadConstant is a value. PadReflect mirrors at the first and last cell without
// repeating it, PadSymmetric with repeating it. PadEdge repeats it.
const (
	PadConstant PadMode = iota
	PadReflect
	PadSymmetric
	PadEdge
)

// NewPad plans padding by some cells before and after along every axis. Mirrors
// must be large enough, and edges there: that is for the caller to check.
func NewPad(in tensor.Shape, pads [][2]int, mode PadMode) *Pad {
	k := &Pad{In: in, Pads: pads, Mode: mode}
	for axis, n := range in {
		k.Out = append(k.Out, pads[axis][0]+n+pads[axis][1])
	}
	return k
}

// source returns which position of the source position o of the result repeats,
// or -1.
func (k *Pad) source(axis, o int) int {
	n := k.In[axis]
	i := o - k.Pads[axis][0]
	switch {
	case i >= 0 && i < n:
		return i
	case k.Mode == PadConstant:
		return -1
	case k.Mode == PadEdge:
		return min(max(i, 0), n-1)
	case k.Mode == PadReflect && i < 0:
		return -i
	case k.Mode == PadReflect:
		return 2*(n-1) - i
	case i < 0:
		return -1 - i
	default:
		return 2*n - 1 - i
	}
}

// copies returns the positions of the result that repeat position i of the
// source: before it, itself, and after it; each from the first to before the
// second.
func (k *Pad) copies(axis, i int) [3][2]int {
	n, lo, out := k.In[axis], k.Pads[axis][0], k.Out[axis]
	list := [3][2]int{1: {lo + i, lo + i + 1}}
	switch k.Mode {
	case PadConstant:
	case PadEdge:
		if i == 0 {
			list[0][1] = lo
		}
		if i == n-1 {
			list[2] = [2]int{lo + n, out}
		}
	case PadReflect, PadSymmetric:
		before, after := lo-1-i, lo+2*n-1-i
		if k.Mode == PadReflect {
			before, after = lo-i, lo+2*(n-1)-i
		}
		if before >= 0 && before < lo {
			list[0] = [2]int{before, before + 1}
		}
		if after >= lo+n && after < out {
			list[2] = [2]int{after, after + 1}
		}
	}
	return list
}

// rowsOf returns the number of rows, lines along the last axis, of a shape.
func rowsOf(shape tensor.Shape) int {
	rows := 1
	for _, n := range shape[:len(shape)-1] {
		rows *= n
	}
	return rows
}

// Units returns the number of units: rows of the result, or of the source for
// the gradient.
func (k *Pad) Units(gradient bool) int {
	if gradient {
		return rowsOf(k.In)
	}
	return rowsOf(k.Out)
}

// Run computes rows lo <= r < hi of dst; value has one element, of the type of
// src and dst.
func (k *Pad) Run(dst, src, value *tensor.Tensor, lo, hi int) {
	padders.For(dst.DType)(k, dst, src, value, lo, hi)
}

var padders = tensor.PerSize(padRows[uint8], padRows[uint16], padRows[uint32], padRows[uint64])

func padRows[B tensor.Bits](k *Pad, to, from, cell *tensor.Tensor, lo, hi int) {
	dst, src, value := tensor.BitsOf[B](to), tensor.BitsOf[B](from), tensor.BitsOf[B](cell)[0]
	last := len(k.Out) - 1
	width, inner := k.Out[last], k.In[last]
	before := k.Pads[last][0]
	for r := lo; r < hi; r++ {
		row, from := dst[r*width:(r+1)*width], k.sourceRow(r)
		if from < 0 {
			for i := range row {
				row[i] = value
			}
			continue
		}
		line := src[from*inner : (from+1)*inner]
		for o := range before {
			row[o] = at(line, k.source(last, o), value)
		}
		copy(row[before:], line)
		for o := before + inner; o < width; o++ {
			row[o] = at(line, k.source(last, o), value)
		}
	}
}

func at[B tensor.Bits](line []B, i int, value B) B {
	if i < 0 {
		return value
	}
	return line[i]
}

// sourceRow returns the row of the source that row r of the result repeats, or
// -1.
func (k *Pad) sourceRow(r int) int {
	row, step := 0, 1
	for axis := len(k.Out) - 2; axis >= 0; axis-- {
		i := k.source(axis, r%k.Out[axis])
		if i < 0 {
			return -1
		}
		row, step, r = row+i*step, step*k.In[axis], r/k.Out[axis]
	}
	return row
}

// Scratch returns the bytes that a worker needs for the gradient.
func (k *Pad) Scratch() int { return 8 * kernel.Words[float64](k.In[len(k.In)-1]) }

// Gradient computes rows lo <= r < hi of dst, in float32 or float64: for every
// cell the sum of what arrives where it is repeated.
func (k *Pad) Gradient(s *kernel.Scratch, dst, upstream *tensor.Tensor, lo, hi int) {
	if dst.DType == tensor.Float32 {
		padGradient(k, s, tensor.Of[float32](dst), tensor.Of[float32](upstream), lo, hi)
		return
	}
	padGradient(k, s, tensor.Of[float64](dst), tensor.Of[float64](upstream), lo, hi)
}

func padGradient[F tensor.Floating](k *Pad, s *kernel.Scratch, dst, upstream []F, lo, hi int) {
	s.Reset()
	last := len(k.In) - 1
	sums := kernel.Take[float64](s, k.In[last])
	for r := lo; r < hi; r++ {
		clear(sums)
		gatherRows(k, sums, upstream, last-1, r, 0, 1)
		for i, v := range sums {
			dst[r*len(sums)+i] = F(v)
		}
	}
}

// gatherRows adds to sums the rows of the result that repeat a row of the
// source: r is what is left of its number when the axes after this one are taken
// off, row and step what they make of the result's.
func gatherRows[F tensor.Floating](k *Pad, sums []float64, upstream []F, axis, r, row, step int) {
	if axis >= 0 {
		for _, part := range k.copies(axis, r%k.In[axis]) {
			for o := part[0]; o < part[1]; o++ {
				gatherRows(k, sums, upstream, axis-1, r/k.In[axis], row+o*step, step*k.Out[axis])
			}
		}
		return
	}
	last := len(k.In) - 1
	for o, v := range upstream[row*k.Out[last] : (row+1)*k.Out[last]] {
		if i := k.source(last, o); i >= 0 {
			sums[i] += float64(v)
		}
	}
}

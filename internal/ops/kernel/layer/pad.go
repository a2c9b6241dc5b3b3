package layer

import (
	"github.com/poolctl/poolctl/internal/ops/kernel"
	"github.com/poolctl/poolctl/internal/tensor"
)

// Pad adds cells to an array along its axes, or takes cells away.
type Pad struct {
	In, Out tensor.Shape // of the same rank, at least 1
	Pads    [][2]int     // cells before and after, for each axis; negative ones are taken away
	Mode    PadMode
	axes    []padAxis
}

// PadMode says what padding holds.
type PadMode uint8

// PadConstant is a value. PadReflect mirrors at the first and last cell without
// repeating it, PadSymmetric with repeating it. PadEdge repeats it. PadWrap
// begins again at the other end.
const (
	PadConstant PadMode = iota
	PadReflect
	PadSymmetric
	PadEdge
	PadWrap
)

// padAxis is one axis: of the source, the kept cells are skip <= i < skip+kept.
// The result has lo new cells, the kept ones, and new ones up to out.
type padAxis struct {
	mode                PadMode
	skip, kept, lo, out int
}

// NewPad plans padding by some cells before and after along every axis. An axis
// has as many cells as are taken away, and one is left where new cells copy
// others: that is for the caller to check.
func NewPad(in tensor.Shape, pads [][2]int, mode PadMode) *Pad {
	k := &Pad{In: in, Pads: pads, Mode: mode}
	for axis, n := range in {
		lo, hi := pads[axis][0], pads[axis][1]
		a := padAxis{mode: mode, skip: max(0, -lo), kept: n + min(0, lo) + min(0, hi), lo: max(0, lo), out: n + lo + hi}
		k.axes, k.Out = append(k.axes, a), append(k.Out, a.out)
	}
	return k
}

// period returns after how many cells the result repeats itself. With a mirror
// that is there and back.
func (a padAxis) period() int {
	switch a.mode {
	case PadReflect:
		return max(1, 2*(a.kept-1))
	case PadSymmetric:
		return 2 * a.kept
	case PadWrap:
		return a.kept
	case PadConstant, PadEdge:
		return a.out
	}
	panic("layer: unknown pad mode")
}

// source returns which position of the source position o of the result repeats,
// or -1.
func (a padAxis) source(o int) int {
	i := o - a.lo
	if i >= 0 && i < a.kept {
		return a.skip + i
	}
	switch a.mode {
	case PadConstant:
		return -1
	case PadEdge:
		return a.skip + min(max(i, 0), a.kept-1)
	case PadReflect, PadSymmetric, PadWrap:
	}
	period := a.period()
	if i < 0 {
		i += period
	}
	if i < 0 || i >= period {
		if i %= period; i < 0 {
			i += period
		}
	}
	if i < a.kept {
		return a.skip + i
	}
	if a.mode == PadReflect {
		return a.skip + period - i
	}
	return a.skip + period - 1 - i // wrapped cells are all below kept
}

// run is positions from first to before end, step apart.
type run struct{ first, end, step int }

// copies returns the positions of the result that repeat position i of the
// source.
func (a padAxis) copies(i int) [2]run {
	i -= a.skip
	if i < 0 || i >= a.kept {
		return [2]run{}
	}
	at, period := a.lo+i, a.period()
	switch a.mode {
	case PadConstant:
		return [2]run{{at, at + 1, 1}}
	case PadEdge:
		r := run{at, at + 1, 1}
		if i == 0 {
			r.first = 0
		}
		if i == a.kept-1 {
			r.end = a.out
		}
		return [2]run{r}
	case PadReflect:
		if i == 0 || i == a.kept-1 { // its own mirror image
			return [2]run{{at % period, a.out, period}}
		}
		return [2]run{{at % period, a.out, period}, {(a.lo + period - i) % period, a.out, period}}
	case PadSymmetric:
		return [2]run{{at % period, a.out, period}, {(a.lo + period - 1 - i) % period, a.out, period}}
	case PadWrap:
		return [2]run{{at % period, a.out, period}}
	}
	panic("layer: unknown pad mode")
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
	a, width, inner := k.axes[last], k.Out[last], k.In[last]
	for r := lo; r < hi; r++ {
		row, from := dst[r*width:(r+1)*width], k.sourceRow(r)
		if from < 0 {
			for i := range row {
				row[i] = value
			}
			continue
		}
		line := src[from*inner : (from+1)*inner]
		for o := range a.lo {
			row[o] = at(line, a.source(o), value)
		}
		copy(row[a.lo:], line[a.skip:a.skip+a.kept])
		for o := a.lo + a.kept; o < width; o++ {
			row[o] = at(line, a.source(o), value)
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
		i := k.axes[axis].source(r % k.Out[axis])
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
		for _, part := range k.axes[axis].copies(r % k.In[axis]) {
			for o := part.first; o < part.end; o += part.step {
				gatherRows(k, sums, upstream, axis-1, r/k.In[axis], row+o*step, step*k.Out[axis])
			}
		}
		return
	}
	last := len(k.In) - 1
	for o, v := range upstream[row*k.Out[last] : (row+1)*k.Out[last]] {
		if i := k.axes[last].source(o); i >= 0 {
			sums[i] += float64(v)
		}
	}
}

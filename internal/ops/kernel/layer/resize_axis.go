package layer

import (
	"math"

	"github.com/poolctl/poolctl/internal/geom"
	"github.com/poolctl/poolctl/internal/tensor"
)

// ResizeMethod says how a cell of a resized array is made.
type ResizeMethod uint8

// The methods of resizing.
const (
	ResizeNearest ResizeMethod = iota // a copy of the nearest cell
	ResizeLinear                      // between the two cells around it
	ResizeArea                        // the mean of the cells it covers
	ResizeCubic                       // of four cells, by cubic convolution
)

// Coordinates says where the cells of a resized axis lie on the source, whose
// cells lie at 0, 1, 2, …
type Coordinates uint8

// HalfPixel keeps the outer edges of both axes together, AlignCorners the
// centres of their first and last cells, Asymmetric the centres of the first.
const (
	HalfPixel    Coordinates = iota // (i + 1/2)·In/Out - 1/2
	AlignCorners                    // i·(In - 1)/(Out - 1)
	Asymmetric                      // i·In/Out
)

// ResizeAxis is an axis that is resized from In cells to Out, both at least 1.
// Of those only Kept are made, from cell From on.
//
// Places and weights are those of TensorFlow's kernels, to the bit
// (tensorflow/core/util/image_resizer_state.h, tensorflow/core/kernels/image):
// computed in float32, and in float64 where Wide says so, for float64 data. But
// nearest and cubic go by the float32 place then too: it chooses the cell, or
// the row of TensorFlow's table of weights.
type ResizeAxis struct {
	Method      ResizeMethod
	Coordinates Coordinates // no matter for area
	In, Out     int
	From, Kept  int
	Wide        bool
	Gapless     bool // also keep the cells between those that are needed
}

// round rounds what was computed in float64 to the precision of places. Of
// float32 operands that gives what float32 arithmetic gives.
func (a *ResizeAxis) round(v float64) float64 {
	if a.Method == ResizeLinear || a.Method == ResizeArea {
		return a.roundWeight(v)
	}
	return float64(float32(v))
}

// roundWeight rounds to the precision of weights.
func (a *ResizeAxis) roundWeight(v float64) float64 {
	if a.Wide {
		return v
	}
	return float64(float32(v))
}

// step returns the distance of neighbouring cells on the source.
func (a *ResizeAxis) step() float64 {
	if a.Coordinates == AlignCorners && a.In > 1 && a.Out > 1 {
		return a.round(a.round(float64(a.In-1)) / a.round(float64(a.Out-1)))
	}
	return a.round(a.round(float64(a.In)) / a.round(float64(a.Out)))
}

// Scale returns the number of source cells that a cell covers.
func (a *ResizeAxis) Scale() float64 { return a.step() }

// place returns where cell o lies on the source; with HalfPixel, 1/2 more.
func (a *ResizeAxis) place(o int, step float64) float64 {
	at := a.round(float64(o))
	if a.Coordinates == HalfPixel {
		at = a.round(at + 0.5)
	}
	return a.round(at * step)
}

// centre is place without the 1/2.
func (a *ResizeAxis) centre(o int, step float64) float64 {
	at := a.place(o, step)
	if a.Coordinates == HalfPixel {
		at = a.round(at - 0.5)
	}
	return at
}

// within returns the cell of the source that is nearest to cell i.
func (a *ResizeAxis) within(i int) int { return min(max(i, 0), a.In-1) }

// covered returns where the part of the source that cell o covers begins and
// ends, and its first and last cell. The last may be the source's end, by
// rounding; the cell before then stands for it.
func (a *ResizeAxis) covered(o int, step float64) (from, to float64, first, last int) {
	from = a.round(a.round(float64(o)) * step)
	to = a.round(a.round(float64(o+1)) * step)
	first = a.within(int(math.Floor(from)))
	return from, to, first, max(first, int(math.Ceil(to))-1)
}

// span returns the first and the last cell of the source that cell o is made
// of. It is made of all between them too.
func (a *ResizeAxis) span(o int, step float64) (first, last int) {
	switch a.Method {
	case ResizeLinear:
		at := a.centre(o, step)
		return a.within(int(math.Floor(at))), a.within(int(math.Ceil(at)))
	case ResizeArea:
		_, _, first, last := a.covered(o, step)
		return first, a.within(last)
	case ResizeCubic:
		at := int(math.Floor(a.centre(o, step)))
		return a.within(at - 1), a.within(at + 2)
	case ResizeNearest:
		at := a.place(o, step)
		if a.Coordinates == AlignCorners {
			at = math.Floor(at + 0.5)
		}
		i := a.within(int(math.Floor(at)))
		return i, i
	}
	panic("layer: no such method of resizing")
}

// Cells calls do for every cell of the source that is needed, in ascending
// order.
func (a *ResizeAxis) Cells(do func(cell int)) {
	step, next := a.step(), 0
	for o := a.From; o < a.From+a.Kept; o++ {
		first, last := a.span(o, step)
		if !a.Gapless || o == a.From {
			next = max(next, first)
		}
		for ; next <= last; next++ {
			do(next)
		}
	}
}

// First returns the first cell of the source that is needed.
func (a *ResizeAxis) First() int {
	first, _ := a.span(a.From, a.step())
	return first
}

// Needed returns how many cells of the source are needed.
func (a *ResizeAxis) Needed() int {
	n := 0
	a.Cells(func(int) { n++ })
	return n
}

// Field returns the receptive field of the axis; ok is false unless it becomes
// longer or shorter by a whole factor, as then cells see unevenly many others.
func (a *ResizeAxis) Field() (f geom.Field, ok bool) {
	in, out := a.In, a.Out
	if a.Coordinates == AlignCorners && in > 1 && out > 1 {
		in, out = in-1, out-1
	}
	if in%out != 0 && out%in != 0 {
		return geom.Field{}, false
	}
	jump := float64(in) / float64(out)
	f = geom.Field{Size: 1, Jump: jump}
	if a.Coordinates == HalfPixel || a.Method == ResizeNearest && a.Coordinates == Asymmetric && jump < 1 {
		f.Start = (jump - 1) / 2
	}
	between := jump < 1 || f.Start != math.Floor(f.Start)
	switch {
	case a.Method == ResizeArea:
		f.Size = max(1, jump)
	case a.Method == ResizeNearest && jump > 1:
		f.Start = math.Floor(f.Start + 0.5)
	case a.Method == ResizeLinear && between:
		f.Size = 2
	case a.Method == ResizeCubic && between:
		f.Size = 4
	}
	return f, true
}

// Taps returns how many numbers Fill writes for each cell: places and weights.
func (a *ResizeAxis) Taps() (cells, weights int) {
	switch a.Method {
	case ResizeLinear:
		return 2, 1
	case ResizeArea:
		return 3, 2
	case ResizeCubic:
		return 4, 4
	case ResizeNearest:
		return 1, 0
	}
	panic("layer: no such method of resizing")
}

// Fill writes what every kept cell is made of, as Resize reads it:
//
//	nearest  the cell
//	linear   the cells below and above; the weight of the one above
//	area     the first cell, how many in all, the last; weights of first and last, those between weigh 1
//	cubic    four cells; four weights
//
// needed, unless it is nil, becomes the list of the cells that are needed; then
// the cells of the source are counted among those.
func (a *ResizeAxis) Fill(cells, weights, needed *tensor.Tensor) {
	var list []int32
	if needed != nil {
		list = tensor.Of[int32](needed)
		n := 0
		a.Cells(func(cell int) { list[n], n = int32(cell), n+1 })
	}
	var w []float64
	if weights != nil {
		w = tensor.Of[float64](weights)
	}
	a.fill(tensor.Of[int32](cells), w, list)
}

func (a *ResizeAxis) fill(cells []int32, weights []float64, needed []int32) {
	perCell, perWeight := a.Taps()
	step, at := a.step(), 0 // needed[at] is the first cell of the span
	for k := range a.Kept {
		o := a.From + k
		first, last := a.span(o, step)
		shift := 0
		if needed != nil {
			for int(needed[at]) < first {
				at++
			}
			shift = at - first
		}
		c, w := cells[k*perCell:][:perCell], weights[k*perWeight:][:perWeight]
		c[0] = int32(first + shift)
		switch a.Method {
		case ResizeNearest:
		case ResizeLinear:
			centre := a.centre(o, step)
			c[1] = int32(last + shift)
			w[0] = a.round(centre - math.Floor(centre))
		case ResizeArea:
			from, to, first, end := a.covered(o, step)
			c[1], c[2] = int32(end-first+1), int32(last+shift)
			w[0], w[1] = a.share(first, from, to, step), a.share(end, from, to, step)
		case ResizeCubic:
			a.cubic(o, step, c, w)
			for i := range c {
				c[i] += int32(shift)
			}
		}
	}
}

// share returns how much of a cell lies between from and to.
func (a *ResizeAxis) share(cell int, from, to, step float64) float64 {
	lo, hi := float64(cell), float64(cell+1)
	switch {
	case lo < from && hi > to:
		return step
	case lo < from:
		return a.round(hi - from)
	case hi > to:
		return a.round(to - lo)
	default:
		return 1
	}
}

// cubicSteps is how many steps a cell is divided into: TensorFlow looks the
// weights up in a table.
const cubicSteps = 1 << 10

// cubic writes the four cells and weights of cell o. With HalfPixel the factor
// is that of Keys, and cells outside the source weigh nothing; otherwise it is
// -3/4, and the nearest cell stands for them.
func (a *ResizeAxis) cubic(o int, step float64, cells []int32, weights []float64) {
	centre := a.centre(o, step)
	below := math.Floor(centre)
	n := math.RoundToEven(a.round(a.round(centre-below) * cubicSteps))
	factor := -0.75
	if a.Coordinates == HalfPixel {
		factor = -0.5
	}
	sum := 0.0
	for k, steps := range [4]float64{cubicSteps + n, n, cubicSteps - n, 2*cubicSteps - n} {
		i := int(below) + k - 1
		cells[k] = int32(a.within(i))
		weights[k] = a.roundWeight(cubicWeight(steps/cubicSteps, factor))
		if a.Coordinates == HalfPixel && a.within(i) != i {
			weights[k] = 0
		}
		sum = a.roundWeight(sum + weights[k])
	}
	if a.Coordinates != HalfPixel || math.Abs(sum) < 1000*0x1p-126 {
		return
	}
	inverse := a.roundWeight(1 / sum)
	for k, w := range weights {
		weights[k] = a.roundWeight(w * inverse)
	}
}

// cubicWeight is the weight of a cell at a distance from 0 to 2, exact for
// whole steps.
// Robert G. Keys, Cubic convolution interpolation for digital image processing,
// IEEE Transactions on Acoustics, Speech, and Signal Processing 29 (1981).
func cubicWeight(x, factor float64) float64 {
	if x <= 1 {
		return ((factor+2)*x-(factor+3))*x*x + 1
	}
	return ((factor*x-5*factor)*x+8*factor)*x - 4*factor
}

package layer

import "github.com/poolctl/poolctl/internal/tensor"

// Resize resizes one axis of an array of shape (N, A, B, In, Stride): to
// (N, A', B', Out, Inner) in Run, and back to it in Gradient, where no axis but
// this one changes.
//
// The other tensors are what ResizeAxis.Fill writes: cells and weights of the
// axis, and the cells of the axes A and B that the result has; nil for all.
type Resize struct {
	Method        ResizeMethod
	N, A, B       int // of the result
	InA, InB      int // of the source
	In, Out       int
	Inner, Stride int
	Offset        int     // of the source's innermost axis
	Factor        float64 // that the result is multiplied by
}

// resizeBlock is about how many elements a unit makes.
const resizeBlock = 1 << 12

// parts returns how many units Inner elements of n cells are cut into, each of
// so many cells.
func (k *Resize) parts() (parts, cells int) {
	cells = max(1, resizeBlock/max(1, k.Inner))
	return (k.Out + cells - 1) / cells, cells
}

// Units returns the number of units of Run.
func (k *Resize) Units() int {
	parts, _ := k.parts()
	return k.N * k.A * k.B * parts
}

// Run computes dst in the units lo <= u < hi. Both have one type where the
// method is nearest; otherwise dst is float32 and src of any type that Go
// computes with but float64, or both are float64.
func (k *Resize) Run(dst, src, cells, weights, rowsA, rowsB *tensor.Tensor, lo, hi int) {
	t := resizeTables{cells: tensor.Of[int32](cells)}
	if weights != nil {
		t.weights = tensor.Of[float64](weights)
	}
	if rowsA != nil {
		t.rowsA = tensor.Of[int32](rowsA)
	}
	if rowsB != nil {
		t.rowsB = tensor.Of[int32](rowsB)
	}
	if k.Method == ResizeNearest {
		copiers.For(dst.DType)(k, dst, src, t, lo, hi)
		return
	}
	resizers.For(src.DType)(k, dst, src, t, lo, hi)
}

// resizeTables are the tables of Resize.
type resizeTables struct {
	cells        []int32
	weights      []float64
	rowsA, rowsB []int32
}

type resizer func(k *Resize, dst, src *tensor.Tensor, t resizeTables, lo, hi int)

// resizers compute, by the type of the source; copiers copy, by its size.
var (
	resizers = tensor.PerReal[resizer](
		resizeUnits[float32, uint8], resizeUnits[float32, int8], resizeUnits[float32, uint16], resizeUnits[float32, int16],
		resizeUnits[float32, uint32], resizeUnits[float32, int32], resizeUnits[float32, uint64], resizeUnits[float32, int64],
		resizeUnits[float32, float32], resizeUnits[float64, float64])
	copiers = tensor.PerSize[resizer](copyUnits[uint8], copyUnits[uint16], copyUnits[uint32], copyUnits[uint64])
)

func resizeUnits[T tensor.Floating, S tensor.Real](k *Resize, dst, src *tensor.Tensor, t resizeTables, lo, hi int) {
	for u := lo; u < hi; u++ {
		to, from, first, end := k.part(u, t)
		resizeCells(k, tensor.Of[T](dst)[to:], tensor.Of[S](src)[from:], t, first, end)
	}
}

func copyUnits[B tensor.Bits](k *Resize, dst, src *tensor.Tensor, t resizeTables, lo, hi int) {
	d, s := tensor.BitsOf[B](dst), tensor.BitsOf[B](src)
	for u := lo; u < hi; u++ {
		to, from, first, end := k.part(u, t)
		for o := first; o < end; o++ {
			at := from + int(t.cells[o])*k.Stride
			if k.Inner == 1 {
				d[to+o] = s[at]
				continue
			}
			copy(d[to+o*k.Inner:][:k.Inner], s[at:])
		}
	}
}

// part returns where the row of a unit begins in the result and in the source,
// and the cells of the result that the unit makes.
func (k *Resize) part(unit int, t resizeTables) (to, from, first, end int) {
	parts, cells := k.parts()
	row := unit / parts
	n, a, b := row/(k.A*k.B), row/k.B%k.A, row%k.B
	if t.rowsA != nil {
		a = int(t.rowsA[a])
	}
	if t.rowsB != nil {
		b = int(t.rowsB[b])
	}
	first = unit % parts * cells
	return row * k.Out * k.Inner, ((n*k.InA+a)*k.InB+b)*k.In*k.Stride + k.Offset, first, min(first+cells, k.Out)
}

// resizeCells makes cells of one row. Every product is rounded before it is
// added: fused, the result would differ between machines.
func resizeCells[T tensor.Floating, S tensor.Real](k *Resize, dst []T, src []S, t resizeTables, first, end int) {
	n := k.Inner
	for o := first; o < end; o++ {
		d := dst[o*n:][:n]
		switch k.Method {
		case ResizeLinear:
			a, b, w := resizeRow(k, src, t.cells[2*o]), resizeRow(k, src, t.cells[2*o+1]), T(t.weights[o])
			for i, v := range a {
				d[i] = T(v) + T((T(b[i])-T(v))*w) //nolint:unconvert // see above
			}
		case ResizeCubic:
			c, w := t.cells[4*o:][:4], t.weights[4*o:][:4]
			a, b, e, f := resizeRow(k, src, c[0]), resizeRow(k, src, c[1]), resizeRow(k, src, c[2]), resizeRow(k, src, c[3])
			w0, w1, w2, w3 := T(w[0]), T(w[1]), T(w[2]), T(w[3])
			for i, v := range a {
				d[i] = T(T(v)*w0) + T(T(b[i])*w1) + T(T(e[i])*w2) + T(T(f[i])*w3) //nolint:unconvert // see above
			}
		case ResizeArea:
			addCovered(k, d, src, t.cells[3*o:][:3], T(t.weights[2*o]), T(t.weights[2*o+1]))
		case ResizeNearest:
			panic("layer: nearest cells are copied")
		}
	}
}

// addCovered adds the cells up that a cell covers.
func addCovered[T tensor.Floating, S tensor.Real](k *Resize, dst []T, src []S, cells []int32, first, last T) {
	for i, v := range resizeRow(k, src, cells[0]) {
		dst[i] = T(v) * first
	}
	n := cells[1]
	for c := int32(1); c < n-1; c++ {
		for i, v := range resizeRow(k, src, cells[0]+c) {
			dst[i] += T(v)
		}
	}
	if n > 1 {
		for i, v := range resizeRow(k, src, cells[2]) {
			dst[i] += T(T(v) * last) //nolint:unconvert // see resizeCells
		}
	}
	if factor := T(k.Factor); factor != 1 {
		for i := range dst {
			dst[i] *= factor
		}
	}
}

// resizeRow returns the elements of a cell.
func resizeRow[S tensor.Real](k *Resize, src []S, cell int32) []S {
	return src[int(cell)*k.Stride:][:k.Inner]
}

// columns returns how many units Inner is cut into in Gradient, each of so many
// elements.
func (k *Resize) columns() (parts, elements int) {
	elements = max(1, min(k.Inner, max(16, 4*resizeBlock/max(1, k.In)))) // a cache line at least
	return (k.Inner + elements - 1) / elements, elements
}

// GradientUnits returns the number of units of Gradient.
func (k *Resize) GradientUnits() int {
	parts, _ := k.columns()
	return k.N * k.A * k.B * parts
}

// Gradient computes the gradient dst of the source from upstream, that of the
// result, in the units lo <= u < hi. Both are float32 or both float64.
func (k *Resize) Gradient(dst, upstream, cells, weights *tensor.Tensor, lo, hi int) {
	if d, ok := dst.Data.([]float64); ok {
		resizeGradient(k, d, tensor.Of[float64](upstream), cells, weights, lo, hi)
		return
	}
	resizeGradient(k, tensor.Of[float32](dst), tensor.Of[float32](upstream), cells, weights, lo, hi)
}

// resizeGradient adds every cell of upstream to the cells that it was made of,
// in ascending order, whatever the units.
func resizeGradient[T tensor.Floating](k *Resize, dst, upstream []T, cells, weights *tensor.Tensor, lo, hi int) {
	parts, per := k.columns()
	at := tensor.Of[int32](cells)
	var w []float64
	if weights != nil {
		w = tensor.Of[float64](weights)
	}
	for u := lo; u < hi; u++ {
		row, first := u/parts, u%parts*per
		n := min(per, k.Inner-first)
		d := dst[row*k.In*k.Inner+first:]
		for i := range k.In {
			clear(d[i*k.Inner:][:n])
		}
		to := func(cell int32) []T { return d[int(cell)*k.Inner:][:n] }
		for o := range k.Out {
			dy := upstream[(row*k.Out+o)*k.Inner+first:][:n]
			switch k.Method {
			case ResizeNearest:
				addWeighted(to(at[o]), dy, 1)
			case ResizeLinear:
				above := T(w[o])
				addWeighted(to(at[2*o]), dy, 1-above)
				addWeighted(to(at[2*o+1]), dy, above)
			case ResizeCubic:
				for c := 4 * o; c < 4*o+4; c++ {
					addWeighted(to(at[c]), dy, T(w[c]))
				}
			case ResizeArea:
				factor, count := T(k.Factor), at[3*o+1]
				addWeighted(to(at[3*o]), dy, T(w[2*o])*factor)
				for c := int32(1); c < count-1; c++ {
					addWeighted(to(at[3*o]+c), dy, factor)
				}
				if count > 1 {
					addWeighted(to(at[3*o+2]), dy, T(w[2*o+1])*factor)
				}
			}
		}
	}
}

func addWeighted[T tensor.Floating](dst, src []T, weight T) {
	dst = dst[:len(src)]
	for i, v := range src {
		dst[i] += T(v * weight) //nolint:unconvert // see resizeCells
	}
}

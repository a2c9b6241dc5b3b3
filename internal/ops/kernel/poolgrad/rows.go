package poolgrad

import (
	"github.com/poolctl/poolctl/internal/geom"
	"github.com/poolctl/poolctl/internal/ops/kernel/pool"
)

// outputRows cuts the outputs of all images into units: bands of rows or, where
// there are few rows, pieces of them.
type outputRows struct {
	axes                [3]geom.Axis
	inner               int // numbers a cell
	rows, band          int // rows of all images, rows of a unit
	piece, pieces       int // outputs of a unit's row, units side by side
	units               int
	inImage, interior   int
	interiorEnd, length int
}

// windows are outputs side by side whose windows have the same taps: count from
// tap on along each axis.
type windows struct {
	dst, src   int // where the first output and its window's first cell stand
	outputs    int
	tap, count [3]int
	image      int
	place      [3]int // of the first output
}

// bandOf is how many numbers a unit reads and writes, about: a quarter of a
// core's L2.
const bandOf = 1 << 16

func newOutputRows(spec *pool.Spec) outputRows {
	r := outputRows{axes: spec.Geometry.Axes, inner: spec.Geometry.C, rows: spec.Geometry.N}
	if spec.ChannelsFirst {
		r.inner, r.rows = 1, r.rows*r.inner
	}
	images := r.rows
	r.inImage = r.axes[0].In * r.axes[1].In * r.axes[2].In * r.inner
	r.rows *= r.axes[0].Out * r.axes[1].Out
	r.length = r.axes[2].Out
	if r.rows == 0 || r.length == 0 {
		return r
	}
	numbers := r.length*r.inner + images*r.inImage/r.rows // of a row, read and written
	r.band = max(1, bandOf/max(1, numbers))
	r.piece, r.pieces = cutRow(r.length, r.rows, numbers)
	r.interior, r.interiorEnd = r.axes[2].Interior()
	if r.axes[2].Bounds != nil {
		r.interior, r.interiorEnd = r.length, r.length // every window has a size of its own
	}
	r.units = (r.rows + r.band - 1) / r.band * r.pieces
	return r
}

// cutRow cuts rows of so many cells into pieces where there are few rows for the
// threads.
func cutRow(cells, rows, numbers int) (piece, pieces int) {
	piece = cells
	if rows < 16 && numbers > bandOf {
		piece = max(1, cells*bandOf/numbers)
	}
	return piece, (cells + piece - 1) / piece
}

// each calls do for the windows of the units lo <= unit < hi.
func (r *outputRows) each(lo, hi int, do func(w windows)) {
	for unit := lo; unit < hi; unit++ {
		x0 := unit % r.pieces * r.piece
		x1 := min(x0+r.piece, r.length)
		first := unit / r.pieces * r.band
		for row := first; row < min(first+r.band, r.rows); row++ {
			r.row(row, x0, x1, do)
		}
	}
}

// row calls do for the windows x0 <= x < x1 of a row.
func (r *outputRows) row(row, x0, x1 int, do func(w windows)) {
	var w windows
	w.place = [3]int{row / r.axes[1].Out % r.axes[0].Out, row % r.axes[1].Out, 0}
	w.image = row / r.axes[1].Out / r.axes[0].Out
	var cell [3]int
	for i := range 2 {
		w.tap[i], _ = r.axes[i].Span(w.place[i])
		cell[i], w.count[i] = r.axes[i].Cells(w.place[i])
	}
	for x := x0; x < x1; x += w.outputs {
		w.place[2] = x
		w.tap[2], _ = r.axes[2].Span(x)
		cell[2], w.count[2] = r.axes[2].Cells(x)
		w.outputs = 1
		if r.interior <= x && x < r.interiorEnd {
			w.outputs = min(r.interiorEnd, x1) - x
		}
		w.dst = (row*r.length + x) * r.inner
		w.src = w.image*r.inImage + ((cell[0]*r.axes[1].In+cell[1])*r.axes[2].In+cell[2])*r.inner
		do(w)
	}
}

// list lists the taps of a window and their codes in row-major order. Taps are
// distances from the window's first cell in numbers, multiplied by scale.
func (r *outputRows) list(taps []int, codes []int32, w *windows, scale int) ([]int, []int32) {
	taps, codes = taps[:0], codes[:0]
	for z := range w.count[0] {
		for y := range w.count[1] {
			at := (z*r.axes[0].Dilation*r.axes[1].In + y*r.axes[1].Dilation) * r.axes[2].In
			code := ((w.tap[0]+z)*r.axes[1].Size+w.tap[1]+y)*r.axes[2].Size + w.tap[2]
			for x := range w.count[2] {
				taps = append(taps, scale*r.inner*(at+x*r.axes[2].Dilation))
				codes = append(codes, int32(code+x))
			}
		}
	}
	return taps, codes
}

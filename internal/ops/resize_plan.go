package ops

import (
	"slices"

	"github.com/poolctl/poolctl/internal/ops/kernel/layer"
	"github.com/poolctl/poolctl/internal/tensor"
)

// order returns the axes in the order in which they are resized: that of
// TensorFlow, whose results are the same to the bit. A third axis comes last.
func (r *resizing) order() []int {
	switch n := len(r.axes); {
	case n == 1:
		return []int{0}
	case n == 2 && r.method == layer.ResizeCubic:
		return []int{0, 1}
	case n == 2:
		return []int{1, 0}
	case r.method == layer.ResizeCubic:
		return []int{1, 2, 0}
	default:
		return []int{2, 1, 0}
	}
}

// around returns the number of arrays of the spatial dimensions that lie one
// after another, and the number of elements of each of their cells.
func (r *resizing) around() (outer, inner int) {
	if r.layout.ChannelsFirst() {
		return r.extents.N * r.extents.C, 1
	}
	return r.extents.N, r.extents.C
}

// factor returns the factor of the sums of area.
func (r *resizing) factor() float64 {
	if r.method != layer.ResizeArea {
		return 1
	}
	round := func(v float64) float64 { return float64(float32(v)) }
	if r.axes[0].Wide {
		round = func(v float64) float64 { return v }
	}
	covered := 1.0
	for i := range r.axes {
		covered = round(covered * r.axes[i].Scale())
	}
	return round(1 / covered)
}

// resizeTables are the positions and weights of an axis, as the kernel reads
// them.
type resizeTables struct {
	cells   buf
	weights buf // none for nearest
	needed  buf // the source cells that are needed; none if all exist
	taps    int // rough number of source cells of a cell
}

// none means that there is no buffer.
const none buf = -1

// resizeTables adds the tables of every axis and the stage that fills them.
// Where narrowed holds, only the cells that are needed are counted.
func (b *builder) resizeTables(axes []layer.ResizeAxis, narrowed func(axis int) bool) []resizeTables {
	list := make([]resizeTables, len(axes))
	var made []buf
	book := func(d tensor.DType, shape ...int) buf {
		made = append(made, b.temp(d, shape...))
		return made[len(made)-1]
	}
	work := 0
	for i := range axes {
		a := &axes[i]
		cells, weights := a.Taps()
		t := resizeTables{book(tensor.Int32, a.Kept, cells), none, none, max(cells, a.In/a.Out)}
		if weights > 0 {
			t.weights = book(tensor.Float64, a.Kept, weights)
		}
		if narrowed(i) {
			t.needed = book(tensor.Int32, a.Needed())
		}
		list[i] = t
		work += 16 * a.Kept
	}
	b.stage(Stage{Name: "places", Units: len(axes), Work: work,
		Exec: func(_ *Worker, bufs []*tensor.Tensor, lo, hi int) {
			for i := lo; i < hi; i++ {
				t := list[i]
				axes[i].Fill(bufs[t.cells], optional(bufs, t.weights), optional(bufs, t.needed))
			}
		}})
	b.makes(made)
	return list
}

// optional returns the tensor of a buffer, nil for none.
func optional(bufs []*tensor.Tensor, i buf) *tensor.Tensor {
	if i == none {
		return nil
	}
	return bufs[i]
}

// resize adds the stages that resize src into dst, axis by axis. The first pass
// reads only the part of the input that the others need. Nearest takes one
// pass, which copies from the rows that the other axes name.
func (b *builder) resize(dst, src buf, r *resizing) {
	src = b.converted(src, r.given)
	if r.given.IsNarrow() && r.method != layer.ResizeNearest {
		src = b.converted(src, r.compute)
	}
	order := r.order()
	nearest := r.method == layer.ResizeNearest
	if nearest {
		order = order[:1]
	}
	first := order[0]
	for i := first + 1; i < len(r.axes); i++ {
		r.axes[i].Gapless = true // read in one run
	}
	tables := b.resizeTables(r.axes, func(axis int) bool { return axis != first && !nearest })

	now, next := slices.Clone(r.extents.Spatial), slices.Clone(r.extents.Spatial)
	rows := [2]buf{none, none} // of the axes before the first
	offset := 0
	for i, t := range tables {
		lines := t.needed
		switch {
		case i == first:
			continue
		case nearest:
			lines, next[i] = t.cells, r.axes[i].Kept
		default:
			next[i] = r.axes[i].Needed()
		}
		if i < first {
			rows[i+2-first] = lines
		} else {
			_, offset = r.around()
			offset *= r.axes[i].First()
		}
	}
	for i, axis := range order {
		next[axis] = r.axes[axis].Kept
		k := r.pass(axis, now, next)
		k.Offset = offset
		to := dst
		if i < len(order)-1 || b.spec(dst).DType != r.compute {
			to = b.temp(r.compute, k.N, k.A, k.B, k.Out, k.Inner)
		}
		if i == len(order)-1 {
			k.Factor = r.factor()
		}
		from, t, rowsA, rowsB := src, tables[axis], rows[0], rows[1]
		b.stage(Stage{Name: "resize", Units: k.Units(), Work: multiplyAdds(k.N, k.A, k.B, k.Out, k.Inner, t.taps),
			Exec: func(_ *Worker, bufs []*tensor.Tensor, lo, hi int) {
				k.Run(bufs[to], bufs[from], bufs[t.cells], optional(bufs, t.weights), optional(bufs, rowsA), optional(bufs, rowsB), lo, hi)
			}})
		src, rows, offset = to, [2]buf{none, none}, 0
		copy(now, next)
	}
	b.deliver(dst, src, "", "")
}

// pass returns the kernel for one axis, from spatial extents now to next.
func (r *resizing) pass(axis int, now, next []int) *layer.Resize {
	k := &layer.Resize{Method: r.method, A: 1, B: 1, InA: 1, InB: 1, In: now[axis], Out: next[axis], Factor: 1}
	k.N, k.Inner = r.around()
	k.Stride = k.Inner
	for i := axis + 1; i < len(now); i++ {
		k.Inner *= next[i]
		k.Stride *= now[i]
	}
	if axis > 0 {
		k.InB, k.B = now[axis-1], next[axis-1]
	}
	if axis > 1 {
		k.InA, k.A = now[axis-2], next[axis-2]
	}
	return k
}

package pool

import (
	"github.com/poolctl/poolctl/internal/geom"
	"github.com/poolctl/poolctl/internal/ops/kernel"
	"github.com/poolctl/poolctl/internal/tensor"
)

// stripUnit computes a part of the output: x0 <= x < x1 of the rows y0 <= y < y1 of
// a plane of windows.
type stripUnit[T tensor.Real, A any, O tensor.Real] struct {
	*strips[T, A, O]
	src     []T // of the image
	dst     []O
	f       Finishing[T, O]
	z0, nz  int // first plane of the input, and how many
	y0, y1  int
	x0, x1  int
	p0, p1  int // cells of the row, some of them padding
	c0, c1  int // those of the input
	n       int // numbers of a row of outputs, in whole vectors
	row     []A // accumulators, their levels behind
	picking []A
	ring    []A // slots of rows that are reduced along the width, and the prefix
	prefix  []A
	sums    []A // of planes
	out     []A
	results []A // dst, where accumulators are results
	list    []int
	pair    []int // a slot and the next
}

func (k *strips[T, A, O]) run(s *kernel.Scratch, dst, argmax, src *tensor.Tensor, unit int) {
	s.Reset()
	axes := &k.Geometry.Axes
	z, y, x := &axes[0], &axes[1], &axes[2]
	u := stripUnit[T, A, O]{strips: k}
	tile := unit % k.tiles
	unit /= k.tiles
	band := unit % k.bands
	unit /= k.bands
	oz, image := unit%z.Out, unit/z.Out
	elements := z.In * y.In * x.In * k.inner
	u.src = tensor.Of[T](src)[image*elements : (image+1)*elements]
	u.dst = tensor.Of[O](dst)
	u.z0, u.nz = z.Cells(oz)
	u.y0, u.y1 = band*k.band, min((band+1)*k.band, y.Out)
	u.x0, u.x1 = tile*k.tile, min((tile+1)*k.tile, x.Out)
	u.p0 = u.x0*x.Stride - x.Lo
	u.p1 = (u.x1-1)*x.Stride - x.Lo + x.Effective()
	u.c0, u.c1 = min(max(u.p0, 0), x.In), min(u.p1, x.In)
	u.n = kernel.RoundUp((u.x1-u.x0)*k.inner, scratchLanes)
	u.f = Finishing[T, O]{Spec: &k.Spec, inner: k.inner, image: image, src: u.src, dst: u.dst, Z: oz, x0: u.x0, spans: k.spans}
	u.f.stream = k.stream
	if k.Argmax {
		u.f.argmax = tensor.Of[int64](argmax)
	}
	memory := kernel.Take[A](s, k.words())
	cut := func(n int) []A {
		part := memory[:n:n]
		memory = memory[n:]
		return part
	}
	cut(scratchLanes) // sliding may read and write numbers before the row
	u.row, u.picking = cut((k.levels+1)*k.room), cut(k.room)
	u.ring = cut((k.planes*k.slots + 1) * k.slot)
	u.prefix, u.out = u.ring[k.planes*k.slots*k.slot:], cut(k.slot)
	if k.planes > 1 {
		u.sums = cut(k.planes * k.slot)
	}
	u.list, u.pair = kernel.Take[int](s, k.planes*y.Size+2), kernel.Take[int](s, 2)
	u.pair[0], u.pair[1] = 0, k.size*k.slot
	if k.same {
		u.results = any(u.dst).([]A)
	}
	switch {
	case k.first:
		u.downFirst()
	case k.blocks:
		u.downByBlocks()
	default:
		u.downByTaps()
	}
	if k.stream {
		kernel.StoreFence()
	}
}

// reduceRow fills a slot with a row of the input that is reduced along the width.
func (u *stripUnit[T, A, O]) reduceRow(slot []A, plane, row int) {
	if u.copied {
		cells, at := u.cells(plane, row)
		u.load(slot, cells, at)
		return
	}
	u.loadRow(0, plane, row)
	u.reduceAcross(slot)
}

// cells returns the cells of the input in a row, and where they stand in it.
func (u *stripUnit[T, A, O]) cells(plane, row int) (cells []T, at int) {
	axes := &u.Geometry.Axes
	at = ((plane*axes[1].In+row)*axes[2].In + u.c0) * u.inner
	return u.src[at : at+(u.c1-u.c0)*u.inner], at
}

// loadRow fills the row, or the room of a level, but for padding.
func (u *stripUnit[T, A, O]) loadRow(level, plane, row int) {
	cells, at := u.cells(plane, row)
	u.load(u.row[level*u.room+(u.c0-u.p0)*u.inner:], cells, at)
}

// reduceAcross fills a slot with the row reduced along the width.
func (u *stripUnit[T, A, O]) reduceAcross(slot []A) {
	x := &u.Geometry.Axes[2]
	u.pad(x)
	if u.slid {
		u.slideAcross(x)
	}
	from, width := 0, 1
	for _, taps := range u.fours {
		next := from + u.room
		width *= 4
		n := kernel.RoundUp((u.p1-u.p0-(width-1)*x.Dilation)*u.inner, scratchLanes)
		u.fold(u.row[next:], u.row[from:], taps, 1, n, 0, false)
		from = next
	}
	outputs := u.x1 - u.x0
	switch {
	case x.Stride == 1:
		u.fold(slot, u.row, u.across, 1, u.n, 0, false)
	case !u.picked:
		u.fold(slot, u.row, u.across, outputs, u.inner, x.Stride*u.inner, false)
	default:
		n := kernel.RoundUp(((outputs-1)*x.Stride+1)*u.inner, scratchLanes)
		u.fold(u.picking, u.row, u.across, 1, n, 0, false)
		pickCells(slot, u.picking, outputs, u.inner, x.Stride*u.inner)
	}
}

// slideAcross is van Herk's and Gil and Werman's algorithm along the row, block by
// block of as many cells as a window has.
func (u *stripUnit[T, A, O]) slideAcross(x *geom.Axis) {
	n := x.Dilation * u.inner // the cells of a window stand side by side
	cells := kernel.RoundUp((u.p1-u.p0)*u.inner, n) / n
	for at := 0; at < cells; at += x.Size {
		u.slide(u.row[u.room:], u.row[2*u.room:], u.row, at*n, n, x.Size, min(x.Size, cells-at))
	}
}

// pickCells copies cells of n numbers that stand step apart.
func pickCells[A any](dst, src []A, cells, n, step int) {
	if n == 1 {
		for i := range dst[:cells] {
			dst[i] = src[i*step]
		}
		return
	}
	for i := range cells {
		for j, v := range src[i*step : i*step+n] {
			dst[i*n+j] = v
		}
	}
}

// pad fills the cells of the row that are not of the input.
func (u *stripUnit[T, A, O]) pad(x *geom.Axis) {
	n := u.inner
	copyCell := func(to, from int) {
		cell := u.row[(to-u.p0)*n : (to-u.p0+1)*n]
		if !u.overlap {
			for i := range cell {
				cell[i] = u.neutral
			}
		} else if from >= u.p0 && from < u.p1 {
			copy(cell, u.row[(from-u.p0)*n:])
		}
	}
	for i := u.c0 - 1; i >= u.p0; i-- {
		copyCell(i, i+x.Dilation)
	}
	for i := u.c1; i < u.p1; i++ {
		copyCell(i, i-x.Dilation)
	}
}

// downFirst merges whole rows of a window one after another, and then reduces the
// merged row along the width.
func (u *stripUnit[T, A, O]) downFirst() {
	z, y := &u.Geometry.Axes[0], &u.Geometry.Axes[1]
	planes := u.nz
	u.nz = 1
	u.pair[1] = u.size * u.room // the next level is free until then
	cells := u.row[(u.c0-u.p0)*u.inner:]
	n := kernel.RoundUp((u.c1-u.c0)*u.inner, scratchLanes)
	for o := u.y0; o < u.y1; o++ {
		row, rows := y.Cells(o)
		for i := range planes * rows {
			level := min(i, 1)
			u.loadRow(level, u.z0+i/rows*z.Dilation, row+i%rows*y.Dilation)
			if level > 0 {
				u.fold(cells, cells, u.pair, 1, n, 0, false)
			}
		}
		u.reduceAcross(u.ring)
		u.list = append(u.list[:0], 0)
		u.emit(o, 1)
	}
}

// downByTaps keeps the last rows of each plane in a ring.
func (u *stripUnit[T, A, O]) downByTaps() {
	axes := &u.Geometry.Axes
	y := &axes[1]
	bytes := u.size * u.slot
	next := 0 // the first row that was not reduced
	for o := u.y0; o < u.y1; o++ {
		first, count := y.Cells(o)
		start := o*y.Stride - y.Lo
		next = max(next, start)
		for ; next < min(start+y.Effective(), y.In); next++ {
			for plane := range u.nz {
				u.reduceRow(u.ring[(plane*u.slots+next%u.slots)*u.slot:], u.z0+plane*axes[0].Dilation, next)
			}
		}
		u.list = u.list[:0]
		for plane := range u.nz {
			for t := range count {
				u.list = append(u.list, bytes*(plane*u.slots+(first+t*y.Dilation)%u.slots))
			}
		}
		u.emit(o, count)
	}
}

// downByBlocks is van Herk's and Gil and Werman's algorithm: rows are cut into
// blocks of the window's height, and a window is the suffix of one block and the
// prefix of the next. The rows of the next block overwrite a block's suffixes as
// soon as no window needs them.
func (u *stripUnit[T, A, O]) downByBlocks() {
	y := &u.Geometry.Axes[1]
	size, bytes := y.Size, u.size*u.slot
	slot := func(i int) []A { return u.ring[i*u.slot:] }
	prefixAt := bytes * size // the prefix stands behind the ring
	begin := u.y0*y.Stride - y.Lo
	end := (u.y1-1)*y.Stride - y.Lo + size // of all rows
	for i := range size {
		u.blockRow(slot(i), begin+i)
	}
	o := u.y0
	for {
		for i := size - 2; i >= 0; i-- {
			u.fold(slot(i), slot(i), u.pair, 1, u.n, 0, false)
		}
		if o*y.Stride-y.Lo == begin {
			u.list = append(u.list[:0], 0)
			u.emit(o, 1)
			o++
		}
		for i := 1; i <= size; i++ { // windows from row i of the block on
			if begin+size+i-1 >= end {
				return
			}
			u.blockRow(slot(i-1), begin+size+i-1)
			at := prefixAt
			switch i {
			case 1:
				at = 0
			case 2:
				u.fold(u.prefix, u.ring, u.pair, 1, u.n, 0, false)
			default:
				u.list = append(u.list[:0], prefixAt, bytes*(i-1))
				u.fold(u.prefix, u.ring, u.list, 1, u.n, 0, false)
			}
			if i < size && o*y.Stride-y.Lo == begin+i {
				u.list = append(u.list[:0], bytes*i, at)
				u.emit(o, 2)
				o++
			}
		}
		begin += size
	}
}

// blockRow is reduceRow for a row that may be padding.
func (u *stripUnit[T, A, O]) blockRow(slot []A, row int) {
	rows := u.Geometry.Axes[1].In
	if inside := min(max(row, 0), rows-1); inside == row || u.overlap {
		u.reduceRow(slot, u.z0, inside)
		return
	}
	for i := range slot[:u.n] {
		slot[i] = u.neutral
	}
}

// emit writes a row of outputs, merged from the rows in the list: count rows of each
// plane.
func (u *stripUnit[T, A, O]) emit(o, count int) {
	axes := &u.Geometry.Axes
	n := (u.x1 - u.x0) * u.inner
	at := (((u.f.image*axes[0].Out+u.f.Z)*axes[1].Out+o)*axes[2].Out + u.x0) * u.inner
	from, taps := u.ring, u.list
	if u.nz > 1 && !u.overlap { // sums: of rows, then of planes
		for plane := range u.nz {
			u.fold(u.sums[plane*u.slot:], u.ring, u.list[plane*count:(plane+1)*count], 1, u.n, 0, false)
		}
		from, taps = u.sums, u.list[:u.nz]
		for plane := range taps {
			taps[plane] = plane * u.size * u.slot
		}
	}
	if u.results != nil && n >= scratchLanes {
		u.fold(u.results[at:at+n], from, taps, 1, n, 0, u.stream)
		return
	}
	u.fold(u.out, from, taps, 1, u.n, 0, false)
	if u.results != nil {
		copy(u.results[at:at+n], u.out)
		return
	}
	u.f.Y, u.f.at = o, at
	u.finish(u.f, u.out[:n])
}

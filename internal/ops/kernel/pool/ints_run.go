package pool

import (
	"github.com/poolctl/poolctl/internal/ops/kernel"
	"github.com/poolctl/poolctl/internal/tensor"
)

// intUnit is a part of the output under computation: outputs x0 <= x < x1 of
// some rows of a plane of windows.
type intUnit struct {
	*intRows
	dst     *tensor.Tensor
	out     []byte // its memory
	image   []byte // of the input
	at      int    // the output of the first row of that plane, in numbers
	z       int
	zs      int // first plane of the input
	nz      int // and how many
	y0, y1  int
	x0, x1  int
	from, n int    // bytes of an input row that the tile sees
	row     []byte // accumulators, with their levels behind
	inside  []byte // of the row: what the input fills
	sums    []byte
	last    []byte
	list    []int // of offsets of the rows of a window
}

func (p *intRows) run(s *kernel.Scratch, dst, _, src *tensor.Tensor, unit int) {
	s.Reset()
	axes := &p.Geometry.Axes
	z, y, x := &axes[0], &axes[1], &axes[2]
	image, plane, y0, y1, tile := p.part(unit)
	u := intUnit{intRows: p, dst: dst, out: tensor.Bytes(dst), z: plane, y0: y0, y1: y1}
	u.image = tensor.Bytes(src)[image*p.image : (image+1)*p.image]
	u.at = (image*z.Out + u.z) * y.Out * x.Out * p.inner
	u.zs, u.nz = z.Cells(u.z)
	u.x0 = tile * p.tile
	u.x1 = min(u.x0+p.tile, x.Out)
	u.list = kernel.Take[int](s, p.taps)[:0]
	u.last = kernel.Take[byte](s, squeezed)
	u.row = kernel.Take[byte](s, p.rowBytes)
	u.sums = kernel.Take[byte](s, p.results)

	// The row holds the cells p0 <= i < p1; those of the input are c0 <= i < c1.
	p0 := u.x0*x.Stride - x.Lo
	p1 := (u.x1-1)*x.Stride - x.Lo + x.Effective()
	c0, c1 := min(max(p0, 0), x.In), min(p1, x.In)
	c1 = max(c0, c1)
	cell := p.inner * p.sum
	u.from, u.n = c0*p.inner*p.size, (c1-c0)*p.inner*p.size
	u.inside = u.row[(c0-p0)*cell : (c1-p0)*cell]
	p.pad(u.row[:(c0-p0)*cell])
	p.pad(u.row[(c1-p0)*cell : (p1-p0)*cell])
	switch {
	case !p.sliding:
		for o := u.y0; o < u.y1; o++ {
			u.down(o)
			u.finish(o)
		}
	case p.op >= opAdd:
		u.runningSums(kernel.Take[byte](s, p.zeros))
	default:
		u.blocks(kernel.Take[byte](s, p.suffixes*(y.Size+1)))
	}
}

// pad fills memory with what changes nothing.
func (p *intRows) pad(b []byte) {
	for i := range b {
		b[i] = p.identity[i&1]
	}
}

// cells returns the tile's part of an input row of the window's first plane.
func (u *intUnit) cells(row int) []byte {
	at := u.zs*u.plane + row*u.line + u.from
	return u.image[at : at+u.n]
}

// down combines all rows of a row of windows.
func (u *intUnit) down(o int) {
	axes := &u.Geometry.Axes
	first, n := axes[1].Cells(o)
	u.list = u.list[:0]
	for z := range u.nz {
		at := z * axes[0].Dilation * u.plane
		for range n {
			u.list = append(u.list, at)
			at += axes[1].Dilation * u.line
		}
	}
	if u.n == 0 {
		return
	}
	src := u.image[u.zs*u.plane+first*u.line+u.from:]
	if u.op >= opAdd {
		u.rows.sumRows(u.kind, u.inside, src, u.list)
	} else {
		u.rows.foldRow(u.op, u.inside, src, u.list, false)
	}
}

// runningSums computes the first row of windows and each of the others from the
// one before it. Integers do not lose anything by that.
func (u *intUnit) runningSums(zeros []byte) {
	y := &u.Geometry.Axes[1]
	clear(zeros)
	row := func(i int) []byte {
		if i < 0 || i >= y.In {
			return zeros
		}
		return u.cells(i)
	}
	for o := u.y0; o < u.y1; o++ {
		if o == u.y0 {
			u.down(o)
		} else if u.n > 0 {
			for gone := (o-1)*y.Stride - y.Lo; gone < o*y.Stride-y.Lo; gone++ {
				if come := gone + y.Size; come < y.In && come >= 0 || gone >= 0 && gone < y.In {
					u.rows.slideRow(u.kind, u.inside, row(come), row(gone))
				}
			}
		}
		u.finish(o)
	}
}

// blocks computes the windows that begin in one block of as many rows as a window
// has: each is a suffix of the block and a prefix of the next.
func (u *intUnit) blocks(scratch []byte) {
	y := &u.Geometry.Axes[1]
	size := y.Size
	if u.y0 >= u.y1 {
		return
	}
	begin := u.y0*y.Stride/size*size - y.Lo // the block's first row, which may be padding
	if u.n == 0 {
		for o := u.y0; o < u.y1; o++ {
			u.finish(o)
		}
		return
	}
	first := max(u.y0*y.Stride-y.Lo, 0)
	end := min(begin+size, y.In) // of the block's real rows
	suffix := func(row int) []byte {
		row = max(row, first)
		switch {
		case row >= end:
			return nil
		case row == end-1:
			return u.cells(row)
		default:
			return scratch[(row-begin)*u.suffixes:][:u.n]
		}
	}
	for row := end - 2; row >= first; row-- {
		u.rows.mergeRows(u.op, suffix(row), suffix(row+1), u.cells(row))
	}
	buffer := scratch[size*u.suffixes:][:u.n]
	var prefix []byte
	next := max(begin+size, 0) // the first row that the prefix lacks
	for o := u.y0; o < u.y1; o++ {
		start := o*y.Stride - y.Lo
		to, tail := min(start+size, y.In), suffix(start)
		done := false
		for ; next < to; next++ {
			row := u.cells(next)
			switch {
			case prefix == nil:
				prefix = row
			case next == to-1 && tail != nil:
				u.rows.advanceRows(u.op, u.inside, buffer, prefix, row, tail)
				prefix, done = buffer, true
			default:
				u.rows.mergeRows(u.op, buffer, prefix, row)
				prefix = buffer
			}
		}
		switch {
		case done:
		case tail == nil:
			copy(u.inside, prefix)
		case prefix == nil:
			copy(u.inside, tail)
		default:
			u.rows.mergeRows(u.op, u.inside, prefix, tail)
		}
		u.finish(o)
	}
}

// finish reduces the row across and writes the outputs of row o.
func (u *intUnit) finish(o int) {
	axes := &u.Geometry.Axes
	x := &axes[2]
	cell := u.inner * u.sum
	cells := (u.x1-1-u.x0)*x.Stride + x.Effective()
	from, width := 0, 1
	for i := range u.fours {
		next := from + u.room
		n := (cells - (4*width-1)*x.Dilation) * cell
		u.rows.foldRow(u.op, u.row[next:next+n], u.row[from:], u.fours[i][:], false)
		from, width = next, 4*width
	}
	outputs := (u.x1 - u.x0) * u.inner
	at := u.at + (o*x.Out+u.x0)*u.inner
	var out []byte
	stream := u.stream
	if u.op >= opAdd {
		out, stream = u.sums[:outputs*u.sum], false
	} else {
		out = u.out[at*u.size:][:outputs*u.size]
	}
	if x.Stride == 1 {
		u.rows.foldRow(u.op, out, u.row, u.across, stream)
	} else {
		u.rows.foldCells(u.op, out, u.row, u.across, cell, x.Stride*cell, u.shuffle, u.last, stream)
	}
	if u.op >= opAdd {
		u.divide(o, at, out)
	}
}

// divide writes sums divided by the number of cells, or whatever takes its place.
func (u *intUnit) divide(o, at int, sums []byte) {
	f := Finishing[uint8, float32]{Spec: &u.Spec, Z: u.z, Y: o}
	row, perOutput := f.Divisor()
	kind := 2
	if u.sum == 2 {
		kind = u.kind
	}
	for _, s := range u.spans {
		x0, x1 := max(s.x0, u.x0), min(s.x1, u.x1)
		if x0 >= x1 {
			continue
		}
		divisor := row
		if perOutput {
			divisor *= s.taps
		}
		begin, n := (x0-u.x0)*u.inner, (x1-x0)*u.inner
		src := sums[begin*u.sum : (begin+n)*u.sum]
		if u.Picture {
			dst := u.out[(at+begin)*u.size:][:n*u.size]
			u.rows.roundRow(dst, src, u.size, 8*u.sum, divisor, u.large, u.stream)
		} else {
			u.rows.divideRow(tensor.Of[float32](u.dst)[at+begin:][:n], src, kind, divisor, u.large, u.stream)
		}
	}
}

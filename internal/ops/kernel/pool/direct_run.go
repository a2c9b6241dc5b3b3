package pool

import (
	"github.com/poolctl/poolctl/internal/ops/kernel"
	"github.com/poolctl/poolctl/internal/tensor"
)

// segment is a range of outputs of a row whose windows have the same number of cells
// along the width: all that lie inside the input, or one that does not.
type segment struct{ x, outputs, first, count int }

// cutRow cuts a row, and says which segment is inside the input, or -1.
func (d *direct) cutRow() (list []segment, interior int) {
	w := &d.Geometry.Axes[2]
	x0, x1 := w.Interior()
	if w.Bounds != nil {
		x0, x1 = w.Out, w.Out // every window has a size of its own
	}
	interior = -1
	for x := 0; x < w.Out; {
		g := segment{x: x, outputs: 1}
		g.first, g.count = w.Cells(x)
		if x == x0 && x0 < x1 {
			g.outputs, interior = x1-x0, len(list)
		}
		list = append(list, g)
		x += g.outputs
	}
	return list, interior
}

// directUnit computes a band of rows.
type directUnit struct {
	*direct
	in, out []float32
	indices []int64
	run     Run // what all have in common
	lists   [tapLists]tapList
	next    int // list to be given up
	buffer  []float64
	column  []float32
}

// tapList holds the taps of windows of one size, their numbers for argmax, and how
// many offsets of cells to fetch early follow the taps.
type tapList struct {
	count   [3]int
	taps    []int
	codes   []int32
	fetches int
}

// Rows have an edge on both sides, so that few lists serve many rows. Edges of
// small cells are computed down the rows, leastRows or more and columnRows at a
// time.
const (
	tapLists   = 4
	leastRows  = 4
	columnRows = 64
	columnCell = 16 // numbers of a small cell
	gathers    = 32 // numbers that some kernels gather outputs from: rows are further apart
)

// directScratch returns the words that a unit needs.
func (d *direct) directScratch() int {
	words := tapLists * kernel.Words[int](d.taps+MostFetches)
	if d.Argmax {
		words += tapLists * kernel.Words[int32](d.taps)
	}
	if d.bands != nil {
		words += kernel.Words[float64](bandBuffer(d.Geometry.Axes[1].Size, d.Geometry.Axes[1].Stride))
	}
	return words + kernel.Words[float32](columnRows*columnCell)
}

func (d *direct) compute(s *kernel.Scratch, dst, argmax, src *tensor.Tensor, unit int) {
	s.Reset()
	y := &d.Geometry.Axes[1]
	u := directUnit{direct: d, in: tensor.Of[float32](src), out: tensor.Of[float32](dst), column: kernel.Take[float32](s, columnRows*columnCell)}
	u.run = Run{N: d.inner, Step: d.Geometry.Axes[2].Stride * d.inner, stream: d.stream}
	for i := range u.lists {
		u.lists[i].taps = kernel.Take[int](s, d.taps+MostFetches)
		if d.Argmax {
			u.lists[i].codes = kernel.Take[int32](s, d.taps)
		}
	}
	if d.Argmax {
		u.indices, u.run.number = tensor.Of[int64](argmax), d.number
	}
	if d.bands != nil {
		u.buffer = kernel.Take[float64](s, bandBuffer(y.Size, y.Stride))
	}
	y0, y1 := y.Interior()
	last := min((unit+1)*d.band, d.rows)
	for row := unit * d.band; row < last; {
		if at := row % y.Out; d.tall && at >= y0 && at < y1 {
			rows := min(y1-at, last-row)
			u.interior(row, rows)
			row += rows
			continue
		}
		for i := range d.segments {
			u.segment(row, &d.segments[i])
		}
		row++
	}
	if d.stream {
		kernel.StoreFence()
	}
}

// list returns the taps of windows of a size.
func (u *directUnit) list(count [3]int) *tapList {
	for i := range u.lists {
		if u.lists[i].count == count {
			return &u.lists[i]
		}
	}
	l := &u.lists[u.next]
	u.next = (u.next + 1) % tapLists
	l.count, l.taps = count, u.offsets(l.taps, count)
	l.fetches = u.fetches(l.taps, count)
	if u.Argmax {
		l.codes = u.numbers(l.codes, count)
	}
	return l
}

// windows prepares a run of a segment's windows of a row.
func (u *directUnit) windows(row int, g *segment) Run {
	axes := &u.Geometry.Axes
	image, z, y := row/axes[1].Out/axes[0].Out, row/axes[1].Out%axes[0].Out, row%axes[1].Out
	firstZ, nz := axes[0].Cells(z)
	firstY, ny := axes[1].Cells(y)
	l := u.list([3]int{nz, ny, g.count})
	cell := (firstZ*axes[1].In+firstY)*axes[2].In + g.first
	at, n := (row*axes[2].Out+g.x)*u.inner, g.outputs*u.inner
	r := u.run
	r.taps, r.codes, r.fetches, r.Outputs, r.nx, r.ny = l.taps, l.codes, l.fetches, g.outputs, g.count, ny
	r.dst, r.src = u.out[at:at+n], u.in[image*u.inImage+cell*u.inner:(image+1)*u.inImage]
	if u.Argmax {
		r.argmax = u.indices[at : at+n]
		channel := 0
		if u.ChannelsFirst {
			image, channel = image/u.Index.Channels, image%u.Index.Channels
		}
		r.number.base = int(u.Index.Encode(image, channel, cell))
	}
	if u.Reduction.IsSum() {
		f := Finishing[float32, float32]{Spec: &u.Spec, Z: z, Y: y}
		divisor, perOutput := f.Divisor()
		if r.divisor = divisor; perOutput {
			r.divisor *= f.Taps(2, g.x)
		}
	}
	return r
}

// segment computes a segment of a row.
func (u *directUnit) segment(row int, g *segment) { u.reduce(u.windows(row, g), &u.lanes) }

// interior computes rows of windows that lie inside the input along the height. The
// ends of rows come last, because joined rows write there too.
func (u *directUnit) interior(row, rows int) {
	if u.inside >= 0 {
		g := &u.segments[u.inside]
		switch {
		case u.joined && (rows-1)*u.Geometry.Axes[2].Out+g.outputs >= scratchLanes:
			u.joinedRows(row, rows, g)
		case u.bands != nil:
			u.bandRows(row, rows, g)
		default:
			u.eachRow(row, rows, g)
		}
	}
	for i := range u.segments {
		switch g := &u.segments[i]; {
		case i == u.inside:
		case u.columns && rows >= leastRows:
			u.columnRows(row, rows, g)
		default:
			u.eachRow(row, rows, g)
		}
	}
}

func (u *directUnit) eachRow(row, rows int, g *segment) {
	for i := range rows {
		u.segment(row+i, g)
	}
}

// joinedRows computes rows that are as far apart in the output as in the input as
// one long row. The outputs at the ends of rows come out wrong and are computed
// again afterwards.
func (u *directUnit) joinedRows(row, rows int, g *segment) {
	line := u.Geometry.Axes[2].Out * u.inner
	r := u.windows(row, g)
	r.N, r.Outputs = (rows-1)*line+g.outputs*u.inner, 1
	r.Step = r.N
	r.dst = r.dst[:r.N]
	u.reduce(r, &u.lanes)
	if u.stream {
		kernel.StoreFence() // before the ends of rows are written again
	}
}

// columnRows computes an output of each row, one below the other.
func (u *directUnit) columnRows(row, rows int, g *segment) {
	y, line := &u.Geometry.Axes[1], u.Geometry.Axes[2].Out*u.inner
	for done := 0; done < rows; done += columnRows {
		r := u.windows(row+done, g)
		to := u.out[(row+done)*line+g.x*u.inner:]
		r.Outputs = min(columnRows, rows-done)
		r.Step, r.stream, r.dst = y.Stride*u.Geometry.Axes[2].In*u.inner, false, u.column[:r.Outputs*u.inner]
		u.reduce(r, &u.lanes)
		for i := range r.Outputs {
			copy(to[i*line:][:u.inner], u.column[i*u.inner:])
		}
	}
}

// bandTile is the width in numbers of the tiles that bands work down. The rows of a
// band and of the next one, which is fetched ahead, then fill a quarter of a core's
// L2.
const bandTile = 6 << 10

// bandRows computes the windows inside the input of some rows: tile by tile, and in
// a tile band by band from top to bottom.
func (u *directUnit) bandRows(row, rows int, g *segment) {
	y, x := &u.Geometry.Axes[1], &u.Geometry.Axes[2]
	numbers, outLine, inLine := g.outputs*u.inner, x.Out*u.inner, x.In*u.inner
	r := u.windows(row, g)
	r.Outputs = 1
	b := rowBand{step: y.Stride, srcRow: inLine, dstRow: outLine, buffer: u.buffer}
	src, dst := r.src, u.out[row*outLine+g.x*u.inner:]
	for at := 0; at < numbers; at += r.N {
		if r.N = bandTile; numbers-at < bandTile+scratchLanes {
			r.N = numbers - at
		}
		for i := 0; i < rows; i += b.rows {
			b.Run, b.rows = r, min(rows-i, u.most)
			b.dst, b.src = dst[i*outLine+at:], src[i*b.step*inLine+at:]
			if !u.bands(b) {
				continue
			}
			for range b.rows {
				r.dst, r.src = b.dst[:r.N], b.src
				u.reduce(r, &u.lanes)
				b.dst, b.src = b.dst[min(outLine, len(b.dst)):], b.src[min(b.step*inLine, len(b.src)):]
			}
		}
	}
}

// offsets lists the taps of a window of count cells along each axis.
func (d *direct) offsets(taps []int, count [3]int) []int {
	axes := &d.Geometry.Axes
	cell := 4 * d.inner
	row := axes[2].In * cell
	plane := axes[1].In * row
	taps = taps[:0]
	for z := range count[0] {
		for y := range count[1] {
			at := z*axes[0].Dilation*plane + y*axes[1].Dilation*row
			for range count[2] {
				taps = append(taps, at)
				at += axes[2].Dilation * cell
			}
		}
	}
	return taps
}

// fetches appends the offsets of cells to fetch early to the taps of a window of
// count cells, and returns how many there are.
func (d *direct) fetches(taps []int, count [3]int) int {
	waits := d.Argmax || d.Reduction.IsSum() || d.taps >= fetchTaps
	if !waits || 4*d.Geometry.N*d.inImage < FetchBytes {
		return 0
	}
	if d.inner < 8 { // four outputs at a time
		count[2] = min(count[2], 1)
	}
	return AddFetches(&d.Geometry.Axes, 4*d.inner, taps, count)
}

// numbers lists the numbers of the same taps as offsets.
func (d *direct) numbers(codes []int32, count [3]int) []int32 {
	axes := &d.Geometry.Axes
	codes = codes[:0]
	for z := range count[0] {
		for y := range count[1] {
			for x := range count[2] {
				cell := (z*axes[0].Dilation*axes[1].In+y*axes[1].Dilation)*axes[2].In + x*axes[2].Dilation
				codes = append(codes, int32(d.Index.Encode(0, 0, cell)))
			}
		}
	}
	return codes
}

package poolgrad

import (
	"fmt"

	"github.com/poolctl/poolctl/internal/geom"
	"github.com/poolctl/poolctl/internal/ops/kernel"
	"github.com/poolctl/poolctl/internal/ops/kernel/pool"
	"github.com/poolctl/poolctl/internal/tensor"
)

// CellGradient is the gradient of pooling, gathered: every cell of the input
// collects what the windows that see it send, in row-major order of the windows,
// and is written once. Its three methods differ in what a window sends:
//
//	Route   the upstream gradient to the cell that won it (see Winners)
//	Match   the upstream gradient to every cell that equals its result
//	Spread  the upstream gradient, divided as its average was, to all cells
//
// Route and Match add in the type of the tensors, from 0 on; Spread adds float64
// and rounds once.
type CellGradient struct {
	pool.Spec
	Impl    string
	Units   int
	inner   int // numbers a cell
	images  int
	inImage int // numbers of an image
	runs    []cellRun
	inside0 int // between these all windows that see a cell exist
	inside1 int
	links   int // most links of a cell
	band    int // rows of a unit, all of one plane
	bands   int // units of a plane, one above the other
	piece   int // cells of a unit's row
	pieces  int // units side by side
	lanes   int // numbers a vector has; 0 where there is only plain Go
	level   kernel.Level
	phase   int // numbers of scratch for a phase that is interleaved with others
	shares  int // numbers of a unit's shares
	stream  bool
}

// cellRun is a series of cells of an axis, step apart, each seen by the windows
// next to those that see the one before it, with the same taps.
type cellRun struct{ first, cells, step int }

// cellRuns cuts an axis into runs: one for each cell near a border, and for each
// of as many phases as the stride has in between, where all windows that see a
// cell exist: lo <= cell < hi.
func cellRuns(a *geom.Axis) (list []cellRun, lo, hi int) {
	lo, hi = a.In, a.In
	if a.Bounds == nil {
		lo = min(a.In, max(0, a.Effective()-1-a.Lo))
		hi = max(lo, min(a.In, a.Out*a.Stride-a.Lo))
	}
	for i := range lo {
		list = append(list, cellRun{i, 1, 1})
	}
	for phase := lo; phase < min(lo+a.Stride, hi); phase++ {
		list = append(list, cellRun{phase, (hi - phase + a.Stride - 1) / a.Stride, a.Stride})
	}
	for i := hi; i < a.In; i++ {
		list = append(list, cellRun{i, 1, 1})
	}
	return list, lo, hi
}

// linksOf bounds the windows that see one cell.
func linksOf(axes *[3]geom.Axis) int {
	return mostLinks(&axes[0]) * mostLinks(&axes[1]) * mostLinks(&axes[2])
}

// mostLinks is linksOf along one axis.
func mostLinks(a *geom.Axis) int {
	if a.Bounds == nil {
		g := a.Backward()
		return min(a.Out, (a.Size+g.TapStep-1)/g.TapStep)
	}
	most := 0
	for i := range a.In {
		o0, o1 := a.Reach(i)
		most = max(most, o1-o0)
	}
	return most
}

// NewCellGradient plans the gradient of a pooling; spec.DType is the type that
// it computes in, Float32 or Float64.
func NewCellGradient(spec pool.Spec) *CellGradient {
	axes := &spec.Geometry.Axes
	k := &CellGradient{Spec: spec, inner: spec.Geometry.C, images: spec.Geometry.N, links: linksOf(axes)}
	k.runs, k.inside0, k.inside1 = cellRuns(&axes[2])
	if spec.ChannelsFirst {
		k.inner, k.images = 1, k.images*k.inner
	}
	line := axes[2].In * k.inner
	k.inImage = axes[0].In * axes[1].In * line
	k.band = max(1, min(axes[1].In, bandOf/max(1, line)))
	k.bands = (axes[1].In + k.band - 1) / k.band
	k.piece, k.pieces = cutRow(axes[2].In, k.images*axes[0].In*axes[1].In, line)
	k.Units = k.images * axes[0].In * k.bands * k.pieces
	k.stream = k.images*k.inImage*spec.DType.Size() >= kernel.StreamFrom
	k.vectors()
	k.measure()
	k.Impl = "gather by cells, " + kernel.ISA(k.level, k.lanes > 0)
	return k
}

// NewSpreading is NewCellGradient for averages and sums, or says why their
// gradient is better gathered along one axis after another.
func NewSpreading(spec pool.Spec) (k *CellGradient, refusal string) {
	if links := linksOf(&spec.Geometry.Axes); links > mostSpread {
		return nil, fmt.Sprintf("%d windows see a cell, which pays up to %d", links, mostSpread)
	}
	return NewCellGradient(spec), ""
}

// mostSpread is from how many windows a cell on sums along the axes are faster.
const mostSpread = 16

// vectors chooses the widest vectors that fit into a cell. Where none does, the
// cells of a phase are computed side by side, and interleaved with the others.
func (k *CellGradient) vectors() {
	for k.level = k.Level; k.level > kernel.Generic; k.level-- {
		k.lanes = cellTables32[k.level].lanes
		if k.DType == tensor.Float64 {
			k.lanes = cellTables64[k.level].lanes
		}
		if a := &k.Geometry.Axes[2]; k.inner >= k.lanes || a.Stride == 1 && a.Bounds == nil {
			return
		}
	}
	k.level, k.lanes = k.Level, 0
	if cellTables32[k.Level].lanes == 0 {
		return
	}
	k.lanes = cellTables32[k.Level].lanes * 4 / k.DType.Size()
	k.phase = (k.piece/k.Geometry.Axes[2].Stride+1)*k.inner + k.lanes // that may be read
}

// phases returns the numbers of scratch for all phases of a row.
func (k *CellGradient) phases() int {
	if k.phase == 0 {
		return 0
	}
	return k.phase * k.Geometry.Axes[2].Stride
}

// measure finds the most shares that a unit needs.
func (k *CellGradient) measure() {
	if k.Reduction != pool.Average {
		return
	}
	for unit := range k.bands * k.pieces {
		f := k.frame(k.unit(unit))
		k.shares = max(k.shares, f.height*f.width*k.inner)
	}
	depth := &k.Geometry.Axes[0]
	if depth.Bounds != nil {
		k.shares *= mostLinks(depth)
	} else {
		k.shares *= min(depth.Out, (depth.Effective()-1)/depth.Stride+1)
	}
}

// Numbers returns how many numbers the gradient has, or an error when that does
// not fit in 63 bits.
func (k *CellGradient) Numbers() (int, error) {
	axes := &k.Geometry.Axes
	return tensor.Product(k.images, axes[0].In, axes[1].In, axes[2].In, k.inner)
}

// Scratch returns the bytes that a worker needs.
func (k *CellGradient) Scratch() int {
	return 8 * (kernel.Words[int](2*k.links+2*k.Geometry.Taps()) + kernel.Words[float64](k.phases()+k.shares))
}

// cellTable holds the functions of a CPU level; see the comments of those for
// AVX2. They compute cells of n >= lanes numbers, dstStep numbers apart.
type cellTable[F tensor.Floating] struct {
	lanes  int
	route  func(dst, src *F, codes *uint8, links *int, nlinks, n, cells, dstStep, stream int)
	match  func(dst, x, src, top *F, links *int, nlinks, n, cells, dstStep, stream int)
	spread func(dst, src *F, links *int, nlinks, n, cells, dstStep, stream int)
	shares func(dst, src *F, divisor F, n int)
	// interleave takes n numbers of each phase in turn, groups times, as so many
	// bytes.
	interleave func(dst, src *F, phases, phase, n, groups, bytes int)
}

// cellTableOf returns a level's table for a type.
func cellTableOf[F tensor.Floating](level kernel.Level) *cellTable[F] {
	var table any = &cellTables32[level]
	if t, ok := table.(*cellTable[F]); ok {
		return t
	}
	table = &cellTables64[level]
	return table.(*cellTable[F])
}

// part of the input: cells x0 <= x < x1 of the rows y0 <= y < y1 of a plane.
type cellUnit struct{ image, z, y0, y1, x0, x1 int }

func (k *CellGradient) unit(unit int) cellUnit {
	axes := &k.Geometry.Axes
	x0 := unit % k.pieces * k.piece
	unit /= k.pieces
	y0 := unit % k.bands * k.band
	unit /= k.bands
	return cellUnit{image: unit / axes[0].In, z: unit % axes[0].In,
		y0: y0, y1: min(y0+k.band, axes[1].In), x0: x0, x1: min(x0+k.piece, axes[2].In)}
}

// frame is the part of an image of outputs that a buffer holds: from (z, y, x)
// on, depth planes of height rows of width outputs.
type frame struct{ z, y, x, depth, height, width int }

// whole is the frame of all outputs.
func (k *CellGradient) whole() frame {
	axes := &k.Geometry.Axes
	return frame{depth: axes[0].Out, height: axes[1].Out, width: axes[2].Out}
}

// frame is the frame of the outputs whose windows see cells of a unit.
func (k *CellGradient) frame(u cellUnit) (f frame) {
	axes := &k.Geometry.Axes
	reach := func(a *geom.Axis, lo, hi int) (first, n int) {
		first, _ = a.Reach(lo)
		_, end := a.Reach(hi - 1)
		return first, max(0, end-first)
	}
	f.z, f.depth = reach(&axes[0], u.z, u.z+1)
	f.y, f.height = reach(&axes[1], u.y0, u.y1)
	f.x, f.width = reach(&axes[2], u.x0, u.x1)
	return f
}

// cells are cells of one row, step numbers apart from at on, that are seen by
// windows in the same way. links holds pairs: where the window of the first cell
// stands in the frame, in numbers, and the code of the tap that sees the cell.
// Cell j is seen by the window j cells further.
type cells struct {
	at        int
	n, number int // numbers a cell, cells
	step      int
	links     []int

	// For cells that are computed apart from other phases: how many
	// neighbouring cells all phases have, which phase this is of how many, and
	// whether it is the last one to be computed.
	apart, phase, phases int
	last                 bool
}

// each calls do for all cells of a unit.
func (k *CellGradient) each(links []int, u cellUnit, f frame, do func(c cells)) {
	axes := &k.Geometry.Axes
	stride := axes[2].Stride
	x0, apart := k.phased(u)
	for y := u.y0; y < u.y1; y++ {
		row := (u.image*axes[0].In+u.z)*axes[1].In + y
		for i := range k.runs {
			r := &k.runs[i]
			from := max(0, (u.x0-r.first+r.step-1)/r.step)
			number := min(r.cells, (u.x1-r.first+r.step-1)/r.step) - from
			if r.first >= u.x1 || number <= 0 {
				continue
			}
			c := cells{n: k.inner, number: number, step: r.step * k.inner}
			x := r.first + from*r.step
			c.at = (row*axes[2].In + x) * k.inner
			c.links = k.list(links, [3]int{u.z, y, x}, f)
			if r.step > 1 && apart > 0 {
				c.apart, c.phase, c.phases, c.last = apart, x-x0, stride, r.first == k.inside0+stride-1
			}
			if c.step == c.n { // side by side: one long cell
				c.n, c.number = c.n*c.number, 1
			}
			do(c)
		}
	}
}

// phased returns the cells of a unit's rows whose phases are computed apart:
// the first one, and how many. There must be a vector of every phase.
func (k *CellGradient) phased(u cellUnit) (first, n int) {
	if k.phase == 0 {
		return 0, 0
	}
	first = max(u.x0, k.inside0)
	n = min(u.x1, k.inside1) - first
	if n/k.Geometry.Axes[2].Stride*k.inner < k.lanes {
		return 0, 0
	}
	return first, n
}

// list lists the links of a cell, in row-major order of the windows.
func (k *CellGradient) list(links []int, cell [3]int, f frame) []int {
	axes := &k.Geometry.Axes
	links = links[:0]
	z0, z1 := axes[0].Reach(cell[0])
	y0, y1 := axes[1].Reach(cell[1])
	x0, x1 := axes[2].Reach(cell[2])
	for z := z0; z < z1; z++ {
		tz, sees := axes[0].Tap(z, cell[0])
		if !sees {
			continue
		}
		for y := y0; y < y1; y++ {
			ty, sees := axes[1].Tap(y, cell[1])
			if !sees {
				continue
			}
			first, code := ((z-f.z)*f.height+y-f.y)*f.width-f.x, (tz*axes[1].Size+ty)*axes[2].Size
			for x := x0; x < x1; x++ {
				if tx, sees := axes[2].Tap(x, cell[2]); sees {
					links = append(links, (first+x)*k.inner, code+tx)
				}
			}
		}
	}
	return links
}

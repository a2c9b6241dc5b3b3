package pool

import (
	"fmt"

	"github.com/poolctl/poolctl/internal/geom"
	"github.com/poolctl/poolctl/internal/ops/kernel"
	"github.com/poolctl/poolctl/internal/tensor"
)

// merging holds the properties of accumulators that the plan of strips depends on.
type merging struct {
	size    int  // bytes of one
	overlap bool // merging a cell twice changes nothing
	ordered bool // of equal numbers the first is wanted: cells are merged in row-major order
	slides  bool // windows along the width may be merged by a slider
}

// sums is the merging of sums in float64.
var sums = merging{size: 8, slides: true}

// stripPlan says how a plane is pooled in strips of columns, from its top to its
// bottom. Each row of a strip is loaded into accumulators and reduced along the
// width once. Rows that several rows of outputs share stay in scratch memory, in a
// ring of rows or in the suffixes of a block.
//
// Padding left and right of a row is filled so that windows over it need no special
// case: with the neutral accumulator, or, where merging a cell again changes
// nothing, with copies of the nearest cell of the same windows.
type stripPlan struct {
	merging
	inner int // numbers a cell

	tile, tiles int // outputs of a strip along the width
	band, bands int // outputs of a unit along the height

	room   int     // accumulators of the row, and of each level behind it
	levels int     // behind the row
	fours  [][]int // levels: windows of 4, 16, ... cells made of four of the one before
	slid   bool    // levels: windows that end at each cell, and the ends of blocks of as many cells
	across []int   // taps of a window, from the row on
	picked bool    // across at every cell, of which every stride-th counts
	copied bool    // every cell is a window

	first  bool // down before across, row upon row: no two windows share one
	blocks bool // down by blocks, else tap by tap
	slots  int  // rows in the ring of a plane, or in a block
	slot   int  // accumulators of each
	planes int  // of a window
}

const (
	stripRow    = 8 << 10 // bytes of a row of accumulators: a few of them stay in L1
	stripUnits  = 64      // that a plan has at least, if it can
	slidePays   = 13      // steps by fours from which blocks are faster
	slideFrom   = 3       // numbers of a cell: vectors of smaller ones are too empty
	tapsAcross  = 7       // windows along the width that are reduced tap by tap
	stripMemory = 1 << 26 // bytes of scratch memory
)

// tapsDown returns the largest window along the height that is reduced tap by
// tap. Tap by tap reads one row for each row of the window; blocks read five rows
// and three for each row of the stride.
func tapsDown(stride int) int { return 3*stride + 5 }

// newStripPlan plans strips, or says why not.
func newStripPlan(g *geom.Geometry, inner, images int, m merging) (p *stripPlan, refusal string) {
	z, y, x := &g.Axes[0], &g.Axes[1], &g.Axes[2]
	p = &stripPlan{merging: m, inner: inner, planes: z.Size, slots: y.Effective()}
	p.planLevels(x)
	if p.first = !m.ordered && p.levels > 0 && disjoint(z) && disjoint(y); p.first {
		p.planes, p.slots = 1, 1
	}
	p.blocks = !p.first && y.Size > tapsDown(y.Stride)
	switch {
	case z.Bounds != nil || y.Bounds != nil || x.Bounds != nil:
		return nil, "the windows differ in size"
	case p.blocks && y.Dilation > 1:
		return nil, fmt.Sprintf("windows of %d rows, %d apart, want at most %d, or one after another", y.Size, y.Dilation, tapsDown(y.Stride))
	case p.blocks && z.Size > 1, !p.first && z.Size > tapsDown(z.Stride):
		return nil, fmt.Sprintf("windows of %d planes of %d rows, want at most %d of at most %d", z.Size, y.Size, tapsDown(z.Stride), tapsDown(y.Stride))
	}
	if x.Effective() > stripMemory/m.size/inner || p.planes > stripMemory/p.slots {
		return nil, "the window is too large for scratch memory"
	}
	p.planTiles(x)
	p.planBands(y, images*z.Out)
	if bytes := p.size * p.words(); bytes > stripMemory {
		return nil, fmt.Sprintf("strips of %d bytes, want at most %d", bytes, stripMemory)
	}
	return p, ""
}

// disjoint reports whether no two windows of an axis share a cell.
func disjoint(a *geom.Axis) bool { return a.Out == 1 || a.Stride >= a.Effective() }

// planLevels lists the levels in cells: none where windows are small, or where
// each cell of at least a vector's numbers is read by one window.
func (p *stripPlan) planLevels(x *geom.Axis) {
	p.copied = x.Size == 1 && x.Stride == 1
	p.picked = x.Stride > 1 && p.inner < scratchLanes
	if x.Size <= tapsAcross || p.inner >= scratchLanes && disjoint(x) {
		return
	}
	steps := 0
	last := 1 // cells of the last level
	for 4*last < x.Size || !p.overlap && 4*last <= x.Size {
		p.fours = append(p.fours, []int{0, last, 2 * last, 3 * last})
		last *= 4
		steps += 4
	}
	p.levels = len(p.fours)
	for left := x.Size; last > 0; last /= 4 {
		steps += left / last
		left %= last
	}
	if p.slid = p.slides && x.Dilation*p.inner >= slideFrom && steps >= slidePays; p.slid {
		p.fours, p.levels = nil, 2
	}
}

// planTiles cuts rows into strips. A few rows of accumulators should stay in L1, but
// strips must be wide beside the windows, because cells that windows of two strips
// share are reduced twice.
func (p *stripPlan) planTiles(x *geom.Axis) {
	cell := p.inner * p.size
	limit := max(stripRow, 4*x.Effective()*cell)
	outputs := max(1, (limit/cell-x.Effective())/x.Stride+1)
	for p.tile = outputs; p.tile > max(1, outputs*7/8) && p.tile*p.inner%scratchLanes != 0; { // so that strips begin aligned where rows do
		p.tile--
	}
	p.tile = min(p.tile, x.Out)
	p.tiles = (x.Out + p.tile - 1) / p.tile

	step := x.Dilation * p.inner
	cells := ((p.tile-1)*x.Stride + x.Effective()) * p.inner
	if p.slid {
		cells = kernel.RoundUp(cells, step) // a block's cells stand side by side whatever the dilation
	}
	p.room = apart(kernel.RoundUp(cells, scratchLanes)+scratchLanes, p.size, 4096/3)
	p.slot = apart(kernel.RoundUp(p.tile*p.inner, scratchLanes), p.size, 320)
	bytes := func(level, cells int) int { return p.size * (level*p.room + cells*step) }
	if p.slid {
		p.across = []int{bytes(1, x.Size-1)}
		return
	}
	last := 1
	for _, taps := range p.fours {
		for i := range taps {
			taps[i] = bytes(0, taps[i])
		}
		last *= 4
	}
	level, at := len(p.fours), 0
	if p.overlap {
		for ; at+last < x.Size; at += last {
			p.across = append(p.across, bytes(level, at))
		}
		p.across = append(p.across, bytes(level, x.Size-last))
		return
	}
	for ; level >= 0; level-- {
		for ; at+last <= x.Size; at += last {
			p.across = append(p.across, bytes(level, at))
		}
		last /= 4
	}
}

// planBands cuts the height into bands for the threads. Bands must be high beside the
// windows, because rows that windows of two bands share are reduced twice.
func (p *stripPlan) planBands(y *geom.Axis, planes int) {
	p.bands = max(1, stripUnits/max(1, planes*p.tiles))
	least := (8*y.Effective() + y.Stride - 1) / y.Stride
	p.band = min(y.Out, max(least, (y.Out+p.bands-1)/p.bands))
	p.bands = (y.Out + p.band - 1) / p.band
}

// words returns how many accumulators of scratch memory a unit needs.
func (p *stripPlan) words() int {
	rows := p.planes*p.slots + 2 // and the prefix of blocks, and the results
	if p.planes > 1 {
		rows += p.planes
	}
	return (p.levels+2)*p.room + rows*p.slot + scratchLanes
}

// apart rounds n accumulators up so that the distance between rows is off bytes more
// than a multiple of 4 KiB. A load waits for an earlier store whose address has the
// same last twelve bits.
func apart(n, size, off int) int {
	const page = 4096
	bytes := n * size
	off -= off % size
	return (bytes + (off-bytes%page+page)%page) / size
}

// strips is a planned kernel that pools in strips: elements T, accumulators A,
// results O.
type strips[T tensor.Real, A any, O tensor.Real] struct {
	Spec
	*stripPlan
	method[T, A, O]
	spans  []span
	stream bool
}

// stripsCandidate takes regular windows.
func stripsCandidate[T tensor.Real, A any, O tensor.Real](spec *Spec, m method[T, A, O]) candidate {
	g := &spec.Geometry
	inner, images := g.C, g.N
	if spec.ChannelsFirst {
		inner, images = 1, images*inner
	}
	p, refusal := newStripPlan(g, inner, images, m.merging())
	if refusal != "" {
		return candidate{Name: "strips", Refusal: refusal}
	}
	s := &strips[T, A, O]{Spec: *spec, stripPlan: p, method: m}
	return candidate{Name: p.describe(g) + ", " + m.isa, Plan: func() *Kernel {
		s.spans = s.Spec.spans()
		cellsIn, cellsOut := 1, 1
		for _, a := range g.Axes {
			cellsIn, cellsOut = cellsIn*a.In, cellsOut*a.Out
		}
		s.stream = images*inner*(cellsIn*s.DType.Size()+cellsOut*s.Result().Size()) >= kernel.StreamFrom
		words := kernel.Words[A](p.words()) + p.planes*(g.Axes[1].Size+1) + 8
		return &Kernel{Units: images * g.Axes[0].Out * p.bands * p.tiles, Scratch: 8 * words, run: s.run}
	}}
}

// describe names the algorithms.
func (p *stripPlan) describe(g *geom.Geometry) string {
	down, across := "by taps", "by taps"
	switch {
	case p.first:
		down = "first"
	case p.blocks:
		down = "by blocks"
	}
	switch {
	case p.slid:
		across = "by blocks"
	case p.fours != nil:
		across = "by fours"
	}
	return fmt.Sprintf("strips %s (across %s, down %s)", WindowSize(g), across, down)
}

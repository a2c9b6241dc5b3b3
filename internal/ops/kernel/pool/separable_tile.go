package pool

import "github.com/poolctl/poolctl/internal/geom"

// tiling cuts the outputs of each image into boxes that are reduced axis by
// axis in scratch memory: first along the width, then the height, then the
// depth.
type tiling struct {
	inner  int     // contiguous numbers a cell: the channels, or 1 when they come first
	passes [3]pass // depth, height, width
	size   [3]int  // outputs of a tile along each axis
	count  [3]int  // tiles along each axis
	cells  [3]int  // most input cells of a tile along each axis
}

// Tiles aim at smallTile bytes of scratch memory, about half of a core's L2. Where
// windows are much larger than such a tile they may take largeTile, because every
// tile reduces the rows around it again.
const (
	smallTile = 1 << 19
	largeTile = 1 << 24
)

// newTiling chooses the tiles for a geometry and accumulators of the given
// bytes.
func newTiling(g *geom.Geometry, inner, bytes int) tiling {
	t := tiling{inner: inner}
	for i, a := range g.Axes {
		t.size[i] = min(a.Out, 1)
	}
	t.size[2] = g.Axes[2].Out
	run := inner
	for i := 2; i >= 0; i-- {
		t.passes[i] = newPass(g.Axes[i], run)
		run *= max(1, g.Axes[i].Out)
	}
	if g.Axes[0].Out == 0 || g.Axes[1].Out == 0 || g.Axes[2].Out == 0 {
		return t
	}
	t.measure()
	for t.size[2] > 1 && t.elements() > largeTile/bytes {
		t.size[2] = (t.size[2] + 1) / 2
		t.measure()
	}
	// Narrow enough that a tile can be as high and as deep as its window.
	// Otherwise every row of tiles would reduce the rows around it again.
	for t.size[2] > 1 && t.size[2]*g.Axes[2].Stride > g.Axes[2].Effective() && t.squareElements(g) > largeTile/bytes {
		t.size[2] = (t.size[2] + 1) / 2
		t.measure()
	}
	for _, axis := range []int{1, 0} { // grow in height, then in depth
		a := g.Axes[axis]
		for t.size[axis] < a.Out {
			limit := smallTile / bytes
			if t.size[axis]*a.Stride < a.Effective() {
				limit = largeTile / bytes
			}
			before := t
			t.size[axis] = min(2*t.size[axis], a.Out)
			t.measure()
			if t.elements() > limit {
				t = before
				break
			}
		}
	}
	return t
}

// squareElements returns the scratch numbers of tiles as high and deep as their
// windows.
func (t tiling) squareElements(g *geom.Geometry) int {
	for i := range 2 {
		a := g.Axes[i]
		t.size[i] = min(a.Out, (a.Effective()+a.Stride-1)/a.Stride)
	}
	t.measure()
	return t.elements()
}

// measure derives counts and cells from sizes.
func (t *tiling) measure() {
	for i := range t.passes {
		p := &t.passes[i]
		t.count[i] = (p.axis.Out + t.size[i] - 1) / t.size[i]
		t.cells[i] = 0
		if p.axis.Bounds == nil {
			t.cells[i] = min(p.axis.In, (t.size[i]-1)*p.axis.Stride+p.axis.Effective())
			continue
		}
		for o := 0; o < p.axis.Out; o += t.size[i] {
			i0, i1 := p.cells(o, min(o+t.size[i], p.axis.Out))
			t.cells[i] = max(t.cells[i], i1-i0)
		}
	}
}

// buffers returns the elements of the scratch buffers: the loaded row, the
// results of the three passes, and the suffixes of the largest pass that works
// by blocks.
func (t *tiling) buffers() (row, afterW, afterH, afterD, suffix int) {
	row = t.cells[2] * t.inner
	line := t.size[2] * t.inner
	afterW = t.cells[0] * t.cells[1] * line
	if !t.passes[1].axis.Trivial() {
		afterH = t.cells[0] * t.size[1] * line
	}
	if !t.passes[0].axis.Trivial() {
		afterD = t.size[0] * t.size[1] * line
	}
	if t.passes[2].blocks {
		suffix = row
	}
	if t.passes[1].blocks {
		suffix = max(suffix, t.cells[1]*line)
	}
	if t.passes[0].blocks {
		suffix = max(suffix, t.cells[0]*t.size[1]*line)
	}
	return row, afterW, afterH, afterD, suffix
}

func (t *tiling) elements() int {
	row, w, h, d, suffix := t.buffers()
	return row + w + h + d + suffix
}

// units returns the number of tiles of all images.
func (t *tiling) units(images int) int { return images * t.count[0] * t.count[1] * t.count[2] }

// box is one tile: an image and its range of outputs along each axis.
type box struct {
	image  int
	o0, o1 [3]int
}

func (t *tiling) box(unit int) box {
	var b box
	for i := 2; i >= 0; i-- {
		at := unit % t.count[i]
		unit /= t.count[i]
		b.o0[i] = at * t.size[i]
		b.o1[i] = min(b.o0[i]+t.size[i], t.passes[i].axis.Out)
	}
	b.image = unit
	return b
}

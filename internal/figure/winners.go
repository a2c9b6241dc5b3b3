package figure

import (
	"fmt"
	"image/color"

	"github.com/poolctl/poolctl/internal/geom"
	"github.com/poolctl/poolctl/internal/tensor"
)

// Winners holds the input cell that each output cell of max or min pooling came
// from.
type Winners struct {
	Geometry geom.Geometry
	// Cell has one entry for each output cell, in the row-major order N, spatial…,
	// C: the index of the winning cell in its plane of the input, (z*H + y)*W + x,
	// without padding.
	Cell []int64
}

// check reports cells that are missing or outside the input.
func (w Winners) check() error {
	g := &w.Geometry
	plane, err := tensor.Product(g.In()...)
	if err != nil {
		return fmt.Errorf("argmax picture: %w", err)
	}
	cells, err := tensor.Product(append(g.Out(), g.N, g.C)...)
	if err != nil {
		return fmt.Errorf("argmax picture: %w", err)
	}
	if len(w.Cell) != cells {
		return fmt.Errorf("argmax picture: got %d indices, want %d for %s", len(w.Cell), cells, g)
	}
	if cells == 0 {
		return fmt.Errorf("argmax picture: got an output without cells (%s), want at least one", g)
	}
	for i, cell := range w.Cell {
		if cell < 0 || cell >= int64(plane) {
			return fmt.Errorf("argmax picture: index %d: got %d, want 0 to %d", i, cell, plane-1)
		}
	}
	return nil
}

// position returns the coordinates of a cell of the input's plane.
func (w *Winners) position(cell int64) (z, y, x int) {
	height, width := int64(w.Geometry.Axes[1].In), int64(w.Geometry.Axes[2].In)
	return int(cell / width / height), int(cell / width % height), int(cell % width)
}

// at returns the winner of an output cell.
func (w *Winners) at(n, z, y, x, c int) int64 {
	a := &w.Geometry.Axes
	return w.Cell[(((n*a[0].Out+z)*a[1].Out+y)*a[2].Out+x)*w.Geometry.C+c]
}

// window returns the first cell and the extent of window o, padding included.
func window(a geom.Axis, o int) (first, extent int) {
	if a.Bounds != nil {
		return a.Bounds[o][0], a.Bounds[o][1] - a.Bounds[o][0]
	}
	return o*a.Stride - a.Lo, a.Effective()
}

// offset returns how far from the middle of window o an input cell is, in units
// of half the window: -1 is its first cell, 1 its last. The middle of an even
// window lies between two cells.
func offset(a geom.Axis, o, cell int) float64 {
	first, extent := window(a, o)
	if extent <= 1 {
		return 0
	}
	return min(max(float64(2*(cell-first)-(extent-1))/float64(extent-1), -1), 1)
}

// direction is the place of a winner in its window: the offsets from the middle
// along depth, height and width, from -1 to 1.
type direction struct{ z, y, x float64 }

func (w *Winners) direction(n, z, y, x, c int) direction {
	cz, cy, cx := w.position(w.at(n, z, y, x, c))
	a := &w.Geometry.Axes
	return direction{offset(a[0], z, cz), offset(a[1], y, cy), offset(a[2], x, cx)}
}

// Picture draws where in its window each winner was. The hue is the direction
// from the middle of the window and the saturation the distance; a winner in
// the middle is grey. In 3-D the lightness is the offset in depth. A wheel
// beside it explains the colours. Small outputs are magnified. Channels, batch
// entries and slices become tiles, up to 16.
func (w Winners) Picture() (*tensor.Tensor, error) {
	if err := w.check(); err != nil {
		return nil, err
	}
	g := &w.Geometry
	a := &g.Axes
	wheel := wheelOf(g)
	planes, more := planesOf(g.N, g.C, a[0].Out)
	s := sheet{
		title: "Where in its window each winner was", subtitle: g.String(),
		strip: g.Rank == 1, apart: true, legend: wheel.legend(),
	}
	for _, p := range planes {
		s.tiles = append(s.tiles, tile{
			label: p.label(g.N, g.C, a[0].Out), width: a[2].Out, height: a[1].Out,
			at: func(x, y int) color.RGBA { return wheel.color(w.direction(p.n, p.z, y, x, p.c)) },
		})
	}
	s.over = func(c canvas, i, x0, y0, width, height int) {
		if min(width, height) < 18 {
			return
		}
		p := planes[i]
		for y := range a[1].Out {
			for x := range a[2].Out {
				d := w.direction(p.n, p.z, y, x, p.c)
				pin(c, x0+x*width, y0+y*height, width-1, height-1, d)
			}
		}
	}
	return s.draw(more).tensor(), nil
}

// pin marks a winner by a dot at its place in a cell at x, y.
func pin(c canvas, x, y, width, height int, d direction) {
	radius := max(float64(min(width, height))/14, 1.6)
	cx := float64(x) + float64(width)*(0.5+0.33*d.x)
	cy := float64(y) + float64(height)*(0.5+0.33*d.y)
	c.disc(cx, cy, radius, func(_, _ float64) color.RGBA { return cardColor })
}

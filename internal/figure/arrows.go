package figure

import (
	"cmp"
	"fmt"
	"math"
	"slices"

	"github.com/poolctl/poolctl/internal/geom"
	"github.com/poolctl/poolctl/internal/report"
	"github.com/poolctl/poolctl/internal/scene"
	"github.com/poolctl/poolctl/internal/tensor"
)

// ArrowCase is one panel of a drawing of a gradient: one channel of one image
// or signal, and how the gradient of each output cell travels back. Values are
// in row-major order.
type ArrowCase struct {
	Title    string        // such as "max"
	Rule     string        // what happens, in a few words: "all of it to the maximum"
	Part     string        // which channel of which image it is, "" if there is only one
	Rest     string        // what the sums of Upstream and Gradient differ by: "into padding"
	Geometry geom.Geometry // its batch and channels do not matter
	Input    []float64     // values of the input
	Output   []float64     // values of the output
	Upstream []float64     // gradient with respect to the output
	Gradient []float64     // gradient with respect to the input
	Shares   []Share       // at most one for an output cell and an input cell
}

// Share says that Weight times the upstream gradient of output cell Out goes
// to input cell In.
type Share struct {
	Out, In int
	Weight  float64
}

// The limits of a drawing with arrows, in cells: larger ones cannot be read. An
// input with its padding may be larger than an input.
const (
	ArrowSide      = 16 // of a picture, in height and width
	ArrowLength    = 32 // of a signal, input and output
	ArrowOutputs   = 64 // of a picture's output
	arrowPadded    = 24 // of a padded picture, in height and width
	arrowPaddedRow = 48 // of a padded signal
)

// ArrowsSVG draws how gradients travel back, a panel for each case: the input
// with its windows, the output with its upstream gradient, an arrow from each
// output cell to every input cell that gets a share of it, and the gradient
// that results. An output cell whose upstream gradient is 0 sends nothing, so it
// has no arrows. The document is self-contained. It refuses cases that are too
// large to read (ArrowSide, ArrowLength, ArrowOutputs), 3-D ones, and those
// whose gradient is not the sum of the shares.
func ArrowsSVG(cases ...ArrowCase) ([]byte, error) {
	s, _, err := arrows(cases)
	if err != nil {
		return nil, err
	}
	return s.SVG(), nil
}

// ArrowsPNG draws the same as a picture, with two pixels for each pixel of the
// document. It has fewer if a side would be longer than 4096 pixels.
func ArrowsPNG(cases ...ArrowCase) (*tensor.Tensor, error) {
	s, fonts, err := arrows(cases)
	if err != nil {
		return nil, err
	}
	return canvas{s.Raster(fonts)}.tensor(), nil
}

func arrows(cases []ArrowCase) (*scene.Scene, *scene.Fonts, error) {
	if len(cases) == 0 {
		return nil, nil, fmt.Errorf("arrows: got no case, want at least one")
	}
	sorted := slices.Clone(cases)
	for i := range sorted {
		c := &sorted[i]
		c.Shares = slices.Clone(c.Shares)
		slices.SortStableFunc(c.Shares, func(a, b Share) int { return cmp.Or(a.Out-b.Out, a.In-b.In) })
		if err := c.check(); err != nil {
			if c.Title != "" {
				return nil, nil, fmt.Errorf("arrows: %s: %w", c.Title, err)
			}
			return nil, nil, fmt.Errorf("arrows: %w", err)
		}
		c.Shares = slices.DeleteFunc(c.Shares, func(s Share) bool { return c.Upstream[s.Out] == 0 })
	}
	fonts, err := scene.LoadFonts()
	if err != nil {
		return nil, nil, fmt.Errorf("arrows: %w", err)
	}
	return drawArrows(sorted, fonts), fonts, nil
}

// check reports a case that cannot be drawn or that contradicts itself.
func (c *ArrowCase) check() error {
	if err := c.checkSize(); err != nil {
		return err
	}
	rows, columns := c.axes()
	cells, outputs := rows.In*columns.In, rows.Out*columns.Out
	for _, list := range []struct {
		name      string
		got, want int
	}{{"input", len(c.Input), cells}, {"output", len(c.Output), outputs}, {"upstream", len(c.Upstream), outputs}, {"gradient", len(c.Gradient), cells}} {
		if list.got != list.want {
			return fmt.Errorf("%s: got %d values, want %d for %s", list.name, list.got, list.want, c.Geometry)
		}
	}
	for i, s := range c.Shares {
		switch {
		case s.Out < 0 || s.Out >= outputs:
			return fmt.Errorf("share: got output cell %d, want 0 to %d", s.Out, outputs-1)
		case s.In < 0 || s.In >= cells:
			return fmt.Errorf("share: got input cell %d, want 0 to %d", s.In, cells-1)
		case !c.sees(s.Out, s.In):
			return fmt.Errorf("share: got output cell %s to input cell %s, want an input cell of its window", c.outName(s.Out), c.inName(s.In))
		case i > 0 && c.Shares[i-1].Out == s.Out && c.Shares[i-1].In == s.In:
			return fmt.Errorf("share: got output cell %s to input cell %s twice, want at most one", c.outName(s.Out), c.inName(s.In))
		}
	}
	return c.checkSums()
}

func (c *ArrowCase) checkSize() error {
	g := &c.Geometry
	if g.Rank != 1 && g.Rank != 2 {
		return fmt.Errorf("got %d spatial dimensions, want 1 or 2", g.Rank)
	}
	side, padded, outputs := ArrowSide, arrowPadded, ArrowOutputs
	if g.Rank == 1 {
		side, padded, outputs = ArrowLength, arrowPaddedRow, ArrowLength
	}
	product := 1
	for i, a := range g.Spatial() {
		switch {
		case a.In < 1 || a.In > side:
			return fmt.Errorf("input: got %d cells in %s, want 1 to %d", a.In, g.AxisName(i), side)
		case a.Out < 1 || a.Out > outputs:
			return fmt.Errorf("output: got %d cells in %s, want 1 to %d", a.Out, g.AxisName(i), outputs)
		}
		lo, hi := paddingOf(a)
		if all := lo + a.In + hi; all > padded {
			return fmt.Errorf("input: got %d cells in %s with its padding, want <= %d", all, g.AxisName(i), padded)
		}
		product *= a.Out
	}
	if product > outputs {
		return fmt.Errorf("output: got %d cells, want <= %d", product, outputs)
	}
	return nil
}

// checkSums checks that the gradient is the sum of the shares, within the
// precision of float16.
func (c *ArrowCase) checkSums() error {
	const relative, absolute = 1e-3, 1e-7
	sums, sizes := make([]float64, len(c.Gradient)), make([]float64, len(c.Gradient))
	for _, s := range c.Shares {
		part := s.Weight * c.Upstream[s.Out]
		sums[s.In] += part
		sizes[s.In] += math.Abs(part)
	}
	for i, got := range c.Gradient {
		want := sums[i]
		if got == want || (got != got && want != want) || math.Abs(got-want) <= relative*sizes[i]+absolute && !math.IsInf(sizes[i], 0) {
			continue
		}
		return fmt.Errorf("gradient: got %s at input cell %s, want %s (the sum of its shares)", report.ValueOf(got), c.inName(i), report.ValueOf(want))
	}
	return nil
}

// axes returns the rows and columns of the drawing; a signal has one row.
func (c *ArrowCase) axes() (rows, columns geom.Axis) { return c.Geometry.Axes[1], c.Geometry.Axes[2] }

// sees reports whether an input cell is in the window of an output cell.
func (c *ArrowCase) sees(out, in int) bool {
	rows, columns := c.axes()
	_, y := rows.Tap(out/columns.Out, in/columns.In)
	_, x := columns.Tap(out%columns.Out, in%columns.In)
	return y && x
}

func (c *ArrowCase) outName(out int) string { return c.name(out, c.Geometry.Axes[2].Out) }

func (c *ArrowCase) inName(in int) string { return c.name(in, c.Geometry.Axes[2].In) }

func (c *ArrowCase) name(cell, columns int) string {
	if c.Geometry.Rank == 1 {
		return fmt.Sprint(cell)
	}
	return fmt.Sprintf("(%d,%d)", cell/columns, cell%columns)
}

// paddingOf returns how many cells the windows of an axis reach beyond the
// input at its two ends.
func paddingOf(a geom.Axis) (lo, hi int) {
	for o := range a.Out {
		first, extent := window(a, o)
		lo, hi = max(lo, -first), max(hi, first+extent-a.In)
	}
	return lo, hi
}

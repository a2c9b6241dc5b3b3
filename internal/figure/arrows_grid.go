package figure

import (
	"image/color"
	"strings"

	"github.com/poolctl/poolctl/internal/geom"
	"github.com/poolctl/poolctl/internal/scene"
)

// measures are the sizes of cells. All panels have the same, so that they can
// be compared.
type measures struct {
	width    float64 // of an input cell
	out      float64 // width of an output cell
	gradient float64 // height of a cell of the gradient
	sums     float64 // width of the sums beside the gradient
	lanes    int     // most routes that pass through an input row
	atHeads  bool    // some share is written at its arrow's head
}

const (
	headGap      = 9.0  // between arrow heads in a cell
	labelledGap  = 34.0 // between heads with their shares
	narrowest    = 52.0 // cell
	paddingWidth = 30.0
	widestSum    = 96.0 // cell that is widened to hold its sum on one line
	roomy        = 1.15 // factor for a wider font in a viewer of SVG
)

func measureArrows(cases []ArrowCase, fonts *scene.Fonts) measures {
	m := measures{width: narrowest, out: narrowest + 6}
	for i := range cases {
		c := &cases[i]
		for _, list := range [][]float64{c.Input, c.Gradient} {
			for _, v := range list {
				m.width = max(m.width, roomy*fonts.Width(brief(v), valueSize, true)+12)
			}
		}
		for o, v := range c.Output {
			m.out = max(m.out, roomy*fonts.Width(brief(v), valueSize, true)+12, roomy*fonts.Width(upstreamText(c, o), smallSize, false)+12)
		}
		gap := headGap
		if c.written() == atHead && c.Geometry.Rank == 2 {
			gap, m.atHeads = labelledGap, true
		}
		heads := make([]int, len(c.Input))
		for _, s := range c.Shares {
			heads[s.In]++
			m.width = max(m.width, gap*float64(heads[s.In])+10)
		}
		for in := range heads {
			parts, _ := c.summands(in)
			whole := strings.Join(parts, " + ")
			m.width = max(m.width, min(roomy*fonts.Width(whole, smallSize, false)+sumMargin, widestSum))
			for _, part := range parts {
				m.width = max(m.width, roomy*fonts.Width("+ "+part, smallSize, false)+sumMargin)
			}
		}
		perRow := map[int]int{}
		for _, r := range routesOf(c) {
			perRow[r.row]++
			m.lanes = max(m.lanes, perRow[r.row])
		}
	}
	m.gradient = 46
	for i := range cases {
		_, whole := cases[i].sumsWidth(fonts)
		m.sums = max(m.sums, whole)
	}
	for i := range cases { // when the width is known
		for in := range cases[i].Gradient {
			lines := cases[i].sumLines(in, m.width, fonts)
			m.gradient = max(m.gradient, 28+sumLine*float64(len(lines)))
		}
	}
	return m
}

func upstreamText(c *ArrowCase, out int) string { return "∂ " + brief(c.Upstream[out]) }

// spot is the place on an arrow where its share is written.
type spot uint8

const (
	atOutput spot = iota // once for an output cell whose arrows all have the same share
	atHead
)

// written returns where the shares of a case are written.
func (c *ArrowCase) written() spot {
	for i, s := range c.Shares {
		if i > 0 && c.Shares[i-1].Out == s.Out && fraction(c.Shares[i-1].Weight) != fraction(s.Weight) {
			return atHead
		}
	}
	return atOutput
}

// inputGrid places the cells of the padded input.
type inputGrid struct {
	c                     *ArrowCase
	rows, columns         geom.Axis
	x, y                  float64 // corner of the first real cell
	width, height         float64 // of a real cell
	padTop, padBottom     int
	padLeft, padRight     int
	baseline              float64 // of a value, from its cell's top
	paddingW, paddingH    float64
	receives, seen        []int // how many outputs send to a cell, and see it
	receivesFrom, seenOne []int // the last of them
}

func newInputGrid(c *ArrowCase, width, height, baseline float64) inputGrid {
	rows, columns := c.axes()
	cells := rows.In * columns.In
	g := inputGrid{
		c: c, rows: rows, columns: columns, width: width, height: height, baseline: baseline,
		paddingW: paddingWidth, paddingH: paddingWidth,
		receives: make([]int, cells), seen: make([]int, cells), receivesFrom: make([]int, cells), seenOne: make([]int, cells),
	}
	g.padTop, g.padBottom = paddingOf(rows)
	g.padLeft, g.padRight = paddingOf(columns)
	for _, s := range c.Shares {
		g.receives[s.In]++
		g.receivesFrom[s.In] = s.Out
	}
	for in := range cells {
		for out := range rows.Out * columns.Out {
			if c.sees(out, in) {
				g.seen[in]++
				g.seenOne[in] = out
			}
		}
	}
	return g
}

// column and row return where a column or row begins. Padding has numbers below
// 0 and from the size of the input on.
func (g *inputGrid) column(i int) float64 {
	return g.x + along(i, g.columns.In, g.width, g.paddingW)
}

func (g *inputGrid) row(i int) float64 { return g.y + along(i, g.rows.In, g.height, g.paddingH) }

func along(i, in int, cell, padding float64) float64 {
	return float64(min(max(i, 0), in))*cell + float64(min(i, 0)+max(i-in, 0))*padding
}

// extent returns the size of the whole grid with its padding.
func (g *inputGrid) extent() (width, height float64) {
	return g.column(g.columns.In+g.padRight) - g.column(-g.padLeft), g.row(g.rows.In+g.padBottom) - g.row(-g.padTop)
}

// cell returns the box of a cell.
func (g *inputGrid) cell(row, column int) scene.Box {
	x, y := g.column(column), g.row(row)
	return scene.Box{X: x, Y: y, Width: g.column(column+1) - x, Height: g.row(row+1) - y}
}

func (g *inputGrid) draw(f *drawing) {
	for row := -g.padTop; row < g.rows.In+g.padBottom; row++ {
		for column := -g.padLeft; column < g.columns.In+g.padRight; column++ {
			if row >= 0 && row < g.rows.In && column >= 0 && column < g.columns.In {
				continue
			}
			b := g.cell(row, column)
			b.Line, b.Thickness, b.Dashed = ruleColor, 1, true
			f.Add(b)
		}
	}
	for row := range g.rows.In {
		for column := range g.columns.In {
			in := row*g.columns.In + column
			b := g.cell(row, column)
			b.Fill, b.Line, b.Thickness = g.fill(in), ruleColor, 1
			f.Add(b)
		}
	}
	for out := range g.rows.Out * g.columns.Out {
		g.outline(f, out)
	}
}

// fill returns the tint of a cell: the colour of the only output that sees it,
// stronger if the cell gets some of its gradient.
func (g *inputGrid) fill(in int) color.RGBA {
	switch {
	case g.receives[in] == 1:
		return tint(g.c.outputColor(g.receivesFrom[in]), 0.24)
	case g.receives[in] > 1:
		return color.RGBA{0xe6, 0xe5, 0xe1, 0xff}
	case g.seen[in] == 1:
		return tint(g.c.outputColor(g.seenOne[in]), 0.07)
	}
	return panelColor
}

// values writes the input into the cells, above the arrows.
func (g *inputGrid) values(f *drawing) {
	for in, v := range g.c.Input {
		b := g.cell(in/g.columns.In, in%g.columns.In)
		ink := softColor
		if g.receives[in] > 0 {
			ink = inkColor
		}
		f.write(b.X+b.Width/2, b.Y+g.baseline, scene.Middle, valueSize, g.receives[in] > 0, ink, brief(v))
	}
}

// outline draws the window of an output cell: one frame, or one for each cell
// if the window is dilated. Frames of windows that overlap are nested.
func (g *inputGrid) outline(f *drawing, out int) {
	oy, ox := out/g.columns.Out, out%g.columns.Out
	inset := 2.5 + 2.2*float64(nesting(g.rows, oy, g.columns, ox))
	frame := func(b scene.Box) {
		f.Add(scene.Box{
			X: b.X + inset, Y: b.Y + inset, Width: b.Width - 2*inset, Height: b.Height - 2*inset,
			Radius: 4, Line: g.c.outputColor(out), Thickness: 1.6,
		})
	}
	top, high := window(g.rows, oy)
	left, wide := window(g.columns, ox)
	if g.rows.Dilation == 1 && g.columns.Dilation == 1 {
		b := g.cell(top, left)
		b.Width, b.Height = g.column(left+wide)-b.X, g.row(top+high)-b.Y
		frame(b)
		return
	}
	for y := top; y < top+high; y += g.rows.Dilation {
		for x := left; x < left+wide; x += g.columns.Dilation {
			frame(g.cell(y, x))
		}
	}
}

// nesting numbers the windows from 0 to 3. Windows whose frames would cover
// each other get different numbers as far as four suffice.
func nesting(rows geom.Axis, oy int, columns geom.Axis, ox int) int {
	y, nY := turn(rows, oy)
	x, nX := turn(columns, ox)
	if nY*nX <= 4 {
		return y + nY*x
	}
	return (y + x) % 4
}

// turn numbers the windows of an axis 0 to n-1 in turn; n is the largest number
// of consecutive windows that share a cell.
func turn(a geom.Axis, o int) (i, n int) {
	n = 1
	for p := range a.Out {
		first, extent := window(a, p)
		for p+n < a.Out {
			if next, _ := window(a, p+n); next >= first+extent {
				break
			}
			n++
		}
	}
	return o % n, n
}

// outputCell draws an output cell with its upstream gradient.
func (f *drawing) outputCell(c *ArrowCase, out int, cell scene.Box) {
	ink := c.outputColor(out)
	cell.Fill, cell.Line, cell.Thickness = tint(ink, 0.16), ink, 1.4
	f.Add(cell)
}

// outputValues writes the numbers of an output cell, over the arrows that cross
// it.
func (f *drawing) outputValues(c *ArrowCase, out int, cell scene.Box) {
	x := cell.X + cell.Width/2
	f.write(x, cell.Y+20, scene.Middle, valueSize, true, inkColor, brief(c.Output[out]))
	f.write(x, cell.Y+37, scene.Middle, smallSize, false, softColor, upstreamText(c, out))
}

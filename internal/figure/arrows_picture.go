package figure

import (
	"cmp"
	"math"
	"slices"

	"github.com/poolctl/poolctl/internal/scene"
)

// picturePanel draws a case in two dimensions: the input on the left, the
// output on the right, the gradient below the input. The lower part of every
// row of cells is reserved for the arrows. They run horizontally, each route in
// a lane of its own, and turn up into their cells, so that none crosses a
// number.
type picturePanel struct {
	c      *ArrowCase
	m      measures
	grid   inputGrid
	routes []route
	gutter float64   // between input and output
	pills  float64   // part of the gutter next to the output where shares stand
	tops   []float64 // of the output's rows
	first  float64   // lane, from the top of a row of the input
	gap    float64   // between lanes
}

// route is the common path of the arrows from an output cell to a row of the
// input.
type route struct {
	out, row int
	shares   []Share // by column
	lane     int     // 0 is the topmost
}

const (
	valueZone  = 31.0 // upper part of an input cell, where its value stands
	outputZone = 44.0 // the same of an output cell
	laneRoom   = 9.0  // below the last lane
	pillWidth  = 38.0 // of a share in the gutter
)

// routesOf bundles the shares. Of two routes through a row, the one that leads
// farther to the left is in the lower lane, so that they do not cross there.
func routesOf(c *ArrowCase) []route {
	columns := c.Geometry.Axes[2].In
	var list []route
	for _, s := range c.Shares {
		if last := len(list) - 1; last >= 0 && list[last].out == s.Out && list[last].row == s.In/columns {
			list[last].shares = append(list[last].shares, s)
			continue
		}
		list = append(list, route{out: s.Out, row: s.In / columns, shares: []Share{s}})
	}
	byRow := make([]*route, len(list))
	for i := range list {
		byRow[i] = &list[i]
	}
	slices.SortStableFunc(byRow, func(a, b *route) int {
		return cmp.Or(a.row-b.row, b.shares[0].In-a.shares[0].In, len(b.shares)-len(a.shares))
	})
	for i, r := range byRow {
		if i > 0 && byRow[i-1].row == r.row {
			r.lane = byRow[i-1].lane + 1
		}
	}
	return list
}

// laneGap returns the distance between the lanes in a row of the input.
func laneGap(lanes int) float64 {
	switch {
	case lanes <= 4:
		return 8
	case lanes <= 10:
		return 6.5
	}
	return 5
}

// exitGap returns the distance between the lanes in a row of the output. With
// few columns it leaves room for shares one below another.
func exitGap(columns int) float64 {
	if columns <= 4 {
		return pillHeight
	}
	return laneGap(columns)
}

func newPicturePanel(c *ArrowCase, m measures) *picturePanel {
	p := &picturePanel{c: c, m: m, routes: routesOf(c), gap: laneGap(m.lanes), first: valueZone + 14}
	if m.atHeads {
		p.first += 10
	}
	height := p.first + p.gap*float64(m.lanes-1) + laneRoom
	p.grid = newInputGrid(c, m.width, max(height, 50), 24)
	g := &p.grid
	p.pills = 16
	if c.written() == atOutput {
		p.pills += pillWidth * min(float64(g.columns.Out), math.Ceil(pillHeight/exitGap(g.columns.Out)))
	}
	p.gutter = p.pills + 74
	p.placeRows()
	return p
}

func (p *picturePanel) outHeight() float64 {
	columns := p.grid.columns.Out
	return outputZone + 8 + exitGap(columns)*float64(columns-1) + laneRoom
}

// placeRows puts each row of the output beside the middle of its windows. If
// there is no room, it puts all rows together beside the middle of the input.
func (p *picturePanel) placeRows() {
	g, high := &p.grid, p.outHeight()
	p.tops = make([]float64, g.rows.Out)
	for o := range p.tops {
		first, extent := window(g.rows, o)
		p.tops[o] = (g.row(first)+g.row(first+extent)-high)/2 - g.row(-g.padTop)
		if o > 0 && p.tops[o] < p.tops[o-1]+high {
			_, whole := g.extent()
			for i := range p.tops {
				p.tops[i] = max(0, (whole-high*float64(g.rows.Out))/2) + high*float64(i)
			}
			break
		}
	}
	if p.tops[0] < 0 {
		for i, top := 0, p.tops[0]; i < len(p.tops); i++ {
			p.tops[i] -= top
		}
	}
}

const (
	captionHeight = smallSize + captionGap
	partGap       = 30.0 // between the arrows' part and the gradient
)

func (p *picturePanel) size() (width, height float64) {
	w, h := p.grid.extent()
	h = max(h, p.tops[len(p.tops)-1]+p.outHeight())
	width = w + p.gutter + max(p.m.out*float64(p.grid.columns.Out), p.m.sums)
	return width, captionHeight + h + partGap + captionHeight + p.m.gradient*float64(p.grid.rows.In)
}

func (p *picturePanel) draw(f *drawing, x, y float64) {
	g := &p.grid
	wide, high := g.extent()
	outX := x + wide + p.gutter
	f.caption(x, y+smallSize, "input")
	f.caption(outX, y+smallSize, "output, ∂ upstream")
	y += captionHeight
	g.x += x - g.column(-g.padLeft)
	g.y += y - g.row(-g.padTop)
	g.draw(f)
	cells := make([]scene.Box, len(p.c.Output))
	for out := range cells {
		cells[out] = scene.Box{X: outX + p.m.out*float64(out%g.columns.Out), Y: y + p.tops[out/g.columns.Out], Width: p.m.out, Height: p.outHeight()}
		f.outputCell(p.c, out, cells[out])
	}
	for i, r := range p.routes {
		p.drawRoute(f, i, cells[r.out], outX)
	}
	for out, cell := range cells {
		f.outputValues(p.c, out, cell)
		if p.c.written() == atOutput {
			p.drawShare(f, out, cell, outX)
		}
	}
	g.values(f)
	y += max(high, p.tops[len(p.tops)-1]+p.outHeight()) + partGap
	f.caption(g.x, y+smallSize, "gradient of the input")
	y += captionHeight
	for in := range p.c.Gradient {
		row, column := in/g.columns.In, in%g.columns.In
		f.gradientCell(p.c, in, scene.Box{X: g.column(column), Y: y + p.m.gradient*float64(row), Width: g.width, Height: p.m.gradient})
	}
	f.sums(p.c, outX, y+p.m.gradient*float64(g.rows.In)/2-4)
}

// exit returns the height at which the arrows of an output cell leave the
// output.
func (p *picturePanel) exit(out int, cell scene.Box) float64 {
	columns := p.grid.columns.Out
	return cell.Y + outputZone + 8 + exitGap(columns)*float64(out%columns)
}

// drawRoute draws the i-th route. The first route of an output cell includes
// the part that all its routes share.
func (p *picturePanel) drawRoute(f *drawing, i int, cell scene.Box, outX float64) {
	g, r := &p.grid, p.routes[i]
	ink := p.c.outputColor(r.out)
	const thickness, radius = 1.5, 6
	lane := g.row(r.row) + p.first + p.gap*float64(r.lane)
	right := g.column(g.columns.In + g.padRight)
	x, exit := cell.X+cell.Width/2, p.exit(r.out, cell)
	trunk := scene.PathFrom(outX-p.pills, exit)
	if i == 0 || p.routes[i-1].out != r.out {
		trunk = scene.PathFrom(x, cell.Y+outputZone-1).CornerTo(x, exit, outX-p.pills, exit, radius)
	}
	trunk = trunk.SwingTo(right+4, lane)
	for k, s := range r.shares {
		tip := scene.Pt(p.headAt(s, r.lane), g.row(r.row)+valueZone)
		if k == 0 {
			trunk = trunk.CornerTo(tip.X, lane, tip.X, tip.Y+scene.HeadLength*0.7, radius)
			f.Add(scene.Line{Path: trunk, Color: ink, Thickness: thickness})
		} else {
			branch := scene.PathFrom(tip.X+radius+2, lane).CornerTo(tip.X, lane, tip.X, tip.Y+scene.HeadLength*0.7, radius)
			f.Add(scene.Line{Path: branch, Color: ink, Thickness: thickness})
		}
		f.Add(scene.Head{Tip: tip, Direction: scene.Pt(0, -1), Color: ink, Hint: p.c.hint(s)})
		if p.c.written() == atHead {
			f.sharePill(fraction(s.Weight), ink, scene.Pt(tip.X+labelledGap/2-1, tip.Y+8))
		}
	}
}

// headAt returns where in its cell the head of an arrow is. Lower lanes lead to
// heads farther left, so that arrows do not cross.
func (p *picturePanel) headAt(s Share, lane int) float64 {
	gap, n, before := headGap, 0, 0
	if p.c.written() == atHead {
		gap = labelledGap
	}
	for _, r := range p.routes {
		for _, other := range r.shares {
			if other.In == s.In {
				n++
				if r.lane > lane {
					before++
				}
			}
		}
	}
	middle := p.grid.column(s.In%p.grid.columns.In) + p.grid.width/2
	if p.c.written() == atHead {
		middle -= labelledGap/2 - 6
	}
	return middle + gap*(float64(before)-float64(n-1)/2)
}

// drawShare writes the share of an output cell once, where all its arrows still
// run together.
func (p *picturePanel) drawShare(f *drawing, out int, cell scene.Box, outX float64) {
	for _, s := range p.c.Shares {
		if s.Out != out {
			continue
		}
		y := p.exit(out, cell)
		var places []scene.Point
		for x := 8 + pillWidth/2; x < p.pills; x += pillWidth {
			places = append(places, scene.Pt(outX-x, y))
		}
		f.sharePill(fraction(s.Weight), p.c.outputColor(out), places...)
		return
	}
}

// hint returns the meaning of an arrow in words.
func (c *ArrowCase) hint(s Share) string {
	return "output " + c.outName(s.Out) + " to input " + c.inName(s.In) + ": " + fraction(s.Weight) + " of " + brief(c.Upstream[s.Out])
}

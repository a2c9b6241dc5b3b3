package figure

import (
	"github.com/poolctl/poolctl/internal/scene"
)

// signalPanel draws a case in one dimension: the output above the input, with
// straight arrows down, and the gradient below.
type signalPanel struct {
	c    *ArrowCase
	m    measures
	grid inputGrid
	x    []float64 // of the output cells, from the left edge of the padded input
	fall float64   // height of the arrows
}

const (
	signalHeight = 44.0
	signalOutput = 48.0
)

func newSignalPanel(c *ArrowCase, m measures) *signalPanel {
	p := &signalPanel{c: c, m: m, grid: newInputGrid(c, m.width, signalHeight, 28), fall: 110}
	g := &p.grid
	for out := range g.columns.Out {
		first, extent := window(g.columns, out)
		p.x = append(p.x, (g.column(first)+g.column(first+extent)-m.out)/2-g.column(-g.padLeft))
		if out > 0 && p.x[out] < p.x[out-1]+m.out {
			wide, _ := g.extent()
			left := max(0, (wide-m.out*float64(g.columns.Out))/2)
			p.x = nil
			for o := range g.columns.Out {
				p.x = append(p.x, left+m.out*float64(o))
			}
			break
		}
	}
	if p.x[0] < 0 {
		for i, left := 0, p.x[0]; i < len(p.x); i++ {
			p.x[i] -= left
		}
	}
	return p
}

func (p *signalPanel) size() (width, height float64) {
	wide, _ := p.grid.extent()
	width = max(wide, p.x[len(p.x)-1]+p.m.out, p.m.sums)
	return width, captionHeight + signalOutput + p.fall + signalHeight + partGap + captionHeight + p.m.gradient + p.sumsHeight()
}

// sumsHeight returns the room for the sums below the gradient.
func (p *signalPanel) sumsHeight() float64 { return 4 + sumRowHeight*float64(len(p.c.sumRows())) }

func (p *signalPanel) draw(f *drawing, x, y float64) {
	g := &p.grid
	f.caption(x, y+smallSize, "output, ∂ upstream")
	y += captionHeight
	cells := make([]scene.Box, len(p.x))
	for out := range cells {
		cells[out] = scene.Box{X: x + p.x[out], Y: y, Width: p.m.out, Height: signalOutput}
		f.outputCell(p.c, out, cells[out])
		f.outputValues(p.c, out, cells[out])
	}
	y += signalOutput + p.fall
	f.caption(x, y-captionGap, "input")
	g.x += x - g.column(-g.padLeft)
	g.y = y
	g.draw(f)
	var tails, tips []scene.Point
	for _, s := range p.c.Shares {
		tail, tip := p.ends(s, cells[s.Out])
		tails, tips = append(tails, tail), append(tips, tip)
		d := scene.Direction(tail, tip)
		shaft := scene.PathFrom(tail.X, tail.Y).LineTo(tip.X-d.X*scene.HeadLength*0.7, tip.Y-d.Y*scene.HeadLength*0.7)
		f.Add(scene.Line{Path: shaft, Color: p.c.outputColor(s.Out), Thickness: 1.5})
		f.Add(scene.Head{Tip: tip, Direction: d, Color: p.c.outputColor(s.Out), Hint: p.c.hint(s)})
	}
	for i, s := range p.c.Shares {
		var places []scene.Point
		for _, t := range []float64{0.5, 0.62, 0.38, 0.72, 0.28, 0.8, 0.2} {
			places = append(places, scene.Pt(tails[i].X+t*(tips[i].X-tails[i].X), tails[i].Y+t*(tips[i].Y-tails[i].Y)))
		}
		f.sharePill(fraction(s.Weight), p.c.outputColor(s.Out), places...)
	}
	g.values(f)
	y += signalHeight + partGap
	f.caption(g.x, y+smallSize, "gradient of the input")
	y += captionHeight
	for in := range p.c.Gradient {
		f.gradientCell(p.c, in, scene.Box{X: g.column(in), Y: y, Width: g.width, Height: p.m.gradient})
	}
	f.sums(p.c, g.x, y+p.m.gradient+4+p.sumsHeight()/2)
}

// ends returns where an arrow begins and ends. Arrows that share a cell are set
// apart.
func (p *signalPanel) ends(s Share, cell scene.Box) (tail, tip scene.Point) {
	var from, to, nFrom, nTo int
	for _, other := range p.c.Shares {
		if other.Out == s.Out {
			nFrom++
			if other.In < s.In {
				from++
			}
		}
		if other.In == s.In {
			nTo++
			if other.Out < s.Out {
				to++
			}
		}
	}
	spread := func(i, n int, room float64) float64 {
		return (float64(i) - float64(n-1)/2) * min(headGap, room/float64(n))
	}
	tail = scene.Pt(cell.X+cell.Width/2+spread(from, nFrom, cell.Width-12), cell.Y+cell.Height)
	tip = scene.Pt(p.grid.column(s.In)+p.grid.width/2+spread(to, nTo, p.grid.width-12), p.grid.y+8)
	return tail, tip
}

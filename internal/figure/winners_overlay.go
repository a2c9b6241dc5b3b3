package figure

import (
	"fmt"
	"image/color"

	"github.com/poolctl/poolctl/internal/geom"
	"github.com/poolctl/poolctl/internal/tensor"
)

var (
	// highlight is the colour of pixels that several windows chose. Photographs
	// seldom have it.
	highlight = color.RGBA{0x2f, 0xe6, 0xc8, 0xff}
	// wash is the colour to which pixels fade that no window chose. Bright and
	// dark winners both stand out from it.
	wash = color.RGBA{0x3c, 0x41, 0x4b, 0xff}
)

// Overlay marks the winners on the input. Pixels that no window chose lose
// their colour and most of their contrast. Those that one window chose keep
// theirs. Those that several windows chose turn turquoise, more so the more
// windows chose them. The channels of one picture (grey or RGB; alpha is left
// out) are drawn together: a window chooses what any of its channels chose.
// Small inputs are magnified, with the windows outlined if they do not overlap.
func (w Winners) Overlay(input *tensor.Tensor, layout tensor.Layout) (*tensor.Tensor, error) {
	if err := w.check(); err != nil {
		return nil, err
	}
	p, err := read(input, layout)
	if err != nil {
		return nil, fmt.Errorf("argmax overlay: %w", err)
	}
	g := &w.Geometry
	a := &g.Axes
	if p.batch != g.N || p.channels != g.C || p.depth != a[0].In || p.height != a[1].In || p.width != a[2].In {
		return nil, fmt.Errorf("argmax overlay: got an input %s %s, want that of %s", layout, input.Shape, g)
	}
	planes, more := p.planes()
	votes := make([][]uint32, len(planes))
	most := uint32(1)
	for i, at := range planes {
		votes[i] = w.votes(p, at)
		for _, v := range votes[i] {
			most = max(most, v)
		}
	}
	s := sheet{
		title: "Winners on the input", subtitle: g.String(), strip: g.Rank == 1,
		legend: overlayLegend(most),
	}
	for i, at := range planes {
		s.tiles = append(s.tiles, tile{
			label: p.label(at), width: p.width, height: p.height,
			at: func(x, y int) color.RGBA { return marked(p.color(at, y, x), votes[i][y*p.width+x], most) },
		})
	}
	disjoint := apart(a[1]) && apart(a[2])
	s.over = func(c canvas, i, x, y, cellWidth, cellHeight int) {
		if min(cellWidth, cellHeight) < 8 {
			return
		}
		if disjoint {
			outline(c, a[1], a[2], x, y, cellWidth, cellHeight)
		}
		for cell, v := range votes[i] {
			if v > 0 {
				c.frame(x+cell%p.width*cellWidth+2, y+cell/p.width*cellHeight+2, cellWidth-3, cellHeight-3, highlight)
			}
		}
	}
	return s.draw(more).tensor(), nil
}

// votes counts the windows that chose each pixel of a plane.
func (w *Winners) votes(p *pixels, at plane) []uint32 {
	a := &w.Geometry.Axes
	votes := make([]uint32, p.height*p.width)
	first, last := at.c, at.c+1
	if p.picture() {
		first, last = 0, p.colors()
	}
	for z := range a[0].Out {
		for y := range a[1].Out {
			for x := range a[2].Out {
				for c := first; c < last; c++ {
					cell := w.at(at.n, z, y, x, c)
					chosen := false // by a channel before
					for b := first; b < c; b++ {
						chosen = chosen || w.at(at.n, z, y, x, b) == cell
					}
					if cz, cy, cx := w.position(cell); cz == at.z && !chosen {
						votes[cy*p.width+cx]++
					}
				}
			}
		}
	}
	return votes
}

// marked returns the colour of a pixel that the given number of windows chose.
func marked(c color.RGBA, votes, most uint32) color.RGBA {
	if votes == 0 {
		return mix(wash, grey(c), 0.45)
	}
	return mix(c, highlight, strength(votes, most))
}

// strength returns the share of the highlight in a pixel: 0 for one window, 0.8
// for the most.
func strength(votes, most uint32) float64 {
	return 0.8 * float64(votes-1) / float64(max(most-1, 1))
}

// apart reports whether no two windows of the axis share a cell.
func apart(a geom.Axis) bool {
	for o := 1; o < a.Out; o++ {
		first, extent := window(a, o-1)
		if next, _ := window(a, o); next < first+extent {
			return false
		}
	}
	return true
}

// outline frames the windows on a picture drawn from x, y.
func outline(c canvas, rows, columns geom.Axis, x, y, cellWidth, cellHeight int) {
	for row := range rows.Out {
		top, high := window(rows, row)
		bottom := min(top+high, rows.In)
		top = max(top, 0)
		for column := range columns.Out {
			left, wide := window(columns, column)
			right := min(left+wide, columns.In)
			left = max(left, 0)
			c.frame(x+left*cellWidth, y+top*cellHeight, (right-left)*cellWidth, (bottom-top)*cellHeight, cardColor)
		}
	}
}

// overlayLegend explains the marks.
func overlayLegend(most uint32) canvas {
	rows := []struct {
		label string
		fill  color.RGBA
	}{
		{"chosen by no window", marked(color.RGBA{0xe0, 0x8a, 0x4a, 0xff}, 0, most)},
		{"by one: its own colour", color.RGBA{0xe0, 0x8a, 0x4a, 0xff}},
	}
	height := len(rows) * 24
	if most > 1 {
		height += 24
	}
	c := newCanvas(40+24*charWidth, height)
	for i, row := range rows {
		c.rect(0, 24*i, 30, 16, row.fill)
		c.text(40, 24*i+1, row.label, dimColor)
	}
	if most > 1 {
		y := 24 * len(rows)
		for x := range 30 {
			c.rect(x, y, 1, 16, mix(rows[1].fill, highlight, 0.8*float64(x)/29))
		}
		c.text(40, y+1, fmt.Sprintf("by several, up to %d", most), dimColor)
	}
	return c
}

package figure

import (
	"image/color"
	"math"
	"slices"

	"github.com/poolctl/poolctl/internal/geom"
	"github.com/poolctl/poolctl/internal/tensor"
)

// wheel maps directions to colours: an even wheel in OKLCH, the polar form of
// OKLab. Right is red, up green-yellow, left cyan, down violet. Saturation
// grows with the distance up to half the window; beyond it, in the corners, it
// stays full.
type wheel struct {
	axes  [3]geom.Axis
	rank  int
	label string // the window's size, and its extent if it is dilated
}

const (
	wheelTurn   = 30.0 // degrees of hue of the direction right
	wheelChroma = 0.127
	middleLight = 0.46 // lightness of a winner in the middle
	rimLight    = 0.76
	depthLight  = 0.20 // change of lightness from the middle slice to the outer ones
)

func wheelOf(g *geom.Geometry) wheel {
	var size, extent []int
	for _, a := range g.Spatial() {
		size, extent = append(size, a.Size), append(extent, a.Effective())
	}
	w := wheel{g.Axes, g.Rank, "window " + tensor.Join(size, "x")}
	if !slices.Equal(size, extent) {
		w.label += " over " + tensor.Join(extent, "x")
	}
	return w
}

// deep reports whether lightness stands for depth.
func (w *wheel) deep() bool { return w.axes[0].Effective() > 1 }

func (w *wheel) color(d direction) color.RGBA {
	distance := math.Hypot(d.x, d.y)
	if distance > 1 {
		d.x, d.y, distance = d.x/distance, d.y/distance, 1
	}
	light := middleLight + (rimLight-middleLight)*distance
	if w.deep() {
		light = 0.62 + depthLight*d.z
	}
	sin, cos := math.Sincos(wheelTurn * math.Pi / 180)
	a, b := d.x*cos+d.y*sin, d.x*sin-d.y*cos // (x, -y) turned
	return oklab(light, wheelChroma*a, wheelChroma*b)
}

const wheelRadius = 56

// legend draws the wheel with its directions, and the window with the colour of
// a winner at each of its cells.
func (w *wheel) legend() canvas {
	const width = 2*wheelRadius + 2*6*charWidth
	const middle = width / 2
	c := newCanvas(width, w.legendHeight())
	c.textCentered(middle, 0, w.label, textColor)
	y := lineHeight + 4
	if w.rank == 1 {
		c.bar(middle-wheelRadius, y, 2*wheelRadius, 18, func(v float64) color.RGBA { return w.color(direction{x: v}) })
		c.text(middle-wheelRadius, y+22, "first", dimColor)
		c.text(middle+wheelRadius-textWidth("last"), y+22, "last", dimColor)
		y += 22 + lineHeight
	} else {
		c.textCentered(middle, y, "up", dimColor)
		y += lineHeight
		c.disc(middle, float64(y+wheelRadius), wheelRadius, func(dx, dy float64) color.RGBA {
			return w.color(direction{x: dx, y: dy})
		})
		c.text(middle-wheelRadius-textWidth("left")-5, y+wheelRadius-7, "left", dimColor)
		c.text(middle+wheelRadius+5, y+wheelRadius-7, "right", dimColor)
		y += 2*wheelRadius + 4
		c.textCentered(middle, y, "down", dimColor)
		y += lineHeight
	}
	c.textCentered(middle, y, "grey: in the middle", dimColor)
	y += lineHeight + 6
	if w.deep() {
		y = w.depthLegend(c, middle, y)
	}
	if cell := w.tapCell(); cell > 0 {
		caption := "its cells"
		if w.deep() {
			caption = "its middle slice"
		}
		c.textCentered(middle, y, caption, dimColor)
		w.taps(c, middle, y+lineHeight+2, cell)
	}
	return c
}

func (w *wheel) legendHeight() int {
	height := lineHeight + 4 + 2*lineHeight + 2*wheelRadius + 4
	if w.rank == 1 {
		height = lineHeight + 4 + 22 + lineHeight
	}
	height += lineHeight + 6
	if w.deep() {
		height += 2*lineHeight + 18 + 6
	}
	if cell := w.tapCell(); cell > 0 {
		height += lineHeight + 2 + cell*w.axes[1].Effective()
	}
	return height
}

// depthLegend draws the lightness of offsets in depth.
func (w *wheel) depthLegend(c canvas, middle, y int) int {
	c.textCentered(middle, y, "lightness: depth", dimColor)
	y += lineHeight
	c.bar(middle-wheelRadius, y, 2*wheelRadius, 14, func(v float64) color.RGBA { return w.color(direction{z: v}) })
	y += 18
	c.text(middle-wheelRadius, y, "front", dimColor)
	c.text(middle+wheelRadius-textWidth("back"), y, "back", dimColor)
	return y + lineHeight + 6
}

// bar draws a strip of colours from -1 at the left to 1 at the right.
func (c canvas) bar(x, y, width, height int, at func(v float64) color.RGBA) {
	for i := range width {
		c.rect(x+i, y, 1, height, at(2*float64(i)/float64(width-1)-1))
	}
}

// tapCell returns the size in pixels of a cell in the drawing of the window. It
// is 0 if the window is too large to draw or has no fixed size.
func (w *wheel) tapCell() int {
	longest := max(w.axes[1].Effective(), w.axes[2].Effective())
	for _, a := range w.axes {
		if a.Bounds != nil {
			return 0
		}
	}
	if longest > 12 {
		return 0
	}
	return min(26, 2*wheelRadius/longest)
}

// taps draws the window of the middle slice from y down. Cells that a dilated
// window skips stay empty.
func (w *wheel) taps(c canvas, middle, y, cell int) {
	rows, columns := w.axes[1], w.axes[2]
	left := middle - columns.Effective()*cell/2
	for row := range rows.Effective() {
		for column := range columns.Effective() {
			x, y := left+column*cell, y+row*cell
			if row%rows.Dilation != 0 || column%columns.Dilation != 0 {
				c.frame(x, y, cell-1, cell-1, frameColor)
				continue
			}
			d := direction{0, offset(whole(rows), 0, row), offset(whole(columns), 0, column)}
			c.rect(x, y, cell-1, cell-1, w.color(d))
			if cell >= 18 {
				pin(c, x, y, cell-1, cell-1, d)
			}
		}
	}
}

// whole returns an axis with the same window at its first cell.
func whole(a geom.Axis) geom.Axis {
	return geom.Axis{In: a.Effective(), Out: 1, Size: a.Size, Stride: 1, Dilation: a.Dilation}
}

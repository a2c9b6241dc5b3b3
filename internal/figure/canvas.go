package figure

import (
	"image"
	"image/color"
	"image/draw"
	"math"

	"golang.org/x/image/font"
	"golang.org/x/image/font/basicfont"
	"golang.org/x/image/math/fixed"

	"github.com/poolctl/poolctl/internal/tensor"
)

// The size of a character in pixels. basicfont has one size, and ASCII only.
const (
	charWidth  = 7
	lineHeight = 17
)

// canvas is a picture that is being drawn.
type canvas struct{ *image.RGBA }

func newCanvas(width, height int) canvas {
	c := canvas{image.NewRGBA(image.Rect(0, 0, width, height))}
	c.rect(0, 0, width, height, cardColor)
	return c
}

// rect fills the rectangle at x, y.
func (c canvas) rect(x, y, width, height int, fill color.RGBA) {
	draw.Draw(c.RGBA, image.Rect(x, y, x+width, y+height), image.NewUniform(fill), image.Point{}, draw.Src)
}

// frame draws the outline of a rectangle, one pixel wide, inside it.
func (c canvas) frame(x, y, width, height int, line color.RGBA) {
	c.rect(x, y, width, 1, line)
	c.rect(x, y+height-1, width, 1, line)
	c.rect(x, y, 1, height, line)
	c.rect(x+width-1, y, 1, height, line)
}

// disc fills a circle with soft edges. fill returns the colour at an offset
// from the centre, in units of the radius.
func (c canvas) disc(x, y, radius float64, fill func(dx, dy float64) color.RGBA) {
	for py := int(y - radius - 1); py <= int(y+radius+1); py++ {
		for px := int(x - radius - 1); px <= int(x+radius+1); px++ {
			dx, dy := float64(px)+0.5-x, float64(py)+0.5-y
			cover := min(max(radius+0.5-math.Hypot(dx, dy), 0), 1)
			if cover > 0 && image.Pt(px, py).In(c.Rect) {
				c.SetRGBA(px, py, mix(c.RGBAAt(px, py), fill(dx/radius, dy/radius), cover))
			}
		}
	}
}

// text writes a line whose top left corner is x, y.
func (c canvas) text(x, y int, line string, ink color.RGBA) {
	face := basicfont.Face7x13
	d := font.Drawer{Dst: c.RGBA, Src: image.NewUniform(ink), Face: face, Dot: fixed.P(x, y+face.Ascent)}
	d.DrawString(line)
}

// textCentered writes a line whose middle is x.
func (c canvas) textCentered(x, y int, line string, ink color.RGBA) {
	c.text(x-textWidth(line)/2, y, line, ink)
}

// textWidth returns the width of a line, in pixels.
func textWidth(line string) int { return charWidth * len([]rune(line)) }

// paste copies a picture to x, y.
func (c canvas) paste(x, y int, from canvas) {
	draw.Draw(c.RGBA, from.Rect.Add(image.Pt(x, y)), from.RGBA, image.Point{}, draw.Src)
}

// magnify draws a tile from x, y: every step-th cell in both directions as a
// rectangle of width x height pixels. If apart is set, cells of 8 pixels and
// more are separated by lines.
func (c canvas) magnify(x, y int, t tile, width, height, step int, apart bool) {
	gap := 0
	if apart && min(width, height) >= 8 {
		gap = 1
	}
	for row := 0; row*step < t.height; row++ {
		for column := 0; column*step < t.width; column++ {
			fill := t.at(column*step, row*step)
			if width == 1 && height == 1 {
				c.SetRGBA(x+column, y+row, fill)
				continue
			}
			c.rect(x+column*width, y+row*height, width-gap, height-gap, fill)
		}
	}
}

// tensor returns the picture as uint8 of shape (H,W,3).
func (c canvas) tensor() *tensor.Tensor {
	size := c.Rect.Size()
	data := make([]uint8, 0, size.X*size.Y*3)
	for i := 0; i < len(c.Pix); i += 4 {
		data = append(data, c.Pix[i:i+3]...)
	}
	return tensor.From(data, size.Y, size.X, 3)
}

package report

import (
	"fmt"
	"image/color"
	"math"

	"github.com/poolctl/poolctl/internal/tensor"
)

// Heatmap draws a tensor of signed values, such as a gradient: blue below
// zero, neutral at zero, orange-red above, the same scale on both sides, with
// a colour bar. NaN is magenta, an infinity has the colour of the end of the
// scale. Batch entries, channels and slices become tiles, the first 16 of them.
func Heatmap(t *tensor.Tensor, layout tensor.Layout, title string) (*tensor.Tensor, error) {
	p, err := read(t, layout)
	if err != nil {
		return nil, fmt.Errorf("heatmap: %w", err)
	}
	r := measure(t)
	scale := 0.0
	if r.finite > 0 {
		scale = max(math.Abs(r.lo), math.Abs(r.hi))
	}
	planes, more := planesOf(p.batch, p.channels, p.depth)
	s := sheet{title: title, subtitle: t.String() + " " + string(layout), strip: layout.Spatial() == 1, legend: heatLegend(scale)}
	for _, at := range planes {
		s.tiles = append(s.tiles, tile{
			label: at.label(p.batch, p.channels, p.depth), width: p.width, height: p.height,
			at: func(x, y int) color.RGBA { return heat(p.value(at.n, at.c, at.z, y, x), scale) },
		})
	}
	if r.nan+r.posInf+r.negInf > 0 {
		s.notes = append(s.notes, fmt.Sprintf("%s NaN (magenta), %s +Inf, %s -Inf", grouped(int64(r.nan)), grouped(int64(r.posInf)), grouped(int64(r.negInf))))
	}
	return s.draw(more).tensor(), nil
}

// heat returns the colour of a value on a scale from -scale to scale.
func heat(v, scale float64) color.RGBA {
	switch {
	case v != v:
		return nanColor
	case v == 0:
		return divergingTable[128]
	case math.Abs(v) >= scale: // infinities too
		return divergingTable[128+int(math.Copysign(128, v))]
	}
	return divergingTable[128+int(math.Round(v/scale*128))]
}

// heatLegend draws the colour bar.
func heatLegend(scale float64) canvas {
	const height = 200
	labels := []string{floatValue(scale).String(), "0", floatValue(-scale).String()}
	width := 0
	for _, l := range labels {
		width = max(width, textWidth(l))
	}
	c := newCanvas(18+8+width, height)
	for y := range height {
		c.rect(0, y, 18, 1, diverging(1-2*float64(y)/(height-1)))
	}
	for i, l := range labels {
		c.text(26, i*(height-13)/2, l, dimColor)
	}
	return c
}

// DifferencePicture draws a - b of two tensors of the same shape as a heatmap.
// Elements that are the same number, two NaN or the same infinity among them,
// are neutral.
func DifferencePicture(a, b *tensor.Tensor, layout tensor.Layout) (*tensor.Tensor, error) {
	if !a.Shape.Equal(b.Shape) {
		return nil, fmt.Errorf("difference: got shapes %s and %s, want the same", a.Shape, b.Shape)
	}
	d := make([]float64, a.Len())
	integers := a.DType.IsInteger() && b.DType.IsInteger()
	for i := range d {
		if integers {
			p, q := integerAt(a, i), integerAt(b, i)
			d[i] = p.minus(q).float()
			if p.below(q) {
				d[i] = -d[i]
			}
			continue
		}
		if x, y := a.At(i), b.At(i); x != y && (x == x || y == y) {
			d[i] = x - y
		}
	}
	return Heatmap(tensor.From(d, a.Shape...), layout, "a - b")
}

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
	scale := r.scale()
	planes, more := planesOf(p.batch, p.channels, p.depth)
	s := sheet{
		title: title, subtitle: t.String() + " " + string(layout), strip: layout.Spatial() == 1, notes: r.notes(),
		legend: heatLegend(scale, func(v float64, _ bool) color.RGBA { return diverging(v) }),
	}
	for _, at := range planes {
		s.tiles = append(s.tiles, tile{
			label: at.label(p.batch, p.channels, p.depth), width: p.width, height: p.height,
			at: func(x, y int) color.RGBA { return heat(p.value(at.n, at.c, at.z, y, x), scale) },
		})
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

// scale returns the largest finite magnitude.
func (e *extent) scale() float64 {
	if e.finite == 0 {
		return 0
	}
	return max(math.Abs(e.lo), math.Abs(e.hi))
}

// notes tells of values that are not finite.
func (e *extent) notes() []string {
	if e.nan+e.posInf+e.negInf == 0 {
		return nil
	}
	return []string{fmt.Sprintf("%s NaN (magenta), %s +Inf, %s -Inf", grouped(int64(e.nan)), grouped(int64(e.posInf)), grouped(int64(e.negInf)))}
}

// heatLegend draws the colour bar; paint gives its colours from -1 to 1, in its
// left half and in its right one.
func heatLegend(scale float64, paint func(v float64, right bool) color.RGBA) canvas {
	const height, bar = 200, 18
	labels := []string{floatValue(scale).String(), "0", floatValue(-scale).String()}
	width := 0
	for _, l := range labels {
		width = max(width, textWidth(l))
	}
	c := newCanvas(bar+8+width, height)
	for y := range height {
		v := 1 - 2*float64(y)/(height-1)
		c.rect(0, y, bar/2, 1, paint(v, false))
		c.rect(bar/2, y, bar/2, 1, paint(v, true))
	}
	for i, l := range labels {
		c.text(bar+8, i*(height-13)/2, l, dimColor)
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

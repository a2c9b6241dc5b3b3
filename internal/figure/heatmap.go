package figure

import (
	"fmt"
	"image/color"
	"math"

	"github.com/poolctl/poolctl/internal/report"
	"github.com/poolctl/poolctl/internal/tensor"
)

// Heatmap draws a tensor of signed values such as a gradient: blue below zero,
// light grey at zero, orange-red above, on a symmetric scale with a colour bar.
// NaN is magenta; an infinity has the colour of the end of the scale. Batch
// entries, channels and slices become tiles, up to 16.
func Heatmap(t *tensor.Tensor, layout tensor.Layout, title string) (*tensor.Tensor, error) {
	p, err := read(t, layout)
	if err != nil {
		return nil, fmt.Errorf("heatmap: %w", err)
	}
	r := report.Measure(t)
	scale := r.Scale()
	planes, more := planesOf(p.batch, p.channels, p.depth)
	s := sheet{
		title: title, subtitle: t.String() + " " + string(layout), strip: layout.Spatial() == 1, notes: notesOn(&r),
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

// notesOn counts the values that are not finite.
func notesOn(e *report.Extent) []string {
	if e.NaN+e.PosInf+e.NegInf == 0 {
		return nil
	}
	return []string{fmt.Sprintf("%s NaN (magenta), %s +Inf, %s -Inf", report.Count(e.NaN), report.Count(e.PosInf), report.Count(e.NegInf))}
}

// heatLegend draws the colour bar. paint returns the colour at -1 to 1 in its
// left or right half.
func heatLegend(scale float64, paint func(v float64, right bool) color.RGBA) canvas {
	const height, bar = 200, 18
	labels := []string{report.ValueOf(scale).String(), "0", report.ValueOf(-scale).String()}
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

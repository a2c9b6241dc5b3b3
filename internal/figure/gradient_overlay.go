package figure

import (
	"fmt"
	"image/color"
	"math"

	"github.com/poolctl/poolctl/internal/report"
	"github.com/poolctl/poolctl/internal/tensor"
)

// GradientOverlay draws a gradient over the input that it belongs to: the
// brightness of the input in dim grey, and the gradient in the colours of
// Heatmap, the more opaque the larger it is. The channels of one picture (grey
// or RGB; alpha is left out) are drawn together, with the value of largest
// magnitude among them. Other channels become tiles, as do batch entries and
// slices, up to 16. Small inputs are magnified.
func GradientOverlay(input, gradient *tensor.Tensor, layout tensor.Layout, title string) (*tensor.Tensor, error) {
	if !input.Shape.Equal(gradient.Shape) {
		return nil, fmt.Errorf("gradient overlay: got a gradient of shape %s, want the input's %s", gradient.Shape, input.Shape)
	}
	p, err := read(input, layout)
	if err != nil {
		return nil, fmt.Errorf("gradient overlay: %w", err)
	}
	if p.picture() {
		gradient, _ = Reduce(gradient, layout, MaxReduction)
	}
	q, err := read(gradient, layout)
	if err != nil {
		return nil, fmt.Errorf("gradient overlay: %w", err)
	}
	r := report.Measure(gradient)
	scale := r.Scale()
	planes, more := p.planes()
	s := sheet{
		title: title, subtitle: input.String() + " " + string(layout), strip: layout.Spatial() == 1, notes: notesOn(&r),
		legend: heatLegend(scale, func(v float64, right bool) color.RGBA {
			under := color.RGBA{A: 0xff}
			if right {
				under = color.RGBA{0xff, 0xff, 0xff, 0xff}
			}
			return laidOver(under, v, 1)
		}),
	}
	for _, at := range planes {
		s.tiles = append(s.tiles, tile{
			label: p.label(at), width: p.width, height: p.height,
			at: func(x, y int) color.RGBA {
				return laidOver(p.color(at, y, x), q.value(at.n, at.c, at.z, y, x), scale)
			},
		})
	}
	return s.draw(more).tensor(), nil
}

// laidOver returns the colour of an input pixel with a gradient over it.
func laidOver(pixel color.RGBA, v, scale float64) color.RGBA {
	under := mix(wash, grey(pixel), 0.45)
	if pixel == nanColor {
		under = nanColor
	}
	switch {
	case v != v:
		return nanColor
	case v == 0:
		return under
	}
	share := 1.0 // of the scale
	if math.Abs(v) < scale {
		share = math.Abs(v) / scale
	}
	// The pale middle of the colour map would hide the picture and say little.
	// Opacity stands for small values instead; it grows fast, so that they are
	// seen.
	return mix(under, heat(math.Copysign(0.6+0.4*share, v), 1), 0.9*math.Pow(share, 0.6))
}

// grey returns the grey of the same luma (ITU-R BT.709).
func grey(c color.RGBA) color.RGBA {
	l := uint8(math.Round(0.2126*float64(c.R) + 0.7152*float64(c.G) + 0.0722*float64(c.B)))
	return color.RGBA{l, l, l, 0xff}
}

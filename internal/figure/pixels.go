package figure

import (
	"fmt"
	"image/color"
	"math"

	"github.com/poolctl/poolctl/internal/report"
	"github.com/poolctl/poolctl/internal/tensor"
)

// pixels gives access to a tensor of any layout as pictures: by batch entry,
// channel and position.
type pixels struct {
	t                        *tensor.Tensor
	batch, channels          int
	depth, height, width     int
	strideN, strideC         int
	strideZ, strideY, stride int
	lo, hi                   float64 // the values of black and white
}

// read prepares a tensor for drawing. In uint8 and uint16, 0 is black and the
// largest value is white. Other types are stretched between their finite
// minimum and maximum.
func read(t *tensor.Tensor, layout tensor.Layout) (*pixels, error) {
	e, err := layout.Split(t.Shape)
	if err != nil {
		return nil, err
	}
	p := &pixels{t: t, batch: e.N, channels: e.C, depth: 1, height: 1}
	for i, extent := range e.Spatial {
		*[]*int{&p.depth, &p.height, &p.width}[3-len(e.Spatial)+i] = extent
	}
	step := 1
	spatial := []*int{&p.stride, &p.strideY, &p.strideZ}
	for i := len(layout) - 1; i >= 0; i-- {
		switch layout[i] {
		case 'N':
			p.strideN = step
		case 'C':
			p.strideC = step
		default:
			*spatial[0] = step
			spatial = spatial[1:]
		}
		step *= t.Shape[i]
	}
	if t.Len() == 0 {
		return nil, fmt.Errorf("got %s %s, want at least one element to draw", layout, t.Shape)
	}
	switch t.DType {
	case tensor.Uint8:
		p.hi = math.MaxUint8
	case tensor.Uint16:
		p.hi = math.MaxUint16
	default:
		if r := report.Measure(t); r.Finite > 0 {
			p.lo, p.hi = r.Lo, r.Hi
		}
	}
	return p, nil
}

// value returns an element.
func (p *pixels) value(n, c, z, y, x int) float64 {
	return p.t.At(n*p.strideN + c*p.strideC + z*p.strideZ + y*p.strideY + x*p.stride)
}

// level returns the brightness of a value, from 0 for black to 1 for white.
// Infinities are black and white; NaN stays NaN.
func (p *pixels) level(v float64) float64 {
	if v != v {
		return v
	}
	if p.hi == p.lo {
		return min(max(0.5+(v-p.lo), 0), 1)
	}
	share := (v/2 - p.lo/2) / (p.hi/2 - p.lo/2) // halves: the range may exceed float64
	return min(max(share, 0), 1)
}

// picture reports whether the channels make one picture: grey, grey and alpha,
// RGB or RGBA.
func (p *pixels) picture() bool { return p.channels <= 4 }

// colors returns the number of channels of one picture without alpha.
func (p *pixels) colors() int {
	if p.channels <= 2 {
		return 1
	}
	return 3
}

// color returns the colour of a place on a plane: that of the picture if the
// channels make one, the grey of one channel otherwise.
func (p *pixels) color(at plane, y, x int) color.RGBA {
	if !p.picture() || p.colors() == 1 {
		c := at.c
		if p.picture() {
			c = 0
		}
		l := p.level(p.value(at.n, c, at.z, y, x))
		return levelColor(l, l, l)
	}
	return levelColor(p.level(p.value(at.n, 0, at.z, y, x)), p.level(p.value(at.n, 1, at.z, y, x)), p.level(p.value(at.n, 2, at.z, y, x)))
}

// levelColor returns the colour of three brightnesses, magenta if one is NaN.
func levelColor(r, g, b float64) color.RGBA {
	if r != r || g != g || b != b {
		return nanColor
	}
	return color.RGBA{uint8(math.Round(255 * r)), uint8(math.Round(255 * g)), uint8(math.Round(255 * b)), 0xff}
}

// planes lists the pictures to draw, as planesOf does.
func (p *pixels) planes() (list []plane, more int) {
	if p.picture() {
		return planesOf(p.batch, 1, p.depth)
	}
	return planesOf(p.batch, p.channels, p.depth)
}

// label names a plane of planes.
func (p *pixels) label(at plane) string {
	if p.picture() {
		return at.label(p.batch, 1, p.depth)
	}
	return at.label(p.batch, p.channels, p.depth)
}

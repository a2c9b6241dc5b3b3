package jpeg

import "github.com/poolctl/poolctl/internal/imgio/raster"

// colourTables convert YCbCr to RGB as libjpeg does: ITU-R BT.601, full range, in
// 16-bit fixed point.
var colourTables = func() (t struct{ crR, cbB, crG, cbG [256]int32 }) {
	const half = 1 << 15
	for i := range 256 {
		x := int32(i) - 128
		t.crR[i] = (91881*x + half) >> 16  // 1.40200
		t.cbB[i] = (116130*x + half) >> 16 // 1.77200
		t.crG[i] = -46802 * x              // 0.71414
		t.cbG[i] = -22554*x + half         // 0.34414
	}
	return t
}()

// colours says how the components become the channels of the picture.
type colours int

const (
	asStored colours = iota
	fromYCbCr
	fromCMYK // inverted, as Adobe's programs write it
	fromYCCK
)

// conversion upsamples the components and writes the picture.
type conversion struct {
	dst      []uint8
	colours  colours
	width    int
	channels int
	up       []upsampler
}

func newConversion(dst []uint8, f *frame, c colours) *conversion {
	v := &conversion{dst: dst, colours: c, width: f.width, channels: len(f.parts)}
	if c == fromCMYK || c == fromYCCK {
		v.channels = 3
	}
	for i := range f.parts {
		v.up = append(v.up, newUpsampler(f, &f.parts[i]))
	}
	return v
}

// lookahead returns how many rows of pixels at the end of a row of MCUs need the
// next row of MCUs.
func (c *conversion) lookahead() int {
	for i := range c.up {
		if c.up[i].below() {
			return 1
		}
	}
	return 0
}

// rows converts the rows lo <= y < hi.
func (c *conversion) rows(lo, hi int) {
	var buffers, in [4][]uint8
	for i := range c.up {
		buffers[i] = make([]uint8, c.up[i].columns*c.up[i].fx)
	}
	for y := lo; y < hi; y++ {
		for i := range c.up {
			in[i] = c.up[i].row(buffers[i], y)[:c.width]
		}
		dst := c.dst[y*c.width*c.channels:][:c.width*c.channels]
		switch c.colours {
		case asStored:
			interleave(dst, in[:len(c.up)])
		case fromYCbCr:
			colourRow(dst, in[0], in[1], in[2])
		case fromCMYK:
			interleave(dst, in[:3])
			addBlack(dst, in[3])
		case fromYCCK:
			// libjpeg makes C, M and Y as 255 less the RGB. They are inverted again:
			// 255 - (255 - RGB) is the light that is taken away.
			colourRow(dst, in[0], in[1], in[2])
			for i, v := range dst {
				dst[i] = ^v
			}
			addBlack(dst, in[3])
		}
	}
}

// interleave writes a row of pixels from rows of samples.
func interleave(dst []uint8, in [][]uint8) {
	if len(in) == 1 {
		copy(dst, in[0])
		return
	}
	n := len(in)
	for i, row := range in {
		for x, v := range row {
			dst[x*n+i] = v
		}
	}
}

// addBlack makes RGB of inverted CMY and inverted black, as Pillow does, without
// colour management: (1-c)(1-k), (1-m)(1-k), (1-y)(1-k).
func addBlack(cmy, black []uint8) {
	for x, k := range black {
		light := int(k)
		for i := 3 * x; i < 3*x+3; i++ {
			taken := int(^cmy[i])*light + 128
			cmy[i] = uint8(light - (taken>>8+taken)>>8)
		}
	}
}

// colourRow converts a row to RGB.
func colourRow(dst, luma, cb, cr []uint8) {
	cb, cr = cb[:len(luma)], cr[:len(luma)]
	for x, l := range luma {
		b, r, l := cb[x], cr[x], int32(l)
		red, green, blue := l+colourTables.crR[r], l+(colourTables.cbG[b]+colourTables.crG[r])>>16, l+colourTables.cbB[b]
		if uint32(red|green|blue) > 255 {
			red, green, blue = int32(raster.Clamp8(red)), int32(raster.Clamp8(green)), int32(raster.Clamp8(blue))
		}
		p := dst[3*x : 3*x+3 : 3*x+3]
		p[0], p[1], p[2] = uint8(red), uint8(green), uint8(blue)
	}
}

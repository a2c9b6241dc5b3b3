package jpeg

import (
	"image"

	"github.com/poolctl/poolctl/internal/imgio/raster"
	"github.com/poolctl/poolctl/internal/tensor"
)

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

// convertYCbCr converts planes to RGB as libjpeg does by default. Chroma with half
// the columns, half the rows or both is upsampled by a triangle filter; other
// ratios repeat samples.
func convertYCbCr(dst []uint8, img *image.YCbCr, told *tensor.Progress) {
	width, height := img.Rect.Dx(), img.Rect.Dy()
	c := newConversion(dst, img, 3)
	raster.Bands(height, 16, raster.InOrder(c.rows, func(hi int) { told.Reach(hi * width * 3) }))
}

// conversion converts one image of three channels, or of luma alone.
type conversion struct {
	dst      []uint8
	img      *image.YCbCr
	channels int
	up       upsampler
}

func newConversion(dst []uint8, img *image.YCbCr, channels int) *conversion {
	return &conversion{dst, img, channels, newUpsampler(img)}
}

// lookahead returns how many rows of pixels at the end of a row of MCUs need the
// next row of MCUs.
func (c *conversion) lookahead() int {
	if c.channels == 3 && c.up.triangle && c.up.fy == 2 {
		return 1
	}
	return 0
}

// rows converts the rows lo <= y < hi.
func (c *conversion) rows(lo, hi int) {
	width, img, up := c.img.Rect.Dx(), c.img, &c.up
	if c.channels == 1 {
		for y := lo; y < hi; y++ {
			copy(c.dst[y*width:(y+1)*width], img.Y[y*img.YStride:])
		}
		return
	}
	cb, cr := make([]uint8, up.columns*up.fx), make([]uint8, up.columns*up.fx)
	for y := lo; y < hi; y++ {
		up.row(cb, img.Cb, y)
		up.row(cr, img.Cr, y)
		colourRow(c.dst[y*width*3:(y+1)*width*3], img.Y[y*img.YStride:][:width], cb, cr)
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

// upsampler upsamples the chroma planes of an image.
type upsampler struct {
	fx, fy        int  // pixels per sample, across and down
	columns, rows int  // size of the planes in samples, without padding
	triangle      bool // by the triangle filter, not by repetition
	stride        int
}

func newUpsampler(img *image.YCbCr) upsampler {
	factors := map[image.YCbCrSubsampleRatio][2]int{
		image.YCbCrSubsampleRatio444: {1, 1}, image.YCbCrSubsampleRatio422: {2, 1}, image.YCbCrSubsampleRatio420: {2, 2},
		image.YCbCrSubsampleRatio440: {1, 2}, image.YCbCrSubsampleRatio411: {4, 1}, image.YCbCrSubsampleRatio410: {4, 2},
	}[img.SubsampleRatio]
	u := upsampler{fx: factors[0], fy: factors[1], stride: img.CStride}
	u.columns = (img.Rect.Dx() + u.fx - 1) / u.fx
	u.rows = (img.Rect.Dy() + u.fy - 1) / u.fy
	// libjpeg repeats samples in planes of one or two columns.
	u.triangle = u.fx == 2 && u.columns > 2 || u.fx == 1 && u.fy == 2
	return u
}

// row writes the upsampled samples for row y of the picture.
func (u upsampler) row(dst, plane []uint8, y int) {
	near := y / u.fy
	at := func(row int) []uint8 { return plane[row*u.stride:][:u.columns] }
	src := at(near)
	if !u.triangle {
		if u.fx == 1 {
			copy(dst, src)
			return
		}
		for i, v := range src {
			for k := range u.fx {
				dst[i*u.fx+k] = v
			}
		}
		return
	}
	if u.fy == 1 {
		triangleAcross(dst, src)
		return
	}
	far := near - 1
	if y%2 == 1 {
		far = near + 1
	}
	other := at(min(max(far, 0), u.rows-1))
	if u.fx == 2 {
		triangleBoth(dst, src, other)
		return
	}
	bias := 1 + y%2
	for i, v := range src {
		dst[i] = uint8((3*int(v) + int(other[i]) + bias) >> 2)
	}
}

// triangleAcross doubles the columns. A new sample is 3/4 the nearest sample and
// 1/4 the next nearest.
func triangleAcross(dst, src []uint8) {
	n := len(src)
	dst[0] = src[0]
	for i := range n - 1 {
		a, b := int(src[i]), int(src[i+1])
		dst[2*i+1] = uint8((3*a + b + 2) >> 2)
		dst[2*i+2] = uint8((a + 3*b + 1) >> 2)
	}
	dst[2*n-1] = src[n-1]
}

// triangleBoth doubles columns and rows. near is the nearest row of samples, far
// the next nearest.
func triangleBoth(dst, near, far []uint8) {
	n := len(near)
	far = far[:n]
	a := 3*int(near[0]) + int(far[0])
	dst[0] = uint8((4*a + 8) >> 4)
	for i := range n - 1 {
		b := 3*int(near[i+1]) + int(far[i+1])
		dst[2*i+1] = uint8((3*a + b + 7) >> 4)
		dst[2*i+2] = uint8((a + 3*b + 8) >> 4)
		a = b
	}
	dst[2*n-1] = uint8((4*a + 7) >> 4)
}

// convertCMYK converts to RGB without colour management: (1-c)(1-k), (1-m)(1-k),
// (1-y)(1-k).
func convertCMYK(dst []uint8, img *image.CMYK) {
	width, height := img.Rect.Dx(), img.Rect.Dy()
	raster.Bands(height, 16, func(lo, hi int) {
		for y := lo; y < hi; y++ {
			row := img.Pix[y*img.Stride:][:4*width]
			out := dst[y*width*3:][:3*width]
			for x := range width {
				light := 255 - int(row[4*x+3])
				for c := range 3 {
					taken := int(row[4*x+c])*light + 128
					out[3*x+c] = uint8(light - (taken>>8+taken)>>8)
				}
			}
		}
	})
}

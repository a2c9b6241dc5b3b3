package tiff

import (
	"errors"
	"fmt"
	"io"

	"github.com/poolctl/poolctl/internal/imgio/raster"
)

// ycbcr converts YCbCr to RGB as libtiff does: TIFF 6.0, section 21, in 16-bit
// fixed point.
type ycbcr struct {
	across, down     int // pixels for each sample of Cb and Cr
	y                [256]int32
	redCr, blueCb    [256]int32
	greenCr, greenCb [256]int32 // not shifted yet
}

// readYCbCr reads the fields that say what YCbCr means.
func readYCbCr(d *directory) (*ycbcr, error) {
	c := &ycbcr{across: 2, down: 2}
	if v := d.values(tagYCbCrSubsampling, 2); len(v) == 2 {
		c.across, c.down = int(min(v[0], 99)), int(min(v[1], 99))
	}
	for _, n := range []int{c.across, c.down} {
		if n != 1 && n != 2 && n != 4 {
			return nil, fmt.Errorf("got YCbCr subsampling %dx%d, want 1, 2 or 4", c.across, c.down)
		}
	}
	luma := d.floats(tagYCbCrCoefficients, []float32{0.299, 0.587, 0.114})
	levels := d.floats(tagReferenceBlackWhite, []float32{0, 255, 128, 255, 128, 255})
	if luma[1] == 0 {
		return nil, errors.New("got a YCbCr coefficient of 0 for green, want another")
	}
	fixed := func(v float32) int32 { return int32(float64(min(max(v, 0), 2)*65536) + 0.5) }
	red, blue := 2-2*luma[0], 2-2*luma[2]
	redCr, greenCr := fixed(red), -fixed(luma[0]*red/luma[1])
	blueCb, greenCb := fixed(blue), -fixed(luma[2]*blue/luma[1])
	scaled := func(v, black, white, span float32) int32 {
		divisor := white - black
		if divisor == 0 {
			divisor = 1
		}
		level := (v - float32(int32(min(max(black, -1<<30), 1<<30)))) * span / divisor
		return int32(min(max(level, -128*32), 128*32))
	}
	const half = 1 << 15
	for i := range 256 {
		cb := scaled(float32(i-128), levels[2]-128, levels[3]-128, 127)
		cr := scaled(float32(i-128), levels[4]-128, levels[5]-128, 127)
		c.y[i] = scaled(float32(i), levels[0], levels[1], 255)
		c.redCr[i] = (redCr*cr + half) >> 16
		c.blueCb[i] = (blueCb*cb + half) >> 16
		c.greenCr[i] = greenCr * cr
		c.greenCb[i] = greenCb*cb + half
	}
	return c, nil
}

// convert converts pixels of so many samples, of which the first three are YCbCr.
func (c *ycbcr) convert(row []uint8, samples int) {
	for ; len(row) >= samples; row = row[samples:] {
		y, cb, cr := c.y[row[0]], row[1], row[2]
		row[0] = raster.Clamp8(y + c.redCr[cr])
		row[1] = raster.Clamp8(y + (c.greenCb[cb]+c.greenCr[cr])>>16)
		row[2] = raster.Clamp8(y + c.blueCb[cb])
	}
}

// unitBytes returns the bytes of a row of data units in a block of that width. A unit
// holds the luma of a rectangle of pixels, row by row, then one Cb and one Cr.
func (c *ycbcr) unitBytes(width int) int {
	return (width + c.across - 1) / c.across * (c.across*c.down + 2)
}

// spread reads data units, and gives rows of Y, Cb and Cr for each pixel. Chroma is
// repeated, as libtiff does.
type spread struct {
	r     io.Reader
	c     *ycbcr
	width int
	units []byte // a row of them
	rows  []byte // the rows of pixels that they hold
	rest  []byte // what is left of those to read
}

func (s *spread) Read(b []byte) (int, error) {
	if len(s.rest) == 0 {
		if _, err := io.ReadFull(s.r, s.units); err != nil {
			return 0, err
		}
		for y := range s.c.down {
			row := s.rows[y*s.width*3:][:s.width*3]
			for x := range s.width {
				unit := s.units[x/s.c.across*(s.c.across*s.c.down+2):][:s.c.across*s.c.down+2]
				row[3*x] = unit[y*s.c.across+x%s.c.across]
				copy(row[3*x+1:3*x+3], unit[s.c.across*s.c.down:])
			}
		}
		s.rest = s.rows
	}
	n := copy(b, s.rest)
	s.rest = s.rest[n:]
	return n, nil
}

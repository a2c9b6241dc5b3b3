package jpeg

import (
	"encoding/binary"
	"errors"
	"fmt"
)

// Second bytes of markers.
const (
	soi               = 0xd8 // start of image
	eoi               = 0xd9 // end of image
	sos               = 0xda // start of scan
	dqt               = 0xdb // quantisation tables
	dht               = 0xc4 // Huffman codes
	dri               = 0xdd // restart interval
	dac               = 0xcc // conditioning of arithmetic coding
	sof2              = 0xc2 // frame of a progressive file
	app0, app1, app14 = 0xe0, 0xe1, 0xee
	com               = 0xfe // comment
)

// isFrame reports whether a marker begins a frame, of any kind.
func isFrame(marker byte) bool {
	return 0xc0 <= marker && marker <= 0xcf && marker != dht && marker != 0xc8 && marker != dac
}

// frame is what the frame header says of the picture and its components.
type frame struct {
	width, height int
	progressive   bool
	parts         []component
	h, v          int // the largest sampling factors
	across, down  int // MCUs of a scan of all components
}

// component is a colour component. Its samples are coded in blocks of 8x8; an MCU
// of several components has h*v of its blocks.
type component struct {
	id            byte
	h, v          int
	table         byte       // of quantisers
	quantiser     *[64]int32 // that table when the component's first scan began
	width, height int        // in blocks, without those that only fill MCUs

	plane        []uint8 // samples in whole MCUs
	stride       int
	coefficients [][64]int16 // of a progressive file, by block
	missing      [64]bool    // coefficients that are not complete yet
}

// parseFrame parses the segment of a frame marker. It refuses by name what is not
// supported.
func parseFrame(marker byte, b []byte) (*frame, error) {
	switch {
	case marker == 0xc3 || marker == 0xcb:
		return nil, errors.New("is lossless, which is not supported")
	case marker >= 0xc9:
		return nil, errors.New("has arithmetic coding, which is not supported")
	case marker > sof2:
		return nil, errors.New("is hierarchical, which is not supported")
	case len(b) < 6 || len(b) != 6+3*int(b[5]):
		return nil, errors.New("the frame header is damaged")
	case b[0] != 8:
		return nil, fmt.Errorf("got %d bits per sample, want 8", b[0])
	case b[5] != 1 && b[5] != 3 && b[5] != 4:
		return nil, fmt.Errorf("got %d components, want 1, 3 or 4", b[5])
	}
	f := &frame{progressive: marker == sof2, height: int(binary.BigEndian.Uint16(b[1:])), width: int(binary.BigEndian.Uint16(b[3:]))}
	for b = b[6:]; len(b) > 0; b = b[3:] {
		c := component{id: b[0], h: int(b[1] >> 4), v: int(b[1] & 15), table: b[2]}
		if c.h < 1 || c.h > 4 || c.v < 1 || c.v > 4 || c.table > 3 {
			return nil, fmt.Errorf("component %d: got sampling %dx%d and table %d, want 1 to 4 and <= 3", len(f.parts), c.h, c.v, c.table)
		}
		f.parts = append(f.parts, c)
	}
	if len(f.parts) == 1 {
		f.parts[0].h, f.parts[0].v = 1, 1 // in a scan of one component an MCU is one block
	}
	for _, c := range f.parts {
		f.h, f.v = max(f.h, c.h), max(f.v, c.v)
	}
	f.across, f.down = ceil(f.width, 8*f.h), ceil(f.height, 8*f.v)
	for i := range f.parts {
		c := &f.parts[i]
		if f.h%c.h != 0 || f.v%c.v != 0 {
			return nil, fmt.Errorf("component %d: got sampling %dx%d of %dx%d, a fraction, which is not supported", i, c.h, c.v, f.h, f.v)
		}
		c.width, c.height = ceil(ceil(f.width*c.h, f.h), 8), ceil(ceil(f.height*c.v, f.v), 8)
		c.stride = 8 * c.h * f.across
		for k := range c.missing {
			c.missing[k] = true
		}
	}
	return f, nil
}

func ceil(a, b int) int { return (a + b - 1) / b }

// memory returns the bytes that decoding takes: the planes in whole MCUs, and the
// coefficients of a progressive file.
func (f *frame) memory() int {
	samples := 0
	for i := range f.parts {
		samples += f.parts[i].stride * f.parts[i].v * 8 * f.down
	}
	if f.progressive {
		return 3 * samples
	}
	return samples
}

func (f *frame) allocate() {
	for i := range f.parts {
		c := &f.parts[i]
		n := c.stride * c.v * 8 * f.down
		c.plane = make([]uint8, n)
		if f.progressive {
			c.coefficients = make([][64]int16, n/64)
		}
	}
}

// complete returns an error if scans are missing. It needs all coefficients that
// libjpeg would estimate if they were.
func (f *frame) complete() error {
	for i := range f.parts {
		for k, missing := range f.parts[i].missing[:10] {
			if missing {
				return fmt.Errorf("coefficient %d of component %d is missing or incomplete: the file has lost scans", k, i)
			}
		}
	}
	return nil
}

package jpeg

import (
	"errors"
	"fmt"

	"github.com/poolctl/poolctl/internal/imgio/raster"
)

// Tables are the quantisation tables and Huffman codes that a file gives once for
// many abbreviated streams, as TIFF does in its tag JPEGTables.
type Tables struct{ tables }

// ReadTables reads an abbreviated stream that holds tables only.
func ReadTables(data []byte) (*Tables, error) {
	d := decoder{in: &stream{data: data}, adobe: -1}
	if b, err := d.header(); err == nil && b != nil {
		return nil, errors.New("got a picture, want tables only")
	} else if d.frame != nil || b != nil || err != nil && !errors.Is(err, errNoPicture) {
		return nil, err
	}
	return &Tables{d.tables}, nil
}

// Decode decodes a stream inside another file, a strip or a tile. A picture larger
// than width x height is refused before memory is allocated for it. With convert,
// three components are Y, Cb and Cr and become RGB; else the samples of 1, 3 or 4
// components are kept as they are stored, those of CMYK not inverted. Components
// with fewer samples are upsampled in both cases. A nil t stands for no tables.
// Several calls may run at the same time.
func (t *Tables) Decode(data []byte, width, height int, convert bool) (*raster.Raster, error) {
	d := decoder{in: &stream{data: data}, adobe: -1, mostPixels: width * height}
	if t != nil {
		d.tables = t.tables
	}
	b, err := d.header()
	if err != nil {
		return nil, err
	}
	f := d.frame
	if f.width < 1 || f.height < 1 || f.width > width || f.height > height {
		return nil, fmt.Errorf("got a JPEG of %dx%d, want at least 1x1 and at most %dx%d", f.width, f.height, width, height)
	}
	c := asStored
	if convert && len(f.parts) == 3 {
		c = fromYCbCr
	}
	r := &raster.Raster{Width: f.width, Height: f.height, Channels: len(f.parts), Pix8: make([]uint8, f.width*f.height*len(f.parts))}
	return r, d.picture(b, r.Pix8, c, nil)
}

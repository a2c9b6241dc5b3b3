package jpeg

import (
	"bytes"
	"errors"
	"fmt"

	"github.com/poolctl/poolctl/internal/imgio/input"
	"github.com/poolctl/poolctl/internal/imgio/raster"
	"github.com/poolctl/poolctl/internal/tensor"
)

// decoder decodes one picture from a stream.
type decoder struct {
	tables
	in    *stream
	frame *frame
	jfif  bool
	adobe int // the transform in Adobe's segment, or -1

	// Scans of a few bytes can cover the whole picture, so there is a limit on the
	// pixels of all scans.
	mostPixels, scans int
}

const (
	// mostScans is the largest number of scans. Ordinary progressive files have 10.
	mostScans = 100

	// mostPasses is how often scans can cover a picture of the largest size.
	mostPasses = 32
)

var errNoPicture = errors.New("holds no picture")

// header reads up to the first scan and returns its segment.
func (d *decoder) header() ([]byte, error) {
	start, err := d.in.take(2)
	if err != nil {
		return nil, err
	}
	if start[0] != 0xff || start[1] != soi {
		return nil, errors.New("does not begin with the marker of an image")
	}
	b, err := d.toScan()
	if err == nil && b == nil {
		err = errNoPicture
	}
	if err == nil && d.frame == nil {
		err = errors.New("has a scan before its frame header")
	}
	return b, err
}

// toScan reads the segments before the next scan, and returns that of the scan; nil
// at the end of the image.
func (d *decoder) toScan() ([]byte, error) {
	for {
		marker, err := d.in.marker()
		if err != nil {
			return nil, err
		}
		if marker == eoi {
			return nil, nil
		}
		if marker == 0x01 || 0xd0 <= marker && marker <= 0xd7 { // markers without a segment
			continue
		}
		b, err := d.in.segment()
		if err != nil {
			return nil, err
		}
		switch {
		case marker == sos:
			return b, nil
		case marker == dqt:
			err = d.readQuantisers(b)
		case marker == dht:
			err = d.readCodes(b)
		case marker == dri:
			err = d.readRestart(b)
		case isFrame(marker):
			if d.frame != nil {
				return nil, errors.New("has two frame headers")
			}
			d.frame, err = parseFrame(marker, b)
		case marker == app0:
			d.jfif = d.jfif || len(b) >= 14 && bytes.HasPrefix(b, []byte("JFIF\x00"))
		case marker == app14:
			if len(b) >= 12 && bytes.HasPrefix(b, []byte("Adobe")) {
				d.adobe = int(b[11])
			}
		case marker&0xf0 == 0xe0 || marker == com || marker == dac:
		default:
			err = fmt.Errorf("got marker %#x, which is unknown", marker)
		}
		if err != nil {
			return nil, err
		}
	}
}

// colours decides what the components are, as libjpeg does.
func (d *decoder) colours() colours {
	parts := d.frame.parts
	switch {
	case len(parts) == 4 && (d.adobe == -1 || d.adobe == 0):
		return fromCMYK
	case len(parts) == 4:
		return fromYCCK
	case len(parts) == 1, !d.jfif && d.adobe == 0,
		!d.jfif && d.adobe == -1 && parts[0].id == 'R' && parts[1].id == 'G' && parts[2].id == 'B':
		return asStored
	}
	return fromYCbCr
}

// picture decodes all scans, of which b is the first one's segment, into dst.
func (d *decoder) picture(b []byte, dst []uint8, c colours, told *tensor.Progress) error {
	f := d.frame
	f.allocate()
	convert := newConversion(dst, f, c)
	done := 0
	ready := func(m int) {
		rows := min((m+1)*8*f.v, f.height)
		if m < f.down-1 {
			rows -= convert.lookahead()
		}
		convert.rows(done, rows)
		told.Reach(rows * f.width * convert.channels)
		done = rows
	}
	for b != nil {
		if done > 0 {
			return errors.New("has a scan after one of all components")
		}
		if err := d.count(); err != nil {
			return err
		}
		s, err := newScan(b, f, &d.tables, d.in)
		if err != nil {
			return err
		}
		switch {
		case f.progressive:
			err = s.progressive()
		case d.scans == 1 && len(s.parts) == len(f.parts):
			err = s.sequential(ready)
		default:
			err = s.sequential(func(int) {})
		}
		if err == nil {
			b, err = d.toScan()
		}
		if err != nil {
			return err
		}
	}
	if err := f.complete(); err != nil || done > 0 {
		return err
	}
	if f.progressive {
		f.transform()
	}
	raster.Bands(f.height, 16, raster.InOrder(convert.rows, func(hi int) { told.Reach(hi * f.width * convert.channels) }))
	return nil
}

// count counts a scan and holds it against the limits.
func (d *decoder) count() error {
	d.scans++
	if d.scans > mostScans {
		return input.TooMuch("got more than %d scans, want at most that", mostScans)
	}
	if pixels := d.frame.width * d.frame.height; d.scans > mostPasses*d.mostPixels/pixels {
		return input.TooMuch("got %d or more scans of %d pixels, want <= %d pixels in all scans: %d times --max-pixels", d.scans, pixels, mostPasses*d.mostPixels, mostPasses)
	}
	return nil
}

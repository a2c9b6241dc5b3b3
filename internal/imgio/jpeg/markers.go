package jpeg

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"io"

	"github.com/poolctl/poolctl/internal/imgio/raster"
)

// markers is what the segments before the first scan say, beside the size.
type markers struct {
	orientation int // of the first EXIF block, 1 to 8
	frame       []byte
	progressive bool
}

// readMarkers reads the segments before the first scan. A missing or malformed
// EXIF block means upright, since broken metadata should not make a picture
// unreadable.
func readMarkers(r io.Reader) markers {
	const (
		app1       = 0xe1
		exifPrefix = "Exif\x00\x00"
	)
	m := markers{orientation: 1}
	b := bufio.NewReaderSize(r, 1<<12)
	if _, err := b.Discard(2); err != nil { // start of image
		return m
	}
	for exif := false; ; {
		marker, n, err := nextSegment(b)
		if err != nil {
			return m
		}
		isFrame := 0xc0 <= marker && marker <= 0xc2 // baseline, extended, progressive
		if !isFrame && (marker != app1 || exif) {
			if _, err := b.Discard(n); err != nil {
				return m
			}
			continue
		}
		data := make([]byte, n)
		if _, err := io.ReadFull(b, data); err != nil {
			return m
		}
		if isFrame {
			m.frame, m.progressive = data, marker == 0xc2
		} else if exif = bytes.HasPrefix(data, []byte(exifPrefix)); exif {
			m.orientation = raster.Orientation(data[len(exifPrefix):])
		}
	}
}

// nextSegment moves to the next marker that has a segment, and returns the
// segment's length. It returns io.EOF at the first scan and at the end of the
// image.
func nextSegment(b *bufio.Reader) (marker byte, n int, err error) {
	for {
		c, err := b.ReadByte()
		if err != nil {
			return 0, 0, err
		}
		if c != 0xff {
			continue // stray bytes between segments
		}
		for c == 0xff {
			if c, err = b.ReadByte(); err != nil {
				return 0, 0, err
			}
		}
		if c == 0 || c == 0x01 || 0xd0 <= c && c <= 0xd7 { // markers without a segment
			continue
		}
		if c == 0xda || c == 0xd9 { // start of scan, end of image
			return 0, 0, io.EOF
		}
		var size [2]byte
		if _, err := io.ReadFull(b, size[:]); err != nil {
			return 0, 0, err
		}
		n := int(binary.BigEndian.Uint16(size[:])) - 2
		if n < 0 {
			return 0, 0, io.ErrUnexpectedEOF
		}
		return c, n, nil
	}
}

// decoding returns the bytes that image/jpeg needs for a picture of that size: its
// planes in whole MCUs, four bytes more for each sample of a progressive file, and
// the interleaved samples of CMYK.
func (m markers) decoding(width, height int) int {
	const header, component = 6, 3 // precision, height, width, how many components; name, sampling, table
	if len(m.frame) < header || len(m.frame) < header+component*int(m.frame[5]) {
		return 0 // which the decoder refuses
	}
	components := int(m.frame[5])
	samples, across, down := 0, 1, 1
	for i := range components {
		sampling := int(m.frame[header+component*i+1])
		h, v := sampling>>4, sampling&15
		samples += h * v
		across, down = max(across, h), max(down, v)
	}
	if components == 1 {
		samples, across, down = 1, 1, 1
	}
	units := ((width + 8*across - 1) / (8 * across)) * ((height + 8*down - 1) / (8 * down))
	bytes := units * 64 * samples
	if m.progressive {
		bytes *= 5
	}
	if components == 4 {
		bytes += 4 * width * height
	}
	return bytes
}

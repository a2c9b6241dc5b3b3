package imgio

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"io"

	"github.com/poolctl/poolctl/internal/tensor"
)

// jpegMarkers is what a JPEG says before its first scan beside its size.
type jpegMarkers struct {
	orientation int // by the first EXIF block, 1 to 8
	frame       []byte
	progressive bool
}

// readJPEGMarkers walks the segments before the first scan. A malformed EXIF
// block, or none, means upright: a picture is worth more than its metadata.
func readJPEGMarkers(r io.Reader) jpegMarkers {
	const (
		app1       = 0xe1
		exifPrefix = "Exif\x00\x00"
	)
	m := jpegMarkers{orientation: 1}
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
			m.orientation = tiffOrientation(data[len(exifPrefix):])
		}
	}
}

// nextSegment goes to the next marker that has a segment and returns the
// segment's length; io.EOF at the first scan or the end of the image.
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

// decoding returns the bytes that the decoder needs for a picture of that size:
// its planes in whole units, four times as much again for the coefficients of a
// progressive one, and the inks of CMYK joined.
func (m jpegMarkers) decoding(width, height int) int {
	const header, component = 6, 3 // precision, height, width, how many components; name, sampling, table
	if len(m.frame) < header || len(m.frame) < header+component*int(m.frame[5]) {
		return 0 // the decoder refuses it
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

// tiffOrientation finds the orientation tag in the first directory of a TIFF
// structure.
func tiffOrientation(data []byte) int {
	const tag, short = 0x0112, 3
	if len(data) < 8 {
		return 1
	}
	var order binary.ByteOrder = binary.LittleEndian
	switch string(data[:4]) {
	case "II*\x00":
	case "MM\x00*":
		order = binary.BigEndian
	default:
		return 1
	}
	at := uint64(order.Uint32(data[4:]))
	if at+2 > uint64(len(data)) {
		return 1
	}
	entries := data[at+2:]
	for n := order.Uint16(data[at:]); n > 0 && len(entries) >= 12; n, entries = n-1, entries[12:] {
		if order.Uint16(entries) != tag || order.Uint16(entries[2:]) != short {
			continue
		}
		if v := order.Uint16(entries[8:]); v >= 1 && v <= 8 {
			return int(v)
		}
		return 1
	}
	return 1
}

// turned reports whether an orientation swaps width and height.
func turned(orientation int) bool { return orientation >= 5 }

// orient writes the picture t, as it is to be looked at, into out.
func orient(out, t *tensor.Tensor, orientation int) {
	h, w, c := t.Shape[1], t.Shape[2], t.Shape[3]
	// The source pixel of output pixel (y, x) is start + y*down + x*right.
	var start, down, right int
	last := h*w - 1
	switch orientation {
	case 2: // mirrored left to right
		start, down, right = w-1, w, -1
	case 3: // turned by half
		start, down, right = last, -w, -1
	case 4: // mirrored top to bottom
		start, down, right = last-(w-1), -w, 1
	case 5: // transposed
		start, down, right = 0, 1, w
	case 6: // to be turned a quarter clockwise
		start, down, right = last-(w-1), 1, -w
	case 7: // mirrored on the other diagonal
		start, down, right = last, -1, -w
	case 8: // to be turned a quarter anticlockwise
		start, down, right = w-1, -1, w
	}
	if turned(orientation) {
		h, w = w, h
	}
	src, dst := tensor.Of[uint8](t), tensor.Of[uint8](out)
	const block = 16 // rows at a time, so that a turned picture's columns are read together
	bands(h, block, func(lo, hi int) {
		for x := range w {
			for y := lo; y < hi; y++ {
				from := (start + y*down + x*right) * c
				copy(dst[(y*w+x)*c:(y*w+x+1)*c], src[from:from+c])
			}
		}
	})
}

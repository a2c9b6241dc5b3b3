package raster

import (
	"encoding/binary"

	"github.com/poolctl/poolctl/internal/tensor"
)

// Orientation returns the orientation, 1 to 8, in an EXIF block: the tag in the
// first directory of a TIFF structure. It returns 1 (upright) if there is none.
func Orientation(data []byte) int {
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

// Turned reports whether an orientation exchanges width and height.
func Turned(orientation int) bool { return orientation >= 5 }

// Orient turns the stored picture t upright, into out.
func Orient(out, t *tensor.Tensor, orientation int) {
	h, w, c := t.Shape[1], t.Shape[2], t.Shape[3]
	// The source pixel of output pixel (y, x) is start + y*down + x*right.
	var start, down, right int
	last := h*w - 1
	switch orientation {
	case 2: // mirrored left to right
		start, down, right = w-1, w, -1
	case 3: // rotated by 180°
		start, down, right = last, -w, -1
	case 4: // mirrored top to bottom
		start, down, right = last-(w-1), -w, 1
	case 5: // transposed
		start, down, right = 0, 1, w
	case 6: // to be rotated 90° clockwise
		start, down, right = last-(w-1), 1, -w
	case 7: // mirrored in the other diagonal
		start, down, right = last, -1, -w
	case 8: // to be rotated 90° anticlockwise
		start, down, right = w-1, -1, w
	}
	if Turned(orientation) {
		h, w = w, h
	}
	src, dst := tensor.Of[uint8](t), tensor.Of[uint8](out)
	const block = 16 // rows at a time, so that columns of a rotated picture are read together
	Bands(h, block, func(lo, hi int) {
		for x := range w {
			for y := lo; y < hi; y++ {
				from := (start + y*down + x*right) * c
				copy(dst[(y*w+x)*c:(y*w+x+1)*c], src[from:from+c])
			}
		}
	})
}

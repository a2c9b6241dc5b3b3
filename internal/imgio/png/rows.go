package png

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math/bits"

	"github.com/poolctl/poolctl/internal/imgio/input"
	"github.com/poolctl/poolctl/internal/tensor"
)

// The row filters of PNG.
const (
	filterNone = iota
	filterSub
	filterUp
	filterAverage
	filterPaeth
)

// rowBytes returns the bytes of a row of so many pixels, without the filter byte.
func (h *header) rowBytes(width int) int { return (width*h.stored()*h.depth + 7) / 8 }

// readRows reads and unfilters rows, and calls visit for each.
func readRows(r *bufio.Reader, h *header, width, height int, visit func(y int, row []byte) error) error {
	n := h.rowBytes(width)
	pixel := max(1, h.stored()*h.depth/8)
	row, above := make([]byte, n), make([]byte, n)
	for y := range height {
		filter, err := r.ReadByte()
		if err == nil {
			_, err = io.ReadFull(r, row)
		}
		if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, input.ErrCut) {
			return fmt.Errorf("%d of %d rows missing, the file is cut", height-y, height)
		}
		if err != nil {
			return fmt.Errorf("row %d of %d: %w", y, height, err)
		}
		if filter > filterPaeth {
			return fmt.Errorf("row %d of %d: got filter %d, want 0 to 4", y, height, filter)
		}
		unfilter(filter, row, above, pixel)
		if err := visit(y, row); err != nil {
			return fmt.Errorf("row %d of %d: %w", y, height, err)
		}
		row, above = above, row
	}
	return nil
}

// unfilter restores a row in place. pixel is the distance in bytes to the same
// sample of the pixel on the left.
func unfilter(filter byte, row, above []byte, pixel int) {
	above = above[:len(row)]
	switch filter {
	case filterSub:
		for i := pixel; i < len(row); i++ {
			row[i] += row[i-pixel]
		}
	case filterUp:
		for i, b := range above {
			row[i] += b
		}
	case filterAverage:
		for i := range min(pixel, len(row)) {
			row[i] += above[i] / 2
		}
		for i := pixel; i < len(row); i++ {
			row[i] += uint8((int(row[i-pixel]) + int(above[i])) / 2)
		}
	case filterPaeth:
		for i := range min(pixel, len(row)) {
			row[i] += above[i]
		}
		if pixel == 3 {
			unpaeth3(row, above)
			return
		}
		for start := range min(pixel, max(0, len(row)-pixel)) { // channel by channel, so that left and corner stay in registers
			left, corner := int32(row[start]), int32(above[start])
			for i := start + pixel; i < len(row); i += pixel {
				up := int32(above[i])
				left = (int32(row[i]) + paeth(left, up, corner)) & 0xff
				row[i] = uint8(left)
				corner = up
			}
		}
	}
}

// unpaeth3 restores a row of pixels of three bytes, after the first pixel. The
// three bytes of a pixel are computed independently of each other.
func unpaeth3(row, above []byte) {
	if len(row) < 6 {
		return
	}
	left0, left1, left2 := int32(row[0]), int32(row[1]), int32(row[2])
	corner0, corner1, corner2 := int32(above[0]), int32(above[1]), int32(above[2])
	for i := 3; i+3 <= len(row) && i+3 <= len(above); i += 3 {
		p, q := row[i:i+3:i+3], above[i:i+3:i+3]
		up0, up1, up2 := int32(q[0]), int32(q[1]), int32(q[2])
		left0 = (int32(p[0]) + paeth(left0, up0, corner0)) & 0xff
		left1 = (int32(p[1]) + paeth(left1, up1, corner1)) & 0xff
		left2 = (int32(p[2]) + paeth(left2, up2, corner2)) & 0xff
		p[0], p[1], p[2] = uint8(left0), uint8(left1), uint8(left2)
		corner0, corner1, corner2 = up0, up1, up2
	}
}

// paeth returns the argument nearest to left+up-corner, the first of equals. This
// form needs no branches, which would be mispredicted.
func paeth(left, up, corner int32) int32 {
	mirrored := 3*corner - left - up
	lo, hi := min(left, up), max(left, up)
	nearest := corner
	if hi <= mirrored {
		nearest = lo
	}
	if mirrored <= lo {
		nearest = hi
	}
	return nearest
}

func abs(x int) int {
	sign := x >> (bits.UintSize - 1)
	return x ^ sign - sign
}

// adam7 lists the passes of an interlaced PNG: the first pixel and the step in x
// and y.
var adam7 = [7]struct{ x, y, dx, dy int }{
	{0, 0, 8, 8}, {4, 0, 8, 8}, {0, 4, 4, 8}, {2, 0, 4, 4}, {0, 2, 2, 4}, {1, 0, 2, 2}, {0, 1, 1, 2},
}

func readInterlaced(r *bufio.Reader, h *header, t *tensor.Tensor) error {
	for i, p := range adam7 {
		width, height := (h.width-p.x+p.dx-1)/p.dx, (h.height-p.y+p.dy-1)/p.dy
		if width <= 0 || height <= 0 {
			continue
		}
		err := readRows(r, h, width, height, func(y int, row []byte) error {
			return h.unpack(t, (p.y+y*p.dy)*h.width+p.x, p.dx, width, row)
		})
		if err != nil {
			return fmt.Errorf("interlace pass %d of 7: %w", i+1, err)
		}
	}
	return nil
}

// unpack writes the pixels of a row into t, to pixels first, first+step, ….
func (h *header) unpack(t *tensor.Tensor, first, step, width int, row []byte) error {
	channels := h.channels()
	if h.depth == 16 {
		h.unpack16(tensor.Of[uint16](t)[first*channels:], step*channels, width, row)
		return nil
	}
	dst := tensor.Of[uint8](t)[first*channels:]
	if h.depth < 8 || h.colour == colourPalette {
		return h.unpackIndexed(dst, step*channels, width, row)
	}
	stored := h.stored()
	if stored == channels && step == 1 {
		copy(dst, row)
		return nil
	}
	step *= channels
	for x, at := 0, 0; x < width; x, at = x+1, at+step {
		pixel := row[x*stored : (x+1)*stored]
		copy(dst[at:], pixel)
		if h.translucent {
			dst[at+stored] = 255
			if h.isTransparent8(pixel) {
				dst[at+stored] = 0
			}
		}
	}
	return nil
}

// isTransparent8 reports whether an 8-bit pixel has the transparent colour.
func (h *header) isTransparent8(pixel []byte) bool {
	for i, v := range pixel {
		if v != h.transparent[2*i+1] {
			return false
		}
	}
	return true
}

func (h *header) unpack16(dst []uint16, step, width int, row []byte) {
	stored := h.stored()
	for x, at := 0, 0; x < width; x, at = x+1, at+step {
		pixel := row[2*x*stored : 2*(x+1)*stored]
		for i := range stored {
			dst[at+i] = binary.BigEndian.Uint16(pixel[2*i:])
		}
		if h.translucent {
			dst[at+stored] = 0xffff
			if string(pixel) == string(h.transparent) {
				dst[at+stored] = 0
			}
		}
	}
}

// unpackIndexed unpacks palette indices, and grey levels of 1, 2 and 4 bits.
func (h *header) unpackIndexed(dst []uint8, step, width int, row []byte) error {
	mask := byte(1<<h.depth - 1)
	for x, at := 0, 0; x < width; x, at = x+1, at+step {
		bit := x * h.depth
		v := row[bit/8] >> (8 - h.depth - bit%8) & mask
		switch {
		case h.colour == colourPalette:
			if int(v) >= len(h.palette) {
				return fmt.Errorf("got palette index %d, want < %d", v, len(h.palette))
			}
			colour := &h.palette[v]
			dst[at], dst[at+1], dst[at+2] = colour[0], colour[1], colour[2]
			if h.translucent {
				dst[at+3] = colour[3]
			}
		case h.translucent:
			dst[at], dst[at+1] = v*(255/mask), 255
			if v == h.transparent[1]&mask {
				dst[at+1] = 0
			}
		default:
			dst[at] = v * (255 / mask)
		}
	}
	return nil
}

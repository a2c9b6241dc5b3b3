package bmp

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math/bits"

	"github.com/poolctl/poolctl/internal/imgio/input"
	"github.com/poolctl/poolctl/internal/imgio/raster"
	"github.com/poolctl/poolctl/internal/tensor"
)

// The compressions of BMP.
const (
	plain          = 0
	rle8           = 1
	rle4           = 2
	bitFields      = 3
	alphaBitFields = 6
)

// header is what a BMP says before its pixel data.
type header struct {
	width, height int
	topDown       bool
	bits          int
	compression   uint32
	offset        int64 // of the pixels
	palette       [][3]uint8
	masks         [4]uint32 // red, green, blue, alpha; 0 for no alpha
}

// channels returns 4 if there is a mask for alpha, else 3.
func (h *header) channels() int {
	if h.masks[3] != 0 {
		return 4
	}
	return 3
}

// rowBytes returns the bytes of a row without padding.
func (h *header) rowBytes() int { return (h.width*h.bits + 7) / 8 }

// stride returns the bytes of a row with padding.
func (h *header) stride() int { return (h.rowBytes() + 3) &^ 3 }

// Open reads the header of a BMP: palettes of 1, 2, 4 and 8 bits, run-length coded
// ones too, and pixels of 16, 24 and 32 bits with any masks. The picture is RGB,
// or RGBA if there is a mask for alpha.
func Open(in *input.File, o raster.Options) (raster.Header, raster.Decoder, error) {
	h, err := readHeader(in.Section())
	if err != nil {
		return raster.Header{}, nil, err
	}
	if err := o.Check(h.width, h.height); err != nil {
		return raster.Header{}, nil, err
	}
	if h.compression != rle8 && h.compression != rle4 {
		have := max(0, in.Size-h.offset)
		if rows := (have + int64(h.stride()-h.rowBytes())) / int64(h.stride()); rows < int64(h.height) {
			return raster.Header{}, nil, fmt.Errorf("%d of %d rows missing, the file is cut", int64(h.height)-rows, h.height)
		}
	}
	info := raster.Header{Width: h.width, Height: h.height, Channels: h.channels(), Depth: 8}
	return info, func(t *tensor.Tensor, _ *tensor.Progress) error {
		r := bufio.NewReaderSize(io.NewSectionReader(in.Content, h.offset, max(0, in.Size-h.offset)), 1<<16)
		if h.compression == rle8 || h.compression == rle4 {
			return h.readRuns(tensor.Of[uint8](t), r)
		}
		return h.readRows(tensor.Of[uint8](t), r)
	}, nil
}

func readHeader(r io.Reader) (*header, error) {
	order := binary.LittleEndian
	const fileHeader = 14
	b := make([]byte, fileHeader+4, 256)
	if _, err := io.ReadFull(r, b); err != nil {
		return nil, err
	}
	size := int(order.Uint32(b[fileHeader:]))
	switch size {
	case 12, 40, 52, 56, 64, 108, 124:
	default:
		return nil, fmt.Errorf("got a header of %d bytes, want 12, 40, 52, 56, 64, 108 or 124", size)
	}
	b = b[:fileHeader+size]
	if _, err := io.ReadFull(r, b[fileHeader+4:]); err != nil {
		return nil, err
	}
	h := &header{offset: int64(order.Uint32(b[10:]))}
	info, planes, used := b[fileHeader:], 0, uint32(0)
	if size == 12 {
		h.width, h.height = int(order.Uint16(info[4:])), int(order.Uint16(info[6:]))
		planes, h.bits = int(order.Uint16(info[8:])), int(order.Uint16(info[10:]))
	} else {
		h.width, h.height = int(int32(order.Uint32(info[4:]))), int(int32(order.Uint32(info[8:])))
		planes, h.bits = int(order.Uint16(info[12:])), int(order.Uint16(info[14:]))
		h.compression, used = order.Uint32(info[16:]), order.Uint32(info[32:])
	}
	if h.height < 0 {
		h.height, h.topDown = -h.height, true
	}
	if planes != 1 {
		return nil, fmt.Errorf("got %d planes, want 1", planes)
	}
	if err := h.checkCompression(size); err != nil {
		return nil, err
	}
	after := int64(fileHeader + size)
	masks, err := h.readMasks(r, info)
	if err != nil {
		return nil, err
	}
	after += int64(masks)
	if h.offset < after {
		return nil, fmt.Errorf("got pixels at byte %d, want them after the header's %d", h.offset, after)
	}
	if h.bits <= 8 {
		return h, h.readPalette(r, size, used, h.offset-after)
	}
	return h, nil
}

// checkCompression refuses combinations of bits and compression that do not exist
// or are not supported. In OS/2 headers, of 64 bytes, compressions from 3 on have
// other meanings.
func (h *header) checkCompression(size int) error {
	allowed := map[uint32][]int{
		plain: {1, 2, 4, 8, 16, 24, 32}, rle8: {8}, rle4: {4}, bitFields: {16, 32}, alphaBitFields: {16, 32},
	}
	if size == 64 && h.compression > rle4 {
		return fmt.Errorf("got OS/2 compression %d, want 0, 1 or 2", h.compression)
	}
	for _, b := range allowed[h.compression] {
		if b == h.bits {
			if h.topDown && (h.compression == rle8 || h.compression == rle4) {
				return errors.New("got runs from the top, want them from the bottom")
			}
			return nil
		}
	}
	return fmt.Errorf("got compression %d with %d bits, want 0 (none), 1 (RLE, 8), 2 (RLE, 4), 3 or 6 (masks, 16 or 32)", h.compression, h.bits)
}

// readMasks reads the masks of the samples in pixels of 16 and 32 bits. It returns
// how many bytes it read: masks follow a short header and are part of a long one.
func (h *header) readMasks(r io.Reader, info []byte) (read int, err error) {
	switch h.compression {
	case plain:
		if h.bits == 16 {
			h.masks = [4]uint32{0x7c00, 0x3e0, 0x1f}
		} else {
			h.masks = [4]uint32{0xff0000, 0xff00, 0xff}
		}
		return 0, nil
	case bitFields, alphaBitFields:
	default:
		return 0, nil
	}
	source := info[min(40, len(info)):]
	if len(source) == 0 {
		read = 12
		if h.compression == alphaBitFields {
			read = 16
		}
		source = make([]byte, read)
		if _, err := io.ReadFull(r, source); err != nil {
			return 0, err
		}
	}
	for i := range h.masks {
		if len(source) < 4*i+4 {
			break
		}
		mask := binary.LittleEndian.Uint32(source[4*i:])
		h.masks[i] = mask
		if run := mask >> bits.TrailingZeros32(mask); mask != 0 && run&(run+1) != 0 || uint64(mask)>>h.bits != 0 {
			return 0, fmt.Errorf("got mask 0x%08x, want a run of ones within %d bits", mask, h.bits)
		}
	}
	if h.masks[0]|h.masks[1]|h.masks[2] == 0 {
		return 0, errors.New("got no masks, want those of red, green and blue")
	}
	return read, nil
}

// readPalette reads the palette, of at most room bytes.
func (h *header) readPalette(r io.Reader, headerSize int, used uint32, room int64) error {
	entry := 4
	if headerSize == 12 {
		entry = 3
	}
	n := 1 << h.bits
	if int64(used) > int64(n) {
		return fmt.Errorf("got a palette of %d colours, want <= %d for %d bits", used, n, h.bits)
	}
	if used != 0 {
		n = int(used)
	}
	n = int(min(int64(n), room/int64(entry)))
	if n == 0 {
		return errors.New("the palette is missing")
	}
	data := make([]byte, n*entry)
	if _, err := io.ReadFull(r, data); err != nil {
		return err
	}
	for i := 0; i < len(data); i += entry {
		h.palette = append(h.palette, [3]uint8{data[i+2], data[i+1], data[i]})
	}
	return nil
}

// rowAt returns the row of dst for row y of the file.
func (h *header) rowAt(dst []uint8, y int) []uint8 {
	if !h.topDown {
		y = h.height - 1 - y
	}
	n := h.width * h.channels()
	return dst[y*n : (y+1)*n]
}

func (h *header) readRows(dst []uint8, r io.Reader) error {
	row := make([]byte, h.stride())
	samples := h.maskedSamples()
	for y := range h.height {
		if n, err := io.ReadFull(r, row); err != nil && n < h.rowBytes() {
			return fmt.Errorf("%d of %d rows missing, the file is cut", h.height-y, h.height)
		}
		out := h.rowAt(dst, y)
		var err error
		switch {
		case h.bits <= 8:
			err = h.unpackIndexes(out, row)
		case h.bits == 24:
			for i := 0; i < len(out); i += 3 {
				out[i], out[i+1], out[i+2] = row[i+2], row[i+1], row[i]
			}
		default:
			h.unpackMasked(out, row, samples)
		}
		if err != nil {
			return fmt.Errorf("row %d of %d: %w", y, h.height, err)
		}
	}
	return nil
}

func (h *header) unpackIndexes(out []uint8, row []byte) error {
	mask := byte(1<<h.bits - 1)
	for x := range h.width {
		bit := x * h.bits
		if err := h.put(out, x, row[bit/8]>>(8-h.bits-bit%8)&mask); err != nil {
			return err
		}
	}
	return nil
}

// put writes the colour of a palette index to pixel x.
func (h *header) put(out []uint8, x int, index uint8) error {
	if int(index) >= len(h.palette) {
		return fmt.Errorf("got palette index %d, want < %d", index, len(h.palette))
	}
	copy(out[3*x:3*x+3], h.palette[index][:])
	return nil
}

// maskedSample says how to extract a sample from a pixel.
type maskedSample struct {
	shift      int
	mask, most uint64
}

func (h *header) maskedSamples() []maskedSample {
	list := make([]maskedSample, h.channels())
	for i := range list {
		m := h.masks[i]
		shift := bits.TrailingZeros32(m) % 32
		list[i] = maskedSample{shift, uint64(m >> shift), max(1, uint64(m>>shift))}
	}
	return list
}

// unpackMasked extracts samples by their masks and scales those that do not have 8
// bits to 0…255, rounding. A mask of zero gives zero.
func (h *header) unpackMasked(out []uint8, row []byte, samples []maskedSample) {
	size := h.bits / 8
	for x := range h.width {
		var pixel uint64
		if size == 2 {
			pixel = uint64(binary.LittleEndian.Uint16(row[2*x:]))
		} else {
			pixel = uint64(binary.LittleEndian.Uint32(row[4*x:]))
		}
		for i, s := range samples {
			v := pixel >> s.shift & s.mask
			if s.mask != 255 {
				v = (v*255 + s.most/2) / s.most
			}
			out[x*len(samples)+i] = uint8(v)
		}
	}
}

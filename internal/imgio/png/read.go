package png

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"hash"
	"hash/crc32"
	"io"

	"github.com/klauspost/compress/zlib"
	"github.com/poolctl/poolctl/internal/imgio/input"
	"github.com/poolctl/poolctl/internal/imgio/raster"
	"github.com/poolctl/poolctl/internal/tensor"
)

// PNG's colour types.
const (
	colourGrey      = 0
	colourRGB       = 2
	colourPalette   = 3
	colourGreyAlpha = 4
	colourRGBA      = 6
)

const magic = "\x89PNG\r\n\x1a\n"

// header is what a PNG says before its pixel data.
type header struct {
	width, height int
	depth         int // bits per stored sample: 1, 2, 4, 8, 16
	colour        int
	interlaced    bool
	palette       [][4]byte // RGBA
	transparent   []byte    // the tRNS chunk
	translucent   bool      // tRNS adds an alpha channel
}

// stored returns the number of samples per pixel in the file.
func (h *header) stored() int {
	return [...]int{colourGrey: 1, colourRGB: 3, colourPalette: 1, colourGreyAlpha: 2, colourRGBA: 4}[h.colour]
}

// channels returns the number of channels of the picture.
func (h *header) channels() int {
	n := h.stored()
	if h.colour == colourPalette {
		n = 3
	}
	if h.translucent {
		n++
	}
	return n
}

// chunks iterates over the chunks of a PNG and verifies their checksums.
type chunks struct {
	r         *bufio.Reader
	crc       hash.Hash32
	kind      string
	remaining uint32 // unread bytes of the current chunk
}

// next starts the next chunk.
func (c *chunks) next() error {
	var head [8]byte
	if _, err := io.ReadFull(c.r, head[:]); err != nil {
		return input.Unexpected(err)
	}
	c.remaining, c.kind = binary.BigEndian.Uint32(head[:]), string(head[4:])
	if c.remaining > 1<<31-1 {
		return fmt.Errorf("chunk %q: got length %d, want < 2^31", c.kind, c.remaining)
	}
	c.crc.Reset()
	c.crc.Write(head[4:])
	return nil
}

// Read reads from the current chunk.
func (c *chunks) Read(p []byte) (int, error) {
	if c.remaining == 0 {
		return 0, io.EOF
	}
	n, err := c.r.Read(p[:min(len(p), int(c.remaining))])
	c.remaining -= uint32(n)
	c.crc.Write(p[:n])
	if err != nil {
		err = input.Unexpected(err)
	}
	return n, err
}

// finish skips the rest of the current chunk and checks its checksum.
func (c *chunks) finish() error {
	if _, err := io.Copy(io.Discard, c); err != nil {
		return err
	}
	var sum [4]byte
	if _, err := io.ReadFull(c.r, sum[:]); err != nil {
		return input.Unexpected(err)
	}
	if got, want := binary.BigEndian.Uint32(sum[:]), c.crc.Sum32(); got != want {
		return fmt.Errorf("chunk %q: got checksum %08x, want %08x: the file is damaged", c.kind, got, want)
	}
	return nil
}

// whole reads the current chunk, of at most so many bytes.
func (c *chunks) whole(most uint32) ([]byte, error) {
	if c.remaining > most {
		return nil, fmt.Errorf("chunk %q: got %d bytes, want <= %d", c.kind, c.remaining, most)
	}
	data := make([]byte, c.remaining)
	if _, err := io.ReadFull(c, data); err != nil && err != io.EOF {
		return nil, err
	}
	return data, c.finish()
}

// Open reads a PNG up to its pixel data.
func Open(in *input.File, o raster.Options) (raster.Header, raster.Decoder, error) {
	c := &chunks{r: bufio.NewReaderSize(in.Section(), 1<<16), crc: crc32.NewIEEE()}
	h, err := readHeader(c, o)
	if err != nil {
		return raster.Header{}, nil, err
	}
	info := raster.Header{Width: h.width, Height: h.height, Channels: h.channels(), Depth: max(h.depth, 8), Orientation: orientation(in)}
	info.Decoding = 2 * h.width * h.stored() * info.Depth / 8 // two rows
	return info, func(t *tensor.Tensor, told *tensor.Progress) error { return readPixels(c, h, t, told) }, nil
}

func readHeader(c *chunks, o raster.Options) (*header, error) {
	if _, err := c.r.Discard(len(magic)); err != nil {
		return nil, input.Unexpected(err)
	}
	if err := c.next(); err != nil {
		return nil, err
	}
	if c.kind != "IHDR" {
		return nil, fmt.Errorf("begins with chunk %q, want IHDR", c.kind)
	}
	data, err := c.whole(13)
	if err != nil {
		return nil, err
	}
	h, err := parseIHDR(data)
	if err != nil {
		return nil, err
	}
	if err := o.Check(h.width, h.height); err != nil {
		return nil, err
	}
	for {
		if err := c.next(); err != nil {
			return nil, err
		}
		switch c.kind {
		case "IDAT":
			if h.colour == colourPalette && h.palette == nil {
				return nil, errors.New("the palette is missing")
			}
			return h, nil
		case "PLTE":
			err = h.readPalette(c)
		case "tRNS":
			err = h.readTransparency(c)
		default:
			err = c.skip()
		}
		if err != nil {
			return nil, err
		}
	}
}

// skip skips an ancillary chunk. It refuses a critical one, whose name begins with
// a capital letter.
func (c *chunks) skip() error {
	if c.kind[0]&0x20 == 0 {
		return fmt.Errorf("got chunk %q, want IHDR, PLTE, IDAT, IEND once and in this order", c.kind)
	}
	return c.finish()
}

func parseIHDR(data []byte) (*header, error) {
	if len(data) != 13 {
		return nil, fmt.Errorf("chunk IHDR: got %d bytes, want 13", len(data))
	}
	width, height := binary.BigEndian.Uint32(data), binary.BigEndian.Uint32(data[4:])
	h := &header{width: int(width), height: int(height), depth: int(data[8]), colour: int(data[9]), interlaced: data[12] == 1}
	if width > 1<<31-1 || height > 1<<31-1 {
		return nil, fmt.Errorf("got size %dx%d, want < 2^31", width, height)
	}
	depths := map[int][]int{colourGrey: {1, 2, 4, 8, 16}, colourRGB: {8, 16}, colourPalette: {1, 2, 4, 8}, colourGreyAlpha: {8, 16}, colourRGBA: {8, 16}}
	ok := false
	for _, d := range depths[h.colour] {
		ok = ok || d == h.depth
	}
	if !ok {
		return nil, fmt.Errorf("got colour type %d with %d bits, want a pair that PNG has", h.colour, h.depth)
	}
	if data[10] != 0 || data[11] != 0 || data[12] > 1 {
		return nil, fmt.Errorf("got compression %d, filter %d, interlace %d, want 0, 0, 0 or 1", data[10], data[11], data[12])
	}
	return h, nil
}

func (h *header) readPalette(c *chunks) error {
	if h.palette != nil || h.transparent != nil || h.colour == colourGrey || h.colour == colourGreyAlpha {
		return errors.New("got a palette, want at most one, before tRNS, in a colour picture")
	}
	data, err := c.whole(3 * 256)
	if err != nil {
		return err
	}
	n := len(data) / 3
	most := 256
	if h.colour == colourPalette {
		most = 1 << h.depth
	}
	if len(data)%3 != 0 || n == 0 || n > most {
		return fmt.Errorf("chunk PLTE: got %d bytes, want 3 for each of 1 to %d colours", len(data), most)
	}
	h.palette = make([][4]byte, n)
	for i := range h.palette {
		h.palette[i] = [4]byte{data[3*i], data[3*i+1], data[3*i+2], 255}
	}
	return nil
}

func (h *header) readTransparency(c *chunks) error {
	data, err := c.whole(256)
	if err != nil {
		return err
	}
	if h.transparent != nil {
		return errors.New("got chunk tRNS twice")
	}
	want := map[int]int{colourGrey: 2, colourRGB: 6}[h.colour]
	switch {
	case h.colour == colourPalette:
		if h.palette == nil || len(data) > len(h.palette) {
			return fmt.Errorf("chunk tRNS: got %d entries, want at most the palette's %d", len(data), len(h.palette))
		}
		for i, a := range data {
			h.palette[i][3] = a
			h.translucent = h.translucent || a < 255
		}
	case want == 0:
		return fmt.Errorf("got chunk tRNS with colour type %d, which has its own alpha", h.colour)
	case len(data) != want:
		return fmt.Errorf("chunk tRNS: got %d bytes, want %d", len(data), want)
	default:
		h.translucent = true
	}
	h.transparent = data
	return nil
}

// compressed reads the compressed pixels: the contents of consecutive IDAT chunks.
type compressed struct{ c *chunks }

func (d compressed) Read(p []byte) (int, error) {
	for d.c.kind == "IDAT" && d.c.remaining == 0 {
		if err := d.c.finish(); err != nil {
			return 0, err
		}
		if err := d.c.next(); err != nil {
			return 0, err
		}
	}
	if d.c.kind != "IDAT" {
		return 0, io.EOF
	}
	return d.c.Read(p)
}

// restore unfilters the inflated rows. There must be no data after them.
func restore(z io.Reader, h *header, t *tensor.Tensor, told *tensor.Progress) (err error) {
	inflated := raster.ReadAhead(z)
	defer inflated.Close()
	rows := bufio.NewReaderSize(inflated, 1<<12)
	if h.interlaced {
		err = readInterlaced(rows, h, t)
	} else {
		line := h.width * h.channels()
		err = readRows(rows, h, h.width, h.height, func(y int, row []byte) error {
			err := h.unpack(t, y*h.width, 1, h.width, row)
			told.Reach((y + 1) * line)
			return err
		})
	}
	if err != nil {
		return err
	}
	// Reading one more byte verifies the checksum at the end of the data.
	switch _, err := rows.ReadByte(); {
	case err == nil:
		return fmt.Errorf("got more pixels than the %dx%d of the header", h.width, h.height)
	case err != io.EOF:
		return fmt.Errorf("compressed data: %w", err)
	}
	return nil
}

// readPixels decodes the pixels into t and reads the file to its end. One
// goroutine inflates while another restores rows.
func readPixels(c *chunks, h *header, t *tensor.Tensor, told *tensor.Progress) error {
	z, err := zlib.NewReader(bufio.NewReaderSize(compressed{c}, 1<<15))
	if err != nil {
		return fmt.Errorf("compressed data: %w", err)
	}
	defer z.Close()
	if err := restore(z, h, t, told); err != nil {
		return err
	}
	for c.kind == "IDAT" {
		if err := c.finish(); err != nil {
			return err
		}
		if err := c.next(); err != nil {
			return err
		}
	}
	for c.kind != "IEND" {
		if err := c.skip(); err != nil {
			return err
		}
		if err := c.next(); err != nil {
			return err
		}
	}
	return c.finish()
}

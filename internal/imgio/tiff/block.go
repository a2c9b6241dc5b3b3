package tiff

import (
	"bufio"
	"errors"
	"fmt"
	"io"

	"github.com/poolctl/poolctl/internal/imgio/input"
)

// word holds the bits of a sample, whatever its type.
type word interface {
	uint8 | uint16 | uint32 | uint64
}

// finisher turns a row of stored samples into a row of the picture. Where a pixel
// keeps its number of samples, both are the same memory.
type finisher[U word] func(out, row []U) error

// readBlock decodes a strip or tile into the picture, row by row: of each plane one.
func readBlock[U word](p *picture, out []U, finish finisher[U], row, column int) error {
	y, i := row*p.blockHeight, row*p.across+column
	height := p.blockHeight
	if !p.tiled { // the last strip is shorter; the last tiles are padded
		height = min(height, p.height-y)
	}
	readers := make([]io.Reader, p.planes)
	var err error
	for plane := 0; plane < p.planes && err == nil; plane++ {
		k := i + plane*p.across*p.down
		readers[plane], err = p.decompress(int64(p.offsets[k]), int64(p.counts[k]))
	}
	x, channels := column*p.blockWidth, p.channels()
	pixels := min(p.blockWidth, p.width-x)
	line := make([]byte, p.rowBytes())
	var stored []U
	if channels != p.samples {
		stored = make([]U, pixels*p.samples)
	}
	for ; err == nil && height > 0 && y < p.height; height-- {
		to := out[(y*p.width+x)*channels:][:pixels*channels]
		from := to
		if stored != nil {
			from = stored
		}
		for plane := 0; plane < p.planes && err == nil; plane++ {
			if _, err = io.ReadFull(readers[plane], line); err == nil {
				unpack(p, from[plane:], line)
			}
		}
		if err == nil {
			if p.predictor == 2 {
				for i := p.samples; i < len(from); i++ {
					from[i] += from[i-p.samples]
				}
			}
			if err = finish(to, from); err == nil {
				y++
			}
		}
	}
	for plane := 0; plane < p.planes && err == nil && height == 0 && isDeflate(p.compression); plane++ {
		// The checksum is verified at the end of the data. Of what follows the rows,
		// no more than their own size is read.
		if _, err = io.CopyN(io.Discard, readers[plane], int64(len(line))*int64(p.blockHeight)+1); errors.Is(err, io.EOF) {
			err = nil
		}
	}
	if err != nil {
		return fmt.Errorf("row %d of %d: %w", min(y, p.height-1), p.height, input.Unexpected(err))
	}
	return nil
}

// unpack takes the samples of a plane's row, as many as row has place for.
func unpack[U word](p *picture, row []U, line []byte) {
	if p.predictor == 3 {
		line = p.restored(line)
	}
	step := p.planes
	n := (len(row) + step - 1) / step
	switch p.bits {
	case 8:
		for i := range n {
			row[i*step] = U(line[i])
		}
	case 16:
		for i := range n {
			row[i*step] = U(p.order.Uint16(line[2*i:]))
		}
	case 32:
		for i := range n {
			row[i*step] = U(p.order.Uint32(line[4*i:]))
		}
	case 64:
		for i := range n {
			row[i*step] = U(p.order.Uint64(line[8*i:]))
		}
	default:
		p.unpackBits(line, func(i int, v uint32) { row[i*step] = U(v) }, n)
	}
}

// unpackBits takes samples of fewer than 16 bits that are no whole bytes, the first
// from the highest bits. Those of fewer than 8 bits become levels of 0…255, but for
// indices of a palette.
func (p *picture) unpackBits(line []byte, put func(i int, v uint32), n int) {
	factor := uint32(1)
	if p.bits < 8 && p.photometric != palette {
		factor = 255 / (1<<p.bits - 1)
	}
	var waiting uint32
	have := 0
	for i := range n {
		for ; have < p.bits; have += 8 {
			waiting = waiting<<8 | uint32(line[0])
			line = line[1:]
		}
		have -= p.bits
		put(i, waiting>>have&(1<<p.bits-1)*factor)
	}
}

// restored undoes the predictor of floating-point samples: TIFF Technical Note 3.
// The row holds the highest bytes of all samples, then the next ones, each as the
// difference from the byte of the pixel on the left. The result has p's byte order.
func (p *picture) restored(line []byte) []byte {
	size := p.bits / 8
	samples := p.samples / p.planes
	for i := samples; i < len(line); i++ {
		line[i] += line[i-samples]
	}
	n := len(line) / size
	out := make([]byte, len(line))
	for i := range n {
		for b := range size {
			at := b
			if p.order.String() == "LittleEndian" {
				at = size - 1 - b
			}
			out[i*size+at] = line[b*n+i]
		}
	}
	return out
}

// bufferBytes is how much of a block is read from the file at a time.
const bufferBytes = 1 << 15

// section returns the bytes of a block, with their bits in the usual order.
func (p *picture) section(offset, count int64) *bufio.Reader {
	var r io.Reader = io.NewSectionReader(p.in.Section(), offset, count)
	if p.reversed {
		r = reversed{r}
	}
	return bufio.NewReaderSize(r, bufferBytes)
}

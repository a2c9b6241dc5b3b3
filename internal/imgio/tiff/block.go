package tiff

import (
	"bufio"
	"errors"
	"fmt"
	"io"

	"github.com/poolctl/poolctl/internal/imgio/input"
	"github.com/poolctl/poolctl/internal/imgio/raster"
	"github.com/poolctl/poolctl/internal/tensor"
)

// readBlock decodes a strip or tile into t, row by row.
func (p *picture) readBlock(t *tensor.Tensor, row, column int) error {
	y, i := row*p.blockHeight, row*p.across+column
	height := p.blockHeight
	if !p.tiled { // the last strip is shorter; the last tiles are padded
		height = min(height, p.height-y)
	}
	r, err := p.decompress(int64(p.offsets[i]), int64(p.counts[i]), height)
	line := make([]byte, p.rowBytes())
	for ; err == nil && height > 0 && y < p.height; height-- {
		if _, err = io.ReadFull(r, line); err == nil {
			err = p.put(t, line, column*p.blockWidth, y)
			y++
		}
	}
	if err == nil && height == 0 && isDeflate(p.compression) {
		// The checksum is verified at the end of the data. Of what follows the rows,
		// no more than their own size is read.
		if _, err = io.CopyN(io.Discard, r, int64(len(line))*int64(p.blockHeight)+1); errors.Is(err, io.EOF) {
			err = nil
		}
	}
	if err != nil {
		return fmt.Errorf("row %d of %d: %w", min(y, p.height-1), p.height, input.Unexpected(err))
	}
	return nil
}

// put stores a row of a block in t, its first pixel at (x, y).
func (p *picture) put(t *tensor.Tensor, line []byte, x, y int) error {
	pixels, channels := min(p.blockWidth, p.width-x), t.Shape[3]
	at, n := (y*p.width+x)*channels, pixels*channels
	if p.bits == 16 {
		out := tensor.Of[uint16](t)[at:][:n]
		for i := range out {
			out[i] = p.order.Uint16(line[2*i:])
		}
		finish(p, out)
		return nil
	}
	out := tensor.Of[uint8](t)[at:][:n]
	if p.photometric == palette {
		indices := out[2*pixels:] // each is read before a colour is written over it
		unpack(indices, line, p.bits, 1)
		if p.predicted {
			accumulate(indices, 1)
		}
		for i, index := range indices {
			if int(index) >= len(p.colours) {
				return fmt.Errorf("got palette index %d, want < %d", index, len(p.colours))
			}
			copy(out[3*i:], p.colours[index][:])
		}
		return nil
	}
	unpack(out, line, p.bits, 255/(1<<p.bits-1))
	finish(p, out)
	return nil
}

// unpack takes samples of 1, 2, 4 or 8 bits, the first from the highest bits, and
// multiplies them.
func unpack(out, line []byte, bits int, factor uint8) {
	if bits == 8 {
		copy(out, line)
		return
	}
	mask := byte(1<<bits - 1)
	each := 8 / bits
	for i := range out {
		out[i] = line[i/each] >> (8 - bits - i%each*bits) & mask * factor
	}
}

// finish turns the stored samples of a row into levels. Associated alpha has
// multiplied the stored colour, so it is divided out before white becomes the
// highest level.
func finish[T uint8 | uint16](p *picture, row []T) {
	if p.predicted {
		accumulate(row, p.samples)
	}
	if p.extra == associatedAlpha {
		raster.Unpremultiply(row, p.samples)
	}
	if p.photometric == whiteIsZero {
		for i := 0; i < len(row); i += p.samples {
			row[i] = ^row[i]
		}
	}
}

// accumulate adds to each sample that of the pixel on the left.
func accumulate[T uint8 | uint16](row []T, samples int) {
	for i := samples; i < len(row); i++ {
		row[i] += row[i-samples]
	}
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

package pnm

import (
	"bufio"
	"encoding/binary"
	"fmt"
	"io"
	"math"

	"github.com/poolctl/poolctl/internal/imgio/input"
	"github.com/poolctl/poolctl/internal/imgio/raster"
	"github.com/poolctl/poolctl/internal/tensor"
)

// Open reads a file's header and checks that there is enough data for the size
// that it states.
func Open(in *input.File, o raster.Options) (raster.Header, raster.Decoder, error) {
	r := bufio.NewReaderSize(in.Section(), 1<<16)
	h, err := readHeader(r)
	if err != nil {
		return raster.Header{}, nil, err
	}
	if err := o.Check(h.width, h.height); err != nil {
		return raster.Header{}, nil, err
	}
	if missing := h.missing(in.Size - int64(h.size)); missing > 0 {
		return raster.Header{}, nil, fmt.Errorf("%d of %d rows missing, the file is cut", missing, h.height)
	}
	info := raster.Header{Width: h.width, Height: h.height, Channels: h.channels, Depth: h.depth()}
	info.Decoding = h.rowBytes() + 2*h.maxval // a row, and the level of each sample
	return info, func(t *tensor.Tensor, told *tensor.Progress) error {
		if h.depth() == 16 {
			return read(r, h, tensor.Of[uint16](t), told)
		}
		return read(r, h, tensor.Of[uint8](t), told)
	}, nil
}

// missing returns how many rows cannot be there when so many bytes follow the
// header. A plain sample takes a digit at least and, but for bits and the last of
// all, a blank.
func (h *header) missing(bytes int64) int {
	row := int64(h.rowBytes())
	switch {
	case h.kind == '1':
		row = int64(h.row())
	case h.plain():
		row = 2 * int64(h.row())
		bytes++
	}
	return int(max(0, int64(h.height)-bytes/row))
}

// read reads the samples into dst, row by row.
func read[T uint8 | uint16](r *bufio.Reader, h *header, dst []T, told *tensor.Progress) error {
	next := rawRows[T](r, h)
	if h.plain() {
		next = plainRows[T](r, h)
	}
	levels := levelsOf[T](h)
	n := h.row()
	for y := range h.height {
		row := dst[y*n : (y+1)*n]
		err := next(row)
		if isEnd(err) {
			return fmt.Errorf("%d of %d rows missing, the file is cut", h.height-y, h.height)
		}
		if err == nil && levels != nil {
			err = scale(row, levels)
		}
		if err != nil {
			return fmt.Errorf("row %d of %d: %w", y, h.height, err)
		}
		told.Reach((y + 1) * n)
	}
	return nil
}

// levelsOf returns the level of each sample, nil where a sample is its level: to
// the nearest, halves to the even one. In a PBM 1 is black.
func levelsOf[T uint8 | uint16](h *header) []T {
	most := ^T(0)
	if h.maxval == int(most) {
		return nil
	}
	levels := make([]T, h.maxval+1)
	for v := range levels {
		levels[v] = T(math.RoundToEven(float64(v) / float64(h.maxval) * float64(most)))
	}
	if h.bitmap() {
		levels[0], levels[1] = most, 0
	}
	return levels
}

// scale turns samples into levels.
func scale[T uint8 | uint16](row, levels []T) error {
	for i, v := range row {
		if int(v) >= len(levels) {
			return fmt.Errorf("got sample %d, want <= %d, the header's maxval", v, len(levels)-1)
		}
		row[i] = levels[v]
	}
	return nil
}

// rawRows returns a function that reads the next row of binary samples.
func rawRows[T uint8 | uint16](r io.Reader, h *header) func([]T) error {
	bytes := make([]byte, h.rowBytes())
	return func(row []T) error {
		if _, err := io.ReadFull(r, bytes); err != nil {
			return err
		}
		switch {
		case h.bitmap():
			for i := range row {
				row[i] = T(bytes[i/8] >> (7 - i%8) & 1)
			}
		case h.depth() == 16:
			for i := range row {
				row[i] = T(binary.BigEndian.Uint16(bytes[2*i:]))
			}
		default:
			for i, v := range bytes {
				row[i] = T(v)
			}
		}
		return nil
	}
}

// plainRows returns a function that reads the next row of decimal samples. Bits
// need no blanks between them.
func plainRows[T uint8 | uint16](r *bufio.Reader, h *header) func([]T) error {
	c, err := byte(' '), error(nil) // the character that is looked at
	next := func() {
		if c, err = r.ReadByte(); err == nil && c == '#' { // a comment, to the end of its line
			for err == nil && c != '\n' && c != '\r' {
				c, err = r.ReadByte()
			}
		}
	}
	return func(row []T) error {
		for i := range row {
			for err == nil && isBlank(c) {
				next()
			}
			if err != nil {
				return err
			}
			if !isDigit(c) {
				return fmt.Errorf("got %q, want a number", c)
			}
			v := 0
			for err == nil && isDigit(c) {
				if v = 10*v + int(c-'0'); v > h.maxval {
					return fmt.Errorf("got a sample of %d or more, want <= %d, the header's maxval", v, h.maxval)
				}
				if next(); h.bitmap() {
					break
				}
			}
			row[i] = T(v)
		}
		return nil
	}
}

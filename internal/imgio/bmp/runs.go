package bmp

import (
	"bufio"
	"errors"
	"fmt"
	"io"
)

// readRuns decodes RLE8 and RLE4. The data are pairs of a count and a value, or of
// 0 and a command: end of row, end of picture, a jump, or a number of literal
// values. Skipped pixels get the first colour of the palette. Runs that leave the
// picture are refused.
func (h *header) readRuns(dst []uint8, r *bufio.Reader) error {
	for y := range h.height {
		out := h.rowAt(dst, y)
		for x := range h.width {
			if err := h.put(out, x, 0); err != nil {
				return err
			}
		}
	}
	x, y := 0, 0
	for {
		count, value, err := twoBytes(r)
		if errors.Is(err, io.EOF) && (y >= h.height || y == h.height-1 && x == h.width) {
			return nil // complete, except for the end-of-picture command
		}
		if err != nil {
			return h.cutRuns(y, err)
		}
		if count > 0 {
			if err := h.run(dst, &x, y, int(count), func(i int) byte { return h.nibble(value, i) }); err != nil {
				return err
			}
			continue
		}
		switch value {
		case 0:
			x, y = 0, y+1
		case 1:
			return nil
		case 2:
			dx, dy, err := twoBytes(r)
			if err != nil {
				return h.cutRuns(y, err)
			}
			x, y = x+int(dx), y+int(dy)
		default:
			size := (int(value)*h.bits + 7) / 8
			data := make([]byte, (size+1)&^1) // padded to a word
			if _, err := io.ReadFull(r, data); err != nil {
				return h.cutRuns(y, err)
			}
			literal := func(i int) byte { return h.nibble(data[i*h.bits/8], i) }
			if err := h.run(dst, &x, y, int(value), literal); err != nil {
				return err
			}
		}
	}
}

func twoBytes(r *bufio.Reader) (a, b byte, err error) {
	if a, err = r.ReadByte(); err == nil {
		b, err = r.ReadByte()
	}
	return a, b, err
}

// nibble returns the palette index of value i of a run: the byte v, or for 4 bits
// its upper and lower half in turn.
func (h *header) nibble(v byte, i int) byte {
	switch {
	case h.bits == 8:
		return v
	case i%2 == 0:
		return v >> 4
	default:
		return v & 15
	}
}

// run writes count pixels at (x, y) and advances x.
func (h *header) run(dst []uint8, x *int, y, count int, index func(i int) byte) error {
	if y >= h.height || *x+count > h.width {
		return fmt.Errorf("got %d pixels at (%d,%d), want them within %dx%d", count, *x, y, h.width, h.height)
	}
	out := h.rowAt(dst, y)
	for i := range count {
		if err := h.put(out, *x+i, index(i)); err != nil {
			return fmt.Errorf("row %d of %d: %w", y, h.height, err)
		}
	}
	*x += count
	return nil
}

// cutRuns explains the end of the file in the middle of the picture.
func (h *header) cutRuns(y int, err error) error {
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return fmt.Errorf("%d of %d rows missing, the file is cut", max(0, h.height-y), h.height)
	}
	return err
}

package tiff

import (
	"errors"
	"fmt"
	"io"

	"github.com/poolctl/poolctl/internal/imgio/input"
)

// Bits of the field T4Options.
const (
	twoDimensional   = 1
	uncompressedMode = 2
	fillBits         = 4
)

// fax decompresses the rows of a block that a fax's codes compress: ITU-T T.4 (group
// 3, one- and two-dimensional, and the rows without end-of-line codes of
// compression 2) and T.6 (group 4). Its bytes are rows of bits, of which ones are
// black runs.
type fax struct {
	r           io.ByteReader
	compression int
	mixed       bool // group 3: a bit after each end of line says how the row is coded
	width       int

	bits uint64 // the next bits, in the lowest have ones
	have int
	past int // how many of them lie behind the end of the data
	err  error

	// Columns at which the colour changes, in the row above and in this one. The
	// first is the beginning of a black run.
	above, row []int
	packed     []byte // the current row
	rest       []byte // what is left of it to read
}

func newFax(r io.ByteReader, compression, options, width int) *fax {
	return &fax{r: r, compression: compression, mixed: compression == group3 && options&twoDimensional != 0,
		width: width, packed: make([]byte, (width+7)/8)}
}

// Read implements io.Reader. It does not know where the last row ends.
func (f *fax) Read(b []byte) (int, error) {
	if len(f.rest) == 0 {
		if err := f.next(); err != nil {
			return 0, err
		}
		f.pack()
		f.rest = f.packed
	}
	n := copy(b, f.rest)
	f.rest = f.rest[n:]
	return n, nil
}

// peek returns the next n bits, at most 13. Zeros follow the end of the data.
func (f *fax) peek(n int) int {
	for f.have < n {
		b, err := f.r.ReadByte()
		if err != nil {
			b = 0
			f.past += 8
			if !errors.Is(err, io.EOF) {
				f.err = err
			}
		}
		f.bits = f.bits<<8 | uint64(b)
		f.have += 8
	}
	return int(f.bits >> (f.have - n) & (1<<n - 1))
}

// skip passes over n bits that were peeked at.
func (f *fax) skip(n int) error {
	f.have -= n
	if f.err != nil {
		return f.err
	}
	if f.have < f.past {
		return input.ErrCut
	}
	return nil
}

// next decodes a row.
func (f *fax) next() error {
	f.above, f.row = f.row, f.above[:0]
	switch f.compression {
	case group4:
		return f.row2()
	case faxRows: // each row begins with a byte
		f.have -= f.have % 8
		return f.row1()
	}
	ended, err := f.endOfLine()
	if err != nil {
		return err
	}
	if !f.mixed {
		if ended && f.peek(12) == 1 {
			return errors.New("the fax ends before its last row")
		}
		return f.row1()
	}
	if !ended {
		return errors.New("got a row without an end-of-line code, which two-dimensional group 3 needs")
	}
	alone := f.peek(1) == 1
	if err := f.skip(1); err != nil {
		return err
	}
	if f.peek(12) == 1 {
		return errors.New("the fax ends before its last row")
	}
	if alone {
		return f.row1()
	}
	return f.row2()
}

// endOfLine passes over an end-of-line code, eleven zeros or more and a one, if
// there is one. No other code begins with as many zeros.
func (f *fax) endOfLine() (bool, error) {
	if f.peek(11) != 0 {
		return false, nil
	}
	for f.peek(1) == 0 {
		if err := f.skip(1); err != nil {
			return false, err
		}
	}
	return true, f.skip(1)
}

// run decodes the length of a run of white (0) or black (1) pixels.
func (f *fax) run(colour int) (int, error) {
	total := 0
	for {
		code := runTables[colour][f.peek(longestCode)]
		if code.length == 0 {
			return 0, fmt.Errorf("got bits %013b, want the code of a run", f.peek(longestCode))
		}
		if err := f.skip(int(code.length)); err != nil {
			return 0, err
		}
		if total += int(code.run); total > f.width {
			return 0, fmt.Errorf("got a run of %d pixels, want <= %d", total, f.width)
		}
		if code.run < 64 {
			return total, nil
		}
	}
}

// change notes that the colour changes at a column. Two changes at one column are
// none.
func (f *fax) change(at int) {
	if n := len(f.row); n > 0 && f.row[n-1] == at {
		f.row = f.row[:n-1]
		return
	}
	f.row = append(f.row, at)
}

// advance decodes a run of a colour from a column on, and returns its end.
func (f *fax) advance(at, colour int) (int, error) {
	n, err := f.run(colour)
	if err == nil && at+n > f.width {
		err = fmt.Errorf("got a run of %d pixels at column %d, want at most %d", n, at, f.width-at)
	}
	f.change(at + n)
	return at + n, err
}

// row1 decodes a row of runs.
func (f *fax) row1() error {
	var err error
	for at, colour := 0, 0; at < f.width && err == nil; colour ^= 1 {
		at, err = f.advance(at, colour)
	}
	return err
}

// Modes of two-dimensional coding by the next seven bits: T.4, table 4. verticals
// are changes near one of the row above.
const (
	passMode       = 100
	horizontalMode = 101
)

// mode returns the mode that seven bits begin with, and its length. A vertical mode
// is the distance, -3 to 3.
func mode(bits int) (mode, length int) {
	switch {
	case bits>>6 == 1:
		return 0, 1
	case bits>>4 == 0b011:
		return 1, 3
	case bits>>4 == 0b010:
		return -1, 3
	case bits>>4 == 0b001:
		return horizontalMode, 3
	case bits>>3 == 0b0001:
		return passMode, 4
	case bits>>1 == 0b000011:
		return 2, 6
	case bits>>1 == 0b000010:
		return -2, 6
	case bits == 0b0000011:
		return 3, 7
	case bits == 0b0000010:
		return -3, 7
	}
	return 0, 0
}

// row2 decodes a row by its differences from the row above.
func (f *fax) row2() error {
	at, colour, i := -1, 0, 0 // the row begins before its first column
	for at < f.width {
		// The change above, to the right, from this colour: above[i].
		for i = max(0, i-2)&^1 | colour; f.changeAbove(i) <= at && f.changeAbove(i) < f.width; i += 2 {
		}
		bits := f.peek(7)
		m, length := mode(bits)
		if length == 0 {
			if f.peek(12) == 1 {
				return errors.New("the fax ends before its last row")
			}
			if bits == 1 {
				return errors.New("got uncompressed rows in a fax, which are not supported")
			}
			return fmt.Errorf("got bits %07b, want a mode of two-dimensional coding", bits)
		}
		if err := f.skip(length); err != nil {
			return err
		}
		switch m {
		case passMode:
			at = f.changeAbove(i + 1)
		case horizontalMode:
			at = max(at, 0)
			for k := range 2 {
				var err error
				if at, err = f.advance(at, colour^k); err != nil {
					return err
				}
			}
		default:
			to := f.changeAbove(i) + m
			if to < max(at, 0) || to > f.width {
				return fmt.Errorf("got a change at column %d after one at %d, want up to %d", to, max(at, 0), f.width)
			}
			f.change(to)
			at, colour = to, colour^1
		}
	}
	return nil
}

// changeAbove returns a change of the row above; those after the last one lie at the
// row's end.
func (f *fax) changeAbove(i int) int {
	if i < len(f.above) {
		return f.above[i]
	}
	return f.width
}

// pack sets the bits of the black runs.
func (f *fax) pack() {
	clear(f.packed)
	for i := 0; i < len(f.row); i += 2 {
		to := f.width
		if i+1 < len(f.row) {
			to = f.row[i+1]
		}
		for x := f.row[i]; x < to; {
			if x%8 == 0 && x+8 <= to {
				f.packed[x/8] = 0xff
				x += 8
				continue
			}
			f.packed[x/8] |= 0x80 >> (x % 8)
			x++
		}
	}
}

package jpeg

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"

	"github.com/poolctl/poolctl/internal/imgio/input"
)

// stream reads a JPEG from front to back: its markers and segments, and between
// them the coded data bit by bit. It holds a part of the file at a time.
type stream struct {
	src  io.Reader // what follows data; nil at the end of the file
	data []byte
	at   int   // of the next byte in data
	err  error // why src ended, if not with the file

	acc   uint64 // the next bits of coded data, from the top
	n     int    // number of bits in acc
	added int    // bits read after the end of the coded data, which are zeros
}

// pieceSize is how many bytes of a file are read at a time.
const pieceSize = 1 << 16

// newStream returns a stream that reads from src. size is that of the file, or more.
func newStream(src io.Reader, size int64) *stream {
	return &stream{src: src, data: make([]byte, 0, max(16, min(pieceSize, size)))}
}

// more reads more of the file into data. It reports whether there was any.
func (b *stream) more() bool {
	if b.src == nil {
		return false
	}
	if b.at > 0 {
		b.data, b.at = b.data[:copy(b.data, b.data[b.at:])], 0
	}
	if len(b.data) == cap(b.data) {
		b.data = append(b.data, 0)[:len(b.data)]
	}
	n, err := io.ReadAtLeast(b.src, b.data[len(b.data):cap(b.data)], 1)
	b.data = b.data[:len(b.data)+n]
	if err != nil {
		b.src = nil
		if err != io.EOF {
			b.err = err
		}
	}
	return n > 0
}

// cut returns the error for a file that ends too early or cannot be read.
func (b *stream) cut() error {
	if b.err != nil {
		return b.err
	}
	return input.ErrCut
}

// take returns the next n bytes. They are valid until the next call.
func (b *stream) take(n int) ([]byte, error) {
	for len(b.data)-b.at < n {
		if !b.more() {
			return nil, b.cut()
		}
	}
	b.at += n
	return b.data[b.at-n : b.at], nil
}

// marker moves to the next marker and returns its second byte. It drops the coded
// data before it, other stray bytes, and fill bytes.
func (b *stream) marker() (byte, error) {
	b.acc, b.n, b.added = 0, 0, 0
	for before := byte(0); ; {
		c, err := b.take(1)
		if err != nil {
			return 0, err
		}
		if before == 0xff && c[0] != 0xff && c[0] != 0 {
			return c[0], nil
		}
		before = c[0]
	}
}

// segment returns the segment after a marker. It is valid until the next call.
func (b *stream) segment() ([]byte, error) {
	size, err := b.take(2)
	if err != nil {
		return nil, err
	}
	n := int(binary.BigEndian.Uint16(size))
	if n < 2 {
		return nil, fmt.Errorf("got a segment of %d bytes, want >= 2", n)
	}
	return b.take(n - 2)
}

var errDamaged = errors.New("the coded data is damaged")

// restart moves past the restart marker of that number, from 0.
func (b *stream) restart(number int) error {
	if b.beyond() {
		return b.damage()
	}
	marker, err := b.marker()
	if err != nil {
		return err
	}
	if want := byte(0xd0 + number%8); marker != want {
		return fmt.Errorf("got marker %#x, want the restart marker %#x: %w", marker, want, errDamaged)
	}
	return nil
}

// damage returns the error for coded data that is wrong or too short.
func (b *stream) damage() error {
	if b.src == nil && b.at >= len(b.data) {
		return b.cut()
	}
	return errDamaged
}

// beyond reports whether bits after the end of the coded data were used.
func (b *stream) beyond() bool { return b.added > b.n }

// fill makes at least 32 bits available.
func (b *stream) fill() {
	if b.n >= 32 {
		return
	}
	if b.at+8 <= len(b.data) {
		next := binary.BigEndian.Uint64(b.data[b.at:])
		const ones, tops = 0x0101010101010101, 0x8080808080808080
		if (^next-ones)&next&tops == 0 { // no byte is 0xff
			b.acc |= next >> b.n
			taken := (63 - b.n) >> 3
			b.at += taken
			b.n += 8 * taken
			b.acc &^= 1<<(64-b.n) - 1
			return
		}
	}
	b.fillBytes()
}

// fillBytes is fill near a byte 0xff and at the end of data. It drops the zero byte
// that is stuffed after each 0xff, and stops at a marker.
func (b *stream) fillBytes() {
	for b.n <= 56 {
		for len(b.data)-b.at < 2 && b.more() {
		}
		next := uint64(0)
		switch rest := b.data[b.at:]; {
		case len(rest) > 0 && rest[0] != 0xff:
			next = uint64(rest[0])
			b.at++
		case len(rest) > 1 && rest[1] == 0:
			next = 0xff
			b.at += 2
		case len(rest) > 1 && rest[1] == 0xff: // a fill byte
			b.at++
			continue
		default:
			b.added += 8
		}
		b.acc |= next << (56 - b.n)
		b.n += 8
	}
}

// symbol decodes the next symbol without consuming its code. fill must have been
// called. length is 0 for an invalid code.
func (b *stream) symbol(c *huffman) (symbol byte, length int) {
	if e := c.short[b.acc>>(64-peekBits)]; e != 0 {
		return byte(e >> 8), int(e & 0xff)
	}
	for length := peekBits + 1; length <= 16; length++ {
		if code := int32(b.acc >> (64 - length)); code <= c.last[length] {
			return c.symbols[c.first[length]+code], length
		}
	}
	return 0, 0
}

// value consumes a code of length bits and the coefficient of size bits after it.
// A coefficient that begins with 0 is negative.
func (b *stream) value(length, size int) int32 {
	rest := b.acc << length
	v := int32(rest >> 1 >> (63 - size))
	if rest>>63 == 0 && size > 0 {
		v -= 1<<size - 1
	}
	b.acc = rest << size
	b.n -= length + size
	return v
}

// bits consumes n bits, at most 16. fill must have been called.
func (b *stream) bits(n int) int {
	v := int(b.acc >> 1 >> (63 - n))
	b.acc <<= n
	b.n -= n
	return v
}

// bit consumes one bit.
func (b *stream) bit() bool {
	if b.n < 1 {
		b.fill()
	}
	one := b.acc>>63 == 1
	b.acc <<= 1
	b.n--
	return one
}

package weights

import (
	"bufio"
	"encoding/binary"
	"fmt"
	"io"
	"math"

	"github.com/poolctl/poolctl/internal/tensor"
)

// stored is an array whose little-endian numbers are in one or more pieces of a
// file.
type stored struct {
	spec   tensor.Spec
	coding coding
	pieces []piece
}

// coding is how the numbers of a stored array are encoded.
type coding uint8

const (
	verbatim coding = iota // the type of the spec
	truths                 // booleans: bytes, true if not 0
	bfloats                // bfloat16, widened to float32
	varints                // a protocol-buffer varint for each number
)

// piece is a range of bytes of a file.
type piece struct {
	file io.ReaderAt
	at   int64
	size int64
}

// check compares the size of the pieces with the shape.
func (s *stored) check() error {
	n, err := s.spec.Shape.Elements()
	if err != nil {
		return err
	}
	want, err := s.spec.Bytes()
	if err != nil {
		return err
	}
	got := int64(0)
	for _, p := range s.pieces {
		got += p.size
	}
	switch s.coding {
	case varints: // 1 to 10 bytes each
		if got < int64(n) || got > 10*int64(n) {
			return fmt.Errorf("got %d bytes of data for %s, want a number for each element", got, s.spec)
		}
		return nil
	case bfloats:
		want = 2 * n
	}
	if got != int64(want) {
		return fmt.Errorf("got %d bytes of data for %s, want %d", got, s.spec, want)
	}
	return nil
}

// read reads the tensor. check must have succeeded.
func (s *stored) read() (*tensor.Tensor, error) {
	readers := make([]io.Reader, len(s.pieces))
	for i, p := range s.pieces {
		readers[i] = io.NewSectionReader(p.file, p.at, p.size)
	}
	r := io.MultiReader(readers...)
	t := tensor.New(s.spec)
	switch s.coding {
	case varints:
		return t, readVarints(bufio.NewReaderSize(r, 1<<16), t)
	case bfloats:
		return t, readBFloats(bufio.NewReaderSize(r, 1<<16), tensor.Of[float32](t))
	}
	if _, err := io.ReadFull(r, tensor.Bytes(t)); err != nil {
		return nil, err
	}
	if s.coding == truths {
		for i, v := range tensor.Of[uint8](t) {
			tensor.Of[uint8](t)[i] = min(v, 1)
		}
	}
	if tensor.BigEndian {
		tensor.SwapBytes(t)
	}
	return t, nil
}

// readBFloats widens bfloat16 numbers: they are the upper halves of float32
// numbers.
func readBFloats(r io.Reader, dst []float32) error {
	var two [2]byte
	for i := range dst {
		if _, err := io.ReadFull(r, two[:]); err != nil {
			return err
		}
		dst[i] = math.Float32frombits(uint32(binary.LittleEndian.Uint16(two[:])) << 16)
	}
	return nil
}

// readVarints reads integers, and floating-point numbers as their bits. Negative
// numbers are sign-extended to 64 bits. Bits that do not fit the type are dropped.
func readVarints(r *bufio.Reader, t *tensor.Tensor) error {
	for i := range t.Len() {
		v, err := binary.ReadUvarint(r)
		if err != nil {
			return fmt.Errorf("element %d: %w", i, err)
		}
		switch data := t.Data.(type) {
		case []uint8:
			data[i] = uint8(v)
		case []int8:
			data[i] = int8(v)
		case []uint16:
			data[i] = uint16(v)
		case []int16:
			data[i] = int16(v)
		case []uint32:
			data[i] = uint32(v)
		case []int32:
			data[i] = int32(v)
		case []uint64:
			data[i] = v
		case []int64:
			data[i] = int64(v)
		case []tensor.F16:
			data[i] = tensor.F16(v)
		case []float32: // bfloat16 as its bits
			data[i] = math.Float32frombits(uint32(uint16(v)) << 16)
		}
	}
	if _, err := r.ReadByte(); err != io.EOF {
		return fmt.Errorf("got bytes after element %d, want the end of the data", t.Len()-1)
	}
	return nil
}

package weights

import (
	"bufio"
	"encoding/binary"
	"fmt"
	"io"

	"github.com/poolctl/poolctl/internal/imgio/input"
	"github.com/poolctl/poolctl/internal/tensor"
)

// stored is an array whose little-endian numbers are in one or more pieces of a
// file.
type stored struct {
	spec   tensor.Spec // of the file
	coding coding
	pieces []piece
}

// coding is how the numbers of a stored array are encoded.
type coding uint8

const (
	verbatim coding = iota // the type of the spec
	truths                 // booleans: bytes, true if not 0
	varints                // a protocol-buffer varint for each number
)

// array returns what reading makes of it: a type that NumPy lacks, such as
// bfloat16, is widened.
func (s *stored) array() input.Array {
	a := input.Array{Spec: s.spec, Read: s.read}
	if s.spec.DType.IsRaw() {
		a.Spec.DType = s.spec.DType.Real()
		a.Decoding, _ = s.spec.Bytes() // checked by check
	}
	return a
}

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
	if s.coding == varints { // 1 to 10 bytes each
		if got < int64(n) || got > 10*int64(n) {
			return fmt.Errorf("got %d bytes of data for %s, want a number for each element", got, s.spec)
		}
		return nil
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
	if s.coding == varints {
		if err := varintReaders.For(t.DType)(t, bufio.NewReaderSize(r, 1<<16)); err != nil {
			return nil, err
		}
	} else {
		if _, err := io.ReadFull(r, tensor.Bytes(t)); err != nil {
			return nil, err
		}
		if tensor.BigEndian {
			tensor.SwapBytes(t)
		}
	}
	if s.coding == truths {
		for i, v := range tensor.Of[uint8](t) {
			tensor.Of[uint8](t)[i] = min(v, 1)
		}
	}
	t, _ = tensor.Converted(t, s.array().Spec.DType)
	return t, nil
}

var varintReaders = tensor.PerSize(readVarints[uint8], readVarints[uint16], readVarints[uint32], readVarints[uint64])

// readVarints reads integers, and narrow floating-point numbers as their bits.
// Negative numbers are sign-extended to 64 bits. Bits that do not fit the type
// are dropped.
func readVarints[B tensor.Bits](t *tensor.Tensor, r *bufio.Reader) error {
	data := tensor.BitsOf[B](t)
	for i := range data {
		v, err := binary.ReadUvarint(r)
		if err != nil {
			return fmt.Errorf("element %d: %w", i, err)
		}
		data[i] = B(v)
	}
	if _, err := r.ReadByte(); err != io.EOF {
		return fmt.Errorf("got bytes after element %d, want the end of the data", len(data)-1)
	}
	return nil
}

package weights

import (
	"bufio"
	"encoding/binary"
	"fmt"
	"io"

	"github.com/poolctl/poolctl/internal/imgio/input"
	"github.com/poolctl/poolctl/internal/tensor"
)

// stored is an array whose numbers are in a file, little-endian and row-major
// unless it says otherwise.
type stored struct {
	spec   tensor.Spec // of the file
	coding coding
	size   int64            // of the data in bytes
	open   func() io.Reader // a new reader of the data

	big     bool  // most significant byte first
	strides []int // of the axes, counted in elements; nil for row-major data
}

// coding is how the numbers of a stored array are encoded.
type coding uint8

const (
	verbatim coding = iota // the type of the spec
	truths                 // booleans: bytes, true if not 0
	varints                // a protocol-buffer varint for each number
)

// piece is a range of bytes of a file.
type piece struct {
	file io.ReaderAt
	at   int64
	size int64
}

// takes has the data read from p.
func (s *stored) takes(p piece) {
	s.size = p.size
	s.open = func() io.Reader { return io.NewSectionReader(p.file, p.at, p.size) }
}

// array returns what reading makes of it: a type that NumPy lacks, such as
// bfloat16, is widened.
func (s *stored) array() input.Array {
	a := input.Array{Spec: s.spec, Read: s.read}
	if s.spec.DType.IsRaw() {
		a.Spec.DType = s.spec.DType.Real()
		a.Decoding, _ = s.spec.Bytes() // checked by check
	}
	if s.strides != nil {
		a.Decoding += int(s.size)
	}
	return a
}

// check compares the size of the data with the shape.
func (s *stored) check() error {
	n, err := s.spec.Shape.Elements()
	if err != nil {
		return err
	}
	want, err := s.spec.Bytes()
	if err != nil {
		return err
	}
	if s.coding == varints { // 1 to 10 bytes each
		if s.size < int64(n) || s.size/10 > int64(n) {
			return fmt.Errorf("got %d bytes of data for %s, want a number for each element", s.size, s.spec)
		}
		return nil
	}
	if s.size != int64(want) {
		return fmt.Errorf("got %d bytes of data for %s, want %d", s.size, s.spec, want)
	}
	return nil
}

// read reads the tensor. The size of the data must have been checked.
func (s *stored) read() (*tensor.Tensor, error) {
	spec := s.spec
	if s.strides != nil { // all cells from the first to the last
		spec.Shape = tensor.Shape{int(s.size) / spec.DType.Size()}
	}
	t := tensor.New(spec)
	if s.coding == varints {
		if err := varintReaders.For(t.DType)(t, bufio.NewReaderSize(s.open(), 1<<16)); err != nil {
			return nil, err
		}
	} else {
		if _, err := io.ReadFull(s.open(), tensor.Bytes(t)); err != nil {
			return nil, input.Unexpected(err)
		}
		if tensor.BigEndian != s.big {
			tensor.SwapBytes(t)
		}
	}
	if s.coding == truths {
		for i, v := range tensor.Of[uint8](t) {
			tensor.Of[uint8](t)[i] = min(v, 1)
		}
	}
	if s.strides != nil {
		cells := t
		t = tensor.New(s.spec)
		gatherers.For(t.DType)(t, cells, s.strides)
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
			return fmt.Errorf("element %d: %w", i, input.Unexpected(err))
		}
		data[i] = B(v)
	}
	if _, err := r.ReadByte(); err != io.EOF {
		return fmt.Errorf("got bytes after element %d, want the end of the data", len(data)-1)
	}
	return nil
}

var gatherers = tensor.PerSize(gather[uint8], gather[uint16], gather[uint32], gather[uint64])

// gather copies the cells that strides tell into a row-major tensor.
func gather[B tensor.Bits](t, cells *tensor.Tensor, strides []int) {
	dst, src := tensor.BitsOf[B](t), tensor.BitsOf[B](cells)
	index := make([]int, len(strides))
	at := 0
	for i := range dst {
		dst[i] = src[at]
		for axis := len(strides) - 1; axis >= 0; axis-- { // the next cell
			index[axis]++
			at += strides[axis]
			if index[axis] < t.Shape[axis] {
				break
			}
			at -= strides[axis] * t.Shape[axis]
			index[axis] = 0
		}
	}
}

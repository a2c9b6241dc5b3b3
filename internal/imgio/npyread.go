package imgio

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math/bits"
	"slices"
	"unsafe"

	"github.com/poolctl/poolctl/internal/tensor"
)

// openNPY reads the header of an .npy file. Of a file with a known size it
// checks that the data is all there, and nothing else.
func openNPY(in *input) (Info, func() (*tensor.Tensor, error), error) {
	var r io.Reader = in.stream
	var section *io.SectionReader
	if in.stream == nil {
		section = in.section()
		r = section
	}
	h, err := readNPYHeader(r)
	if err != nil {
		return Info{}, nil, err
	}
	remaining := int64(-1)
	if section != nil {
		at, _ := section.Seek(0, io.SeekCurrent)
		remaining = in.size - at
		if err := h.checkSize(remaining); err != nil {
			return Info{}, nil, err
		}
	}
	info := Info{Spec: h.spec, Format: NPY, Decoding: h.decoding(remaining >= 0)}
	return info, func() (*tensor.Tensor, error) { return h.read(r, remaining >= 0) }, nil
}

// decoding returns the bytes that read needs beside the tensor.
func (h npyHeader) decoding(sizeKnown bool) int {
	if sizeKnown && !h.fortran {
		return 0
	}
	n, _ := h.spec.Bytes() // checked with the shape
	return n
}

// checkSize compares the data that the header announces with the bytes that
// follow it.
func (h npyHeader) checkSize(remaining int64) error {
	want, _ := h.spec.Bytes() // checked with the shape
	switch {
	case remaining < int64(want):
		return fmt.Errorf("npy: got %d of %d bytes of data for %s, the file is cut", remaining, want, h.spec)
	case remaining > int64(want):
		return fmt.Errorf("npy: got %d bytes after the data of %s, want the end of the file", remaining-int64(want), h.spec)
	}
	return nil
}

// read reads the data and checks that nothing follows. The size of a stream is
// not known: there the data is collected in pieces, so that a header alone
// makes nothing large.
func (h npyHeader) read(r io.Reader, sizeKnown bool) (*tensor.Tensor, error) {
	spec := h.spec
	if h.fortran { // row-major with its axes in reverse
		spec.Shape = slices.Clone(spec.Shape)
		slices.Reverse(spec.Shape)
	}
	want, _ := spec.Bytes()
	var t *tensor.Tensor
	var got int
	var err error
	if sizeKnown {
		t = tensor.New(spec)
		got, err = io.ReadFull(r, bytesOf(t))
	} else {
		t, got, err = collect(r, spec, want)
	}
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return nil, fmt.Errorf("npy: got %d of %d bytes of data for %s, the file is cut", got, want, h.spec)
	}
	if err != nil {
		return nil, err
	}
	switch n, err := io.ReadFull(r, make([]byte, 1)); {
	case n > 0:
		return nil, fmt.Errorf("npy: got bytes after the data of %s, want the end of the file", h.spec)
	case err != io.EOF:
		return nil, err
	}
	h.normalise(t)
	if h.fortran {
		perm := make([]int, len(spec.Shape))
		for i := range perm {
			perm[i] = len(perm) - 1 - i
		}
		t = tensor.Permuted(t, perm)
	}
	return t, nil
}

// collect reads n bytes that may turn out not to be there.
func collect(r io.Reader, spec tensor.Spec, n int) (t *tensor.Tensor, got int, err error) {
	const piece = 64 << 20
	var pieces [][]byte
	for got < n {
		p := make([]byte, min(piece, n-got))
		k, err := io.ReadFull(r, p)
		got += k
		if err != nil {
			return nil, got, err
		}
		pieces = append(pieces, p)
	}
	t = tensor.New(spec)
	dst := bytesOf(t)
	for _, p := range pieces {
		dst = dst[copy(dst, p):]
	}
	return t, got, nil
}

// normalise brings raw data into the machine's byte order, and truth values to
// 0 and 1.
func (h npyHeader) normalise(t *tensor.Tensor) {
	if h.boolean {
		for i, v := range tensor.Of[uint8](t) {
			if v > 1 {
				tensor.Of[uint8](t)[i] = 1
			}
		}
	}
	if h.big != bigEndian {
		swapBytes(t)
	}
}

var bigEndian = binary.NativeEndian.Uint16([]byte{0, 1}) == 1

// swapBytes reverses the bytes of each element.
func swapBytes(t *tensor.Tensor) {
	switch data := t.Data.(type) {
	case []uint16:
		swap(data, bits.ReverseBytes16)
	case []int16:
		swap(data, func(v int16) int16 { return int16(bits.ReverseBytes16(uint16(v))) })
	case []tensor.Float16:
		swap(data, func(v tensor.Float16) tensor.Float16 { return tensor.Float16(bits.ReverseBytes16(uint16(v))) })
	case []uint32:
		swap(data, bits.ReverseBytes32)
	case []int32:
		swap(data, func(v int32) int32 { return int32(bits.ReverseBytes32(uint32(v))) })
	case []float32: // as bits: a float register may quieten a NaN
		swap(unsafe.Slice((*uint32)(unsafe.Pointer(unsafe.SliceData(data))), len(data)), bits.ReverseBytes32)
	case []uint64:
		swap(data, bits.ReverseBytes64)
	case []int64:
		swap(data, func(v int64) int64 { return int64(bits.ReverseBytes64(uint64(v))) })
	case []float64:
		swap(unsafe.Slice((*uint64)(unsafe.Pointer(unsafe.SliceData(data))), len(data)), bits.ReverseBytes64)
	}
}

func swap[T any](data []T, reverse func(T) T) {
	for i, v := range data {
		data[i] = reverse(v)
	}
}

// bytesOf returns the memory of the tensor's elements.
func bytesOf(t *tensor.Tensor) []byte {
	var first unsafe.Pointer
	switch data := t.Data.(type) {
	case []uint8:
		return data
	case []int8:
		first = unsafe.Pointer(unsafe.SliceData(data))
	case []uint16:
		first = unsafe.Pointer(unsafe.SliceData(data))
	case []int16:
		first = unsafe.Pointer(unsafe.SliceData(data))
	case []uint32:
		first = unsafe.Pointer(unsafe.SliceData(data))
	case []int32:
		first = unsafe.Pointer(unsafe.SliceData(data))
	case []uint64:
		first = unsafe.Pointer(unsafe.SliceData(data))
	case []int64:
		first = unsafe.Pointer(unsafe.SliceData(data))
	case []tensor.Float16:
		first = unsafe.Pointer(unsafe.SliceData(data))
	case []float32:
		first = unsafe.Pointer(unsafe.SliceData(data))
	case []float64:
		first = unsafe.Pointer(unsafe.SliceData(data))
	default:
		panic(errors.New("imgio: unknown element type"))
	}
	return unsafe.Slice((*byte)(first), t.Len()*t.DType.Size())
}

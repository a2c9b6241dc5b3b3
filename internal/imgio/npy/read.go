package npy

import (
	"errors"
	"fmt"
	"io"
	"slices"

	"github.com/poolctl/poolctl/internal/imgio/input"
	"github.com/poolctl/poolctl/internal/tensor"
)

// Open reads the header of an .npy file. If the file's size is known, it checks
// that exactly the data follows.
func Open(in *input.File) (input.Array, error) {
	var r io.Reader = in.Stream
	var section *io.SectionReader
	if in.Stream == nil {
		section = in.Section()
		r = section
	}
	h, err := readHeader(r, in.Raw)
	if err != nil {
		return input.Array{}, err
	}
	remaining := int64(-1)
	if section != nil {
		at, _ := section.Seek(0, io.SeekCurrent)
		remaining = in.Size - at
		if err := h.checkSize(remaining); err != nil {
			return input.Array{}, err
		}
	}
	return input.Array{
		Spec:     h.spec,
		Decoding: h.decoding(remaining >= 0),
		Read:     func() (*tensor.Tensor, error) { return h.read(r, remaining >= 0) },
	}, nil
}

// decoding returns the bytes that read needs beside the tensor.
func (h header) decoding(sizeKnown bool) int {
	if sizeKnown && !h.fortran {
		return 0
	}
	n, _ := h.spec.Bytes() // checked with the shape
	return n
}

// checkSize compares the size of the data with the bytes after the header.
func (h header) checkSize(remaining int64) error {
	want, _ := h.spec.Bytes() // checked with the shape
	switch {
	case remaining < int64(want):
		return fmt.Errorf("npy: got %d of %d bytes of data for %s, the file is cut", remaining, want, h.spec)
	case remaining > int64(want):
		return fmt.Errorf("npy: got %d bytes after the data of %s, want the end of the file", remaining-int64(want), h.spec)
	}
	return nil
}

// read reads the data and checks that nothing follows. If the size is not known,
// it allocates memory as data arrives, so that a header alone cannot claim much.
func (h header) read(r io.Reader, sizeKnown bool) (*tensor.Tensor, error) {
	spec := h.spec
	if h.fortran { // row-major with the axes in reverse order
		spec.Shape = slices.Clone(spec.Shape)
		slices.Reverse(spec.Shape)
	}
	want, _ := spec.Bytes()
	var t *tensor.Tensor
	var got int
	var err error
	if sizeKnown {
		t = tensor.New(spec)
		got, err = io.ReadFull(r, tensor.Bytes(t))
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

// collect reads n bytes in pieces, since they may not all be there.
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
	dst := tensor.Bytes(t)
	for _, p := range pieces {
		dst = dst[copy(dst, p):]
	}
	return t, got, nil
}

// normalise converts the data to the machine's byte order, and booleans to 0 and 1.
func (h header) normalise(t *tensor.Tensor) {
	if h.boolean {
		for i, v := range tensor.Of[uint8](t) {
			if v > 1 {
				tensor.Of[uint8](t)[i] = 1
			}
		}
	}
	if h.big != tensor.BigEndian {
		tensor.SwapBytes(t)
	}
}

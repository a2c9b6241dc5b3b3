package weights

import (
	"fmt"

	"github.com/poolctl/poolctl/internal/imgio/input"
	"github.com/poolctl/poolctl/internal/tensor"
)

// sparseRatio is how many elements a sparse array may have for each that is
// stored. It bounds what a small file can claim.
const sparseRatio = 1024

// onnxSparseTensor is a SparseTensorProto: values and where they are. All other
// elements are 0.
type onnxSparseTensor struct {
	values  onnxTensor // (n)
	indices onnxTensor // int64: (n), row-major, or (n, rank)
	dims    []int64
}

func parseONNXSparse(in *wire, message field) (s onnxSparseTensor, err error) {
	w, err := in.inside(message)
	if err != nil {
		return s, err
	}
	return s, w.fields(func(f field) (err error) {
		switch f.number {
		case 1:
			s.values, err = parseONNXTensor(w, f)
		case 2:
			s.indices, err = parseONNXTensor(w, f)
		case 3:
			s.dims, err = w.numbers(s.dims, f, input.MaxRank)
		}
		return err
	})
}

// open locates the values and the indices.
func (s *onnxSparseTensor) open(in *input.File) (input.Array, error) {
	shape, err := onnxShape(s.dims)
	if err != nil {
		return input.Array{}, err
	}
	values, err := s.values.stored(in)
	if err != nil {
		return input.Array{}, err
	}
	indices, err := s.indices.stored(in)
	if err != nil {
		return input.Array{}, fmt.Errorf("indices: %w", err)
	}
	n, at := values.spec.Shape, indices.spec.Shape
	rows := len(at) == 2 && at[1] == len(shape)
	if len(n) != 1 || indices.spec.DType != tensor.Int64 || len(at) != 1 && !rows || at[0] != n[0] {
		return input.Array{}, fmt.Errorf("got values %s at indices %s, want (n) and int64 (n) or (n,%d)", values.spec, indices.spec, len(shape))
	}
	size, _ := shape.Elements() // checked by onnxShape
	if size/sparseRatio > n[0]+1 {
		return input.Array{}, input.TooMuch("got %d values for %s, want one for at most %d elements", n[0], shape, sparseRatio)
	}
	array := values.array()
	dense := tensor.Spec{DType: array.Spec.DType, Shape: shape}
	if _, err := dense.Bytes(); err != nil {
		return input.Array{}, err
	}
	valueBytes, _ := array.Spec.Bytes()
	indexBytes, _ := indices.spec.Bytes()
	return input.Array{Spec: dense, Data: array.Data, Decoding: array.Decoding + valueBytes + indexBytes, Read: func() (*tensor.Tensor, error) {
		v, err := values.read()
		if err != nil {
			return nil, err
		}
		i, err := indices.read()
		if err != nil {
			return nil, fmt.Errorf("indices: %w", err)
		}
		t := tensor.New(dense)
		return t, scatterers.For(t.DType)(t, v, tensor.Of[int64](i), rows)
	}}, nil
}

var scatterers = tensor.PerSize(scatter[uint8], scatter[uint16], scatter[uint32], scatter[uint64])

// scatter copies values to their places: to row-major indices, or to rows of
// indices with one for each axis.
func scatter[B tensor.Bits](t, values *tensor.Tensor, indices []int64, rows bool) error {
	dst, src := tensor.BitsOf[B](t), tensor.BitsOf[B](values)
	for i, v := range src {
		at := int64(0)
		if rows {
			for axis, n := range t.Shape {
				j := indices[i*len(t.Shape)+axis]
				if j < 0 || j >= int64(n) {
					return fmt.Errorf("indices: got %d for axis %d of %s", j, axis, t.Shape)
				}
				at = at*int64(n) + j
			}
		} else {
			at = indices[i]
		}
		if at < 0 || at >= int64(len(dst)) {
			return fmt.Errorf("indices: got %d, want 0 to %d", at, len(dst)-1)
		}
		dst[at] = v
	}
	return nil
}

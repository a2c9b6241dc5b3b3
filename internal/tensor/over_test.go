package tensor_test

import (
	"testing"

	"github.com/poolctl/poolctl/internal/tensor"
)

// Every type lies over the memory it was given: what is written through the
// tensor is in the words, and its length is the shape's.
func TestOver(t *testing.T) {
	for _, d := range tensor.DTypes() {
		spec := tensor.Spec{DType: d, Shape: tensor.Shape{3, 5}}
		words := make([]uint64, tensor.Words(spec)+1)
		for i := range words {
			words[i] = ^uint64(0)
		}
		x := tensor.Over(words, spec)
		if x.Len() != 15 || !x.Equal(spec) {
			t.Errorf("%s: %s", d, x.Spec)
		}
		zeros := tensor.New(spec)
		tensor.Convert(x, zeros)
		for i := range 15 {
			if x.At(i) != 0 {
				t.Errorf("%s: element %d is %v", d, i, x.At(i))
			}
		}
		whole := 15 * d.Size() / 8
		for i, w := range words {
			if written := i < whole; written && w != 0 || i > whole && w != ^uint64(0) {
				t.Errorf("%s: word %d is %x", d, i, w)
			}
		}
	}
}

func TestOverRefusesShortMemory(t *testing.T) {
	defer func() {
		if recover() == nil {
			t.Error("a tensor of 9 words over 8")
		}
	}()
	tensor.Over(make([]uint64, 8), tensor.Spec{DType: tensor.Float64, Shape: tensor.Shape{9}})
}

package tensor_test

import (
	"testing"

	"github.com/poolctl/poolctl/internal/tensor"
)

// BenchmarkConvert converts 1<<16 numbers, which fit L2, from every type to
// every type.
func BenchmarkConvert(b *testing.B) {
	for _, from := range tensor.DTypes() {
		for _, to := range tensor.DTypes() {
			b.Run(from.String()+"/"+to.String(), func(b *testing.B) {
				count := make([]uint8, 1<<16)
				for i := range count {
					count[i] = uint8(i % 127)
				}
				src, _ := tensor.Converted(tensor.From(count, len(count)), from)
				dst := tensor.New(tensor.Spec{DType: to, Shape: src.Shape})
				b.SetBytes(int64(src.Len()))
				for b.Loop() {
					tensor.Convert(dst, src)
				}
			})
		}
	}
}

// BenchmarkPermute brings channels to the front, in plain Go.
func BenchmarkPermute(b *testing.B) {
	for _, d := range tensor.DTypes() {
		b.Run(d.String(), func(b *testing.B) {
			shape, perm := tensor.Shape{4, 56, 56, 64}, []int{0, 3, 1, 2}
			src := tensor.New(tensor.Spec{DType: d, Shape: shape})
			dst := tensor.New(tensor.Spec{DType: d, Shape: tensor.PermutedShape(shape, perm)})
			p := tensor.NewPermuter(shape, perm)
			b.SetBytes(int64(src.Len()))
			for b.Loop() {
				p.Run(dst, src, 0, p.Units())
			}
		})
	}
}

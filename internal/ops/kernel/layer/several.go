package layer

import (
	"github.com/poolctl/poolctl/internal/ops/kernel"
	"github.com/poolctl/poolctl/internal/tensor"
)

// Add computes the elements lo <= i < hi of the sum of two or more tensors of
// dst's type, which is a Real one: those of list that terms names. Floating-point
// numbers are added in order. Sums of integers are exact and then clipped to the
// type's range; Add returns how many were clipped.
func Add(dst *tensor.Tensor, list []*tensor.Tensor, terms []int, lo, hi int) (clipped int) {
	return adders.For(dst.DType)(dst, list, terms, lo, hi)
}

var adders = tensor.PerReal(addIntegers[uint8], addIntegers[int8], addIntegers[uint16], addIntegers[int16],
	addIntegers[uint32], addIntegers[int32], addIntegers[uint64], addIntegers[int64], addFloats[float32], addFloats[float64])

func addFloats[F tensor.Floating](dst *tensor.Tensor, list []*tensor.Tensor, terms []int, lo, hi int) (clipped int) {
	to := tensor.Of[F](dst)[lo:hi]
	addNumbers(to, tensor.Of[F](list[terms[0]])[lo:hi], tensor.Of[F](list[terms[1]])[lo:hi])
	for _, next := range terms[2:] {
		addNumbers(to, to, tensor.Of[F](list[next])[lo:hi])
	}
	return 0
}

// sumBlock is how many sums count their wraps at once: on the stack, and in L1.
const sumBlock = 512

func addIntegers[T tensor.Integer](dst *tensor.Tensor, list []*tensor.Tensor, terms []int, lo, hi int) (clipped int) {
	var wraps [sumBlock]int32
	for ; lo < hi; lo += sumBlock {
		to := tensor.Of[T](dst)[lo:min(hi, lo+sumBlock)]
		counts := wraps[:len(to)]
		clear(counts)
		sum := tensor.Of[T](list[terms[0]])[lo:][:len(to)]
		for _, next := range terms[1:] {
			for i, term := range tensor.Of[T](list[next])[lo:][:len(to)] {
				var wrap int
				to[i], wrap = kernel.AddWrapping(sum[i], term)
				counts[i] += int32(wrap)
			}
			sum = to
		}
		for i, n := range counts {
			if n != 0 {
				to[i] = kernel.Clip(to[i], int(n))
				clipped++
			}
		}
	}
	return clipped
}

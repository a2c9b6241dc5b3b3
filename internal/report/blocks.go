package report

import "github.com/poolctl/poolctl/internal/tensor"

// block is how many elements are converted to float64 at a time. Statistics of
// a tensor of any size need no more memory than that.
const block = 4096

// widenIntegers writes elements lo, lo+1, … of t, which is of an integer type,
// to dst, as many as dst holds.
func widenIntegers(dst []integer, t *tensor.Tensor, lo int) { integerWideners.For(t.DType)(dst, t, lo) }

var integerWideners = tensor.PerInteger(unsigned[uint8], signed[int8], unsigned[uint16], signed[int16],
	unsigned[uint32], signed[int32], unsigned[uint64], signed[int64])

func unsigned[T uint8 | uint16 | uint32 | uint64](dst []integer, t *tensor.Tensor, lo int) {
	for i, v := range tensor.Of[T](t)[lo:][:len(dst)] {
		dst[i] = integer{magnitude: uint64(v)}
	}
}

func signed[T int8 | int16 | int32 | int64](dst []integer, t *tensor.Tensor, lo int) {
	for i, v := range tensor.Of[T](t)[lo:][:len(dst)] {
		if v < 0 {
			dst[i] = integer{true, -uint64(v)}
		} else {
			dst[i] = integer{false, uint64(v)}
		}
	}
}

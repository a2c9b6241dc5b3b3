package layer

import "github.com/poolctl/poolctl/internal/tensor"

// Add computes the elements lo <= i < hi of dst = a + b, which are of one type,
// any but float16. Sums of integers are clipped to the type's range; it returns
// how many were.
func Add(dst, a, b *tensor.Tensor, lo, hi int) (clipped int) {
	switch d := dst.Data.(type) {
	case []uint8:
		return addWhole(d[lo:hi], tensor.Of[uint8](a)[lo:hi], tensor.Of[uint8](b)[lo:hi])
	case []int8:
		return addWhole(d[lo:hi], tensor.Of[int8](a)[lo:hi], tensor.Of[int8](b)[lo:hi])
	case []uint16:
		return addWhole(d[lo:hi], tensor.Of[uint16](a)[lo:hi], tensor.Of[uint16](b)[lo:hi])
	case []int16:
		return addWhole(d[lo:hi], tensor.Of[int16](a)[lo:hi], tensor.Of[int16](b)[lo:hi])
	case []uint32:
		return addWhole(d[lo:hi], tensor.Of[uint32](a)[lo:hi], tensor.Of[uint32](b)[lo:hi])
	case []int32:
		return addWhole(d[lo:hi], tensor.Of[int32](a)[lo:hi], tensor.Of[int32](b)[lo:hi])
	case []uint64:
		return addWhole(d[lo:hi], tensor.Of[uint64](a)[lo:hi], tensor.Of[uint64](b)[lo:hi])
	case []int64:
		return addWhole(d[lo:hi], tensor.Of[int64](a)[lo:hi], tensor.Of[int64](b)[lo:hi])
	case []float32:
		addNumbers(d[lo:hi], tensor.Of[float32](a)[lo:hi], tensor.Of[float32](b)[lo:hi])
	default:
		addNumbers(tensor.Of[float64](dst)[lo:hi], tensor.Of[float64](a)[lo:hi], tensor.Of[float64](b)[lo:hi])
	}
	return 0
}

// addWhole is dst = a + b, clipped.
func addWhole[T tensor.Integer](dst, a, b []T) (clipped int) {
	dst, b = dst[:len(a)], b[:len(a)]
	least := T(0)
	if least-1 < 0 { // signed: double 1 until it turns over
		least = 1
		for least > 0 {
			least += least
		}
	}
	greatest := least - 1
	for i, v := range a {
		w := b[i]
		sum := v + w
		switch {
		case w > 0 && sum < v:
			sum, clipped = greatest, clipped+1
		case w < 0 && sum > v:
			sum, clipped = least, clipped+1
		}
		dst[i] = sum
	}
	return clipped
}

// CopyRuns copies, for lo <= o < hi, run elements from position o·srcStep + srcAt
// of src to o·dstStep + dstAt of dst, which is of the same type.
func CopyRuns(dst, src *tensor.Tensor, run, dstStep, dstAt, srcStep, srcAt, lo, hi int) {
	switch d := dst.Data.(type) {
	case []uint8:
		copyRuns(d, tensor.Of[uint8](src), run, dstStep, dstAt, srcStep, srcAt, lo, hi)
	case []int8:
		copyRuns(d, tensor.Of[int8](src), run, dstStep, dstAt, srcStep, srcAt, lo, hi)
	case []uint16:
		copyRuns(d, tensor.Of[uint16](src), run, dstStep, dstAt, srcStep, srcAt, lo, hi)
	case []int16:
		copyRuns(d, tensor.Of[int16](src), run, dstStep, dstAt, srcStep, srcAt, lo, hi)
	case []uint32:
		copyRuns(d, tensor.Of[uint32](src), run, dstStep, dstAt, srcStep, srcAt, lo, hi)
	case []int32:
		copyRuns(d, tensor.Of[int32](src), run, dstStep, dstAt, srcStep, srcAt, lo, hi)
	case []uint64:
		copyRuns(d, tensor.Of[uint64](src), run, dstStep, dstAt, srcStep, srcAt, lo, hi)
	case []int64:
		copyRuns(d, tensor.Of[int64](src), run, dstStep, dstAt, srcStep, srcAt, lo, hi)
	case []tensor.Float16:
		copyRuns(d, tensor.Of[tensor.Float16](src), run, dstStep, dstAt, srcStep, srcAt, lo, hi)
	case []float32:
		copyRuns(d, tensor.Of[float32](src), run, dstStep, dstAt, srcStep, srcAt, lo, hi)
	default:
		copyRuns(tensor.Of[float64](dst), tensor.Of[float64](src), run, dstStep, dstAt, srcStep, srcAt, lo, hi)
	}
}

func copyRuns[T tensor.Element](dst, src []T, run, dstStep, dstAt, srcStep, srcAt, lo, hi int) {
	for o := lo; o < hi; o++ {
		copy(dst[o*dstStep+dstAt:][:run], src[o*srcStep+srcAt:])
	}
}

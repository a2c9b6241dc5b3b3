package tensor

import (
	"math"
	"sync"
)

// Convert copies src into dst element by element, changing the type. Values
// that the destination cannot hold are rounded half to even and, for integer
// destinations, clipped to its range; NaN becomes 0 there. It returns how many
// integer values were clipped (NaN among them). Both must have as many
// elements.
func Convert(dst, src *Tensor) (clipped int) { return ConvertRange(dst, src, 0, src.Len()) }

// ConvertRange is Convert for the elements lo <= i < hi. Ranges are independent
// of each other and may run at the same time.
func ConvertRange(dst, src *Tensor, lo, hi int) (clipped int) {
	from, to := src.DType.row(), dst.DType.row()
	switch {
	case src.DType == dst.DType:
		size := src.DType.Size()
		copy(Bytes(dst)[lo*size:hi*size], Bytes(src)[lo*size:])
		return 0
	case dst.DType == Float32:
		from.singles(Of[float32](dst)[lo:hi], src.Data, lo)
		return 0
	case dst.DType == Float64:
		from.doubles(Of[float64](dst)[lo:hi], src.Data, lo)
		return 0
	case src.DType == Float32:
		return to.setSingles(dst.Data, lo, Of[float32](src)[lo:hi])
	case src.DType == Float64:
		return to.setDoubles(dst.Data, lo, Of[float64](src)[lo:hi])
	case src.DType == Int64 && dst.DType == Uint64:
		return clipNegative(Of[uint64](dst)[lo:hi], Of[int64](src)[lo:hi])
	case src.DType == Uint64 && dst.DType == Int64:
		return clipLarge(Of[int64](dst)[lo:hi], Of[uint64](src)[lo:hi])
	}
	// By way of float64, which holds what matters of every number: integers of
	// more than 53 bits are rounded to fewer here, or clipped.
	block := blocks.Get().(*[convertBlock]float64)
	defer blocks.Put(block)
	for at := lo; at < hi; at += convertBlock {
		part := block[:min(convertBlock, hi-at)]
		from.toOdd(part, src.Data, at)
		clipped += to.setDoubles(dst.Data, at, part)
	}
	return clipped
}

// convertBlock is how many numbers are converted at a time by way of float64.
const convertBlock = 512

var blocks = sync.Pool{New: func() any { return new([convertBlock]float64) }}

// clipNegative and clipLarge convert integers that a float64 would round.
func clipNegative(dst []uint64, src []int64) (clipped int) {
	for i, v := range src {
		if v < 0 {
			v = 0
			clipped++
		}
		dst[i] = uint64(v)
	}
	return clipped
}

func clipLarge(dst []int64, src []uint64) (clipped int) {
	for i, v := range src {
		if v > math.MaxInt64 {
			v = math.MaxInt64
			clipped++
		}
		dst[i] = int64(v)
	}
	return clipped
}

// Converted returns t with the given element type and how many values were
// clipped; t itself when it has that type already.
func Converted(t *Tensor, d DType) (*Tensor, int) {
	if t.DType == d {
		return t, 0
	}
	out := New(Spec{d, t.Shape})
	return out, Convert(out, t)
}

// Widen writes elements lo, lo+1, … of t to dst, as many as dst holds. Integers
// beyond 2^53 are rounded.
func Widen(dst []float64, t *Tensor, lo int) { t.DType.row().doubles(dst, t.Data, lo) }

// Rank numbers the values of a floating-point type in their order: v is rounded
// to d, neighbours differ by 1, both zeros are 0, and infinities come after the
// largest numbers. NaN has no rank.
func (d DType) Rank(v float64) int64 { return d.row().rank(v) }

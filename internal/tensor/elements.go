package tensor

import (
	"math"
	"unsafe"
)

// elements is what the package does with the Data of a tensor of one element
// type. Its methods take Data, a slice of that type, as any.
type elements interface {
	kind() kind
	precision() int

	zero() any // of the Go type
	size() int
	make(n int) any                          // n zeros
	over(first unsafe.Pointer, n int) any    // n elements over existing memory
	memory(data any) (first unsafe.Pointer)  // address of the elements of data
	at(data any, i int) float64              // element i
	singles(dst []float32, data any, at int) // elements at, at+1, … rounded to float32
	doubles(dst []float64, data any, at int) // elements at, at+1, … rounded to float64
	toOdd(dst []float64, data any, at int)   // the same, rounded to odd: see roundToOdd
	setSingles(data any, at int, src []float32) (clipped int)
	setDoubles(data any, at int, src []float64) (clipped int)
	rank(v float64) int64 // see DType.Rank
}

// kind says how numbers are computed with.
type kind uint8

const (
	integer  kind = iota
	floating      // Go computes with them
	narrow        // they are widened to float32 first
)

// slicesOf is what does not depend on the kind.
type slicesOf[T Element] struct{}

func (slicesOf[T]) zero() (v any) { return *new(T) }

func (slicesOf[T]) size() int { return SizeOf[T]() }

func (slicesOf[T]) make(n int) any { return Zeros[T](n) }

func (slicesOf[T]) over(first unsafe.Pointer, n int) any { return unsafe.Slice((*T)(first), n) }

func (slicesOf[T]) memory(data any) unsafe.Pointer {
	return unsafe.Pointer(unsafe.SliceData(data.([]T)))
}

// reals is what integers have in common with the floating-point types that Go
// computes with.
type reals[T Real] struct{ slicesOf[T] }

func (reals[T]) at(data any, i int) float64 { return float64(data.([]T)[i]) }

func (reals[T]) singles(dst []float32, data any, at int) { castAll(dst, data.([]T)[at:]) }

func (reals[T]) doubles(dst []float64, data any, at int) { castAll(dst, data.([]T)[at:]) }

// castAll converts as many numbers as dst holds.
func castAll[D, S Real](dst []D, src []S) {
	src = src[:len(dst)]
	for i, v := range src {
		dst[i] = D(v)
	}
}

// integers is an integer type. Numbers become integers rounded half to even and
// clipped to the range of T; NaN becomes 0 and counts as clipped.
type integers[T Integer] struct{ reals[T] }

func (integers[T]) kind() kind { return integer }

func (integers[T]) precision() int { return 8 * SizeOf[T]() }

func (k integers[T]) toOdd(dst []float64, data any, at int) {
	switch list := data.(type) {
	case []int64:
		oddAll(dst, list[at:])
	case []uint64:
		oddAll(dst, list[at:])
	default: // a float64 holds them
		k.doubles(dst, data, at)
	}
}

// oddAll rounds magnitudes of 2^52 and more to 41 bits or more: down to a multiple
// of 2^12, plus half of that unless the number is one. The result is exact in
// float64 and on the same side of every number of fewer bits.
func oddAll[T int64 | uint64](dst []float64, src []T) {
	const limit, rest = 1 << 52, 1<<12 - 1
	for i, v := range src[:len(dst)] {
		if (v >= limit || v < 0 && -v > limit) && v&rest != 0 {
			v = v&^rest | 1<<11
		}
		dst[i] = float64(v)
	}
}

func (integers[T]) setSingles(data any, at int, src []float32) int {
	return roundAll(data.([]T)[at:], src)
}

func (integers[T]) setDoubles(data any, at int, src []float64) int {
	return roundAll(data.([]T)[at:], src)
}

// roundAll rounds half to even and clips.
func roundAll[D Integer, S Floating](dst []D, src []S) (clipped int) {
	least, greatest := Range[D]()
	lo, hi := float64(least), 2*float64(greatest/2+1) // a float64 holds both, not greatest itself
	dst = dst[:len(src)]
	for i, v := range src {
		r := math.RoundToEven(float64(v))
		switch {
		case r >= lo && r < hi:
			dst[i] = D(r)
		case r < lo:
			dst[i] = least
			clipped++
		case r >= hi:
			dst[i] = greatest
			clipped++
		default: // NaN
			dst[i] = 0
			clipped++
		}
	}
	return clipped
}

// Range returns the least and the greatest number of an integer type.
func Range[T Integer]() (least, greatest T) {
	if ^T(0) > 0 {
		return 0, ^T(0)
	}
	least = T(1) << (8*SizeOf[T]() - 1)
	return least, ^least
}

func (integers[T]) rank(v float64) int64 { return int64(v) }

// floats is a floating-point type that Go computes with.
type floats[T Floating] struct {
	reals[T]
	bits int // of precision
}

func (floats[T]) kind() kind { return floating }

func (k floats[T]) precision() int { return k.bits }

func (k floats[T]) toOdd(dst []float64, data any, at int) { k.doubles(dst, data, at) }

func (floats[T]) setSingles(data any, at int, src []float32) int {
	castAll(data.([]T)[at:][:len(src)], src)
	return 0
}

func (floats[T]) setDoubles(data any, at int, src []float64) int {
	castAll(data.([]T)[at:][:len(src)], src)
	return 0
}

func (k floats[T]) rank(v float64) int64 {
	if k.size() == 4 {
		bits := math.Float32bits(float32(v))
		return rankOf(uint64(bits&^(1<<31)), bits>>31 != 0)
	}
	bits := math.Float64bits(v)
	return rankOf(bits&^(1<<63), bits>>63 != 0)
}

// rankOf maps the bits of a floating-point number to its rank.
func rankOf(magnitude uint64, negative bool) int64 {
	if negative {
		return -int64(magnitude)
	}
	return int64(magnitude)
}

package tensor

import "math"

// storage is a Narrow type with its widening.
type storage interface {
	Narrow
	Float32() float32
}

// narrows is a floating-point type that numbers are stored in, of 16 bits: sign,
// exponent, fraction.
type narrows[T storage] struct {
	slicesOf[T]
	bits  int                          // of precision
	widen func(dst []float32, src []T) // as many as src has
	round func(dst []T, src []float32) // to nearest, ties to even
	toOne func(v float32) T            // the same for one number
}

func (narrows[T]) kind() kind { return narrow }

func (k narrows[T]) precision() int { return k.bits }

func (narrows[T]) at(data any, i int) float64 { return float64(data.([]T)[i].Float32()) }

func (k narrows[T]) singles(dst []float32, data any, at int) {
	k.widen(dst, data.([]T)[at:][:len(dst)])
}

func (narrows[T]) doubles(dst []float64, data any, at int) {
	for i, v := range data.([]T)[at:][:len(dst)] {
		dst[i] = float64(v.Float32())
	}
}

func (k narrows[T]) toOdd(dst []float64, data any, at int) { k.doubles(dst, data, at) }

func (k narrows[T]) setSingles(data any, at int, src []float32) int {
	k.round(data.([]T)[at:][:len(src)], src)
	return 0
}

func (k narrows[T]) setDoubles(data any, at int, src []float64) int {
	dst := data.([]T)[at:][:len(src)]
	for i, v := range src {
		dst[i] = k.toOne(roundToOdd(v))
	}
	return 0
}

func (k narrows[T]) rank(v float64) int64 {
	bits := k.toOne(roundToOdd(v))
	return rankOf(uint64(bits&^(1<<15)), bits>>15 != 0)
}

// roundToOdd rounds v to a float32 so that rounding it again, to a type of fewer
// bits, gives what rounding v once gives. Rounding to nearest could land in the
// middle between two numbers of that type and hide on which side of it v lies.
// Where v is not a float32, the odd one of its two neighbours is taken, which is
// never such a middle.
func roundToOdd(v float64) float32 {
	f := float32(v)
	if bits := math.Float32bits(f); float64(f) != v && v == v && bits&1 == 0 {
		if math.Abs(float64(f)) > math.Abs(v) {
			bits--
		} else {
			bits++
		}
		f = math.Float32frombits(bits)
	}
	return f
}

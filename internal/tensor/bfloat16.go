package tensor

import "math"

// BF16 is a bfloat16 number: the sign, exponent and first 7 bits of the fraction
// of a float32. It is a storage format: values are widened to float32, which is
// exact, before anything is computed with them.
type BF16 uint16

// Float32 widens the number; every value, infinity and NaN is kept.
func (b BF16) Float32() float32 { return math.Float32frombits(uint32(b) << 16) }

// ToBF16 rounds f to the nearest BF16, ties to even. Magnitudes that exceed
// the largest number by half a unit in its last place become infinite. NaN becomes
// the quiet NaN of its sign, as in ml_dtypes.
func ToBF16(f float32) BF16 {
	bits := math.Float32bits(f)
	if f != f {
		return BF16(bits>>16&0x8000) | 0x7fc0
	}
	return BF16((bits + 0x7fff + bits>>16&1) >> 16)
}

func widenBF16(dst []float32, src []BF16) {
	dst = dst[:len(src)]
	for i, v := range src {
		dst[i] = v.Float32()
	}
}

func roundBF16(dst []BF16, src []float32) {
	dst = dst[:len(src)]
	for i, v := range src {
		dst[i] = ToBF16(v)
	}
}

package tensor

import "math"

// Float16 is an IEEE 754 binary16 number. It is a storage format: values are
// widened to float32, which is exact, before anything is computed with them.
type Float16 uint16

// Float32 widens the number; every value, infinity and NaN is kept.
func (h Float16) Float32() float32 {
	sign := uint32(h&0x8000) << 16
	exponent := uint32(h>>10) & 0x1f
	fraction := uint32(h & 0x3ff)
	switch exponent {
	case 0: // zero or subnormal: fraction * 2^-24
		magnitude := float32(fraction) * (1.0 / (1 << 24))
		return math.Float32frombits(sign | math.Float32bits(magnitude))
	case 0x1f: // infinity or NaN
		return math.Float32frombits(sign | 0x7f800000 | fraction<<13)
	default:
		return math.Float32frombits(sign | (exponent+112)<<23 | fraction<<13)
	}
}

// ToFloat16 rounds f to the nearest Float16, ties to even. Magnitudes of
// 65520 and more become infinite, as IEEE 754 has it.
func ToFloat16(f float32) Float16 {
	bits := math.Float32bits(f)
	sign := Float16(bits >> 16 & 0x8000)
	magnitude := bits & 0x7fffffff
	switch {
	case magnitude > 0x7f800000: // NaN: keep the payload's high bits, stay quiet
		return sign | 0x7e00 | Float16(magnitude>>13&0x1ff)
	case magnitude >= 0x477ff000: // rounds to 2^16 or beyond
		return sign | 0x7c00
	case magnitude >= 0x38800000: // normal in binary16
		rounded := magnitude + 0xfff + magnitude>>13&1
		return sign | Float16((rounded-0x38000000)>>13)
	default: // subnormal or zero: count in units of 2^-24
		units := math.RoundToEven(float64(math.Float32frombits(magnitude)) * (1 << 24))
		return sign | Float16(units)
	}
}

func widenFloat16(dst []float32, src []Float16) {
	for i, v := range src {
		dst[i] = v.Float32()
	}
}

func roundFloat16(dst []Float16, src []float32) {
	for i, v := range src {
		dst[i] = ToFloat16(v)
	}
}

package tensor

import "math"

// F16 is an IEEE 754 binary16 number. It is a storage format: values are
// widened to float32, which is exact, before anything is computed with them.
type F16 uint16

// Float32 widens the number; every value, infinity and NaN is kept.
func (h F16) Float32() float32 {
	bits := uint32(h&0x7fff)<<13 + 112<<23 // the exponent's bias is 15 there, 127 here
	switch h & 0x7c00 {
	case 0x7c00: // infinity or NaN
		bits |= 0xff << 23
	case 0: // zero or subnormal: f*2^-24 is 2^-14*(1+f/1024) less 2^-14
		bits = math.Float32bits(math.Float32frombits(bits+1<<23) - 0x1p-14)
	}
	return math.Float32frombits(uint32(h&0x8000)<<16 | bits)
}

// ToF16 rounds f to the nearest F16, ties to even. Magnitudes of
// 65520 and more become infinite, as IEEE 754 has it.
func ToF16(f float32) F16 {
	bits := math.Float32bits(f)
	sign := F16(bits >> 16 & 0x8000)
	magnitude := bits & 0x7fffffff
	switch {
	case magnitude > 0x7f800000: // NaN: keep the payload's high bits, stay quiet
		return sign | 0x7e00 | F16(magnitude>>13&0x1ff)
	case magnitude >= 0x477ff000: // rounds to 2^16 or beyond
		return sign | 0x7c00
	case magnitude >= 0x38800000: // normal in binary16
		rounded := magnitude + 0xfff + magnitude>>13&1
		return sign | F16((rounded-0x38000000)>>13)
	default: // subnormal or zero: count in units of 2^-24
		units := math.RoundToEven(float64(math.Float32frombits(magnitude)) * (1 << 24))
		return sign | F16(units)
	}
}

func widenF16(dst []float32, src []F16) {
	dst = dst[:len(src)]
	for i, v := range src {
		dst[i] = v.Float32()
	}
}

func roundF16(dst []F16, src []float32) {
	dst = dst[:len(src)]
	for i, v := range src {
		dst[i] = ToF16(v)
	}
}

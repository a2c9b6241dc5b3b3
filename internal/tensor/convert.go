package tensor

import "math"

// Convert copies src into dst element by element, changing the type. Values
// that the destination cannot hold are rounded half to even and, for integer
// destinations, clipped to its range; NaN becomes 0 there. It returns how many
// integer values were clipped (NaN among them). Both must have as many
// elements.
func Convert(dst, src *Tensor) (clipped int) { return ConvertRange(dst, src, 0, src.Len()) }

// ConvertRange is Convert for the elements lo <= i < hi. Ranges are independent
// of each other and may run at the same time.
func ConvertRange(dst, src *Tensor, lo, hi int) (clipped int) {
	switch s := src.Data.(type) {
	case []uint8:
		return convertFrom(dst, s, lo, hi, fromReal[uint8], toFloat32[uint8])
	case []int8:
		return convertFrom(dst, s, lo, hi, fromReal[int8], toFloat32[int8])
	case []uint16:
		return convertFrom(dst, s, lo, hi, fromReal[uint16], toFloat32[uint16])
	case []int16:
		return convertFrom(dst, s, lo, hi, fromReal[int16], toFloat32[int16])
	case []uint32:
		return convertFrom(dst, s, lo, hi, fromReal[uint32], toFloat32[uint32])
	case []int32:
		return convertFrom(dst, s, lo, hi, fromReal[int32], toFloat32[int32])
	case []uint64:
		return convertFrom(dst, s, lo, hi, fromReal[uint64], toFloat32[uint64])
	case []int64:
		return convertFrom(dst, s, lo, hi, fromReal[int64], toFloat32[int64])
	case []Float16:
		return convertFrom(dst, s, lo, hi, func(v Float16) float64 { return float64(v.Float32()) }, Float16.Float32)
	case []float32:
		return convertFrom(dst, s, lo, hi, fromReal[float32], toFloat32[float32])
	default:
		return convertFrom(dst, src.Data.([]float64), lo, hi, fromReal[float64], toFloat32[float64])
	}
}

func fromReal[T Real](v T) float64 { return float64(v) }

func toFloat32[T Real](v T) float32 { return float32(v) }

// convertFrom converts by way of float64, or straight to float32: a 64-bit
// integer that went through float64 would be rounded twice.
func convertFrom[S Element](dst *Tensor, src []S, from, to int, widen func(S) float64, narrow func(S) float32) int {
	src = src[from:to]
	switch d := dst.Data.(type) {
	case []S:
		copy(d[from:to], src)
		return 0
	case []uint8:
		return toInteger(d[from:to], src, widen, 0, math.MaxUint8)
	case []int8:
		return toInteger(d[from:to], src, widen, math.MinInt8, math.MaxInt8)
	case []uint16:
		return toInteger(d[from:to], src, widen, 0, math.MaxUint16)
	case []int16:
		return toInteger(d[from:to], src, widen, math.MinInt16, math.MaxInt16)
	case []uint32:
		return toInteger(d[from:to], src, widen, 0, math.MaxUint32)
	case []int32:
		return toInteger(d[from:to], src, widen, math.MinInt32, math.MaxInt32)
	case []uint64:
		return toInteger64(d[from:to], src, widen)
	case []int64:
		return toInteger64(d[from:to], src, widen)
	case []Float16:
		d = d[from:to]
		for i, v := range src {
			d[i] = roundToFloat16(widen(v))
		}
	case []float32:
		d = d[from:to]
		for i, v := range src {
			d[i] = narrow(v)
		}
	case []float64:
		d = d[from:to]
		for i, v := range src {
			d[i] = widen(v)
		}
	}
	return 0
}

// toInteger converts to integers of up to 32 bits, whose limits a float64
// holds exactly.
func toInteger[S Element, D Integer](dst []D, src []S, widen func(S) float64, lo, hi float64) (clipped int) {
	for i, v := range src {
		r := math.RoundToEven(widen(v))
		switch {
		case r >= lo && r <= hi:
			dst[i] = D(r)
		case r < lo:
			dst[i] = D(lo)
			clipped++
		case r > hi:
			dst[i] = D(hi)
			clipped++
		default: // NaN
			dst[i] = 0
			clipped++
		}
	}
	return clipped
}

// toInteger64 converts to 64-bit integers: integers go directly, since a
// float64 would round those beyond 2^53.
func toInteger64[S Element, D int64 | uint64](dst []D, src []S, widen func(S) float64) (clipped int) {
	signed := ^D(0) < 0
	lo, hi := 0.0, float64(1<<64)
	least, most := D(0), ^D(0)
	if signed {
		lo, hi = -(1 << 63), 1<<63
		least = D(1) << 63
		most = ^least
	}
	for i, v := range src {
		if w, ok := any(v).(int64); ok && !signed { // to uint64
			if w < 0 {
				dst[i] = 0
				clipped++
				continue
			}
			dst[i] = D(w)
			continue
		}
		if w, ok := any(v).(uint64); ok && signed { // to int64
			if w > math.MaxInt64 {
				dst[i] = most
				clipped++
				continue
			}
			dst[i] = D(w)
			continue
		}
		r := math.RoundToEven(widen(v))
		switch {
		case r >= lo && r < hi:
			dst[i] = D(r)
		case r < lo:
			dst[i] = least
			clipped++
		case r >= hi:
			dst[i] = most
			clipped++
		default: // NaN
			dst[i] = 0
			clipped++
		}
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

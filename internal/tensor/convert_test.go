package tensor_test

import (
	"math"
	"math/big"
	"testing"

	"github.com/poolctl/poolctl/internal/tensor"
)

// limits are the least and the largest value of each integer type.
var limits = map[tensor.DType][2]*big.Int{
	tensor.Uint8: {big.NewInt(0), big.NewInt(math.MaxUint8)}, tensor.Int8: {big.NewInt(math.MinInt8), big.NewInt(math.MaxInt8)},
	tensor.Uint16: {big.NewInt(0), big.NewInt(math.MaxUint16)}, tensor.Int16: {big.NewInt(math.MinInt16), big.NewInt(math.MaxInt16)},
	tensor.Uint32: {big.NewInt(0), big.NewInt(math.MaxUint32)}, tensor.Int32: {big.NewInt(math.MinInt32), big.NewInt(math.MaxInt32)},
	tensor.Uint64: {big.NewInt(0), new(big.Int).SetUint64(math.MaxUint64)}, tensor.Int64: {big.NewInt(math.MinInt64), big.NewInt(math.MaxInt64)},
}

// sources are values at the limits of every type, and halves between neighbours
// of the narrower ones.
func sources() []*tensor.Tensor {
	inf, nan, denormal := math.Inf(1), math.NaN(), math.SmallestNonzeroFloat64
	doubles := []float64{
		0, math.Copysign(0, -1), 0.5, 1.5, 2.5, -0.5, -1.5, 0.49999999999999994, 254.5, 255.5, 255.49999999999997, -128.5, -129, 65535.5, 65536.5,
		2147483646.5, 2147483647.5, -2147483648.5, -2147483649, 4294967295.5, 1 << 53, 1<<53 + 2, 1 << 62, 1 << 63, -(1 << 63), -(1<<63 + 2048), 1<<64 - 2048, 1 << 64,
		math.MaxFloat64, -math.MaxFloat64, math.MaxFloat32, math.MaxFloat32 * (1 + 1.0/(1<<25)), 1e39, inf, -inf, nan, denormal, -denormal, 1e-45, 1e-46,
		65504, 65519.99, 65520, 65536, 5.960464477539063e-08, 2.98e-08, 2.9802322387695312e-08, 2.9802322387695316e-08,
		// just off the middle of two float16 numbers, by less than a float32 holds
		1 + 1.0/(1<<11), 1 + 1.0/(1<<11) + 1.0/(1<<40), 1 + 3.0/(1<<11) - 1.0/(1<<40), -(1 + 1.0/(1<<11) + 1.0/(1<<40)), 65520 - 1e-9,
		// and of two bfloat16 numbers: of fraction, of the largest ones, of the smallest
		1 + 1.0/(1<<8), 1 + 1.0/(1<<8) + 1.0/(1<<40), 1 + 3.0/(1<<8) - 1.0/(1<<40), -(1 + 1.0/(1<<8) + 1.0/(1<<40)),
		0x1.ffp127, 0x1.ffp127 - 0x1p90, 0x1.ffp127 + 0x1p90, 0x1p-134, 0x1p-134 + 0x1p-170, 0x3p-134 - 0x1p-170, -0x1p-134,
	}
	floats := make([]float32, len(doubles))
	halves, brains := make([]tensor.F16, 0, 1<<16), make([]tensor.BF16, 0, 1<<16)
	for i, v := range doubles {
		floats[i] = float32(v)
	}
	for bits := range 1 << 16 {
		halves, brains = append(halves, tensor.F16(bits)), append(brains, tensor.BF16(bits))
	}
	return []*tensor.Tensor{
		tensor.From([]uint8{0, 1, 127, 128, 255}, 5),
		tensor.From([]int8{0, 1, -1, 127, -128}, 5),
		tensor.From([]uint16{0, 1, 127, 128, 255, 256, 32767, 32768, 65519, 65520, 65535, 2049, 2050, 2051}, 14),
		tensor.From([]int16{0, 1, -1, 127, 128, -128, -129, 255, 256, 32767, -32768, 2049, 2051}, 13),
		tensor.From([]uint32{0, 255, 256, 65535, 65536, 1<<24 + 1, 1<<24 + 3, math.MaxInt32, 1 << 31, math.MaxUint32}, 10),
		tensor.From([]int32{0, -1, -128, -129, 32768, -32769, 1<<24 + 1, -(1<<24 + 3), math.MaxInt32, math.MinInt32}, 10),
		tensor.From([]uint64{0, 1<<53 + 1, 1<<60 + 1<<36, 1<<60 + 1<<36 + 1, math.MaxInt64, 1 << 63, 1<<63 + 1, math.MaxUint64 - 1, math.MaxUint64, math.MaxUint32 + 1, 1<<63 + 1<<55, 1<<63 + 1<<55 + 1, 1<<63 + 3<<55 - 1}, 13),
		tensor.From([]int64{0, -1, 1<<53 + 1, 1<<60 + 1<<36, 1<<60 + 1<<36 + 1, -(1<<60 + 1<<36 + 1), math.MaxInt64, math.MaxInt64 - 1, math.MinInt64, math.MaxUint32, math.MinInt32 - 1, 1<<62 + 1<<54, 1<<62 + 1<<54 + 1, 1<<62 + 3<<54 - 1, -(1<<62 + 1<<54 + 1)}, 15),
		tensor.From(brains, len(brains)),
		tensor.From(halves, len(halves)),
		tensor.From(floats, len(floats)),
		tensor.From(doubles, len(doubles)),
	}
}

// TestConvertRoundsOnceAndClips holds every pair of types to exact numbers:
// integers round half to even and are clipped to their limits, floating-point
// numbers are the nearest ones.
func TestConvertRoundsOnceAndClips(t *testing.T) {
	for _, src := range sources() {
		for _, d := range tensor.DTypes() {
			dst := tensor.New(tensor.Spec{DType: d, Shape: src.Shape})
			clipped, want := tensor.Convert(dst, src), 0
			for i := range src.Len() {
				var ok bool
				if d.IsInteger() {
					ok = checkInteger(exactly(src, i), exactly(dst, i), d, &want)
				} else {
					ok = checkNearest(src, dst, i)
				}
				if !ok {
					t.Errorf("%s to %s: %v becomes %v", src.DType, d, show(src, i), show(dst, i))
				}
			}
			if clipped != want {
				t.Errorf("%s to %s: %d clipped, want %d", src.DType, d, clipped, want)
			}
		}
	}
}

// exactly returns an element without rounding; nil for NaN.
func exactly(t *tensor.Tensor, i int) *big.Float {
	v := new(big.Float).SetPrec(1100)
	switch list := t.Data.(type) {
	case []uint64:
		return v.SetUint64(list[i])
	case []int64:
		return v.SetInt64(list[i])
	}
	if math.IsNaN(t.At(i)) {
		return nil
	}
	return v.SetFloat64(t.At(i))
}

func show(t *tensor.Tensor, i int) string {
	if v := exactly(t, i); v != nil {
		return v.Text('g', 30)
	}
	return "NaN"
}

// checkInteger compares with the value rounded half to even, and clipped.
func checkInteger(src, got *big.Float, d tensor.DType, clipped *int) bool {
	lo, hi := new(big.Float).SetInt(limits[d][0]), new(big.Float).SetInt(limits[d][1])
	want := new(big.Float)
	switch {
	case src == nil:
		*clipped++
	case src.IsInf():
		*clipped++
		if want = lo; src.Sign() > 0 {
			want = hi
		}
	default:
		whole, _ := new(big.Float).SetPrec(1100).Add(src, big.NewFloat(0.5)).Int(nil) // towards zero
		for new(big.Float).SetInt(whole).Cmp(new(big.Float).SetPrec(1100).Add(src, big.NewFloat(0.5))) > 0 {
			whole.Sub(whole, big.NewInt(1)) // the floor of src + 1/2
		}
		if rest := new(big.Float).SetPrec(1100).Sub(new(big.Float).SetInt(whole), src); rest.Cmp(big.NewFloat(0.5)) == 0 && whole.Bit(0) == 1 {
			whole.Sub(whole, big.NewInt(1))
		}
		want = new(big.Float).SetPrec(1100).SetInt(whole)
		if want.Cmp(lo) < 0 {
			want = lo
			*clipped++
		} else if want.Cmp(hi) > 0 {
			want = hi
			*clipped++
		}
	}
	return got != nil && got.Cmp(want) == 0
}

// checkNearest compares with the neighbours of the result in its type.
func checkNearest(src, dst *tensor.Tensor, i int) bool {
	x, got := exactly(src, i), exactly(dst, i)
	if x == nil || got == nil {
		return x == nil && got == nil
	}
	if x.IsInf() || x.Sign() == 0 {
		return x.Cmp(got) == 0 && x.Signbit() == got.Signbit()
	}
	// Infinity stands where the number after the largest one would be.
	beyond := map[tensor.DType]int{tensor.BFloat16: 128, tensor.Float16: 16, tensor.Float32: 128, tensor.Float64: 1024}[dst.DType]
	value := func(v *big.Float) *big.Float {
		if v.IsInf() {
			one := big.NewFloat(1)
			if v.Signbit() {
				one.Neg(one)
			}
			return new(big.Float).SetPrec(1100).SetMantExp(one, beyond)
		}
		return v
	}
	d := func(v *big.Float) *big.Float {
		r := new(big.Float).SetPrec(2200).Sub(value(v), x)
		return r.Abs(r)
	}
	for _, step := range []int{-1, 1} {
		neighbour, even := step1(dst, i, step)
		if neighbour == nil {
			continue
		}
		if c := d(got).Cmp(d(neighbour)); c > 0 || c == 0 && !even {
			return false
		}
	}
	return got.Signbit() == x.Signbit()
}

// step1 returns the floating-point number whose bits are one more or less than
// those of element i, nil where that is none, and whether element i is even.
func step1(t *tensor.Tensor, i, step int) (neighbour *big.Float, even bool) {
	next := tensor.New(tensor.Spec{DType: t.DType, Shape: tensor.Shape{1}})
	switch t.DType.Size() {
	case 2:
		bits := tensor.BitsOf[uint16](t)[i]
		even = bits&1 == 0
		tensor.BitsOf[uint16](next)[0] = bits + uint16(step)
	case 4:
		bits := tensor.BitsOf[uint32](t)[i]
		even = bits&1 == 0
		tensor.BitsOf[uint32](next)[0] = bits + uint32(step)
	case 8:
		bits := tensor.BitsOf[uint64](t)[i]
		even = bits&1 == 0
		tensor.BitsOf[uint64](next)[0] = bits + uint64(step)
	}
	v := exactly(next, 0)
	if v == nil || v.Sign() != 0 && exactly(t, i).Sign() != 0 && v.Signbit() != exactly(t, i).Signbit() {
		return nil, even
	}
	return v, even
}

// TestConvertRangeTouchesItsRangeOnly for every pair of types.
func TestConvertRangeTouchesItsRangeOnly(t *testing.T) {
	for _, from := range tensor.DTypes() {
		for _, to := range tensor.DTypes() {
			src, _ := tensor.Converted(tensor.From([]uint8{1, 2, 3, 4, 5}, 5), from)
			dst, _ := tensor.Converted(tensor.From([]uint8{9, 9, 9, 9, 9}, 5), to)
			tensor.ConvertRange(dst, src, 1, 3)
			for i, want := range []float64{9, 2, 3, 9, 9} {
				if dst.At(i) != want {
					t.Errorf("%s to %s: element %d is %v, want %v", from, to, i, dst.At(i), want)
				}
			}
		}
	}
	x := tensor.From([]int8{1}, 1)
	if y, clipped := tensor.Converted(x, tensor.Int8); y != x || clipped != 0 {
		t.Error("a tensor of the type asked for is copied")
	}
}

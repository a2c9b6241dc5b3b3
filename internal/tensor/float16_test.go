package tensor_test

import (
	"math"
	"math/big"
	"testing"

	"github.com/poolctl/poolctl/internal/tensor"
	"pgregory.net/rapid"
)

// half is what the 16 bits mean by IEEE 754: (-1)^s * 2^(e-15) * (1 + f/1024),
// or (-1)^s * 2^-14 * f/1024 where e is 0.
func half(bits uint16) float64 {
	e, f := int(bits>>10&31), float64(bits&1023)
	v := math.Ldexp(1+f/1024, e-15)
	switch {
	case e == 0:
		v = math.Ldexp(f/1024, -14)
	case e == 31 && f == 0:
		v = math.Inf(1)
	case e == 31:
		v = math.NaN()
	}
	return math.Copysign(v, 1-2*float64(bits>>15))
}

// TestFloat16Values looks at every value: widening follows the definition, and
// narrowing brings the bits back; only signalling NaN become quiet.
func TestFloat16Values(t *testing.T) {
	for bits := range 1 << 16 {
		h := tensor.F16(bits)
		wide, want := h.Float32(), half(uint16(bits))
		if math.IsNaN(want) {
			if wide == wide || math.Signbit(float64(wide)) != (bits>>15 == 1) {
				t.Fatalf("%#04x widens to %v", bits, wide)
			}
			if back := tensor.ToF16(wide); back != h|0x200 {
				t.Fatalf("NaN %#04x comes back as %#04x", bits, back)
			}
			continue
		}
		if float64(wide) != want || math.Signbit(float64(wide)) != math.Signbit(want) {
			t.Fatalf("%#04x widens to %v, want %v", bits, wide, want)
		}
		if back := tensor.ToF16(wide); back != h {
			t.Fatalf("%#04x comes back as %#04x", bits, back)
		}
	}
}

// TestFloat16RoundsToEven looks at every pair of neighbours: what lies below
// the middle goes down, above it goes up, and the middle to the even one.
func TestFloat16RoundsToEven(t *testing.T) {
	for bits := uint16(0); bits < 0x7c00; bits++ {
		low, high := half(bits), half(bits+1)
		if bits+1 == 0x7c00 {
			high = 65536 // where the next number would be, if there were more exponents
		}
		middle := float32((low + high) / 2) // 12 significant bits: exact
		even := bits + bits&1
		for _, c := range []struct {
			v    float32
			want uint16
		}{
			{middle, even},
			{math.Nextafter32(middle, 0), bits},
			{math.Nextafter32(middle, 1e30), bits + 1},
		} {
			if got := tensor.ToF16(c.v); got != tensor.F16(c.want) {
				t.Fatalf("%v becomes %#04x, want %#04x", c.v, got, c.want)
			}
			if got := tensor.ToF16(-c.v); got != tensor.F16(c.want|0x8000) {
				t.Fatalf("%v becomes %#04x, want %#04x", -c.v, got, c.want|0x8000)
			}
		}
	}
	for _, v := range []float32{65536, math.MaxFloat32, float32(math.Inf(1))} {
		if got := tensor.ToF16(v); got != 0x7c00 {
			t.Errorf("%v becomes %#04x, want infinity", v, got)
		}
	}
}

// TestFloat16IsNearest holds random float32 numbers to exact distances.
func TestFloat16IsNearest(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		v := rapid.Float32Range(-65504, 65504).Draw(t, "v")
		got := tensor.ToF16(v)
		for _, other := range []tensor.F16{got - 1, got + 1} {
			if w := float64(other.Float32()); math.IsNaN(w) || math.IsInf(w, 0) {
				continue
			}
			a, b := distance(float64(v), float64(got.Float32())), distance(float64(v), float64(other.Float32()))
			if c := a.Cmp(b); c > 0 || c == 0 && got&1 == 1 {
				t.Fatalf("%v becomes %v, %v is as near or nearer", v, got.Float32(), other.Float32())
			}
		}
	})
}

func distance(a, b float64) *big.Float {
	d := new(big.Float).SetPrec(2000).SetFloat64(a)
	return d.Abs(d.Sub(d, new(big.Float).SetFloat64(b)))
}

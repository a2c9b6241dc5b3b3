package pool

import (
	"math"
	"math/rand/v2"
	"testing"
)

// TestRaise compares with math.Pow, over all magnitudes of float32 and some beyond.
func TestRaise(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	check := func(x, p float64) {
		t.Helper()
		got, want := raise(x, p), math.Pow(x, p)
		switch {
		case got == want || got != got && want != want:
		case !(math.Abs(got-want) <= 0x1p-41*math.Abs(want)+0x1p-1060):
			t.Fatalf("%v to the power of %v is %v, want %v: off by 2^%.1f", x, p, got, want, math.Log2(math.Abs(got-want)/math.Abs(want)))
		}
	}
	hard := []float64{0, 1, 2, 0.5, math.Nextafter(1, 0), math.Nextafter(1, 2), math.Nextafter(2, 0), 0x1p-149, math.MaxFloat32, math.MaxFloat64,
		0x1p-1022, 0x1p-1023, math.SmallestNonzeroFloat64, math.Inf(1), math.NaN(), 1 + 0x1p-7, 1 + 0x1p-8, 1.5}
	powers := []float64{0.1, 0.4, 0.5, 1, 1.5, 2, 2.5, 7, 31.25, mostRaised, 1 / 2.5, 1e-9}
	for _, p := range powers {
		for _, x := range hard {
			check(x, p)
		}
		for range 100_000 {
			check(math.Abs(random.NormFloat64()), p)
			check(float64(math.Float32frombits(random.Uint32()>>1)), p)
			check(1+random.Float64()/256, p)
		}
	}
}

func BenchmarkRaise(b *testing.B) {
	x := make([]float64, 4096)
	for i := range x {
		x[i] = rand.Float64()
	}
	sum := 0.0
	for b.Loop() {
		for _, v := range x {
			sum += raise(v, 2.5)
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*len(x)), "ns/number")
}

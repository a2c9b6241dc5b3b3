//go:build amd64 && !purego

package kernel

import (
	"math"
	"math/rand/v2"
	"testing"
)

// HasAssembly says whether levels above Generic run assembly.
const HasAssembly = true

// TestWindowFunctions: runs of windows written past the caches and through them,
// at every alignment, for every cell size from 1 to 67, to the bit, in memory
// that ends where the last cell does; what stands around the outputs stays.
func TestWindowFunctions(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	for level := AVX2; level <= Detected(); level++ {
		for n := 1; n <= 67; n++ {
			for range 40 {
				checkRun(t, random, level, n)
			}
		}
		for range 40 { // long enough for whole streams
			checkRun(t, random, level, 64*(1+random.IntN(4)))
		}
	}
}

func checkRun(t *testing.T, random *rand.Rand, level Level, n int) {
	stride, outputs := 1+random.IntN(3), 1+random.IntN(9)
	kind := extremumKind(random.IntN(4))
	r := run{n: n, outputs: outputs, step: stride * n, stream: random.IntN(2) == 0}
	reach := 0 // cells from the first tap to the last
	var taps []int
	for range 1 + random.IntN(9) {
		r.taps = append(r.taps, 4*n*reach)
		taps = append(taps, n*reach)
		reach += random.IntN(3)
	}
	reach = taps[len(taps)-1] / n
	cells := (outputs-1)*stride + reach + 1
	for range random.IntN(16) { // anywhere in memory
		r.src = append(r.src, 0)
	}
	skip := len(r.src)
	harmless := random.IntN(2) == 0
	for range cells * n {
		v := hard32[random.IntN(len(hard32))]
		if harmless {
			v = hard32[random.IntN(len(hard32)-2)]
		}
		r.src = append(r.src, v)
	}
	r.src = r.src[skip:len(r.src):len(r.src)]
	all := make([]float32, outputs*n+2*margin)
	for i := range all {
		all[i] = 77
	}
	at := margin/2 + random.IntN(margin/2)
	r.dst = all[at : at+outputs*n]
	table := &directTables[level]
	var lanes [16]int32
	table.gather(&lanes, n, r.step)
	table.extrema[kind](r, &lanes)
	merge, _ := extremumMerger[float32](Generic, kind >= 2, kind%2 == 1)
	want := make([]float32, n)
	for o := range outputs {
		copy(want, r.src[o*r.step+taps[0]:])
		for _, tap := range taps[1:] {
			merge(want, want, r.src[o*r.step+tap:])
		}
		for i, v := range want {
			if got := r.dst[o*n+i]; math.Float32bits(got) != math.Float32bits(v) {
				t.Fatalf("%v: kind %d, %d numbers, output %d of %d, %d apart, taps %v: number %d is %v, want %v", level, kind, n, o, outputs, r.step, taps, i, got, v)
			}
		}
	}
	for i, v := range all {
		if (i < at || i >= at+outputs*n) && v != 77 {
			t.Fatalf("%v: %d numbers, %d outputs: place %d was written", level, n, outputs, i-at)
		}
	}
}

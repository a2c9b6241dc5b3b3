//go:build amd64 && !purego

package pool

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/poolctl/poolctl/internal/ops/kernel"
)

// TestWindowFunctions: runs of windows written past the caches and through them,
// at every alignment, for every cell size from 1 to 67, to the bit, in memory
// that ends where the last cell does; what stands around the outputs stays.
func TestWindowFunctions(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	for level := kernel.AVX2; level <= kernel.Detected(); level++ {
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

func checkRun(t *testing.T, random *rand.Rand, level kernel.Level, n int) {
	stride, outputs := 1+random.IntN(3), 1+random.IntN(9)
	kind := kernel.ExtremumKind(random.IntN(4))
	r := Run{N: n, Outputs: outputs, Step: stride * n, stream: random.IntN(2) == 0}
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
	table.gather(&lanes, n, r.Step)
	table.extrema[kind](r, &lanes)
	checkArgmax(t, random, level, kind, r)
	checkAverage(t, random, level, r)
	merge, _ := extremumMerger[float32](kernel.Generic, kind >= 2, kind%2 == 1)
	want := make([]float32, n)
	for o := range outputs {
		copy(want, r.src[o*r.Step+taps[0]:])
		for _, tap := range taps[1:] {
			merge(want, want, r.src[o*r.Step+tap:])
		}
		for i, v := range want {
			if got := r.dst[o*n+i]; math.Float32bits(got) != math.Float32bits(v) {
				t.Fatalf("%v: kind %d, %d numbers, output %d of %d, %d apart, taps %v: number %d is %v, want %v", level, kind, n, o, outputs, r.Step, taps, i, got, v)
			}
		}
	}
	for i, v := range all {
		if (i < at || i >= at+outputs*n) && v != 77 {
			t.Fatalf("%v: %d numbers, %d outputs: place %d was written", level, n, outputs, i-at)
		}
	}
}

// checkArgmax compares values and indices with merging pairs of them in plain
// Go, where taps are numbered by any multiple of their order.
func checkArgmax(t *testing.T, random *rand.Rand, level kernel.Level, kind kernel.ExtremumKind, r Run) {
	values, indices := make([]float32, len(r.dst)+2*margin), make([]int64, len(r.dst)+2*margin)
	for i := range indices {
		values[i], indices[i] = 77, 77
	}
	at := margin/2 + random.IntN(margin/2)
	end := at + len(r.dst)
	r.dst, r.argmax = values[at:end], indices[at:end]
	for i := range r.taps {
		r.codes = append(r.codes, int32(i*(1+random.IntN(2))))
	}
	x := &r.number
	x.base, x.laneStep, x.lanes = random.IntN(1<<40), random.IntN(3), new([8]int64)
	x.baseStep = []int{r.N * x.laneStep, 5}[random.IntN(2)]
	for i := range x.lanes {
		x.lanes[i] = int64(i * x.laneStep)
	}
	var mask [16]int32
	MaskLanes(&mask, r.N)
	directTables[level].locate[kind](r, &mask)
	merge := [4]kernel.Merger[located[float32]]{mergeArgMax[float32], mergeArgMaxIgnoreNaN[float32], mergeArgMin[float32], mergeArgMinIgnoreNaN[float32]}[kind]
	for o := range r.Outputs {
		for i := range r.N {
			var want, next [1]located[float32]
			for k, tap := range r.taps {
				next[0] = located[float32]{r.src[o*r.Step+tap/4+i], int(r.codes[k])}
				if k == 0 {
					want = next
				} else {
					merge(want[:], want[:], next[:])
				}
			}
			number := int64(x.base + o*x.baseStep + i*x.laneStep + want[0].at)
			if k := o*r.N + i; r.argmax[k] != number || math.Float32bits(r.dst[k]) != math.Float32bits(want[0].value) {
				t.Fatalf("%v: kind %d, %d numbers, output %d of %d: number %d is %v at %d, want %v at %d", level, kind, r.N, o, r.Outputs, i, r.dst[k], r.argmax[k], want[0].value, number)
			}
		}
	}
	for i := range values {
		if (i < at || i >= end) && (values[i] != 77 || indices[i] != 77) {
			t.Fatalf("%v: %d numbers, %d outputs: place %d was written with argmax", level, r.N, r.Outputs, i-at)
		}
	}
}

// checkAverage compares with sums of rows, of planes of rows and of planes.
func checkAverage(t *testing.T, random *rand.Rand, level kernel.Level, r Run) {
	r.nx, r.ny = 1+random.IntN(3), 1+random.IntN(2)
	for len(r.taps)%(r.nx*r.ny) != 0 { // the first tap again
		r.taps = append(r.taps, 0)
	}
	r.divisor = []int{1, 2, 3, 4, 9, -8, -7}[random.IntN(7)]
	all := make([]float32, len(r.dst)+2*margin)
	for i := range all {
		all[i] = 77
	}
	at := margin/2 + random.IntN(margin/2)
	end := at + len(r.dst)
	r.dst = all[at:end]
	var mask [16]int32
	MaskLanes(&mask, r.N)
	directTables[level].average(r, &mask)
	for o := range r.Outputs {
		for i := range r.N {
			sum := math.Copysign(0, -1)
			for taps := r.taps; len(taps) > 0; taps = taps[r.nx*r.ny:] {
				plane := math.Copysign(0, -1)
				for y := range r.ny {
					row := math.Copysign(0, -1)
					for _, tap := range taps[y*r.nx : (y+1)*r.nx] {
						row += float64(r.src[o*r.Step+tap/4+i])
					}
					plane += row
				}
				sum += plane
			}
			want, got := float32(sum/float64(r.divisor)), r.dst[o*r.N+i]
			if math.Float32bits(got) != math.Float32bits(want) && (got == got || want == want) {
				t.Fatalf("%v: %d numbers, output %d of %d, %d x %d of %d taps by %d: number %d is %v, want %v", level, r.N, o, r.Outputs, r.ny, r.nx, len(r.taps), r.divisor, i, got, want)
			}
		}
	}
	for i, v := range all {
		if (i < at || i >= end) && v != 77 {
			t.Fatalf("%v: %d numbers, %d outputs: place %d was written with averages", level, r.N, r.Outputs, i-at)
		}
	}
}

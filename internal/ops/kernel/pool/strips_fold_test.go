package pool

import (
	"math"
	"math/rand/v2"
	"testing"
	"unsafe"

	"github.com/poolctl/poolctl/internal/ops/kernel"
	"github.com/poolctl/poolctl/internal/tensor"
)

// TestFoldsAreMerges: the folders of every level over every length from 0 to 67
// and every alignment, past the caches and through them, to the bit but for the
// payload of NaN that sums make; what stands around the outputs stays.
func TestFoldsAreMerges(t *testing.T) {
	random := rand.New(rand.NewPCG(5, 6))
	for level := kernel.AVX2; level <= kernel.Detected(); level++ {
		for kind := range kernel.ExtremumKind(4) {
			foldLikeMerging(t, random, extremumFolder(level, kind, plainExtremum[float32](kind)), plainExtremum[float32](kind), hard32, 77, sameBits)
			foldLikeMerging(t, random, extremumFolder(level, kind, plainExtremum[float64](kind)), plainExtremum[float64](kind), hard64, 77, sameBits)
			merge := [4]kernel.Merger[located[float64]]{mergeArgMax[float64], mergeArgMaxIgnoreNaN[float64], mergeArgMin[float64], mergeArgMinIgnoreNaN[float64]}[kind]
			fold, _ := locatedFolder(level, kind, merge)
			var cells []located[float64]
			for i, v := range hard64 {
				cells = append(cells, located[float64]{v, i}, located[float64]{v, math.MaxInt64 - i})
			}
			foldLikeMerging(t, random, fold, merge, cells, located[float64]{77, 77}, func(a, b located[float64]) bool { return a.at == b.at && sameBits(a.value, b.value) })
		}
		foldLikeMerging(t, random, sumFolder(level), mergeSum, hard64[:10], 77, sameBits)
		foldLikeMerging(t, random, keyFolder(level), mergeKeys, []int64{0, 1, -1, math.MaxInt64, math.MinInt64, 1 << 40, -1 << 40}, 77, sameBits)

		var doubles []double
		var tallies []tally
		var counts []counted
		for _, v := range append(hard64, 1, 1e-17, -1e100, 1e84, math.MaxFloat64) {
			doubles = append(doubles, toDouble(v), double{v, v / (1 << 53)})
			tallies = append(tallies, tallied(v))
			counts = append(counts, counting(v), counted{double{v, v / (1 << 54)}, double{hi: 5}})
		}
		sameDouble := func(a, b double) bool { return sameBits(a.hi, b.hi) && (a.lo == b.lo || a.lo != a.lo && b.lo != b.lo) }
		foldLikeMerging(t, random, tallyFolder(level), mergeTally, tallies, tally{77, 77}, func(a, b tally) bool { return sameBits(a.sum, b.sum) && a.skipped == b.skipped })
		foldLikeMerging(t, random, doubleFolder(level), mergeDouble, doubles, double{77, 77}, sameDouble)
		foldLikeMerging(t, random, countedFolder(level), mergeCounted, counts, counted{double{77, 77}, double{77, 77}},
			func(a, b counted) bool { return sameDouble(a.sum, b.sum) && sameDouble(a.skipped, b.skipped) })
	}
}

func plainExtremum[T tensor.Real](kind kernel.ExtremumKind) kernel.Merger[T] {
	merge, _ := extremumMerger[T](kernel.Generic, kind >= 2, kind%2 == 1)
	return merge
}

func foldLikeMerging[T any](t *testing.T, random *rand.Rand, fold folder[T], merge kernel.Merger[T], hard []T, mark T, same func(a, b T) bool) {
	t.Helper()
	plain := foldMerging(merge)
	size := int(unsafe.Sizeof(mark))
	for n := range 68 {
		for range 12 {
			outputs, step := 1+random.IntN(3), random.IntN(9)
			var taps []int
			last := 0
			for range 1 + random.IntN(5) {
				taps = append(taps, last*size)
				last += random.IntN(20)
			}
			src := make([]T, random.IntN(8)+(outputs-1)*step+last+n+1)
			for i := range src {
				src[i] = hard[random.IntN(len(hard))]
			}
			src = src[len(src)-((outputs-1)*step+last+n+1):]
			at := margin/2 + random.IntN(margin/2)
			got, want := make([]T, outputs*n+2*margin), make([]T, outputs*n+2*margin)
			for i := range got {
				got[i], want[i] = mark, mark
			}
			stream := outputs == 1 && random.IntN(2) == 0
			fold(got[at:][:outputs*n], src, taps, outputs, n, step, stream)
			plain(want[at:][:outputs*n], src, taps, outputs, n, step, false)
			for i := range got {
				if !same(got[i], want[i]) {
					t.Fatalf("%T: %d numbers, %d outputs, %d apart, taps %v: place %d is %v, want %v", got[i], n, outputs, step, taps, i-at, got[i], want[i])
				}
			}
		}
	}
}

// sameBits compares to the bit; all NaN of float64 sums are one.
func sameBits[T tensor.Real](a, b T) bool {
	return a == b && math.Signbit(float64(a)) == math.Signbit(float64(b)) || a != a && b != b
}

// TestIntegersAreTheirOwnKeys: the short way of making keys is the long one.
func TestIntegersAreTheirOwnKeys(t *testing.T) {
	keysAreShort(t, []uint8{0, 1, 127, 128, 255})
	keysAreShort(t, []int8{0, 1, -1, 127, -128})
	keysAreShort(t, []uint16{0, 1, 1 << 15, 1<<16 - 1})
	keysAreShort(t, []int16{0, -1, 1<<15 - 1, -1 << 15})
	keysAreShort(t, []int32{0, -1, math.MaxInt32, math.MinInt32})
}

func keysAreShort[T tensor.Integer](t *testing.T, src []T) {
	t.Helper()
	for _, reduction := range []Reduction{Max, Min} {
		spec := Spec{Reduction: reduction, Argmax: true}
		got, want := make([]int64, len(src)), make([]int64, len(src))
		loadKeys(want, src, 40, newKeyOrder(&spec))
		keyLoader[T](&spec)(got, src, 40)
		for i := range got {
			if got[i] != want[i] {
				t.Errorf("%T: the key of %d is %#x, want %#x", src, src[i], got[i], want[i])
			}
		}
	}
}

// TestKeysOrderNumbersAndPlaces: the keys of every level are those of plain Go,
// and their maximum is the first of the best numbers, by both rules for NaN.
func TestKeysOrderNumbersAndPlaces(t *testing.T) {
	random := rand.New(rand.NewPCG(7, 8))
	for kind := range kernel.ExtremumKind(4) {
		spec := Spec{IgnoreNaN: kind%2 == 1, Argmax: true}
		if kind >= 2 {
			spec.Reduction = Min
		}
		merge := [4]kernel.Merger[located[float32]]{mergeArgMax[float32], mergeArgMaxIgnoreNaN[float32], mergeArgMin[float32], mergeArgMinIgnoreNaN[float32]}[kind]
		for n := range 68 {
			src := make([]float32, n)
			for i := range src {
				src[i] = hard32[random.IntN(len(hard32))]
			}
			at := random.IntN(1 << 31)
			want := make([]int64, n)
			loadKeys(want, src, at, newKeyOrder(&spec))
			for spec.Level = kernel.Generic; spec.Level <= kernel.Detected(); spec.Level++ {
				got := make([]int64, n+margin)
				keyLoader[float32](&spec)(got[:n], src, at)
				for i, key := range got {
					if i < n && key != want[i] || i >= n && key != 0 {
						t.Fatalf("%v: kind %d: key %d of %d is %#x", spec.Level, kind, i, n, key)
					}
				}
			}
			if n == 0 {
				continue
			}
			best, first := want[0], [1]located[float32]{{src[0], at}}
			for i := range n {
				best = max(best, want[i])
				merge(first[:], first[:], []located[float32]{{src[i], at + i}})
			}
			if place := int(^uint32(best)); place != first[0].at {
				t.Fatalf("kind %d: the best of %v is at %d, want %d", kind, src, place-at, first[0].at-at)
			}
		}
	}
}

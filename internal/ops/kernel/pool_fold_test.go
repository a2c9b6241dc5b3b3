package kernel

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/poolctl/poolctl/internal/tensor"
)

// TestFoldsAreMerges: the folders of every level over every length from 0 to 67
// and every alignment, past the caches and through them, to the bit but for the
// payload of NaN that sums make; what stands around the outputs stays.
func TestFoldsAreMerges(t *testing.T) {
	random := rand.New(rand.NewPCG(5, 6))
	for level := AVX2; level <= Detected(); level++ {
		for kind := range extremumKind(4) {
			foldLikeMerging(t, random, extremumFolder(level, kind, plainExtremum[float32](kind)), plainExtremum[float32](kind), hard32)
			foldLikeMerging(t, random, extremumFolder(level, kind, plainExtremum[float64](kind)), plainExtremum[float64](kind), hard64)
		}
		foldLikeMerging(t, random, sumFolder(level), mergeSum, hard64[:10])
		foldLikeMerging(t, random, keyFolder(level), mergeKeys, []int64{0, 1, -1, math.MaxInt64, math.MinInt64, 1 << 40, -1 << 40})
	}
}

func plainExtremum[T tensor.Real](kind extremumKind) merger[T] {
	merge, _ := extremumMerger[T](Generic, kind >= 2, kind%2 == 1)
	return merge
}

func foldLikeMerging[T tensor.Real](t *testing.T, random *rand.Rand, fold folder[T], merge merger[T], hard []T) {
	t.Helper()
	plain := foldMerging(merge)
	const mark = 77
	for n := range 68 {
		for range 12 {
			outputs, step := 1+random.IntN(3), random.IntN(9)
			var taps []int
			last := 0
			for range 1 + random.IntN(5) {
				taps = append(taps, last*tensor.TypeOf[T]().Size())
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
				if !sameBits(got[i], want[i]) {
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

// TestKeysOrderNumbersAndPlaces: the keys of every level are those of plain Go,
// and their maximum is the first of the best numbers, by both rules for NaN.
func TestKeysOrderNumbersAndPlaces(t *testing.T) {
	random := rand.New(rand.NewPCG(7, 8))
	for kind := range extremumKind(4) {
		spec := PoolSpec{IgnoreNaN: kind%2 == 1, Argmax: true}
		if kind >= 2 {
			spec.Reduction = Min
		}
		merge := [4]merger[located[float32]]{mergeArgMax[float32], mergeArgMaxIgnoreNaN[float32], mergeArgMin[float32], mergeArgMinIgnoreNaN[float32]}[kind]
		for n := range 68 {
			src := make([]float32, n)
			for i := range src {
				src[i] = hard32[random.IntN(len(hard32))]
			}
			at := random.IntN(1 << 31)
			want := make([]int64, n)
			loadKeys(want, src, at, newKeyOrder(&spec))
			for spec.Level = Generic; spec.Level <= Detected(); spec.Level++ {
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

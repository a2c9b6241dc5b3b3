package pool

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"
	"unsafe"

	"github.com/poolctl/poolctl/internal/ops/kernel"
	"github.com/poolctl/poolctl/internal/tensor"
)

// hard32 and hard64 are numbers that tell wrong comparisons apart: NaN with
// different payloads, infinities, both zeros, subnormals.
var (
	hard32 = []float32{0, float32(math.Copysign(0, -1)), 1, -1, math.SmallestNonzeroFloat32, -math.SmallestNonzeroFloat32, math.MaxFloat32, -math.MaxFloat32,
		float32(math.Inf(1)), float32(math.Inf(-1)), math.Float32frombits(0x7fc00001), math.Float32frombits(0xffc00002)}
	hard64 = []float64{0, math.Copysign(0, -1), 1, -1, math.SmallestNonzeroFloat64, -math.SmallestNonzeroFloat64, math.MaxFloat64, -math.MaxFloat64,
		math.Inf(1), math.Inf(-1), math.Float64frombits(0x7ff8000000000001), math.Float64frombits(0xfff8000000000002)}
	hard8 = []uint8{0, 1, 127, 128, 254, 255}
)

// TestRowsMergeAsPlainGo: every merger of every level, over every length from 0
// to 67 and every alignment, apart and in place, to the bit, and nothing around
// the row is written.
func TestRowsMergeAsPlainGo(t *testing.T) {
	for level := kernel.AVX2; level <= kernel.Detected(); level++ {
		for kind := range kernel.ExtremumKind(4) {
			checkMerger(t, level, kind, hard32)
			checkMerger(t, level, kind, hard64)
			checkMerger(t, level, kind, hard8)
		}
		sum, _ := sumMerger(level)
		compareMergers(t, fmt.Sprintf("sum at %v", level), sum, mergeSum, hard64[:10])
	}
}

func checkMerger[T tensor.Real](t *testing.T, level kernel.Level, kind kernel.ExtremumKind, hard []T) {
	plain, _ := extremumMerger[T](kernel.Generic, kind >= 2, kind%2 == 1)
	merge, _ := extremumMerger[T](level, kind >= 2, kind%2 == 1)
	compareMergers(t, fmt.Sprintf("%T kind %d at %v", hard[0], kind, level), merge, plain, hard)
}

// margin is how many numbers stand before and after a row.
const margin = 32

func compareMergers[T tensor.Real](t *testing.T, name string, merge, plain kernel.Merger[T], hard []T) {
	random := rand.New(rand.NewPCG(1, 2))
	row := func() []T {
		all := make([]T, 67+16+2*margin)
		for i := range all {
			all[i] = hard[random.IntN(len(hard))]
		}
		return all
	}
	for n := range 68 {
		for range 8 {
			at, aAt, bAt := margin+random.IntN(16), random.IntN(16), random.IntN(16)
			dst, a, b := row(), row(), row()
			want := append([]T(nil), dst...)
			plain(want[at:at+n], a[aAt:], b[bAt:])
			merge(dst[at:at+n], a[aAt:], b[bAt:])
			for i := range dst {
				if bytesOf(dst[i]) != bytesOf(want[i]) {
					t.Fatalf("%s: %d numbers: place %d is %v, want %v", name, n, i-at, dst[i], want[i])
				}
			}
			inA, inB := append([]T(nil), a[aAt:aAt+n]...), append([]T(nil), b[bAt:bAt+n]...)
			merge(inA, inA, b[bAt:])
			merge(inB, a[aAt:], inB)
			for i := range n {
				if bytesOf(inA[i]) != bytesOf(dst[at+i]) || bytesOf(inB[i]) != bytesOf(dst[at+i]) {
					t.Fatalf("%s: %d numbers in place: %d is %v and %v, want %v", name, n, i, inA[i], inB[i], dst[at+i])
				}
			}
		}
	}
}

// bytesOf returns a number's memory.
func bytesOf[T tensor.Real](v T) (b [8]byte) {
	*(*T)(unsafe.Pointer(&b)) = v
	return b
}

// TestRowsConvertAsPlainGo: conversions to float64 and divisions with one
// rounding to float32, as TestRowsMergeAsPlainGo.
func TestRowsConvertAsPlainGo(t *testing.T) {
	for level := kernel.AVX2; level <= kernel.Detected(); level++ {
		compareLoaders(t, level, hard32)
		compareLoaders(t, level, hard8)
		divide := rowTables[level].divide
		if divide == nil {
			continue // built without assembly
		}
		random := rand.New(rand.NewPCG(3, 4))
		for n := range 68 {
			for trial, divisor := range []float64{1, 3, 4, 9, -7, 961, 1<<31 - 1, 1 << 40, 1<<40 + 1, -3e15} {
				stream := (trial+n)%2 == 0
				dst, want, src := make([]float32, n+2*margin), make([]float32, n+2*margin), make([]float64, n)
				for i := range src {
					src[i] = random.NormFloat64()
					if random.IntN(3) == 0 {
						src[i] = []float64{0, math.Copysign(0, -1), math.Inf(1), 1e39, 1e-45, 0x1.000001p0}[random.IntN(6)]
					}
				}
				divide(dst[margin:][:n], src, divisor, stream)
				divideAll(want[margin:], src, divisor, false)
				for i := range dst {
					if math.Float32bits(dst[i]) != math.Float32bits(want[i]) {
						t.Fatalf("%v: %d numbers by %v: place %d is %v, want %v", level, n, divisor, i-margin, dst[i], want[i])
					}
				}
			}
		}
	}
}

func compareLoaders[T tensor.Real](t *testing.T, level kernel.Level, hard []T) {
	load := wideLoader[T](level)
	random := rand.New(rand.NewPCG(5, 6))
	for n := range 68 {
		src := make([]T, n)
		for i := range src {
			src[i] = hard[random.IntN(len(hard))]
		}
		dst, want := make([]float64, n+2*margin), make([]float64, n+2*margin)
		load(dst[margin:margin+n], src, 0)
		loadWide(want[margin:margin+n], src, 0)
		for i := range dst {
			if bytesOf(dst[i]) != bytesOf(want[i]) {
				t.Fatalf("%T at %v: %d numbers: place %d is %v, want %v", hard[0], level, n, i-margin, dst[i], want[i])
			}
		}
	}
}

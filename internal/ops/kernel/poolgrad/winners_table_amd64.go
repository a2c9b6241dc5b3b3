//go:build amd64 && !purego

package poolgrad

import (
	"unsafe"

	"github.com/poolctl/poolctl/internal/ops/kernel"
	"github.com/poolctl/poolctl/internal/ops/kernel/pool"
	"github.com/poolctl/poolctl/internal/tensor"
)

//go:generate go -C ../_gen run ./winners

// codeTables32 and codeTables64 hold the functions that find the winners of
// windows, by level and ExtremumKind.
var (
	codeTables32 = [...][4]func(r codeRun[float32]){
		kernel.AVX2: {
			codesOf(codeQuadMaxAVX2, codeNarrowMaxAVX2, codeLarge[float32]{8, codeWideMaxAVX2}),
			codesOf(codeQuadMaxIgnoreNaNAVX2, codeNarrowMaxIgnoreNaNAVX2, codeLarge[float32]{8, codeWideMaxIgnoreNaNAVX2}),
			codesOf(codeQuadMinAVX2, codeNarrowMinAVX2, codeLarge[float32]{8, codeWideMinAVX2}),
			codesOf(codeQuadMinIgnoreNaNAVX2, codeNarrowMinIgnoreNaNAVX2, codeLarge[float32]{8, codeWideMinIgnoreNaNAVX2}),
		},
		kernel.AVX512: {
			codesOf(codeQuadMaxAVX2, codeNarrowMaxAVX2, codeLarge[float32]{16, codeWideMaxAVX512}, codeLarge[float32]{8, codeWideMaxAVX2}),
			codesOf(codeQuadMaxIgnoreNaNAVX2, codeNarrowMaxIgnoreNaNAVX2, codeLarge[float32]{16, codeWideMaxIgnoreNaNAVX512}, codeLarge[float32]{8, codeWideMaxIgnoreNaNAVX2}),
			codesOf(codeQuadMinAVX2, codeNarrowMinAVX2, codeLarge[float32]{16, codeWideMinAVX512}, codeLarge[float32]{8, codeWideMinAVX2}),
			codesOf(codeQuadMinIgnoreNaNAVX2, codeNarrowMinIgnoreNaNAVX2, codeLarge[float32]{16, codeWideMinIgnoreNaNAVX512}, codeLarge[float32]{8, codeWideMinIgnoreNaNAVX2}),
		},
	}
	codeTables64 = [...][4]func(r codeRun[float64]){
		kernel.AVX2: {
			codesOf(nil, codeNarrowMaxFloat64AVX2, codeLarge[float64]{4, codeWideMaxFloat64AVX2}),
			codesOf(nil, codeNarrowMaxFloat64IgnoreNaNAVX2, codeLarge[float64]{4, codeWideMaxFloat64IgnoreNaNAVX2}),
			codesOf(nil, codeNarrowMinFloat64AVX2, codeLarge[float64]{4, codeWideMinFloat64AVX2}),
			codesOf(nil, codeNarrowMinFloat64IgnoreNaNAVX2, codeLarge[float64]{4, codeWideMinFloat64IgnoreNaNAVX2}),
		},
		kernel.AVX512: {
			codesOf(nil, codeNarrowMaxFloat64AVX2, codeLarge[float64]{8, codeWideMaxFloat64AVX512}, codeLarge[float64]{4, codeWideMaxFloat64AVX2}),
			codesOf(nil, codeNarrowMaxFloat64IgnoreNaNAVX2, codeLarge[float64]{8, codeWideMaxFloat64IgnoreNaNAVX512}, codeLarge[float64]{4, codeWideMaxFloat64IgnoreNaNAVX2}),
			codesOf(nil, codeNarrowMinFloat64AVX2, codeLarge[float64]{8, codeWideMinFloat64AVX512}, codeLarge[float64]{4, codeWideMinFloat64AVX2}),
			codesOf(nil, codeNarrowMinFloat64IgnoreNaNAVX2, codeLarge[float64]{8, codeWideMinFloat64IgnoreNaNAVX512}, codeLarge[float64]{4, codeWideMinFloat64IgnoreNaNAVX2}),
		},
	}
)

type (
	codeWide[F tensor.Floating]   = func(dst *uint8, src *F, taps *int, ntaps, n, outputs, step int, codes *int32, values *F, fetches int)
	codeQuad[F tensor.Floating]   = func(dst *uint8, src *F, taps *int, ntaps, n, outputs, step int, codes *int32, values *F)
	codeNarrow[F tensor.Floating] = func(dst *uint8, src *F, taps *int, ntaps, n, outputs, step int, codes *int32, values *F, mask *int32)
)

// codeLarge is a function for cells of at least so many numbers.
type codeLarge[F tensor.Floating] struct {
	lanes int
	find  codeWide[F]
}

// laneMasks[n] has the first n lanes of 32 bits set.
var laneMasks = func() (masks [9][16]int32) {
	for n := range masks {
		pool.MaskLanes(&masks[n], n)
	}
	return masks
}()

// codesOf joins the functions for large cells, the widest first, and for smaller
// ones: four outputs, if there is such a function, and one.
func codesOf[F tensor.Floating](quad codeQuad[F], narrow codeNarrow[F], large ...codeLarge[F]) func(r codeRun[F]) {
	var zero F
	size := int(unsafe.Sizeof(zero))
	lanes := 32 / size
	return func(r codeRun[F]) {
		n, outputs, step := r.n, r.outputs, r.step*size
		if r.step == n { // side by side: one long cell
			n, outputs = n*outputs, 1
		}
		for i := range large {
			if n >= large[i].lanes {
				large[i].find(&r.winners[0], &r.src[0], &r.taps[0], len(r.taps), n, outputs, step, &r.codes[0], unsafe.SliceData(r.values), r.fetches)
				return
			}
		}
		done := 0
		if quad != nil {
			done = (&pool.Run{N: r.n, Outputs: r.outputs, Step: r.step}).Quads()
		}
		if done > 0 {
			quad(&r.winners[0], &r.src[0], &r.taps[0], len(r.taps), r.n, done, step, &r.codes[0], unsafe.SliceData(r.values))
		}
		// The codes of a whole vector are written: those of the last outputs
		// elsewhere.
		direct := max(done, r.outputs-(lanes+r.n-1)/r.n+1)
		one := func(dst []uint8, first, outputs int) {
			narrow(&dst[0], &r.src[first*r.step], &r.taps[0], len(r.taps), r.n, outputs, step, &r.codes[0], unsafe.SliceData(r.values[min(len(r.values), first*r.n):]), &laneMasks[r.n*size/4][0])
		}
		if done < direct {
			one(r.winners[done*r.n:], done, direct-done)
		}
		for o := direct; o < r.outputs; o++ {
			one(r.spare, o, 1)
			copy(r.winners[o*r.n:(o+1)*r.n], r.spare)
		}
	}
}

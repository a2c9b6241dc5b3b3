//go:build amd64 && !purego

package kernel

// codeTables holds the functions that find the winners of windows of float32, by
// level and extremumKind.
var codeTables = [...][4]func(r codeRun){
	AVX2: {
		codesOf(codeSmall{codeQuadMaxAVX2, codeNarrowMaxAVX2}, codeLarge{8, codeWideMaxAVX2}),
		codesOf(codeSmall{codeQuadMaxIgnoreNaNAVX2, codeNarrowMaxIgnoreNaNAVX2}, codeLarge{8, codeWideMaxIgnoreNaNAVX2}),
		codesOf(codeSmall{codeQuadMinAVX2, codeNarrowMinAVX2}, codeLarge{8, codeWideMinAVX2}),
		codesOf(codeSmall{codeQuadMinIgnoreNaNAVX2, codeNarrowMinIgnoreNaNAVX2}, codeLarge{8, codeWideMinIgnoreNaNAVX2}),
	},
	AVX512: {
		codesOf(codeSmall{codeQuadMaxAVX2, codeNarrowMaxAVX2}, codeLarge{16, codeWideMaxAVX512}, codeLarge{8, codeWideMaxAVX2}),
		codesOf(codeSmall{codeQuadMaxIgnoreNaNAVX2, codeNarrowMaxIgnoreNaNAVX2}, codeLarge{16, codeWideMaxIgnoreNaNAVX512}, codeLarge{8, codeWideMaxIgnoreNaNAVX2}),
		codesOf(codeSmall{codeQuadMinAVX2, codeNarrowMinAVX2}, codeLarge{16, codeWideMinAVX512}, codeLarge{8, codeWideMinAVX2}),
		codesOf(codeSmall{codeQuadMinIgnoreNaNAVX2, codeNarrowMinIgnoreNaNAVX2}, codeLarge{16, codeWideMinIgnoreNaNAVX512}, codeLarge{8, codeWideMinIgnoreNaNAVX2}),
	},
}

type codeFunc = func(dst *uint8, src *float32, taps *int, ntaps, n, outputs, step int, codes *int32)

// codeLarge is a function for cells of at least so many numbers.
type codeLarge struct {
	lanes int
	find  codeFunc
}

// codeSmall holds the functions for smaller cells: four outputs, and one.
type codeSmall struct {
	quad   codeFunc
	narrow func(dst *uint8, src *float32, taps *int, ntaps, n, outputs, step int, codes *int32, mask *int32)
}

// laneMasks[n] has the first n lanes set.
var laneMasks = func() (masks [9][16]int32) {
	for n := range masks {
		maskLanes(&masks[n], n)
	}
	return masks
}()

// codesOf joins the functions for small and large cells; the widest come first.
func codesOf(small codeSmall, large ...codeLarge) func(r codeRun) {
	return func(r codeRun) {
		n, outputs := r.n, r.outputs
		if r.step == n { // side by side: one long cell
			n, outputs = n*outputs, 1
		}
		for i := range large {
			if n >= large[i].lanes {
				large[i].find(&r.winners[0], &r.src[0], &r.taps[0], len(r.taps), n, outputs, 4*r.step, &r.codes[0])
				return
			}
		}
		done := r.quads()
		if done > 0 {
			small.quad(&r.winners[0], &r.src[0], &r.taps[0], len(r.taps), r.n, done, 4*r.step, &r.codes[0])
		}
		// One output is written as 8 bytes: the last ones elsewhere.
		direct := max(done, r.outputs-(8+r.n-1)/r.n+1)
		one := func(dst []uint8, first, outputs int) {
			small.narrow(&dst[0], &r.src[first*r.step], &r.taps[0], len(r.taps), r.n, outputs, 4*r.step, &r.codes[0], &laneMasks[r.n][0])
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

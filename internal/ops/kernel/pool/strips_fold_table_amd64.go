//go:build amd64 && !purego

package pool

import "github.com/poolctl/poolctl/internal/ops/kernel"

//go:generate go -C ../_gen run ./strips_fold

// foldTables holds the folders of every level.
var foldTables = [...]foldTable{
	kernel.AVX2: {
		extrema: [4][]any{
			{foldVectors(8, wideMaxAVX2, kernel.MergeMax[float32]), foldVectors(4, wideMaxFloat64AVX2, kernel.MergeMax[float64])},
			{foldVectors(8, wideMaxIgnoreNaNAVX2, kernel.MergeMaxIgnoreNaN[float32]), foldVectors(4, wideMaxFloat64IgnoreNaNAVX2, kernel.MergeMaxIgnoreNaN[float64])},
			{foldVectors(8, wideMinAVX2, kernel.MergeMin[float32]), foldVectors(4, wideMinFloat64AVX2, kernel.MergeMin[float64])},
			{foldVectors(8, wideMinIgnoreNaNAVX2, kernel.MergeMinIgnoreNaN[float32]), foldVectors(4, wideMinFloat64IgnoreNaNAVX2, kernel.MergeMinIgnoreNaN[float64])},
		},
		sum:     foldVectors(4, wideSumAVX2, mergeSum),
		slide:   slideSumVectors,
		tally:   foldPairs(1, 2, sumOfPairs(wideSumAVX2), mergeTally),
		double:  foldPairs(1, 2, widePairsAVX2, mergeDouble),
		counted: foldPairs(2, 2, widePairsAVX2, mergeCounted),
		located: [4]folder[located[float64]]{
			foldPairs(1, 2, locatedMaxFloat64AVX2, mergeArgMax[float64]),
			foldPairs(1, 2, locatedMaxFloat64IgnoreNaNAVX2, mergeArgMaxIgnoreNaN[float64]),
			foldPairs(1, 2, locatedMinFloat64AVX2, mergeArgMin[float64]),
			foldPairs(1, 2, locatedMinFloat64IgnoreNaNAVX2, mergeArgMinIgnoreNaN[float64]),
		},
		keys: foldVectors(4, wideKeysAVX2, mergeKeys),
		load: loadKeyVectors(4, keysFloat32AVX2),
	},
	kernel.AVX512: {
		extrema: [4][]any{
			{foldVectors(16, wideMaxAVX512, kernel.MergeMax[float32]), foldVectors(8, wideMaxFloat64AVX512, kernel.MergeMax[float64])},
			{foldVectors(16, wideMaxIgnoreNaNAVX512, kernel.MergeMaxIgnoreNaN[float32]), foldVectors(8, wideMaxFloat64IgnoreNaNAVX512, kernel.MergeMaxIgnoreNaN[float64])},
			{foldVectors(16, wideMinAVX512, kernel.MergeMin[float32]), foldVectors(8, wideMinFloat64AVX512, kernel.MergeMin[float64])},
			{foldVectors(16, wideMinIgnoreNaNAVX512, kernel.MergeMinIgnoreNaN[float32]), foldVectors(8, wideMinFloat64IgnoreNaNAVX512, kernel.MergeMinIgnoreNaN[float64])},
		},
		sum:     foldVectors(8, wideSumAVX512, mergeSum),
		slide:   slideSumVectors,
		tally:   foldPairs(1, 4, sumOfPairs(wideSumAVX512), mergeTally),
		double:  foldPairs(1, 4, widePairsAVX512, mergeDouble),
		counted: foldPairs(2, 4, widePairsAVX512, mergeCounted),
		located: [4]folder[located[float64]]{
			foldPairs(1, 4, locatedMaxFloat64AVX512, mergeArgMax[float64]),
			foldPairs(1, 4, locatedMaxFloat64IgnoreNaNAVX512, mergeArgMaxIgnoreNaN[float64]),
			foldPairs(1, 4, locatedMinFloat64AVX512, mergeArgMin[float64]),
			foldPairs(1, 4, locatedMinFloat64IgnoreNaNAVX512, mergeArgMinIgnoreNaN[float64]),
		},
		keys: foldVectors(8, wideKeysAVX512, mergeKeys),
		load: loadKeyVectors(8, keysFloat32AVX512),
	},
}

// sumOfPairs adds up pairs as twice as many numbers.
func sumOfPairs(wide func(dst, src *float64, taps *int, ntaps, n, outputs, step, stream, fetches int)) func(dst, src *float64, taps *int, ntaps, n, outputs, step, stream, fetches int) {
	return func(dst, src *float64, taps *int, ntaps, n, outputs, step, stream, fetches int) {
		wide(dst, src, taps, ntaps, 2*n, outputs, step, stream, fetches)
	}
}

func slideSumVectors(windows, ends, src []float64, at, n, size, cells int) {
	slideSumsAVX2(&windows[at], &ends[at], &src[at], n, size, cells)
}

// loadKeyVectors is loadKeys whose multiples of the lanes are done by assembly.
func loadKeyVectors(lanes int, keys func(dst *int64, src *float32, n, low int, reverse, nan int32)) func(acc []int64, src []float32, at int, o keyOrder) {
	return func(acc []int64, src []float32, at int, o keyOrder) {
		acc = acc[:len(src)]
		n := len(src) &^ (lanes - 1)
		if n > 0 {
			keys(&acc[0], &src[0], n, int(^uint32(at)), o.reverse, o.nan)
		}
		if n < len(src) {
			loadKeys(acc[n:], src[n:], at+n, o)
		}
	}
}

//go:build amd64 && !purego

package pool

import "github.com/poolctl/poolctl/internal/ops/kernel"

//go:generate go -C ../_gen run ./separable_rows

// rowTables holds the row functions of every level.
var rowTables = [...]rowTable{
	kernel.AVX2: {
		extrema: [4][]any{
			{
				mergeVectors(8, maxFloat32AVX2, kernel.MergeMax[float32]),
				mergeVectors(4, maxFloat64AVX2, kernel.MergeMax[float64]),
				mergeVectors(32, maxUint8AVX2, kernel.MergeMax[uint8]),
			},
			{
				mergeVectors(8, maxFloat32IgnoreNaNAVX2, kernel.MergeMaxIgnoreNaN[float32]),
				mergeVectors(4, maxFloat64IgnoreNaNAVX2, kernel.MergeMaxIgnoreNaN[float64]),
				mergeVectors(32, maxUint8AVX2, kernel.MergeMaxIgnoreNaN[uint8]),
			},
			{
				mergeVectors(8, minFloat32AVX2, kernel.MergeMin[float32]),
				mergeVectors(4, minFloat64AVX2, kernel.MergeMin[float64]),
				mergeVectors(32, minUint8AVX2, kernel.MergeMin[uint8]),
			},
			{
				mergeVectors(8, minFloat32IgnoreNaNAVX2, kernel.MergeMinIgnoreNaN[float32]),
				mergeVectors(4, minFloat64IgnoreNaNAVX2, kernel.MergeMinIgnoreNaN[float64]),
				mergeVectors(32, minUint8AVX2, kernel.MergeMinIgnoreNaN[uint8]),
			},
		},
		widen:  []any{loadVectors(4, widenFloat32AVX2), loadVectors(4, widenUint8AVX2)},
		sum:    mergeVectors(4, sumAVX2, mergeSum),
		divide: divideVectors(4, scaleFloat32AVX2),
	},
	kernel.AVX512: {
		extrema: [4][]any{
			{
				mergeVectors(16, maxFloat32AVX512, kernel.MergeMax[float32]),
				mergeVectors(8, maxFloat64AVX512, kernel.MergeMax[float64]),
				mergeVectors(64, maxUint8AVX512, kernel.MergeMax[uint8]),
			},
			{
				mergeVectors(16, maxFloat32IgnoreNaNAVX512, kernel.MergeMaxIgnoreNaN[float32]),
				mergeVectors(8, maxFloat64IgnoreNaNAVX512, kernel.MergeMaxIgnoreNaN[float64]),
				mergeVectors(64, maxUint8AVX512, kernel.MergeMaxIgnoreNaN[uint8]),
			},
			{
				mergeVectors(16, minFloat32AVX512, kernel.MergeMin[float32]),
				mergeVectors(8, minFloat64AVX512, kernel.MergeMin[float64]),
				mergeVectors(64, minUint8AVX512, kernel.MergeMin[uint8]),
			},
			{
				mergeVectors(16, minFloat32IgnoreNaNAVX512, kernel.MergeMinIgnoreNaN[float32]),
				mergeVectors(8, minFloat64IgnoreNaNAVX512, kernel.MergeMinIgnoreNaN[float64]),
				mergeVectors(64, minUint8AVX512, kernel.MergeMinIgnoreNaN[uint8]),
			},
		},
		widen:  []any{loadVectors(8, widenFloat32AVX512), loadVectors(8, widenUint8AVX512)},
		sum:    mergeVectors(8, sumAVX512, mergeSum),
		divide: divideVectors(8, scaleFloat32AVX512),
	},
}

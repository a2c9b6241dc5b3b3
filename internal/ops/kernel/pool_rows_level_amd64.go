//go:build amd64 && !purego

package kernel

// rowTables holds the row functions of every level.
var rowTables = [...]rowTable{
	AVX2: {
		extrema: [4][]any{
			{
				mergeVectors(8, maxFloat32AVX2, mergeMax[float32]),
				mergeVectors(4, maxFloat64AVX2, mergeMax[float64]),
				mergeVectors(32, maxUint8AVX2, mergeMax[uint8]),
			},
			{
				mergeVectors(8, maxFloat32IgnoreNaNAVX2, mergeMaxIgnoreNaN[float32]),
				mergeVectors(4, maxFloat64IgnoreNaNAVX2, mergeMaxIgnoreNaN[float64]),
				mergeVectors(32, maxUint8AVX2, mergeMaxIgnoreNaN[uint8]),
			},
			{
				mergeVectors(8, minFloat32AVX2, mergeMin[float32]),
				mergeVectors(4, minFloat64AVX2, mergeMin[float64]),
				mergeVectors(32, minUint8AVX2, mergeMin[uint8]),
			},
			{
				mergeVectors(8, minFloat32IgnoreNaNAVX2, mergeMinIgnoreNaN[float32]),
				mergeVectors(4, minFloat64IgnoreNaNAVX2, mergeMinIgnoreNaN[float64]),
				mergeVectors(32, minUint8AVX2, mergeMinIgnoreNaN[uint8]),
			},
		},
		widen:  []any{loadVectors(4, widenFloat32AVX2), loadVectors(4, widenUint8AVX2)},
		sum:    mergeVectors(4, sumAVX2, mergeSum),
		divide: divideVectors(4, scaleFloat32AVX2),
	},
	AVX512: {
		extrema: [4][]any{
			{
				mergeVectors(16, maxFloat32AVX512, mergeMax[float32]),
				mergeVectors(8, maxFloat64AVX512, mergeMax[float64]),
				mergeVectors(64, maxUint8AVX512, mergeMax[uint8]),
			},
			{
				mergeVectors(16, maxFloat32IgnoreNaNAVX512, mergeMaxIgnoreNaN[float32]),
				mergeVectors(8, maxFloat64IgnoreNaNAVX512, mergeMaxIgnoreNaN[float64]),
				mergeVectors(64, maxUint8AVX512, mergeMaxIgnoreNaN[uint8]),
			},
			{
				mergeVectors(16, minFloat32AVX512, mergeMin[float32]),
				mergeVectors(8, minFloat64AVX512, mergeMin[float64]),
				mergeVectors(64, minUint8AVX512, mergeMin[uint8]),
			},
			{
				mergeVectors(16, minFloat32IgnoreNaNAVX512, mergeMinIgnoreNaN[float32]),
				mergeVectors(8, minFloat64IgnoreNaNAVX512, mergeMinIgnoreNaN[float64]),
				mergeVectors(64, minUint8AVX512, mergeMinIgnoreNaN[uint8]),
			},
		},
		widen:  []any{loadVectors(8, widenFloat32AVX512), loadVectors(8, widenUint8AVX512)},
		sum:    mergeVectors(8, sumAVX512, mergeSum),
		divide: divideVectors(8, scaleFloat32AVX512),
	},
}

//go:build amd64 && !purego

package conv

import (
	"github.com/poolctl/poolctl/internal/ops/kernel"
	"github.com/poolctl/poolctl/internal/tensor"
)

//go:generate go -C ../_gen run ./tiles

// The register tiles of a level, widest first. A list may end with narrower
// tiles of a lower level whose pixels divide those of the first.
var (
	avx2Tiles         = []registerTile[float32]{{6, 16, tile6x16AVX2, row6x16AVX2}, {6, 8, tile6x8AVX2, row6x8AVX2}}
	avx2DoubleTiles   = []registerTile[float64]{{6, 8, tile6x8AVX2Double, row6x8AVX2Double}, {6, 4, tile6x4AVX2Double, row6x4AVX2Double}}
	avx512Tiles       = []registerTile[float32]{{12, 32, tile12x32AVX512, row12x32AVX512}, {12, 16, tile12x16AVX512, row12x16AVX512}, {6, 8, tile6x8AVX2, row6x8AVX2}}
	avx512DoubleTiles = []registerTile[float64]{{12, 16, tile12x16AVX512Double, row12x16AVX512Double}, {12, 8, tile12x8AVX512Double, row12x8AVX512Double}, {6, 4, tile6x4AVX2Double, row6x4AVX2Double}}
)

func assembledTiles[F tensor.Floating](level kernel.Level) []registerTile[F] {
	return ofLevel[F, []registerTile[F]](level, avx2Tiles, avx2DoubleTiles, avx512Tiles, avx512DoubleTiles)
}

// The gradient's register tiles of a level, the widest panel first.
var (
	avx2Outers = []outerTiles[float32]{
		{16, []outerTile[float32]{{6, outer6x16AVX2}, {4, outer4x16AVX2}, {1, outer1x16AVX2}}},
		{8, []outerTile[float32]{{6, outer6x8AVX2}, {4, outer4x8AVX2}, {1, outer1x8AVX2}}},
	}
	avx2DoubleOuters = []outerTiles[float64]{
		{8, []outerTile[float64]{{6, outer6x8AVX2Double}, {4, outer4x8AVX2Double}, {1, outer1x8AVX2Double}}},
		{4, []outerTile[float64]{{6, outer6x4AVX2Double}, {4, outer4x4AVX2Double}, {1, outer1x4AVX2Double}}},
	}
	avx512Outers = []outerTiles[float32]{
		{32, []outerTile[float32]{{12, outer12x32AVX512}, {4, outer4x32AVX512}, {1, outer1x32AVX512}}},
		{16, []outerTile[float32]{{12, outer12x16AVX512}, {4, outer4x16AVX512}, {1, outer1x16AVX512}}},
	}
	avx512DoubleOuters = []outerTiles[float64]{
		{16, []outerTile[float64]{{12, outer12x16AVX512Double}, {4, outer4x16AVX512Double}, {1, outer1x16AVX512Double}}},
		{8, []outerTile[float64]{{12, outer12x8AVX512Double}, {4, outer4x8AVX512Double}, {1, outer1x8AVX512Double}}},
	}
)

func assembledOuters[F tensor.Floating](level kernel.Level) []outerTiles[F] {
	return ofLevel[F, []outerTiles[F]](level, avx2Outers, avx2DoubleOuters, avx512Outers, avx512DoubleOuters)
}

// ofLevel returns the one of four values that is for F and the level.
func ofLevel[F tensor.Floating, T any](level kernel.Level, single, double, wide, wideDouble any) T {
	if _, is := any(F(0)).(float32); is {
		double, wideDouble = single, wide
	}
	if level == kernel.AVX512 {
		return wideDouble.(T)
	}
	return double.(T)
}

// accumulate computes totals[i] += sums[i] for a multiple of 4 numbers.
func accumulate[F tensor.Floating](totals []float64, sums []F) {
	totals = totals[:len(sums)]
	switch s := any(sums).(type) {
	case []float32:
		accumulateAVX2(&totals[0], &s[0], len(s))
	case []float64:
		accumulateAVX2Double(&totals[0], &s[0], len(s))
	}
}

// copyRows copies rows of 16 to 128 bytes.
func copyRows(to, from *byte, rows, toStep, fromStep, bytes int) {
	switch {
	case bytes <= 32:
		copyRows16(to, from, rows, toStep, fromStep, bytes-16)
	case bytes <= 64:
		copyRows32(to, from, rows, toStep, fromStep, bytes-32)
	default:
		copyRows64(to, from, rows, toStep, fromStep, bytes-64)
	}
}

//go:build amd64 && !purego

package kernel

import "github.com/poolctl/poolctl/internal/tensor"

//go:generate go -C _gen run ./conv -pkg kernel -out ../conv_amd64.s -stubs ../conv_amd64.go

// The register tiles of a level, widest first. A list may end with narrower
// tiles of a lower level whose pixels divide those of the first.
var (
	avx2Tiles         = []registerTile[float32]{{6, 16, tile6x16AVX2}, {6, 8, tile6x8AVX2}}
	avx2DoubleTiles   = []registerTile[float64]{{6, 8, tile6x8AVX2Double}, {6, 4, tile6x4AVX2Double}}
	avx512Tiles       = []registerTile[float32]{{12, 32, tile12x32AVX512}, {12, 16, tile12x16AVX512}, {6, 8, tile6x8AVX2}}
	avx512DoubleTiles = []registerTile[float64]{{12, 16, tile12x16AVX512Double}, {12, 8, tile12x8AVX512Double}, {6, 4, tile6x4AVX2Double}}
)

func assembledTiles[F tensor.Floating](level Level) []registerTile[F] {
	var tiles any = avx2Tiles
	switch _, single := any(F(0)).(float32); {
	case level == AVX512 && single:
		tiles = avx512Tiles
	case level == AVX512:
		tiles = avx512DoubleTiles
	case !single:
		tiles = avx2DoubleTiles
	}
	return tiles.([]registerTile[F])
}

// copyRowsOf returns the function that copies rows of the given number of
// bytes, those of a packed panel.
func copyRowsOf(bytes int) func(to, from *byte, rows, toStep, fromStep int) {
	switch bytes {
	case 32:
		return copyRows32
	case 64:
		return copyRows64
	case 128:
		return copyRows128
	}
	return nil
}

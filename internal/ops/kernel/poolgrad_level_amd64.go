//go:build amd64 && !purego

package kernel

// gradTables32 and gradTables64 hold the functions of every level.
var (
	gradTables32 = [...]gradTable[float32]{
		AVX2:   {8, routeFloat32AVX2, matchFloat32AVX2, spreadFloat32AVX2, sharesFloat32AVX2, interleaveFloat32},
		AVX512: {16, routeFloat32AVX512, matchFloat32AVX512, spreadFloat32AVX512, sharesFloat32AVX512, interleaveFloat32},
	}
	gradTables64 = [...]gradTable[float64]{
		AVX2:   {4, routeFloat64AVX2, matchFloat64AVX2, spreadFloat64AVX2, sharesFloat64AVX2, interleaveFloat64},
		AVX512: {8, routeFloat64AVX512, matchFloat64AVX512, spreadFloat64AVX512, sharesFloat64AVX512, interleaveFloat64},
	}
)

//go:build amd64 && !purego

package poolgrad

import "github.com/poolctl/poolctl/internal/ops/kernel"

//go:generate go -C ../_gen run ./cells

// cellTables32 and cellTables64 hold the functions of every level.
var (
	cellTables32 = [...]cellTable[float32]{
		kernel.AVX2:   {8, routeFloat32AVX2, matchFloat32AVX2, spreadFloat32AVX2, sharesFloat32AVX2, interleaveFloat32},
		kernel.AVX512: {16, routeFloat32AVX512, matchFloat32AVX512, spreadFloat32AVX512, sharesFloat32AVX512, interleaveFloat32},
	}
	cellTables64 = [...]cellTable[float64]{
		kernel.AVX2:   {4, routeFloat64AVX2, matchFloat64AVX2, spreadFloat64AVX2, sharesFloat64AVX2, interleaveFloat64},
		kernel.AVX512: {8, routeFloat64AVX512, matchFloat64AVX512, spreadFloat64AVX512, sharesFloat64AVX512, interleaveFloat64},
	}
)

package kernel

import (
	"slices"

	"github.com/poolctl/poolctl/internal/geom"
)

// guard stands before and after memory that a kernel may use.
const guard = 0x5afe5afe5afe5afe

// GuardedScratch books n bytes of scratch memory between guard words, filled
// with what looks like NaN; intact tells whether the guards still stand.
func GuardedScratch(n int) (s Scratch, intact func() bool) {
	const around = 8
	words := (n + 7) / 8
	all := slices.Repeat([]uint64{guard}, words+2*around)
	for i := range words {
		all[around+i] = ^uint64(0)
	}
	s = Scratch{words: all[around : around+words : around+words]}
	return s, func() bool {
		for i := range around {
			if all[i] != guard || all[around+words+i] != guard {
				return false
			}
		}
		return true
	}
}

// TileCounts returns how many tiles pooling cuts each axis into, for
// accumulators of so many bytes and so many contiguous numbers a cell.
func TileCounts(g geom.Geometry, inner, bytes int) [3]int {
	t := newTiling(&g, inner, bytes)
	return t.count
}

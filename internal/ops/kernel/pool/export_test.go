package pool

import (
	"github.com/poolctl/poolctl/internal/geom"
	"github.com/poolctl/poolctl/internal/ops/kernel"
)

// TileCounts returns how many tiles pooling cuts each axis into, for
// accumulators of so many bytes and so many contiguous numbers a cell.
func TileCounts(g geom.Geometry, inner, bytes int) [3]int {
	t := newTiling(&g, inner, bytes)
	return t.count
}

// Refusals lists every way to compute a pooling at the spec's level, with the
// reason why it cannot run, or none.
func Refusals(spec Spec) []kernel.Reject {
	var list []kernel.Reject
	for _, c := range candidatesOfLevel(&spec) {
		list = append(list, kernel.Reject{Impl: c.Name, Reason: c.Refusal})
	}
	return list
}

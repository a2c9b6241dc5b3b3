package pool

import "github.com/poolctl/poolctl/internal/geom"

// TileCounts returns how many tiles pooling cuts each axis into, for
// accumulators of so many bytes and so many contiguous numbers a cell.
func TileCounts(g geom.Geometry, inner, bytes int) [3]int {
	t := newTiling(&g, inner, bytes)
	return t.count
}

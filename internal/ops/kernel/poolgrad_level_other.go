//go:build !amd64 || purego

package kernel

// There is no assembly: every level is plain Go.
var (
	gradTables32 [AVX512 + 1]gradTable[float32]
	gradTables64 [AVX512 + 1]gradTable[float64]
)

// storeFence orders stores past the caches, of which there are none.
func storeFence() {}

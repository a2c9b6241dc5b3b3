//go:build !amd64 || purego

package poolgrad

import "github.com/poolctl/poolctl/internal/ops/kernel"

// There is no assembly: every level is plain Go.
var (
	cellTables32 [kernel.AVX512 + 1]cellTable[float32]
	cellTables64 [kernel.AVX512 + 1]cellTable[float64]
)

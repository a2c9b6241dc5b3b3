//go:build !amd64 || purego

package poolgrad

import "github.com/poolctl/poolctl/internal/ops/kernel"

// The tables are empty: there is no assembly.
var (
	codeTables32 [kernel.AVX512 + 1][4]func(r codeRun[float32])
	codeTables64 [kernel.AVX512 + 1][4]func(r codeRun[float64])
)

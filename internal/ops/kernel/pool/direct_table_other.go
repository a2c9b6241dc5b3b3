//go:build !amd64 || purego

package pool

import "github.com/poolctl/poolctl/internal/ops/kernel"

// directTables is empty: there are no direct kernels in plain Go.
var directTables [kernel.AVX512 + 1]directTable

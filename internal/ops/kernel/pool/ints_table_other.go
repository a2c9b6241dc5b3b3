//go:build !amd64 || purego

package pool

import "github.com/poolctl/poolctl/internal/ops/kernel"

// intTables holds nothing: every level runs plain Go.
var intTables [kernel.AVX512 + 1]intTable

//go:build !amd64 || purego

package pool

import "github.com/poolctl/poolctl/internal/ops/kernel"

// rowTables is empty: every level runs plain Go.
var rowTables [kernel.AVX512 + 1]rowTable

//go:build !amd64 || purego

package pool

import "github.com/poolctl/poolctl/internal/ops/kernel"

// directTables holds nothing: every level runs the separable kernel.
var directTables [kernel.AVX512 + 1]directTable

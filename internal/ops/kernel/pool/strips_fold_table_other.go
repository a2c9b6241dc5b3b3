//go:build !amd64 || purego

package pool

import "github.com/poolctl/poolctl/internal/ops/kernel"

var foldTables [kernel.AVX512 + 1]foldTable

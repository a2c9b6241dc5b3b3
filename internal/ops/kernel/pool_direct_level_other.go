//go:build !amd64 || purego

package kernel

// directTables holds nothing: every level runs the separable kernel.
var directTables [AVX512 + 1]directTable

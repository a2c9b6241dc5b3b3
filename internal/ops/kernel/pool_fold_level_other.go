//go:build !amd64 || purego

package kernel

var foldTables [AVX512 + 1]foldTable

//go:build !amd64 || purego

package kernel

// rowTables holds nothing: every level runs plain Go.
var rowTables [AVX512 + 1]rowTable

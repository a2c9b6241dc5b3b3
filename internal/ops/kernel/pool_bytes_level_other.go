//go:build !amd64 || purego

package kernel

// byteTables holds nothing: every level runs plain Go.
var byteTables [AVX512 + 1]byteTable

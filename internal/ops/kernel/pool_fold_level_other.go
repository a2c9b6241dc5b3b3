//go:build !amd64 || purego

package kernel

var foldTables [AVX512 + 1]foldTable

// fence is for stores past the caches, which plain Go has not.
func fence() {}

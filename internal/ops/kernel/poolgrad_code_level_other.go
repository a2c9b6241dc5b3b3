//go:build !amd64 || purego

package kernel

// codeTables is empty: there is no assembly.
var codeTables [AVX512 + 1][4]func(r codeRun)

//go:build !amd64 || purego

package kernel

// The tables are empty: there is no assembly.
var (
	codeTables32 [AVX512 + 1][4]func(r codeRun[float32])
	codeTables64 [AVX512 + 1][4]func(r codeRun[float64])
)

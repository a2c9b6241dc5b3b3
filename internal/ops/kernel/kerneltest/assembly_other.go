//go:build !amd64 || purego

package kerneltest

// HasAssembly says whether levels above Generic run assembly.
const HasAssembly = false

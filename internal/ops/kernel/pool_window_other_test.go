//go:build !amd64 || purego

package kernel

// HasAssembly says whether levels above Generic run assembly.
const HasAssembly = false

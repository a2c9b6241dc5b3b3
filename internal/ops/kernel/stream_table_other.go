//go:build !amd64 || purego

package kernel

// StoreFence orders stores past the caches. Plain Go has none.
func StoreFence() {}

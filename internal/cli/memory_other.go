//go:build !linux

package cli

// defaultMemory returns 0, no limit: the standard library does not tell the
// machine's memory here.
func defaultMemory() int { return 0 }

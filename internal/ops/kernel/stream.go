package kernel

import "unsafe"

//go:generate go -C _gen run ./stream

// LineBytes is the length of a cache line.
const LineBytes = 64

// StreamFrom is the size in bytes of input and output together from which results
// are written past the caches. Nothing of them would stay there anyway.
const StreamFrom = 16 << 20

// Misaligned returns how many elements a slice begins past an address that is a
// multiple of the given number of elements.
func Misaligned[T any](s []T, elements int) int {
	p := unsafe.SliceData(s)
	return int(uintptr(unsafe.Pointer(p)) / unsafe.Sizeof(*p) % uintptr(elements))
}

// SplitStream calls do for n numbers that begin off numbers past a multiple of a
// vector. Without stream, that is one call. With stream it is a call for the aligned
// middle, with stream set to 1, and one for each end, which overlaps it.
func SplitStream(stream bool, lanes, n, off int, do func(at, n, stream int)) {
	if !stream || n < 4*lanes {
		do(0, n, 0)
		return
	}
	head := (lanes - off) % lanes
	whole := (n - head) &^ (lanes - 1)
	if head > 0 {
		do(0, lanes, 0)
	}
	do(head, whole, 1)
	if head+whole < n {
		do(n-lanes, lanes, 0)
	}
}

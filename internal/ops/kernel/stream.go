package kernel

import "unsafe"

//go:generate go -C _gen run ./stream

const LineBytes = 64 // of a cache line

// StreamFrom is the size in bytes of input and output from which results are
// written past the caches: nothing of them would be left there anyway.
const StreamFrom = 16 << 20

// Misaligned returns how many elements past a multiple of so many a slice begins
// in memory.
func Misaligned[T any](s []T, elements int) int {
	p := unsafe.SliceData(s)
	return int(uintptr(unsafe.Pointer(p)) / unsafe.Sizeof(*p) % uintptr(elements))
}

// SplitStream calls do for the whole of n numbers, or for the part that may be
// streamed, to addresses that are multiples of a vector, and the ends on both
// sides, which overlap it; they begin off numbers past such an address.
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

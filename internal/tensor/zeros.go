package tensor

import "unsafe"

// hugeFrom is the smallest size in bytes for which huge pages are asked for.
// With small pages, work on large tensors waits for the page tables as much as
// for the memory.
const hugeFrom = 4 << 20

// Zeros allocates n zeros, in huge pages where they are many and the system has
// such pages.
func Zeros[T Element](n int) []T {
	s := make([]T, n)
	var t T
	if bytes := n * int(unsafe.Sizeof(t)); bytes >= hugeFrom {
		adviseHuge(unsafe.Slice((*byte)(unsafe.Pointer(unsafe.SliceData(s))), bytes))
	}
	return s
}

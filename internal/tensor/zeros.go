package tensor

import "unsafe"

// hugeFrom is the size in bytes from which memory is asked for in huge pages:
// what large tensors are read and written with would otherwise wait for the
// page tables as much as for the memory.
const hugeFrom = 4 << 20

// Zeros allocates n zeros, large ones in huge pages where the system has them.
func Zeros[T Element](n int) []T {
	s := make([]T, n)
	var t T
	if bytes := n * int(unsafe.Sizeof(t)); bytes >= hugeFrom {
		adviseHuge(unsafe.Slice((*byte)(unsafe.Pointer(unsafe.SliceData(s))), bytes))
	}
	return s
}

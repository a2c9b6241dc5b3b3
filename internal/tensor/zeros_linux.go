package tensor

import (
	"syscall"
	"unsafe"
)

// hugePage is the usual size of a huge page; where it is another one the advice
// reaches a little more or less of the memory.
const hugePage = 2 << 20

// adviseHuge asks for huge pages under whatever of memory fills some. A system
// that has none refuses, which changes nothing.
func adviseHuge(memory []byte) {
	past := int(uintptr(unsafe.Pointer(unsafe.SliceData(memory))) % hugePage)
	from := (hugePage - past) % hugePage
	if to := len(memory) - (past+len(memory))%hugePage; from < to {
		_ = syscall.Madvise(memory[from:to], syscall.MADV_HUGEPAGE)
	}
}

package tensor

import (
	"syscall"
	"unsafe"
)

// hugePage is the usual size of a huge page. If the system's differs, the advice
// covers a little more or less of the memory.
const hugePage = 2 << 20

// adviseHuge asks for huge pages for the part of memory that fills whole ones. A
// system without huge pages returns an error, which does no harm.
func adviseHuge(memory []byte) {
	past := int(uintptr(unsafe.Pointer(unsafe.SliceData(memory))) % hugePage)
	from := (hugePage - past) % hugePage
	if to := len(memory) - (past+len(memory))%hugePage; from < to {
		_ = syscall.Madvise(memory[from:to], syscall.MADV_HUGEPAGE)
	}
}

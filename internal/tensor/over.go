package tensor

import (
	"fmt"
	"unsafe"
)

// Over lays a tensor over memory that the caller keeps. The memory keeps its
// contents. It panics when words is shorter than Words says.
func Over(words []uint64, spec Spec) *Tensor {
	if need := Words(spec); len(words) < need {
		panic(fmt.Sprintf("tensor: %s over %d words, want >= %d", spec, len(words), need))
	}
	return OverBytes(unsafe.Slice((*byte)(unsafe.Pointer(unsafe.SliceData(words))), 8*len(words)), spec)
}

// OverBytes is Over for memory that begins at a multiple of the size of an
// element and has the size that Spec.Bytes returns, or more.
func OverBytes(memory []byte, spec Spec) *Tensor {
	size, err := spec.Bytes()
	if err != nil {
		panic(fmt.Sprintf("tensor: %v", err))
	}
	if len(memory) < size {
		panic(fmt.Sprintf("tensor: %s over %d bytes, want >= %d", spec, len(memory), size))
	}
	r := spec.DType.row()
	return &Tensor{Spec: spec, Data: r.over(unsafe.Pointer(unsafe.SliceData(memory)), size/r.size())}
}

// lineWords is a cache line: tensors laid one after another share none.
const lineWords = 8

// Words returns how many words of eight bytes a tensor takes: whole cache
// lines. The size must fit an int, as Spec.Bytes says.
func Words(spec Spec) int {
	n, err := spec.Bytes()
	if err != nil {
		panic(fmt.Sprintf("tensor: %v", err))
	}
	return (n + 8*lineWords - 1) / (8 * lineWords) * lineWords
}

package tensor

import (
	"fmt"
	"unsafe"
)

// Over lays a tensor over memory that the caller keeps: words is at least as
// long as Words says, its contents stay. It panics when it is shorter.
func Over(words []uint64, spec Spec) *Tensor {
	if need := Words(spec); len(words) < need {
		panic(fmt.Sprintf("tensor: %s over %d words, want >= %d", spec, len(words), need))
	}
	switch spec.DType {
	case Uint8:
		return over[uint8](words, spec)
	case Int8:
		return over[int8](words, spec)
	case Uint16:
		return over[uint16](words, spec)
	case Int16:
		return over[int16](words, spec)
	case Uint32:
		return over[uint32](words, spec)
	case Int32:
		return over[int32](words, spec)
	case Uint64:
		return over[uint64](words, spec)
	case Int64:
		return over[int64](words, spec)
	case Half:
		return over[Float16](words, spec)
	case Float32:
		return over[float32](words, spec)
	case Float64:
		return over[float64](words, spec)
	default:
		panic("tensor: invalid dtype")
	}
}

// lineWords is a cache line, so that tensors laid one after another share none.
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

func over[T Element](words []uint64, spec Spec) *Tensor {
	n, err := spec.Shape.Elements()
	if err != nil {
		panic(fmt.Sprintf("tensor: %v", err))
	}
	return &Tensor{Spec: spec, Data: unsafe.Slice((*T)(unsafe.Pointer(unsafe.SliceData(words))), n)}
}

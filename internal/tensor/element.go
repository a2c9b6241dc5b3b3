package tensor

import "unsafe"

// Element is the set of Go types that hold a tensor's elements.
type Element interface {
	Real | Narrow
}

// Real is the set of element types that Go itself computes with.
type Real interface {
	Integer | Floating
}

// Integer is the set of integer element types.
type Integer interface {
	uint8 | int8 | uint16 | int16 | uint32 | int32 | uint64 | int64
}

// Floating is the set of floating-point types that poolctl computes in.
type Floating interface {
	float32 | float64
}

// Narrow is the set of floating-point types that poolctl stores numbers in but
// does not compute in: they are widened to float32 first, which is exact.
type Narrow interface {
	BF16 | F16
}

// SizeOf returns the bytes of one number of type T.
func SizeOf[T Element]() int {
	var t T
	return int(unsafe.Sizeof(t))
}

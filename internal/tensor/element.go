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
	Float16
}

// SizeOf returns the bytes of one number of type T.
func SizeOf[T Element | int | uintptr]() int {
	var t T
	return int(unsafe.Sizeof(t))
}

// Reals holds one value, usually an instance of a generic function, for every
// Real type. A literal without names has all ten or does not compile.
type Reals[F any] struct{ Uint8, Int8, Uint16, Int16, Uint32, Int32, Uint64, Int64, Float32, Float64 F }

// For returns the value for type d, which must be a Real type.
func (r Reals[F]) For(d DType) F {
	switch d {
	case Float32:
		return r.Float32
	case Float64:
		return r.Float64
	default:
		return Integers[F]{r.Uint8, r.Int8, r.Uint16, r.Int16, r.Uint32, r.Int32, r.Uint64, r.Int64}.For(d)
	}
}

// Integers holds one value for every integer type.
type Integers[F any] struct{ Uint8, Int8, Uint16, Int16, Uint32, Int32, Uint64, Int64 F }

// For returns the value for type d, which must be an integer type.
func (r Integers[F]) For(d DType) F {
	switch d {
	case Uint8:
		return r.Uint8
	case Int8:
		return r.Int8
	case Uint16:
		return r.Uint16
	case Int16:
		return r.Int16
	case Uint32:
		return r.Uint32
	case Int32:
		return r.Int32
	case Uint64:
		return r.Uint64
	case Int64:
		return r.Int64
	}
	panic("tensor: nothing for " + d.String())
}

package tensor

import (
	"fmt"
	"strings"
)

// DType is the type of a tensor's elements.
type DType uint8

// The element types that poolctl reads, computes with and writes. Booleans
// are read as Uint8.
const (
	Invalid DType = iota
	Uint8
	Int8
	Uint16
	Int16
	Uint32
	Int32
	Uint64
	Int64
	Half // IEEE 754 binary16, "float16"
	Float32
	Float64
)

// Element is the set of Go types that hold a tensor's elements.
type Element interface {
	Real | Float16
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

var dtypes = [...]struct {
	name string
	size int
}{
	Invalid: {"invalid", 0},
	Uint8:   {"uint8", 1},
	Int8:    {"int8", 1},
	Uint16:  {"uint16", 2},
	Int16:   {"int16", 2},
	Uint32:  {"uint32", 4},
	Int32:   {"int32", 4},
	Uint64:  {"uint64", 8},
	Int64:   {"int64", 8},
	Half:    {"float16", 2},
	Float32: {"float32", 4},
	Float64: {"float64", 8},
}

// DTypes lists every element type, smallest integers first.
func DTypes() []DType {
	list := make([]DType, 0, len(dtypes)-1)
	for d := Uint8; d <= Float64; d++ {
		list = append(list, d)
	}
	return list
}

// DTypeNames lists the names that ParseDType accepts.
func DTypeNames() []string {
	var names []string
	for _, d := range DTypes() {
		names = append(names, d.String())
	}
	return names
}

// ParseDType returns the element type of that name; case carries no meaning.
func ParseDType(name string) (DType, error) {
	for d := Uint8; d <= Float64; d++ {
		if strings.EqualFold(dtypes[d].name, name) {
			return d, nil
		}
	}
	return Invalid, fmt.Errorf("got %q, want one of %s", name, strings.Join(DTypeNames(), ", "))
}

// String returns NumPy's name of the type.
func (d DType) String() string { return dtypes[d].name }

// Size returns the bytes of one element.
func (d DType) Size() int { return dtypes[d].size }

// IsFloat reports whether the type is a floating-point type.
func (d DType) IsFloat() bool { return d >= Half }

// IsInteger reports whether the type is an integer type.
func (d DType) IsInteger() bool { return d >= Uint8 && d <= Int64 }

// Arithmetic returns the type in which averages, sums and convolutions of d
// are computed: float64 for float64 and for integers of 32 and 64 bits,
// float32 for everything else.
func (d DType) Arithmetic() DType {
	switch d {
	case Float64, Uint32, Int32, Uint64, Int64:
		return Float64
	default:
		return Float32
	}
}

// Averaged returns the type in which the result of an average, a sum or a
// convolution of d is written: floating-point types stay what they are,
// integers become the type they are computed in.
func (d DType) Averaged() DType {
	if d.IsFloat() {
		return d
	}
	return d.Arithmetic()
}

// TypeOf returns the DType of the Go type T.
func TypeOf[T Element]() DType {
	var zero T
	switch any(zero).(type) {
	case uint8:
		return Uint8
	case int8:
		return Int8
	case uint16:
		return Uint16
	case int16:
		return Int16
	case uint32:
		return Uint32
	case int32:
		return Int32
	case uint64:
		return Uint64
	case int64:
		return Int64
	case Float16:
		return Half
	case float32:
		return Float32
	default:
		return Float64
	}
}

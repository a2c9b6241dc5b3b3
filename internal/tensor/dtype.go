package tensor

import (
	"fmt"
	"strings"
)

// DType is the type of a tensor's elements.
type DType uint8

// The element types that poolctl reads, computes with and writes, in the order
// of their precision. Booleans are read as Uint8.
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
	Float16 // IEEE 754 binary16, "float16"
	Float32
	Float64
)

// row is all that is known about an element type. A new one takes a constant
// above, a row below, and its Go type in the constraint Real or Narrow.
type row struct {
	name       string // NumPy's name
	arithmetic DType  // see Arithmetic
	elements          // what is done with slices of its Go type
}

var dtypes = [...]row{
	Invalid: {"invalid", Invalid, nil},
	Uint8:   {"uint8", Float32, integers[uint8]{}},
	Int8:    {"int8", Float32, integers[int8]{}},
	Uint16:  {"uint16", Float32, integers[uint16]{}},
	Int16:   {"int16", Float32, integers[int16]{}},
	Uint32:  {"uint32", Float64, integers[uint32]{}},
	Int32:   {"int32", Float64, integers[int32]{}},
	Uint64:  {"uint64", Float64, integers[uint64]{}},
	Int64:   {"int64", Float64, integers[int64]{}},
	Float16: {"float16", Float32, narrows[F16]{bits: 11, widen: widenF16, round: roundF16, toOne: ToF16}},
	Float32: {"float32", Float32, floats[float32]{bits: 24}},
	Float64: {"float64", Float64, floats[float64]{bits: 53}},
}

// row returns the row of a valid type.
func (d DType) row() *row {
	if d == Invalid {
		panic("tensor: invalid dtype")
	}
	return &dtypes[d]
}

// DTypes lists every element type, smallest integers first.
func DTypes() []DType {
	list := make([]DType, 0, len(dtypes)-1)
	for d := Invalid + 1; int(d) < len(dtypes); d++ {
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

// ParseDType returns the element type of that name, in upper or lower case.
func ParseDType(name string) (DType, error) {
	for _, d := range DTypes() {
		if strings.EqualFold(d.String(), name) {
			return d, nil
		}
	}
	return Invalid, fmt.Errorf("got %q, want one of %s", name, strings.Join(DTypeNames(), ", "))
}

// TypeOf returns the DType of the Go type T.
func TypeOf[T Element]() DType {
	for _, d := range DTypes() {
		if _, is := d.row().zero().(T); is {
			return d
		}
	}
	panic("tensor: a Go type without a row")
}

// String returns NumPy's name of the type.
func (d DType) String() string { return dtypes[d].name }

// Size returns the bytes of one element, 0 for Invalid.
func (d DType) Size() int {
	if d == Invalid {
		return 0
	}
	return dtypes[d].size()
}

// IsInteger reports whether the type is an integer type.
func (d DType) IsInteger() bool { return d != Invalid && dtypes[d].kind() == integer }

// IsFloat reports whether the type is a floating-point type.
func (d DType) IsFloat() bool { return d != Invalid && dtypes[d].kind() != integer }

// IsNarrow reports whether the type is a floating-point type that Go does not
// compute in.
func (d DType) IsNarrow() bool { return d != Invalid && dtypes[d].kind() == narrow }

// Precision returns the significant bits of a floating-point type, the leading
// one included, or the bits of an integer type.
func (d DType) Precision() int { return d.row().precision() }

// Arithmetic returns the type in which averages, sums and convolutions of d
// are computed: float64 for float64 and for integers of 32 and 64 bits,
// float32 for everything else.
func (d DType) Arithmetic() DType { return d.row().arithmetic }

// Averaged returns the type in which the result of an average, a sum or a
// convolution of d is written: a floating-point type stays what it is, an
// integer type becomes the type it is computed in.
func (d DType) Averaged() DType {
	if d.IsFloat() {
		return d
	}
	return d.Arithmetic()
}

// Real returns the type in which values of d are compared, added and moved
// without changing type: d, or the type that a narrow one is widened to.
func (d DType) Real() DType {
	if d.IsNarrow() {
		return d.Arithmetic()
	}
	return d
}

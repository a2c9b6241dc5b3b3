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
	BFloat16 // the upper half of a float32
	Float16  // IEEE 754 binary16
	Float32
	Float64
)

// row is all that is known about an element type. A new one takes a constant
// above, a row below, and its Go type in the constraint Real or Narrow.
type row struct {
	name       string // NumPy's name
	arithmetic DType  // see Arithmetic
	codes      Codes  // in files
	elements          // what is done with slices of its Go type
}

// Codes are what file formats call an element type.
type Codes struct {
	NumPy       string // kind and size in the descr of an .npy file
	Safetensors string
	ONNX        int // TensorProto.DataType
}

var dtypes = [...]row{
	Invalid:  {name: "invalid"},
	Uint8:    {"uint8", Float32, Codes{"u1", "U8", 2}, integers[uint8]{}},
	Int8:     {"int8", Float32, Codes{"i1", "I8", 3}, integers[int8]{}},
	Uint16:   {"uint16", Float32, Codes{"u2", "U16", 4}, integers[uint16]{}},
	Int16:    {"int16", Float32, Codes{"i2", "I16", 5}, integers[int16]{}},
	Uint32:   {"uint32", Float64, Codes{"u4", "U32", 12}, integers[uint32]{}},
	Int32:    {"int32", Float64, Codes{"i4", "I32", 6}, integers[int32]{}},
	Uint64:   {"uint64", Float64, Codes{"u8", "U64", 13}, integers[uint64]{}},
	Int64:    {"int64", Float64, Codes{"i8", "I64", 7}, integers[int64]{}},
	BFloat16: {"bfloat16", Float32, Codes{"V2", "BF16", 16}, narrows[BF16]{bits: 8, widen: widenBF16, round: roundBF16, toOne: ToBF16}},
	Float16:  {"float16", Float32, Codes{"f2", "F16", 10}, narrows[F16]{bits: 11, widen: widenF16, round: roundF16, toOne: ToF16}},
	Float32:  {"float32", Float32, Codes{"f4", "F32", 1}, floats[float32]{bits: 24}},
	Float64:  {"float64", Float64, Codes{"f8", "F64", 11}, floats[float64]{bits: 53}},
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

// RawNames lists the names of the types that NumPy lacks: see IsRaw.
func RawNames() []string {
	var names []string
	for _, d := range DTypes() {
		if d.IsRaw() {
			names = append(names, d.String())
		}
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

// Codes returns what file formats call the type.
func (d DType) Codes() Codes { return d.row().codes }

// IsRaw reports whether NumPy lacks the type: arrays of it are stored as raw
// bytes, and only the reader can know what they are.
func (d DType) IsRaw() bool { return d != Invalid && strings.HasPrefix(d.Codes().NumPy, "V") }

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

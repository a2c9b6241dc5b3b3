package weights

import (
	"fmt"

	"github.com/poolctl/poolctl/internal/imgio/input"
	"github.com/poolctl/poolctl/internal/tensor"
	"google.golang.org/protobuf/encoding/protowire"
)

// Numbers of TensorProto.DataType.
const (
	onnxString = 8
	onnxBool   = 9
)

// onnxType returns the element type by its number in TensorProto.DataType
// (https://github.com/onnx/onnx/blob/main/onnx/onnx.proto).
func onnxType(number uint64) (d tensor.DType, c coding, known bool) {
	if number == onnxBool {
		return tensor.Uint8, truths, true
	}
	for _, d := range tensor.DTypes() {
		if uint64(d.Codes().ONNX) == number {
			return d, verbatim, true
		}
	}
	return tensor.Invalid, verbatim, false
}

// onnxOtherTypes are the types of TensorProto.DataType that poolctl does not
// compute with.
var onnxOtherTypes = map[uint64]string{
	0: "UNDEFINED", 8: "STRING", 14: "COMPLEX64", 15: "COMPLEX128",
	17: "FLOAT8E4M3FN", 18: "FLOAT8E4M3FNUZ", 19: "FLOAT8E5M2", 20: "FLOAT8E5M2FNUZ",
	21: "UINT4", 22: "INT4", 23: "FLOAT4E2M1", 24: "FLOAT8E8M0",
	25: "UINT2", 26: "INT2", 27: "FLOAT6E2M3", 28: "FLOAT6E3M2",
}

// onnxTypeError refuses a type that onnxType does not know.
func onnxTypeError(number uint64, shape tensor.Shape) error {
	name, named := onnxOtherTypes[number]
	if !named {
		name = fmt.Sprintf("%d of TensorProto", number)
	}
	return &input.TypeError{Type: name, Shape: shape, Why: "not supported, want a type such as FLOAT"}
}

// onnxField returns the field of TensorProto that may hold numbers of a type in
// place of raw_data.
func onnxField(d tensor.DType) protowire.Number {
	switch d {
	case tensor.Float32:
		return 4
	case tensor.Float64:
		return 10
	case tensor.Int64:
		return 7
	case tensor.Uint32, tensor.Uint64:
		return 11
	default: // int32_data has everything else, which is of at most 32 bits
		return 5
	}
}

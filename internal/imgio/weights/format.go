package weights

import "github.com/poolctl/poolctl/internal/imgio/format"

// Safetensors is the safetensors format.
var Safetensors = &format.Format{
	Name:       "safetensors",
	Magic:      []string{"?????\x00\x00\x00{"}, // the header's length, the header
	Extensions: []string{".safetensors"},
	Archive:    &format.Archive{Members: safetensorsMembers, Weights: true},
}

// ONNX is the format of ONNX models.
var ONNX = &format.Format{
	Name:       "onnx",
	Looks:      looksONNX,
	Extensions: []string{".onnx"},
	Archive:    &format.Archive{Members: onnxMembers, Weights: true},
}

// TensorProto is the format of single ONNX tensors, such as the inputs and outputs
// of ONNX's tests.
var TensorProto = &format.Format{
	Name:       "tensorproto",
	Looks:      looksTensorProto,
	Extensions: []string{".pb"},
	Archive:    &format.Archive{Members: tensorProtoMembers},
}

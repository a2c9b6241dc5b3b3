package weights

import "github.com/poolctl/poolctl/internal/imgio/format"

// Safetensors is the safetensors format.
var Safetensors = &format.Format{
	Name:       "safetensors",
	Magic:      []string{"?????\x00\x00\x00{"}, // the header's length, the header
	Extensions: []string{".safetensors"},
	Archive:    &format.Archive{Members: safetensorsMembers, Weights: true},
}

// ONNX is the format of ONNX models. It has no magic. A model begins with its
// version, field 1; after it comes the tag of another field: the producer's name
// or version, the domain, the model's version, a text, the graph, or the operator
// sets.
var ONNX = &format.Format{
	Name:       "onnx",
	Magic:      []string{"\x08?\x12", "\x08?\x1a", "\x08?\x22", "\x08?\x28", "\x08?\x32", "\x08?\x3a", "\x08?\x42"},
	Extensions: []string{".onnx"},
	Archive:    &format.Archive{Members: onnxMembers, Weights: true},
}

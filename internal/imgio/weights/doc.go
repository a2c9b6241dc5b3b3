// Package weights reads the arrays of networks: safetensors files and ONNX
// models.
//
// It imports tensor, input and protowire, the encoding of protocol buffers.
package weights

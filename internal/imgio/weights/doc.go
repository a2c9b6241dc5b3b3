// Package weights reads the weights of networks from safetensors files and ONNX
// models.
//
// It imports tensor, input and protowire, the encoding of protocol buffers.
package weights

// Package jpeg reads and writes JPEG. It decodes sequential and progressive files of
// 8 bits with Huffman codes, to the same samples as libjpeg-turbo. The standard
// library encodes.
//
// It imports format, input, raster, tensor and the standard library.
package jpeg

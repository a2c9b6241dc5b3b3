//go:build !amd64 || purego

package kernel

var transposeSingle func(dst, src []float32, rows, columns, srcStep, dstStep int)

//go:build amd64 && !purego

package kernel

//go:generate go -C _gen run ./permute

// transposeSingle transposes blocks of float32. tensor.Permuter says what that is.
var transposeSingle = func(dst, src []float32, rows, columns, srcStep, dstStep int) {
	_, _ = dst[(rows-1)*dstStep+columns-1], src[(columns-1)*srcStep+rows-1]
	transposeAVX2(&dst[0], &src[0], rows, columns, 4*srcStep, 4*dstStep)
}

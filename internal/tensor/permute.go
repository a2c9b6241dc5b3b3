package tensor

import "slices"

// Permuted returns a copy of t with its axes reordered: axis i of the result is
// axis perm[i] of t. It returns t itself when the order does not change.
func Permuted(t *Tensor, perm []int) *Tensor {
	if slices.IsSorted(perm) {
		return t
	}
	out := New(Spec{t.DType, PermutedShape(t.Shape, perm)})
	n := 0
	if len(out.Shape) > 0 {
		n = out.Shape[0]
	}
	PermuteRange(out, t, perm, 0, n)
	return out
}

// PermutedShape returns the shape with its axes reordered as by Permuted.
func PermutedShape(shape Shape, perm []int) Shape {
	out := make(Shape, len(perm))
	for i, p := range perm {
		out[i] = shape[p]
	}
	return out
}

// PermuteRange fills the part lo <= i < hi of dst's outermost axis with src's
// elements, axes reordered as by Permuted. Ranges are independent of each
// other and may run at the same time.
func PermuteRange(dst, src *Tensor, perm []int, lo, hi int) {
	switch s := src.Data.(type) {
	case []uint8:
		permute(Of[uint8](dst), s, dst.Shape, src.Shape, perm, lo, hi)
	case []int8:
		permute(Of[int8](dst), s, dst.Shape, src.Shape, perm, lo, hi)
	case []uint16:
		permute(Of[uint16](dst), s, dst.Shape, src.Shape, perm, lo, hi)
	case []int16:
		permute(Of[int16](dst), s, dst.Shape, src.Shape, perm, lo, hi)
	case []uint32:
		permute(Of[uint32](dst), s, dst.Shape, src.Shape, perm, lo, hi)
	case []int32:
		permute(Of[int32](dst), s, dst.Shape, src.Shape, perm, lo, hi)
	case []uint64:
		permute(Of[uint64](dst), s, dst.Shape, src.Shape, perm, lo, hi)
	case []int64:
		permute(Of[int64](dst), s, dst.Shape, src.Shape, perm, lo, hi)
	case []Float16:
		permute(Of[Float16](dst), s, dst.Shape, src.Shape, perm, lo, hi)
	case []float32:
		permute(Of[float32](dst), s, dst.Shape, src.Shape, perm, lo, hi)
	case []float64:
		permute(Of[float64](dst), s, dst.Shape, src.Shape, perm, lo, hi)
	}
}

// permute walks dst in row-major order. Axes that stay neighbours are merged
// first, so that the innermost loop is as long as the permutation allows.
func permute[T Element](dst, src []T, dstShape, srcShape Shape, perm []int, lo, hi int) {
	stride := make([]int, len(perm)) // of src, for each axis of dst
	for i, p := range perm {
		stride[i] = 1
		for _, n := range srcShape[p+1:] {
			stride[i] *= n
		}
	}
	size := slices.Clone(dstShape)
	start := lo * stride[0]
	inner := 1
	for _, n := range size[1:] {
		inner *= n
	}
	dst = dst[lo*inner : hi*inner]
	if len(dst) == 0 {
		return
	}
	size[0] = hi - lo
	for i := len(size) - 1; i > 0; i-- {
		if stride[i-1] == stride[i]*size[i] {
			size[i-1] *= size[i]
			stride[i-1] = stride[i]
			size, stride = slices.Delete(size, i, i+1), slices.Delete(stride, i, i+1)
		}
	}
	last := len(size) - 1
	at := make([]int, last)
	offset := start
	for len(dst) > 0 {
		row, step := dst[:size[last]], stride[last]
		if step == 1 {
			copy(row, src[offset:])
		} else {
			for i, from := 0, offset; i < len(row); i, from = i+1, from+step {
				row[i] = src[from]
			}
		}
		dst = dst[size[last]:]
		for axis := last - 1; axis >= 0; axis-- {
			at[axis]++
			offset += stride[axis]
			if at[axis] < size[axis] {
				break
			}
			offset -= size[axis] * stride[axis]
			at[axis] = 0
		}
	}
}

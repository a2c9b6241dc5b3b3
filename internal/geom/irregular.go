package geom

import "math/bits"

// MaxBounds is the largest number of windows that an irregular axis should
// have. Their bounds are stored, unlike those of a regular axis.
const MaxBounds = 1 << 24

// Adaptive returns the axis of adaptive pooling. Window i of out covers the
// cells floor(i*in/out) <= c < ceil((i+1)*in/out)
// (ATen/native/AdaptivePooling.h in PyTorch). Windows overlap if out does not
// divide in, and repeat cells if out > in.
func Adaptive(in, out int) Axis {
	a := Axis{In: in, Out: out, Stride: 1, Dilation: 1, Bounds: make([][2]int, out)}
	for i := range a.Bounds {
		start, _ := mulDiv(i, in, out)
		end, rest := mulDiv(i+1, in, out)
		if rest > 0 {
			end++
		}
		a.Bounds[i] = [2]int{start, end}
		a.Size = max(a.Size, end-start)
	}
	return a
}

// mulDiv returns a*b/c and the remainder. The product may have 128 bits.
func mulDiv(a, b, c int) (quotient, rest int) {
	hi, lo := bits.Mul64(uint64(a), uint64(b))
	q, r := bits.Div64(hi, lo, uint64(c))
	return int(q), int(r)
}

// Fractional returns the axis of fractional pooling for a pooling sequence s_0
// = 0 < s_1 < … < s_out = in. Window i covers s_i <= c < s_(i+1). If windows
// overlap it also covers the cell s_(i+1), unless that is past the end
// (core/kernels/fractional_max_pool_op.cc in TensorFlow).
func Fractional(sequence []int, overlapping bool) Axis {
	out := len(sequence) - 1
	in := sequence[out]
	a := Axis{In: in, Out: out, Stride: 1, Dilation: 1, Bounds: make([][2]int, out)}
	for i := range a.Bounds {
		end := sequence[i+1]
		if overlapping {
			end = min(end+1, in)
		}
		a.Bounds[i] = [2]int{sequence[i], end}
		a.Size = max(a.Size, end-sequence[i])
	}
	return a
}

package geom

import "math/bits"

// MaxBounds is the largest number of windows that an irregular axis should
// have: unlike those of a regular one, the bounds of each lie in memory.
const MaxBounds = 1 << 24

// Adaptive returns the axis of adaptive pooling: window i of out covers the
// cells floor(i*in/out) <= c < ceil((i+1)*in/out) (PyTorch's
// ATen/native/AdaptivePooling.h). Windows overlap where out does not divide in,
// and repeat cells where out > in.
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

// mulDiv returns a*b/c and its remainder; the product may have 128 bits.
func mulDiv(a, b, c int) (quotient, rest int) {
	hi, lo := bits.Mul64(uint64(a), uint64(b))
	q, r := bits.Div64(hi, lo, uint64(c))
	return int(q), int(r)
}

// Fractional returns the axis of fractional pooling for a pooling sequence
// s_0 = 0 < s_1 < … < s_out = in: window i covers s_i <= c < s_(i+1), and the
// cell s_(i+1) too when windows overlap, unless that is past the end
// (TensorFlow's core/kernels/fractional_max_pool_op.cc).
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

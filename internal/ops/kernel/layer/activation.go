package layer

import (
	"math"

	"github.com/poolctl/poolctl/internal/tensor"
)

// Activation is a function of one number that a network applies to every one.
type Activation uint8

// Relu is max(x, 0), Relu6 is min(max(x, 0), 6), LeakyRelu is x where that is
// greater than 0 and alpha·x elsewhere. They give NaN for NaN.
const (
	Relu Activation = iota
	Relu6
	LeakyRelu
	Sigmoid
	Tanh
)

// Activate computes the elements lo <= i < hi of dst = f(src), which are of one
// type: a Real one for Relu and Relu6, float32 or float64 for the others. alpha is
// LeakyRelu's.
func (f Activation) Activate(dst, src *tensor.Tensor, lo, hi int, alpha float64) {
	activators.For(dst.DType)(f, dst, src, lo, hi, alpha)
}

var activators = tensor.PerReal(activateWhole[uint8], activateWhole[int8], activateWhole[uint16], activateWhole[int16],
	activateWhole[uint32], activateWhole[int32], activateWhole[uint64], activateWhole[int64], activateFloats[float32], activateFloats[float64])

func activateWhole[T tensor.Integer](f Activation, dst, src *tensor.Tensor, lo, hi int, _ float64) {
	rectify(tensor.Of[T](dst)[lo:hi], tensor.Of[T](src)[lo:hi], f == Relu6)
}

func activateFloats[F tensor.Floating](f Activation, dst, src *tensor.Tensor, lo, hi int, alpha float64) {
	activate(f, tensor.Of[F](dst)[lo:hi], tensor.Of[F](src)[lo:hi], alpha)
}

// rectify is max(x, 0), and min(x, 6) of that with six.
func rectify[T tensor.Real](dst, src []T, six bool) {
	if six {
		for i, v := range src {
			dst[i] = min(max(v, 0), 6)
		}
		return
	}
	for i, v := range src {
		dst[i] = max(v, 0)
	}
}

func activate[F tensor.Floating](f Activation, dst, src []F, alpha float64) {
	dst = dst[:len(src)]
	switch f {
	case Relu, Relu6:
		rectify(dst, src, f == Relu6)
	case LeakyRelu:
		a := F(alpha)
		for i, v := range src {
			if !(v > 0) {
				v *= a
			}
			dst[i] = v
		}
	case Sigmoid:
		for i, v := range src {
			dst[i] = F(sigmoid(float64(v)))
		}
	case Tanh:
		for i, v := range src {
			dst[i] = F(math.Tanh(float64(v)))
		}
	}
}

// sigmoid is 1/(1 + e⁻ˣ), written so that e never overflows.
func sigmoid(x float64) float64 {
	if x < 0 {
		e := math.Exp(x)
		return e / (1 + e)
	}
	return 1 / (1 + math.Exp(-x))
}

// Gradient computes the elements lo <= i < hi of dst = upstream · f'(src), in
// float32 or float64. Where the function is flat, 0 is written whatever arrives.
// A kink and a NaN belong to the side of what is not greater than 0, and to
// that of what is not less than 6. With guided, nothing passes that is not
// greater than 0.
func (f Activation) Gradient(dst, src, upstream *tensor.Tensor, lo, hi int, alpha float64, guided bool) {
	if dst.DType == tensor.Float32 {
		activationGradient(f, tensor.Of[float32](dst)[lo:hi], tensor.Of[float32](src)[lo:hi], tensor.Of[float32](upstream)[lo:hi], alpha, guided)
		return
	}
	activationGradient(f, tensor.Of[float64](dst)[lo:hi], tensor.Of[float64](src)[lo:hi], tensor.Of[float64](upstream)[lo:hi], alpha, guided)
}

func activationGradient[F tensor.Floating](f Activation, dst, src, upstream []F, alpha float64, guided bool) {
	dst, upstream = dst[:len(src)], upstream[:len(src)]
	switch f {
	case Relu, Relu6:
		limit := F(6)
		if f == Relu {
			limit = F(math.Inf(1))
		}
		for i, v := range src {
			g := upstream[i]
			if v > 0 && (v < limit || f == Relu) && (g > 0 || !guided) {
				dst[i] = g
			} else {
				dst[i] = 0
			}
		}
	case LeakyRelu:
		a := F(alpha)
		for i, v := range src {
			g := upstream[i]
			if !(v > 0) {
				g *= a
			}
			dst[i] = g
		}
	case Sigmoid:
		for i, v := range src {
			y := sigmoid(float64(v))
			dst[i] = F(float64(upstream[i]) * y * (1 - y))
		}
	case Tanh:
		for i, v := range src {
			y := math.Tanh(float64(v))
			dst[i] = F(float64(upstream[i]) * (1 - y*y))
		}
	}
}

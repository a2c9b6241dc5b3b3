package tensor

import (
	"fmt"
	"math"
	"math/bits"
	"slices"
	"strconv"
	"strings"
)

// Shape is the extent of each dimension, outermost first.
type Shape []int

// Elements returns the number of elements, or an error when an extent is
// negative or the product does not fit an int.
func (s Shape) Elements() (int, error) { return Product(s...) }

// String formats the shape as (2,3,4).
func (s Shape) String() string { return "(" + Join(s, ",") + ")" }

// Equal reports whether both shapes have the same extents.
func (s Shape) Equal(t Shape) bool { return slices.Equal(s, t) }

// Join formats numbers with a separator: 2,3,4.
func Join(numbers []int, sep string) string {
	words := make([]string, len(numbers))
	for i, n := range numbers {
		words[i] = strconv.Itoa(n)
	}
	return strings.Join(words, sep)
}

// Product multiplies sizes. It refuses negative factors and products that do
// not fit an int. A zero factor gives zero only when the others multiply
// without overflow, so that no shape hides an absurd extent behind a zero.
func Product(factors ...int) (int, error) {
	product, zero := uint64(1), false
	for _, f := range factors {
		if f < 0 {
			return 0, fmt.Errorf("sizes %s: got %d, want >= 0", Shape(factors), f)
		}
		if f == 0 {
			zero = true
			continue
		}
		hi, lo := bits.Mul64(product, uint64(f))
		if hi != 0 || lo > math.MaxInt {
			return 0, fmt.Errorf("sizes %s: their product does not fit in 63 bits", Shape(factors))
		}
		product = lo
	}
	if zero {
		return 0, nil
	}
	return int(product), nil
}

// Spec is the type and shape of a tensor.
type Spec struct {
	DType DType
	Shape Shape
}

// Bytes returns the size of the tensor's data, or an error when it does not
// fit an int.
func (s Spec) Bytes() (int, error) {
	return Product(append([]int{s.DType.Size()}, s.Shape...)...)
}

// String formats the spec as float32 (2,3,4).
func (s Spec) String() string { return s.DType.String() + " " + s.Shape.String() }

// Equal reports whether both specs have the same type and shape.
func (s Spec) Equal(t Spec) bool { return s.DType == t.DType && s.Shape.Equal(t.Shape) }

package kernel

import "github.com/poolctl/poolctl/internal/tensor"

// AddWrapping returns a + b modulo the size of T's range, and how many times that
// size must be added to make the sum exact: 1 above the range, -1 below it. The
// counts of several additions add up, so that a sum of many terms is exact
// whatever the order.
func AddWrapping[T tensor.Integer](a, b T) (sum T, wraps int) {
	sum = a + b
	switch {
	case b > 0 && sum < a:
		return sum, 1
	case b < 0 && sum > a:
		return sum, -1
	}
	return sum, 0
}

// Clip returns an exact sum, as AddWrapping counts it, clipped to the range of T.
func Clip[T tensor.Integer](sum T, wraps int) T {
	switch {
	case wraps > 0:
		return Largest[T]()
	case wraps < 0:
		return Smallest[T]()
	}
	return sum
}

// Largest returns the largest number of an integer type.
func Largest[T tensor.Integer]() T { return Smallest[T]() - 1 }

// Smallest returns the smallest number of an integer type.
func Smallest[T tensor.Integer]() T {
	least := T(0)
	if least-1 > 0 { // unsigned
		return 0
	}
	for least = 1; least > 0; { // twice 1 until the sign turns
		least += least
	}
	return least
}

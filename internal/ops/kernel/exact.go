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
	least, greatest := tensor.Range[T]()
	switch {
	case wraps > 0:
		return greatest
	case wraps < 0:
		return least
	}
	return sum
}

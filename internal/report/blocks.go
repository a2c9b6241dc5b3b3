package report

import (
	"github.com/poolctl/poolctl/internal/tensor"
)

// block is how many elements are widened at a time: statistics of a tensor of
// any size need no more memory than that.
const block = 4096

// widen writes elements lo, lo+1, … of t to dst as float64, as many as dst
// holds. Integers beyond 2^53 are rounded.
func widen(dst []float64, t *tensor.Tensor, lo int) {
	switch data := t.Data.(type) {
	case []uint8:
		widenReal(dst, data[lo:])
	case []int8:
		widenReal(dst, data[lo:])
	case []uint16:
		widenReal(dst, data[lo:])
	case []int16:
		widenReal(dst, data[lo:])
	case []uint32:
		widenReal(dst, data[lo:])
	case []int32:
		widenReal(dst, data[lo:])
	case []uint64:
		widenReal(dst, data[lo:])
	case []int64:
		widenReal(dst, data[lo:])
	case []tensor.Float16:
		for i, v := range data[lo : lo+len(dst)] {
			dst[i] = float64(v.Float32())
		}
	case []float32:
		widenReal(dst, data[lo:])
	case []float64:
		copy(dst, data[lo:])
	}
}

func widenReal[T tensor.Real](dst []float64, src []T) {
	for i, v := range src[:len(dst)] {
		dst[i] = float64(v)
	}
}

// widenIntegers writes elements lo, lo+1, … of t, whose type is an integer
// type, to dst, as many as dst holds.
func widenIntegers(dst []integer, t *tensor.Tensor, lo int) {
	switch data := t.Data.(type) {
	case []uint8:
		unsigned(dst, data[lo:])
	case []int8:
		signed(dst, data[lo:])
	case []uint16:
		unsigned(dst, data[lo:])
	case []int16:
		signed(dst, data[lo:])
	case []uint32:
		unsigned(dst, data[lo:])
	case []int32:
		signed(dst, data[lo:])
	case []uint64:
		unsigned(dst, data[lo:])
	case []int64:
		signed(dst, data[lo:])
	}
}

func unsigned[T uint8 | uint16 | uint32 | uint64](dst []integer, src []T) {
	for i, v := range src[:len(dst)] {
		dst[i] = integer{magnitude: uint64(v)}
	}
}

func signed[T int8 | int16 | int32 | int64](dst []integer, src []T) {
	for i, v := range src[:len(dst)] {
		if v < 0 {
			dst[i] = integer{true, -uint64(v)}
		} else {
			dst[i] = integer{false, uint64(v)}
		}
	}
}

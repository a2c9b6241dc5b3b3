package report

import (
	"math"

	"github.com/poolctl/poolctl/internal/tensor"
)

// small are the integer types with so few values that counting each value is
// the fastest way to measure a tensor.
type small interface{ uint8 | int8 | uint16 | int16 }

// tally counts how often each value occurs in a tensor of a small integer type:
// value lowest+i occurs counts[i] times. counts is nil for other types.
func tally(t *tensor.Tensor) (lowest int, counts []int) {
	switch data := t.Data.(type) {
	case []uint8:
		return 0, count(data, 0, 1<<8)
	case []int8:
		return math.MinInt8, count(data, math.MinInt8, 1<<8)
	case []uint16:
		return 0, count(data, 0, 1<<16)
	case []int16:
		return math.MinInt16, count(data, math.MinInt16, 1<<16)
	}
	return 0, nil
}

// count uses two tables in turn, so that equal neighbours do not wait for each
// other's increment.
func count[T small](data []T, lowest, values int) []int {
	a, b := make([]int, values), make([]int, values)
	for ; len(data) >= 2; data = data[2:] {
		a[int(data[0])-lowest]++
		b[int(data[1])-lowest]++
	}
	for _, v := range data {
		a[int(v)-lowest]++
	}
	for i, n := range b {
		a[i] += n
	}
	return a
}

// addTally adds a tally to the bins and computes the moments from it.
func addTally(lowest int, counts []int, bins *binner, m *moments) {
	sum := 0.0 // exact while below 2^53
	for i, n := range counts {
		if n > 0 {
			v := float64(lowest + i)
			bins.counts[bins.bin(v)] += n
			sum += v * float64(n)
			m.count += float64(n)
		}
	}
	m.mean = sum / m.count
	for i, n := range counts {
		d := float64(lowest+i) - m.mean
		m.square += d * d * float64(n)
	}
}

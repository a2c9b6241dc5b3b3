package report

import (
	"fmt"
	"math"

	"github.com/poolctl/poolctl/internal/tensor"
)

// digit is how many bits of a key are counted at a time.
const digit = 16

// medianBytes is the memory of median: the counters, and a block of elements as
// numbers and as keys.
const medianBytes = 8*(1<<digit) + 16*block

// median returns the median of the finite elements: the middle one in order of
// value, or the mean of the two in the middle, as numpy.median. It is empty if
// there is none. It copies nothing: every pass counts the next 16 bits of those
// elements whose leading bits are the median's.
func median(t *tensor.Tensor) Value {
	o := order{t: t, numbers: make([]float64, block), keys: make([]uint64, block), counts: make([]int, 1<<digit)}
	n := o.size()
	if n == 0 {
		return ""
	}
	low := o.at((n - 1) / 2)
	if n%2 == 1 {
		return o.value(low)
	}
	high := o.at(n / 2)
	if low == high {
		return o.value(low)
	}
	a, b := o.value(low).Float(), o.value(high).Float()
	if mean := (a + b) / 2; !math.IsInf(mean, 0) {
		return ValueOf(mean)
	}
	return ValueOf(a/2 + b/2)
}

// order finds elements by their place in ascending order. Elements are compared
// by keys of 64 bits: of a number its bits, turned so that they ascend with it.
type order struct {
	t       *tensor.Tensor
	numbers []float64
	keys    []uint64
	counts  []int
}

const signBit = 1 << 63

// block returns the keys of the finite elements of the block that begins at i.
func (o *order) block(i int) []uint64 {
	n := min(block, o.t.Len()-i)
	keys := o.keys[:n]
	switch data := o.t.Data.(type) {
	case []int64:
		for j, v := range data[i : i+n] {
			keys[j] = uint64(v) ^ signBit
		}
		return keys
	case []uint64:
		copy(keys, data[i:i+n])
		return keys
	}
	tensor.Widen(o.numbers[:n], o.t, i)
	keys = keys[:0]
	for _, v := range o.numbers[:n] {
		if v-v != 0 {
			continue
		}
		bits := math.Float64bits(v + 0) // -0 is 0
		if bits&signBit != 0 {
			bits = ^bits
		} else {
			bits |= signBit
		}
		keys = append(keys, bits)
	}
	return keys
}

// value is the inverse of block.
func (o *order) value(key uint64) Value {
	switch o.t.Data.(type) {
	case []int64:
		return Value(fmt.Sprint(int64(key ^ signBit)))
	case []uint64:
		return Value(fmt.Sprint(key))
	}
	if key&signBit != 0 {
		return ValueOf(math.Float64frombits(key ^ signBit))
	}
	return ValueOf(math.Float64frombits(^key))
}

// size returns the number of finite elements.
func (o *order) size() int {
	n := 0
	for i := 0; i < o.t.Len(); i += block {
		n += len(o.block(i))
	}
	return n
}

// at returns the key that k others come before.
func (o *order) at(k int) uint64 {
	var key, known uint64 // the leading bits of the key, and a mask of them
	for shift := 64 - digit; shift >= 0; shift -= digit {
		clear(o.counts)
		for i := 0; i < o.t.Len(); i += block {
			for _, v := range o.block(i) {
				if v&known == key {
					o.counts[v>>shift&(1<<digit-1)]++
				}
			}
		}
		next := 0
		for ; k >= o.counts[next]; next++ {
			k -= o.counts[next]
		}
		key |= uint64(next) << shift
		known |= (1<<digit - 1) << shift
	}
	return key
}

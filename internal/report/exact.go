package report

import (
	"fmt"
	"math"
	"math/big"
	"math/bits"
	"strconv"

	"github.com/poolctl/poolctl/internal/tensor"
)

// ulpDistance returns the function that counts the numbers of type d from one
// value to another, both rounded to d. It reports false for values that are not
// finite there.
func ulpDistance(d tensor.DType) func(x, y float64) (uint64, bool) {
	infinity := d.Rank(math.Inf(1))
	return func(x, y float64) (uint64, bool) {
		p, q := d.Rank(x), d.Rank(y)
		if max(p, q) >= infinity || min(p, q) <= -infinity {
			return 0, false
		}
		return uint64(max(p, q)) - uint64(min(p, q)), true
	}
}

// integer is a whole number of up to 65 bits: sign and magnitude.
type integer struct {
	negative  bool
	magnitude uint64
}

// integerAt returns element i of a tensor of an integer type.
func integerAt(t *tensor.Tensor, i int) integer {
	var v [1]integer
	widenIntegers(v[:], t, i)
	return v[0]
}

// below reports whether a is the smaller number.
func (a integer) below(b integer) bool {
	if a.negative != b.negative {
		return a.negative
	}
	return (a.magnitude < b.magnitude) != a.negative && a != b
}

func (a integer) value() Value {
	text := strconv.FormatUint(a.magnitude, 10)
	if a.negative {
		text = "-" + text
	}
	return Value(text)
}

// distance is |a - b| of two integers, which may need 65 bits.
type distance struct{ hi, lo uint64 }

func (a integer) minus(b integer) distance {
	if a.negative != b.negative {
		lo, carry := bits.Add64(a.magnitude, b.magnitude, 0)
		return distance{carry, lo}
	}
	return distance{0, max(a.magnitude, b.magnitude) - min(a.magnitude, b.magnitude)}
}

func (d distance) less(e distance) bool { return d.hi < e.hi || (d.hi == e.hi && d.lo < e.lo) }

func (d distance) float() float64 { return float64(d.hi)*(1<<64) + float64(d.lo) }

func (d distance) value() Value {
	n := new(big.Int).SetUint64(d.hi)
	return Value(n.Lsh(n, 64).Add(n, new(big.Int).SetUint64(d.lo)).String())
}

// exactReader reads numbers of any type as the nearest float64 and the rounding
// error, which is nonzero only for some 64-bit integers.
type exactReader struct {
	t          *tensor.Tensor
	near, rest []float64
	whole      []integer // of integers of 64 bits
}

func newExactReader(t *tensor.Tensor) *exactReader {
	n := min(block, t.Len())
	r := &exactReader{t: t, near: make([]float64, n), rest: make([]float64, n)}
	if t.DType.IsInteger() && t.DType.Size() == 8 {
		r.whole = make([]integer, n)
	}
	return r
}

// read reads n elements from number lo on, at most a block, and returns near.
func (r *exactReader) read(lo, n int) []float64 {
	near := r.near[:n]
	tensor.Widen(near, r.t, lo)
	if r.whole == nil {
		return near
	}
	widenIntegers(r.whole[:n], r.t, lo)
	for i, v := range r.whole[:n] {
		rest := float64(int64(v.magnitude - uint64(math.Abs(near[i]))))
		if math.Abs(near[i]) == 1<<64 {
			rest = -float64(-v.magnitude)
		}
		if v.negative {
			rest = -rest
		}
		r.rest[i] = rest
	}
	return near
}

// Subtract returns a - b of two tensors of the same shape, as float64. Integers
// are subtracted exactly and rounded once. Where a and b are the same number,
// both NaN or the same infinity, the difference is 0.
func Subtract(a, b *tensor.Tensor) (*tensor.Tensor, error) {
	if !a.Shape.Equal(b.Shape) {
		return nil, fmt.Errorf("difference: got shapes %s and %s, want the same", a.Shape, b.Shape)
	}
	d := make([]float64, a.Len())
	integers := a.DType.IsInteger() && b.DType.IsInteger()
	readA, readB := newExactReader(a), newExactReader(b)
	for i := range d {
		if integers {
			p, q := integerAt(a, i), integerAt(b, i)
			d[i] = p.minus(q).float()
			if p.below(q) {
				d[i] = -d[i]
			}
			continue
		}
		if i%block == 0 {
			n := min(block, len(d)-i)
			readA.read(i, n)
			readB.read(i, n)
		}
		j := i % block
		if x, y, rest := readA.near[j], readB.near[j], readA.rest[j]-readB.rest[j]; x != y && (x == x || y == y) {
			d[i] = x - y + rest
		} else if x == y {
			d[i] = rest
		}
	}
	return tensor.From(d, a.Shape...), nil
}

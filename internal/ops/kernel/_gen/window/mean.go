package window

import (
	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	. "github.com/mmcloughlin/avo/reg"
	"github.com/poolctl/poolctl/internal/ops/kernel/_gen/vec"
)

// MinusZero is where -0 lies, the one number that changes nothing it is added to.
func MinusZero(name string) Mem { return vec.Table(name, U64(1<<63)) }

// Reciprocal loads the number that sums are multiplied by.
func Reciprocal(v vec.ISA) VecVirtual {
	r := v.Vector()
	vec.Note("% is the reciprocal of the divisor, in every lane.", r)
	VBROADCASTSD(vec.Slot("reciprocal"), r)
	return r
}

// Scale multiplies sums of float64 by a reciprocal, in place.
func Scale(by VecVirtual, sums []VecVirtual) {
	for _, s := range sums {
		VMULPD(by, s, s)
	}
}

// Rounded returns a vector of float64 as float32.
func Rounded(v vec.ISA, r VecVirtual) VecVirtual {
	half := v.Half()
	v.Round(r, half)
	return half
}

// Means multiplies sums by a reciprocal and returns them rounded.
func Means(v vec.ISA, by VecVirtual, sums []VecVirtual) (results []VecVirtual) {
	Scale(by, sums)
	for _, s := range sums {
		results = append(results, Rounded(v, s))
	}
	return results
}

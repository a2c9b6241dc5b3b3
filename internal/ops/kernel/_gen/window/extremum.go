package window

import (
	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	. "github.com/mmcloughlin/avo/reg"
	"github.com/poolctl/poolctl/internal/ops/kernel/_gen/vec"
)

// Extremum is a maximum or minimum of a floating-point type, written as "does the
// later b replace the earlier a?".
//
// VMAXPS gives its second source (Intel's order) when either is NaN or both are
// zero. With b as the first source and a as the second it gives b exactly where
// b > a, so that the earlier of equal values stays.
type Extremum struct {
	Float     vec.Float
	Minimum   bool
	IgnoreNaN bool // a NaN gives way to what follows; else the first one stays
}

// Extrema are all of a type, in the order in which files have them.
func Extrema(f vec.Float) (list []Extremum) {
	for _, minimum := range []bool{false, true} {
		for _, ignore := range []bool{false, true} {
			list = append(list, Extremum{f, minimum, ignore})
		}
	}
	return list
}

// Word is max or min.
func (e Extremum) Word() string {
	if e.Minimum {
		return "min"
	}
	return "max"
}

// Name returns the name of a function that does how with the extremum.
func (e Extremum) Name(how string, v vec.ISA) string {
	name := how + map[bool]string{false: "Max", true: "Min"}[e.Minimum]
	if e.Float.Double() {
		name += "Float64"
	}
	if e.IgnoreNaN {
		name += "IgnoreNaN"
	}
	return name + v.Name
}

// Rule says in a doc comment which of two numbers stays.
func (e Extremum) Rule() string {
	rule := "The first of equal numbers stays, and so does the first NaN."
	if e.IgnoreNaN {
		rule = "The first of equal numbers stays; NaN are passed over, unless there is nothing else."
	}
	return rule
}

// Better is the predicate that holds where a number beats an earlier one.
func (e Extremum) Better() int {
	if e.Minimum {
		return vec.Less
	}
	return vec.Greater
}

// Strict sets dst to b where b > a (b < a), else to a; NaN in b are passed over,
// those in a stay. a may be memory.
func (e Extremum) Strict(a Op, b, dst VecVirtual) {
	if e.Minimum {
		e.Float.Min(a, b, dst)
	} else {
		e.Float.Max(a, b, dst)
	}
}

// Compare sets a mask, all bits of a lane or one bit of a mask register, where
// "first predicate second" holds.
func (e Extremum) Compare(predicate int, first, second, mask Op) {
	e.Float.Compare(predicate, second, first, mask)
}

// Replace moves b into a where the mask is set.
func (e Extremum) Replace(v vec.ISA, mask Op, b, a VecVirtual) {
	if v.Wide() {
		e.Float.Move(b, mask, a)
	} else {
		e.Float.Blend(mask, b, a, a)
	}
}

// Merge sets a to a merged with the later b, by the exact rule.
func (e Extremum) Merge(v vec.ISA, b, a VecVirtual) {
	if e.IgnoreNaN {
		mask := v.Mask()
		e.Compare(vec.Unordered, a, a, mask)
		e.Strict(a, b, a)
		e.Replace(v, mask, b, a)
		return
	}
	e.Replace(v, e.Replaces(v, b, a), b, a)
}

// Replaces returns a mask of where the later b replaces a: the first NaN stays, or
// the first number gives way to better ones only.
func (e Extremum) Replaces(v vec.ISA, b, a VecVirtual) Register {
	stays := a // where it is NaN, nothing is replaced
	if e.IgnoreNaN {
		stays = b
	}
	beyond := vec.NotAtMost
	if e.Minimum {
		beyond = vec.NotAtLeast
	}
	mask, number := v.Mask(), v.Mask()
	e.Compare(vec.Ordered, stays, stays, number)
	if v.Wide() {
		e.Float.Compare(beyond, a, b, number, mask)
	} else {
		e.Compare(beyond, b, a, mask)
		VPAND(number, mask, mask)
	}
	return mask
}

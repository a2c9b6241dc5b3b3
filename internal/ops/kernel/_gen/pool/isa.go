package main

import (
	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	. "github.com/mmcloughlin/avo/reg"
)

// isa is an instruction set that functions are written for.
type isa struct {
	name  string // the suffix of its functions
	bytes int    // of a vector
}

var (
	avx2   = isa{"AVX2", 32}
	avx512 = isa{"AVX512", 64}
	isas   = []isa{avx2, avx512}
)

func (v isa) wide() bool { return v.bytes == 64 }

// vector allocates a vector register.
func (v isa) vector() VecVirtual {
	if v.wide() {
		return ZMM()
	}
	return YMM()
}

// half allocates a register of half a vector.
func (v isa) half() VecVirtual {
	if v.wide() {
		return YMM()
	}
	return XMM()
}

// Comparison predicates of VCMPPS and VCMPPD; none signals on quiet NaN. The
// operand order of Intel's manual is first, second; Go's assembler reverses it.
const (
	unordered  = 0x03
	ordered    = 0x07
	notEqual   = 0x0c // and ordered
	less       = 0x11
	notLess    = 0x15 // less, equal and unordered negated
	notAtMost  = 0x16
	notAtLeast = 0x19
	greater    = 0x1e
)

// extremum is a maximum or minimum of a floating-point type, written as "does
// the later b replace the earlier a?".
//
// VMAXPS gives its second source (Intel's order) when either is NaN or both are
// zero. With b as the first source and a as the second it gives b exactly where
// b > a, so that the earlier of equal values stays.
type extremum struct {
	minimum bool
	double  bool // float64
}

// strict sets dst to b where b > a (b < a), else to a; NaN in b are passed over,
// those in a stay. a may be memory.
func (e extremum) strict(a Op, b, dst VecVirtual) {
	switch {
	case e.minimum && e.double:
		VMINPD(a, b, dst)
	case e.minimum:
		VMINPS(a, b, dst)
	case e.double:
		VMAXPD(a, b, dst)
	default:
		VMAXPS(a, b, dst)
	}
}

// compare sets a mask, all bits of a lane or one bit of a mask register, where
// "first predicate second" holds.
func (e extremum) compare(predicate int, first, second, mask Op) {
	if e.double {
		VCMPPD(Imm(uint64(predicate)), second, first, mask)
	} else {
		VCMPPS(Imm(uint64(predicate)), second, first, mask)
	}
}

// replace moves b into a where the mask is set.
func (e extremum) replace(v isa, mask Op, b, a VecVirtual) {
	switch {
	case v.wide() && e.double:
		VMOVAPD(b, mask, a)
	case v.wide():
		VMOVAPS(b, mask, a)
	case e.double:
		VBLENDVPD(mask, b, a, a)
	default:
		VBLENDVPS(mask, b, a, a)
	}
}

// merge sets a to a merged with the later b, exactly: with propagation the first
// NaN stays, otherwise a NaN gives way to whatever follows.
func (e extremum) merge(v isa, ignoreNaN bool, b, a VecVirtual) {
	if ignoreNaN {
		mask := v.mask()
		e.compare(unordered, a, a, mask)
		e.strict(a, b, a)
		e.replace(v, mask, b, a)
		return
	}
	e.replace(v, e.replaces(v, false, b, a), b, a)
}

// replaces returns a mask of where the later b replaces a: with propagation the
// first NaN stays, otherwise the first number gives way to better ones only.
func (e extremum) replaces(v isa, ignoreNaN bool, b, a VecVirtual) Register {
	stays := a // where it is NaN, nothing is replaced
	if ignoreNaN {
		stays = b
	}
	beyond := notAtMost // or unordered
	if e.minimum {
		beyond = notAtLeast
	}
	mask, number := v.mask(), v.mask()
	e.compare(ordered, stays, stays, number)
	switch {
	case v.wide() && e.double:
		VCMPPD(Imm(uint64(beyond)), a, b, number, mask)
	case v.wide():
		VCMPPS(Imm(uint64(beyond)), a, b, number, mask)
	default:
		e.compare(beyond, b, a, mask)
		VPAND(number, mask, mask)
	}
	return mask
}

// mask allocates a mask: a mask register, or a vector whose lanes are all ones
// or zeros.
func (v isa) mask() Register {
	if v.wide() {
		return K()
	}
	return YMM()
}

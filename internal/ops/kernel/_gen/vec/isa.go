package vec

import (
	"github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	. "github.com/mmcloughlin/avo/reg"
)

// ISA is an instruction set that functions are written for.
type ISA struct {
	Name  string // the suffix of its functions
	Bytes int    // of a vector
}

var (
	AVX2   = ISA{"AVX2", 32}
	AVX512 = ISA{"AVX512", 64}
	ISAs   = []ISA{AVX2, AVX512}
)

// LineBytes is the length of a cache line.
const LineBytes = 64

// Wide reports whether the instruction set has vectors of 64 bytes and masks in
// registers of their own.
func (v ISA) Wide() bool { return v.Bytes == 64 }

// Vector allocates a vector register.
func (v ISA) Vector() VecVirtual {
	if v.Wide() {
		return build.ZMM()
	}
	return build.YMM()
}

// Vectors allocates n vector registers.
func (v ISA) Vectors(n int) []VecVirtual {
	list := make([]VecVirtual, n)
	for i := range list {
		list[i] = v.Vector()
	}
	return list
}

// Half allocates a register of half a vector.
func (v ISA) Half() VecVirtual {
	if v.Wide() {
		return build.YMM()
	}
	return build.XMM()
}

// Mask allocates a mask: a mask register, or a vector whose lanes are all ones
// or zeros.
func (v ISA) Mask() Register {
	if v.Wide() {
		return build.K()
	}
	return build.YMM()
}

// Zero clears a vector register, with the instruction for integers.
func Zero(r Register) {
	if r.Size() == uint(AVX512.Bytes) {
		build.VPXORD(r, r, r)
	} else {
		build.VPXOR(r, r, r)
	}
}

// ZeroFloats clears a vector register, with the instruction for float32.
func ZeroFloats(r Register) {
	if r.Size() == uint(AVX512.Bytes) {
		build.VPXORD(r, r, r)
	} else {
		build.VXORPS(r, r, r)
	}
}

// Round sets half a vector to a vector of float64 rounded to float32.
func (v ISA) Round(from, half Op) {
	if v.Wide() {
		build.VCVTPD2PS(from, half)
	} else {
		build.VCVTPD2PSY(from, half)
	}
}

// Lane moves a general register to the first lane of a vector.
func Lane(from Register) VecVirtual {
	x := build.XMM()
	build.VMOVQ(from, x)
	return x
}

// Comparison predicates of VCMPPS and VCMPPD; none signals on quiet NaN. The
// operand order of Intel's manual is first, second; Go's assembler reverses it.
const (
	Equals     = 0x00 // and ordered
	Unordered  = 0x03
	Ordered    = 0x07
	Less       = 0x11
	NotAtMost  = 0x16 // more or unordered
	NotAtLeast = 0x19 // less or unordered
	Greater    = 0x1e
)

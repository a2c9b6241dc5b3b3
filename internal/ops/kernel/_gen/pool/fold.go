package main

import (
	"fmt"

	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	. "github.com/mmcloughlin/avo/reg"
)

// folds writes the functions that combine shifted rows of accumulators: those of
// extrema of float64, of sums and of keys. Extrema of float32 have theirs in
// direct.go, where a window is the same thing.
func folds() {
	minusZero = ConstData("minusZero", U64(1<<63))
	slide()
	for _, v := range isas {
		for _, minimum := range []bool{false, true} {
			for _, ignore := range []bool{false, true} {
				reduction{extremum{minimum, true}, ignore}.wide(v)
			}
		}
		name := "wideSum" + v.name
		wideLoop(v, name, float64s, name+" adds up windows", inOrder(v, func(b, a VecVirtual) { VADDPD(b, a, a) }))
		name = "wideKeys" + v.name
		wideLoop(v, name, int64s, name+" takes the maximum of windows", inOrder(v, func(b, a VecVirtual) { largerKey(v, b, a) }))
		name = "widePairs" + v.name
		wideLoop(v, name, pairs, name+" adds up windows of pairs, sums and what rounding took from them,", inOrder(v, func(b, a VecVirtual) { addPair(v, b, a) }))
		for _, minimum := range []bool{false, true} {
			for _, ignore := range []bool{false, true} {
				r := reduction{extremum{minimum, true}, ignore}
				name := r.name("located", v)
				wideLoop(v, name, pairs, name+" reduces windows of pairs, numbers and their places,", inOrder(v, func(b, a VecVirtual) { r.located(v, b, a) }))
			}
		}
		keysOfFloats(v)
	}
}

// addPair adds b to a by Knuth's two-sum, as Go's addDouble does.
func addPair(v isa, b, a VecVirtual) {
	sum, from, rest := v.vector(), v.vector(), v.vector()
	VADDPD(b, a, sum)
	VSUBPD(a, sum, from)
	VSUBPD(from, b, rest)
	VSUBPD(from, sum, from)
	VSUBPD(from, a, from)
	VADDPD(rest, from, rest)
	number, nothing := v.mask(), v.vector()
	VCMPPD(Imm(ordered), rest, rest, number)
	if v.wide() {
		VMOVAPD_Z(rest, number, rest)
	} else {
		VANDPD(number, rest, rest)
	}
	VBROADCASTSD(minusZero, nothing)
	VUNPCKLPD(rest, nothing, rest) // the rest of the sum goes with the lower number
	VADDPD(rest, sum, a)
}

// located sets a to the pair b where its number replaces that of a.
func (r reduction) located(v isa, b, a VecVirtual) {
	before, after := v.vector(), v.vector()
	VMOVDDUP(a, before)
	VMOVDDUP(b, after)
	r.replace(v, r.replaces(v, r.ignoreNaN, after, before), b, a)
}

// minusZero changes nothing that it is added to.
var minusZero Mem

// inOrder is the window function of an operation that needs nothing but its two
// numbers: a = a ⊕ b.
func inOrder(v isa, combine func(b, a VecVirtual)) windowFunc {
	return func(f frame, label string, acc []VecVirtual, load func(offset Register, i int, to VecVirtual)) {
		t, offset := GP64(), GP64()
		MOVQ(Mem{Base: f.taps}, offset)
		for i := range acc {
			load(offset, i, acc[i])
		}
		MOVQ(U32(1), t)
		CMPQ(t, f.ntaps)
		JGE(LabelRef(label + "Store"))
		Label(label + "Tap")
		MOVQ(Mem{Base: f.taps, Index: t, Scale: 8}, offset)
		for i := range acc {
			b := v.vector()
			load(offset, i, b)
			combine(b, acc[i])
		}
		INCQ(t)
		CMPQ(t, f.ntaps)
		JL(LabelRef(label + "Tap"))
	}
}

// largerKey sets a to the larger of two vectors of int64.
func largerKey(v isa, b, a VecVirtual) {
	if v.wide() {
		VPMAXSQ(b, a, a)
		return
	}
	less := v.vector()
	VPCMPGTQ(a, b, less)
	VBLENDVPD(less, b, a, a)
}

// keysOfFloats writes the function that makes the keys of argmax; Go's loadKeys
// says what they are.
func keysOfFloats(v isa) {
	lanes := v.bytes / 8
	name := "keysFloat32" + v.name
	TEXT(name, NOSPLIT, "func(dst *int64, src *float32, n, low int, reverse, nan int32)")
	Pragma("noescape")
	Doc(fmt.Sprintf("%s makes n keys, a multiple of %d: the order of a number above, low less its place below. reverse is -1", name, lanes),
		"where the smallest number comes last, else 0; nan is the order of NaN.")
	dst, src, n := Load(Param("dst"), GP64()), Load(Param("src"), GP64()), Load(Param("n"), GP64())
	reverse, nan, low, step := v.half(), v.half(), v.vector(), v.vector()
	for i, to := range []VecVirtual{reverse, nan} {
		number, x := Load(Param([]string{"reverse", "nan"}[i]), GP32()), XMM()
		VMOVD(number, x)
		VPBROADCASTD(x, to)
	}
	VPBROADCASTQ(argument("low"), low)
	places := GLOBL("places"+v.name, NOPTR|RODATA)
	for i := range lanes {
		DATA(8*i, U64(i))
	}
	VPSUBQ(places, low, low)
	eight, most, zero := GP64(), v.half(), v.half()
	MOVQ(U64(lanes), eight)
	VPBROADCASTQ(spread(eight), step)
	VPCMPEQD(most, most, most)
	VPSRLD(Imm(1), most, most) // all bits but the sign
	VPXOR(zero, zero, zero)
	Label("loop")
	x, sign, unordered, key := v.half(), v.half(), v.half(), v.vector()
	VADDPS(Mem{Base: src}, zero, x) // -0 becomes 0
	VCMPPS(Imm(0x03), x, x, unordered)
	VPSRAD(Imm(31), x, sign)
	VPAND(most, sign, sign)
	VPXOR(sign, x, x)
	VPXOR(reverse, x, x)
	VBLENDVPS(unordered, nan, x, x)
	VPMOVSXDQ(x, key)
	VPSLLQ(Imm(32), key, key)
	if v.wide() {
		VPORQ(low, key, key)
	} else {
		VPOR(low, key, key)
	}
	VMOVUPS(key, Mem{Base: dst})
	VPSUBQ(step, low, low)
	ADDQ(U32(uint32(v.bytes)), dst)
	ADDQ(U32(uint32(v.bytes/2)), src)
	SUBQ(U32(uint32(lanes)), n)
	JNZ(LabelRef("loop"))
	VZEROUPPER()
	RET()
}

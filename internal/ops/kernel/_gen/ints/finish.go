package main

import (
	"fmt"

	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	. "github.com/mmcloughlin/avo/reg"
)

// source is a type of sums and how many times narrower than float32 it is.
type source struct {
	name   string
	narrow int
	load   func(from, to Op)
}

var sources = []source{
	{"Uint16", 2, func(a, b Op) { VPMOVZXWD(a, b); VCVTDQ2PS(b, b) }},
	{"Int16", 2, func(a, b Op) { VPMOVSXWD(a, b); VCVTDQ2PS(b, b) }},
	{"Int32", 1, func(a, b Op) { VCVTDQ2PS(a, b) }},
}

// by is what quotients are made with: a factor where that is exact, else a
// divisor.
type by struct {
	v     isa
	value VecVirtual
}

func newBy(v isa) by {
	b := by{v, v.vector()}
	VBROADCASTSS(argument("by"), b.value)
	return b
}

// apply divides or multiplies all vectors in place.
func (b by) apply(label string, list []VecVirtual) {
	CMPQ(argument("multiply"), U8(0))
	JNE(LabelRef(label + "Multiply"))
	for _, r := range list {
		VDIVPS(b.value, r, r)
	}
	JMP(LabelRef(label + "Quotient"))
	Label(label + "Multiply")
	for _, r := range list {
		VMULPS(b.value, r, r)
	}
	Label(label + "Quotient")
}

const dividing = ", by float32, multiply int"

// quotient writes the function that divides sums of magnitudes up to 2^24, which
// float32 holds exactly, so that one division rounds once.
func quotient(v isa, s source) {
	name := "quotient" + s.name + v.name
	TEXT(name, NOSPLIT, "func(dst, src *byte, n int"+dividing+", stream int)")
	Pragma("noescape")
	Doc(fmt.Sprintf("%s writes sums divided, or multiplied, as float32: n >= %d bytes of them. With stream != 0 it writes", name, v.bytes),
		fmt.Sprintf("past the caches, for which dst must be aligned to %d bytes and n a multiple of it.", v.bytes))
	dst, src, n := parameter("dst"), parameter("src"), parameter("n")
	b, from := newBy(v), GP64()
	row(v, "row", n, 4, func(at Register, count int, label string) {
		list := vectors(v, count)
		MOVQ(at, from)
		if s.narrow == 2 {
			SHRQ(U8(1), from)
		}
		for i, r := range list {
			s.load(Mem{Base: src, Index: from, Scale: 1, Disp: i * v.bytes / s.narrow}, r)
		}
		b.apply(label, list)
		store(argument("stream"), label, Mem{Base: dst, Index: at, Scale: 1}, v.bytes, list)
	})
	leave()
}

// preciseQuotient writes the function that divides any sum of 32 bits in float64.
func preciseQuotient(v isa) {
	name := "preciseQuotient" + v.name
	half := isa{v.name, v.bytes / 2}
	TEXT(name, NOSPLIT, "func(dst, src *byte, n int, divisor float64)")
	Pragma("noescape")
	Doc(fmt.Sprintf("%s writes sums divided in float64 as float32: n >= %d bytes of them.", name, half.bytes))
	dst, src, n := parameter("dst"), parameter("src"), parameter("n")
	value := v.vector()
	VBROADCASTSD(argument("divisor"), value)
	row(half, "row", n, 1, func(at Register, _ int, _ string) {
		x, y := v.vector(), v.half()
		VCVTDQ2PD(Mem{Base: src, Index: at, Scale: 1}, x)
		VDIVPD(value, x, x)
		if v.wide() {
			VCVTPD2PS(x, y)
		} else {
			VCVTPD2PSY(x, y)
		}
		VMOVUPS(y, Mem{Base: dst, Index: at, Scale: 1})
	})
	VZEROUPPER()
	RET()
}

// roundMagic writes the function that rounds quotients of 16-bit sums to the
// nearest byte, ties to even: of the quotients rounded half down and half up
// (half of the divisor less or more, then a multiplication for the division) the
// second is taken where the first is odd.
func roundMagic(v isa) {
	name := "roundMagic" + v.name
	TEXT(name, NOSPLIT, "func(dst, src *byte, n, down, up, magic, shift, stream int)")
	Pragma("noescape")
	Doc(fmt.Sprintf("%s writes sums of 16 bits divided and rounded to bytes: n >= %d of them. Division by the divisor is", name, v.bytes),
		"x*magic >> (16+shift); down and up are added before. With stream != 0 it writes past the caches, for which",
		fmt.Sprintf("dst must be aligned to %d bytes and n a multiple of it.", v.bytes))
	dst, src, n := parameter("dst"), parameter("src"), parameter("n")
	spread := func(name string) VecVirtual {
		x, r := XMM(), v.vector()
		MOVQ(argument(name), x)
		VPBROADCASTW(x, r)
		return r
	}
	down, up, magic, shift := spread("down"), spread("up"), spread("magic"), XMM()
	MOVQ(argument("shift"), shift)
	var order VecVirtual
	if v.wide() {
		order = v.vector()
		VMOVUPS(quads("evensThenOdds", 0, 2, 4, 6, 1, 3, 5, 7), order)
	}
	row(v, "row", n, 2, func(at Register, count int, label string) {
		var packed []VecVirtual
		for i := range count {
			var parts [2]VecVirtual
			for k := range parts {
				q, r := v.vector(), v.vector()
				VMOVUPS(Mem{Base: src, Index: at, Scale: 2, Disp: (2*i + k) * v.bytes}, r)
				VPADDW(down, r, q)
				VPADDW(up, r, r)
				VPMULHUW(magic, q, q)
				VPMULHUW(magic, r, r)
				VPSRLW(shift, q, q)
				VPSRLW(shift, r, r)
				VPSUBW(q, r, r)
				if v.wide() {
					VPANDD(q, r, r)
				} else {
					VPAND(q, r, r)
				}
				VPADDW(q, r, r)
				parts[k] = r
			}
			a, b := parts[0], parts[1]
			VPACKUSWB(b, a, a)
			if v.wide() { // quads of both parts alternate
				VPERMQ(a, order, a)
			} else {
				VPERMQ(Imm(0xd8), a, a)
			}
			packed = append(packed, a)
		}
		store(argument("stream"), label, Mem{Base: dst, Index: at, Scale: 1}, v.bytes, packed)
	})
	leave()
}

// roundQuotient writes the function that divides sums in float32 and rounds the
// quotients to integers of one or two bytes, ties to even.
func roundQuotient(v isa, bytes int) {
	name := fmt.Sprintf("roundQuotient%d%s", 8*bytes, v.name)
	lanes := v.bytes / 4
	piece := isa{v.name, lanes * bytes}
	TEXT(name, NOSPLIT, "func(dst, src *byte, n int"+dividing+")")
	Pragma("noescape")
	Doc(fmt.Sprintf("%s writes sums of 32 bits and magnitudes up to 2^24 divided, or multiplied, and rounded: n >= %d bytes.", name, piece.bytes))
	dst, src, n := parameter("dst"), parameter("src"), parameter("n")
	b := newBy(v)
	row(piece, "row", n, 2, func(at Register, count int, label string) {
		list := vectors(v, count)
		for i, r := range list {
			from := Mem{Base: src, Index: at, Scale: uint8(4 / bytes), Disp: i * v.bytes}
			VCVTDQ2PS(from, r)
		}
		b.apply(label, list)
		for i, r := range list {
			to := Mem{Base: dst, Index: at, Scale: 1, Disp: i * piece.bytes}
			VCVTPS2DQ(r, r)
			switch {
			case v.wide() && bytes == 1:
				VPMOVUSDB(r, to)
			case v.wide():
				VPMOVUSDW(r, to)
			default:
				high, low := XMM(), r.AsX()
				VEXTRACTI128(Imm(1), r, high)
				VPACKUSDW(high, low, low)
				if bytes == 2 {
					VMOVUPS(low, to)
				} else {
					VPACKUSWB(low, low, low)
					VMOVQ(low, to)
				}
			}
		}
	})
	VZEROUPPER()
	RET()
}

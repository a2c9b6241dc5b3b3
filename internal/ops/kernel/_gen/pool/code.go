package main

import (
	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	. "github.com/mmcloughlin/avo/reg"
)

// code writes the functions that say only which tap of a window won, in a byte:
// what the gradient of a maximum needs to know.
func code() {
	for _, minimum := range []bool{false, true} {
		for _, ignore := range []bool{false, true} {
			r := reduction{extremum{minimum: minimum}, ignore}
			for _, v := range isas {
				r.codeWide(v)
			}
			r.codeNarrow()
			r.codeQuad()
		}
	}
}

const coded = "dst *uint8, src *float32, taps *int, ntaps, n, outputs, step int, codes *int32"

// bytesOf packs one or two vectors of numbers below 256 into bytes.
func bytesOf(v isa, at []VecVirtual) VecVirtual {
	if v.wide() {
		packed := XMM()
		VPMOVDB(at[0], packed)
		return packed
	}
	words := make([]VecVirtual, len(at))
	for i := range at {
		words[i] = XMM()
		VEXTRACTI128(Imm(1), at[i], words[i])
		VPACKSSDW(words[i], at[i].AsX(), words[i])
	}
	packed := XMM()
	VPACKUSWB(words[len(at)-1], words[0], packed)
	return packed
}

func (r reduction) codeWide(v isa) {
	name := r.name("codeWide", v)
	TEXT(name, NOSPLIT, "func("+coded+")")
	Pragma("noescape")
	Doc(name + " writes the codes of the winning taps of windows over cells of at least a vector of numbers.")
	f, p := newFrame(), positions{codes: Load(Param("codes"), GP64())}
	at, left, place := GP64(), GP64(), GP64()
	block := func(vectors int, label string) {
		acc, where := make([]VecVirtual, vectors), make([]VecVirtual, vectors)
		for i := range acc {
			acc[i], where[i] = v.vector(), v.vector()
		}
		base := GP64()
		LEAQ(Mem{Base: f.src, Index: at, Scale: 1}, base)
		r.winners(v, f, p, label, acc, where, func(offset Register, i int, to VecVirtual) {
			VMOVUPS(Mem{Base: base, Index: offset, Scale: 1, Disp: i * v.bytes}, to)
		})
		Label(label + "Store")
		MOVQ(at, place)
		SHRQ(U8(2), place)
		to := Mem{Base: f.dst, Index: place, Scale: 1}
		switch {
		case v.wide():
			for i := range where {
				VMOVDQU(bytesOf(v, where[i:i+1]), to.Offset(16*i))
			}
		case vectors == 2:
			VMOVDQU(bytesOf(v, where), to)
		default:
			VMOVQ(bytesOf(v, where), to)
		}
	}
	Label("output")
	XORQ(at, at)
	Label("many")
	MOVQ(f.n, left)
	SUBQ(at, left)
	CMPQ(left, U32(uint32(2*v.bytes)))
	JL(LabelRef("one"))
	block(2, "many")
	ADDQ(U32(uint32(2*v.bytes)), at)
	JMP(LabelRef("many"))
	Label("one")
	MOVQ(f.n, left)
	SUBQ(at, left)
	JZ(LabelRef("next"))
	CMPQ(left, U32(uint32(v.bytes)))
	JGE(LabelRef("whole"))
	LEAQ(Mem{Base: f.n, Disp: -v.bytes}, at)
	Label("whole")
	block(1, "one")
	ADDQ(U32(uint32(v.bytes)), at)
	JMP(LabelRef("one"))
	Label("next")
	MOVQ(f.n, left)
	SHRQ(U8(2), left)
	ADDQ(left, f.dst)
	ADDQ(f.step, f.src)
	DECQ(f.outputs)
	JNZ(LabelRef("output"))
	VZEROUPPER()
	RET()
}

func (r reduction) codeNarrow() {
	v := avx2
	name := r.name("codeNarrow", v)
	TEXT(name, NOSPLIT, "func("+coded+", mask *int32)")
	Pragma("noescape")
	Doc(name+" writes the codes of windows over cells of n < 8 numbers; mask has as many lanes set. It writes 8",
		"bytes from the beginning of a cell.")
	f, p := newFrame(), positions{codes: Load(Param("codes"), GP64())}
	pointer, mask := Load(Param("mask"), GP64()), YMM()
	VMOVUPS(Mem{Base: pointer}, mask)
	SHRQ(U8(2), f.n)
	Label("output")
	acc, at := YMM(), YMM()
	r.winners(v, f, p, "output", []VecVirtual{acc}, []VecVirtual{at}, func(offset Register, _ int, to VecVirtual) {
		VMASKMOVPS(Mem{Base: f.src, Index: offset, Scale: 1}, mask, to)
	})
	Label("outputStore")
	VMOVQ(bytesOf(v, []VecVirtual{at}), Mem{Base: f.dst})
	ADDQ(f.n, f.dst)
	ADDQ(f.step, f.src)
	DECQ(f.outputs)
	JNZ(LabelRef("output"))
	VZEROUPPER()
	RET()
}

func (r reduction) codeQuad() {
	v := avx2
	name := r.name("codeQuad", v)
	TEXT(name, NOSPLIT, "func("+coded+")")
	Pragma("noescape")
	Doc(name+" writes the codes of windows over cells of n <= 4 numbers; outputs is a multiple of 4. It reads 16 and",
		"writes 4 bytes from the beginning of a cell.")
	f, p := newFrame(), positions{codes: Load(Param("codes"), GP64())}
	SHRQ(U8(2), f.n)
	Label("output")
	acc, at := []VecVirtual{YMM(), YMM()}, []VecVirtual{YMM(), YMM()}
	r.winners(v, f, p, "output", acc, at, quadLoad(f))
	Label("outputStore")
	packed := bytesOf(v, at)
	for i := range 4 {
		if i == 0 {
			VMOVD(packed, Mem{Base: f.dst})
		} else {
			VPEXTRD(Imm(uint64(i)), packed, Mem{Base: f.dst})
		}
		ADDQ(f.n, f.dst)
	}
	LEAQ(Mem{Base: f.src, Index: f.step, Scale: 4}, f.src)
	SUBQ(U32(4), f.outputs)
	JNZ(LabelRef("output"))
	VZEROUPPER()
	RET()
}

package main

import (
	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	. "github.com/mmcloughlin/avo/reg"
)

// code writes the functions that say which tap of a window won, in a byte: what the
// gradient of a maximum needs to know; and, where they run instead of the maximum,
// what won.
func code() {
	for _, minimum := range []bool{false, true} {
		for _, ignore := range []bool{false, true} {
			r := reduction{extremum{minimum: minimum}, ignore}
			for _, v := range isas {
				r.codeWide(v)
			}
			r.codeNarrow()
			r.codeQuad()
			r.double = true
			for _, v := range isas {
				r.codeWide(v)
			}
			r.codeNarrow()
		}
	}
}

// coded returns the signature.
func (r reduction) coded() string {
	return "dst *uint8, src *" + r.element().name + ", taps *int, ntaps, n, outputs, step int, codes *int32, values *" + r.element().name
}

// storeValues writes what won, too, unless values is nil.
func (r reduction) storeValues(label string, store func(to Register)) {
	to := GP64()
	MOVQ(argument("values"), to)
	TESTQ(to, to)
	JZ(LabelRef(label + "Valued"))
	store(to)
	Label(label + "Valued")
}

// nextValues moves on to the values of the next output.
func (r reduction) nextValues(label string, bytes Register) {
	r.storeValues(label, func(to Register) {
		ADDQ(bytes, to)
		MOVQ(to, argument("values"))
	})
}

// codeFrame loads the parameters; shift is that from numbers to bytes.
func (r reduction) codeFrame() (f frame, p positions, shift uint8) {
	e := r.element()
	return frameOf(e), positions{codes: Load(Param("codes"), GP64())}, e.shift
}

// packed packs the codes of one or two vectors into bytes.
func (r reduction) packed(v isa, at []VecVirtual) VecVirtual {
	if v.wide() {
		packed := XMM()
		if r.double {
			VPMOVQB(at[0], packed)
		} else {
			VPMOVDB(at[0], packed)
		}
		return packed
	}
	if r.double { // a code fills both halves of its lane: take one of each
		joined := YMM()
		VSHUFPS(Imm(0x88), at[len(at)-1], at[0], joined)
		VPERMQ(Imm(0xd8), joined, joined)
		at = []VecVirtual{joined}
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
	TEXT(name, NOSPLIT, "func("+r.coded()+", fetches int)")
	Pragma("noescape")
	Doc(name+" writes the codes of the winning taps of windows over cells of at least a vector of numbers.",
		"What stands at the fetches offsets behind the taps is fetched early.")
	f, p, shift := r.codeFrame()
	at, left, place := GP64(), GP64(), GP64()
	block := func(vectors int, label string) {
		acc, where := make([]VecVirtual, vectors), make([]VecVirtual, vectors)
		for i := range acc {
			acc[i], where[i] = v.vector(), v.vector()
		}
		base := GP64()
		LEAQ(Mem{Base: f.src, Index: at, Scale: 1}, base)
		if vectors > 1 {
			prefetch(f, base, vectors*v.bytes, label)
		}
		r.winners(v, f, p, label, acc, where, func(offset Register, i int, to VecVirtual) {
			VMOVUPS(Mem{Base: base, Index: offset, Scale: 1, Disp: i * v.bytes}, to)
		})
		Label(label + "Store")
		r.storeValues(label, func(to Register) {
			for i := range acc {
				VMOVUPS(acc[i], Mem{Base: to, Index: at, Scale: 1, Disp: i * v.bytes})
			}
		})
		MOVQ(at, place)
		SHRQ(U8(shift), place)
		r.storeCodes(v, where, Mem{Base: f.dst, Index: place, Scale: 1})
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
	r.nextValues("next", f.n)
	MOVQ(f.n, left)
	SHRQ(U8(shift), left)
	ADDQ(left, f.dst)
	ADDQ(f.step, f.src)
	DECQ(f.outputs)
	JNZ(LabelRef("output"))
	VZEROUPPER()
	RET()
}

// storeCodes writes the codes of one or two vectors.
func (r reduction) storeCodes(v isa, where []VecVirtual, to Mem) {
	lanes := v.bytes / 4
	if r.double {
		lanes = v.bytes / 8
	}
	step := len(where) // vectors that are packed together
	if v.wide() {
		step = 1
	}
	for i := 0; i < len(where); i += step {
		codes := r.packed(v, where[i:i+step])
		switch to := to.Offset(i * lanes); step * lanes {
		case 16:
			VMOVDQU(codes, to)
		case 8:
			VMOVQ(codes, to)
		default:
			VMOVD(codes, to)
		}
	}
}

func (r reduction) codeNarrow() {
	v := avx2
	name := r.name("codeNarrow", v)
	TEXT(name, NOSPLIT, "func("+r.coded()+", mask *int32)")
	Pragma("noescape")
	Doc(name+" writes the codes of windows over cells of less than a vector; mask has as many lanes set. It writes",
		"the codes of a whole vector from the beginning of a cell.")
	f, p, shift := r.codeFrame()
	pointer, mask := Load(Param("mask"), GP64()), YMM()
	VMOVUPS(Mem{Base: pointer}, mask)
	SHRQ(U8(shift), f.n)
	Label("output")
	acc, at := YMM(), YMM()
	r.winners(v, f, p, "output", []VecVirtual{acc}, []VecVirtual{at}, func(offset Register, _ int, to VecVirtual) {
		VMASKMOVPS(Mem{Base: f.src, Index: offset, Scale: 1}, mask, to)
	})
	Label("outputStore")
	bytes := GP64()
	MOVQ(f.n, bytes)
	SHLQ(U8(shift), bytes)
	r.storeValues("output", func(to Register) {
		VMASKMOVPS(acc, mask, Mem{Base: to})
		ADDQ(bytes, to)
		MOVQ(to, argument("values"))
	})
	r.storeCodes(v, []VecVirtual{at}, Mem{Base: f.dst})
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
	TEXT(name, NOSPLIT, "func("+r.coded()+")")
	Pragma("noescape")
	Doc(name+" writes the codes of windows over cells of n <= 4 numbers; outputs is a multiple of 4. It reads 16 and",
		"writes 4 bytes from the beginning of a cell.")
	f, p, shift := r.codeFrame()
	SHRQ(U8(shift), f.n)
	Label("output")
	acc, at := []VecVirtual{YMM(), YMM()}, []VecVirtual{YMM(), YMM()}
	r.winners(v, f, p, "output", acc, at, quadLoad(f))
	Label("outputStore")
	r.storeValues("output", func(to Register) {
		for _, x := range acc {
			VMOVUPS(x.AsX(), Mem{Base: to})
			VEXTRACTF128(Imm(1), x, Mem{Base: to, Index: f.n, Scale: 4})
			LEAQ(Mem{Base: to, Index: f.n, Scale: 8}, to)
		}
		MOVQ(to, argument("values"))
	})
	packed := r.packed(v, at)
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

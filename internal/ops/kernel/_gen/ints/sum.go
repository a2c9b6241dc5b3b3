package main

import (
	"fmt"

	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	. "github.com/mmcloughlin/avo/reg"
)

// add adds vectors of sums of 16 or 32 bits.
func (w widening) add(a, b, c Op) {
	if w.bits() == 16 {
		VPADDW(a, b, c)
	} else {
		VPADDD(a, b, c)
	}
}

func (w widening) subtract(a, b, c Op) {
	if w.bits() == 16 {
		VPSUBW(a, b, c)
	} else {
		VPSUBD(a, b, c)
	}
}

func (w widening) bits() int {
	if w.name[len(w.name)-2:] == "16" {
		return 16
	}
	return 32
}

// narrow is an address in the source for an offset in the destination, whose
// elements are wider.
func (w widening) narrow(v isa, base, half Register, i int) Mem {
	return Mem{Base: base, Index: half, Scale: 1, Disp: i * v.bytes / w.wider}
}

// shrink sets a register to an offset divided by how much wider sums are.
func (w widening) shrink(at, to Register) {
	MOVQ(at, to)
	SHRQ(U8(map[int]uint64{2: 1, 4: 2}[w.wider]), to)
}

// sums writes the function that adds up rows.
func sums(v isa, w widening) {
	name := "sums" + w.name + v.name
	TEXT(name, NOSPLIT, "func(dst, src *byte, taps *int, ntaps, n int)")
	Pragma("noescape")
	Doc(fmt.Sprintf("%s adds up the rows that begin at the offsets taps into sums of n >= %d bytes in all.", name, v.bytes))
	dst, src, list, ntaps := parameter("dst"), parameter("src"), parameter("taps"), parameter("ntaps")
	n := parameter("n")
	t, base, offset := GP64(), GP64(), GP64()
	row(v, "row", n, 4, func(at Register, count int, label string) {
		acc := vectors(v, count)
		w.shrink(at, base)
		ADDQ(src, base)
		MOVQ(Mem{Base: list}, offset)
		for i, r := range acc {
			w.convert(w.narrow(v, base, offset, i), r)
		}
		MOVQ(U32(1), t)
		CMPQ(t, ntaps)
		JGE(LabelRef(label + "Reduced"))
		Label(label + "Tap")
		MOVQ(Mem{Base: list, Index: t, Scale: 8}, offset)
		for i, r := range acc {
			x := v.vector()
			w.convert(w.narrow(v, base, offset, i), x)
			w.add(x, r, r)
		}
		INCQ(t)
		CMPQ(t, ntaps)
		JL(LabelRef(label + "Tap"))
		Label(label + "Reduced")
		for i, r := range acc {
			VMOVUPS(r, Mem{Base: dst, Index: at, Scale: 1, Disp: i * v.bytes})
		}
	})
	VZEROUPPER()
	RET()
}

// slide writes the function that moves sums of rows by a row.
func slide(v isa, w widening) {
	name := "slide" + w.name + v.name
	TEXT(name, NOSPLIT, "func(dst, src, add, sub *byte, n int)")
	Pragma("noescape")
	Doc(fmt.Sprintf("%s sets the sums dst, n >= %d bytes, to the sums src with the row add more and the row sub less.", name, v.bytes))
	dst, src, plus, minus := parameter("dst"), parameter("src"), parameter("add"), parameter("sub")
	n, half := parameter("n"), GP64()
	row(v, "row", n, 4, func(at Register, count int, _ string) {
		w.shrink(at, half)
		for i, r := range vectors(v, count) {
			x, y := v.vector(), v.vector()
			w.convert(w.narrow(v, plus, half, i), x)
			w.convert(w.narrow(v, minus, half, i), y)
			w.add(Mem{Base: src, Index: at, Scale: 1, Disp: i * v.bytes}, x, r)
			w.subtract(y, r, r)
			VMOVUPS(r, Mem{Base: dst, Index: at, Scale: 1, Disp: i * v.bytes})
		}
	})
	VZEROUPPER()
	RET()
}

// Command transpose writes the function that transposes blocks of float32, in
// tiles of eight by eight numbers.
package main

import (
	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	. "github.com/mmcloughlin/avo/reg"
)

const tile = 8

func main() {
	ConstraintExpr("amd64,!purego")
	TEXT("transposeAVX2", NOSPLIT, "func(dst, src *float32, rows, columns, srcStep, dstStep int)")
	Pragma("noescape")
	Doc("transposeAVX2 writes row i, column j of dst from column i, row j of src. Rows and columns, of dst, are positive multiples of 8, steps are bytes from one row to the next.")
	dst, src, rows := Load(Param("dst"), GP64()), Load(Param("src"), GP64()), Load(Param("rows"), GP64())
	srcStep, dstStep := Load(Param("srcStep"), GP64()), Load(Param("dstStep"), GP64())
	from, to, columns := GP64(), GP64(), GP64()

	Label("row")
	MOVQ(src, from)
	MOVQ(dst, to)
	Load(Param("columns"), columns)
	Label("tile")
	transpose(to, from, dstStep, srcStep)
	LEAQ(Mem{Base: from, Index: srcStep, Scale: tile}, from)
	ADDQ(Imm(4*tile), to)
	SUBQ(Imm(tile), columns)
	JNZ(LabelRef("tile"))
	ADDQ(Imm(4*tile), src)
	LEAQ(Mem{Base: dst, Index: dstStep, Scale: tile}, dst)
	SUBQ(Imm(tile), rows)
	JNZ(LabelRef("row"))
	VZEROUPPER()
	RET()
	Generate()
}

// lines returns where eight lines begin that lie step bytes apart.
func lines(first, step Register) (list [tile]Mem) {
	base := first
	for i := range list {
		switch {
		case i%3 == 0 && i > 0:
			next := GP64()
			LEAQ(Mem{Base: base, Index: step, Scale: 2}, next)
			ADDQ(step, next)
			base = next
			list[i] = Mem{Base: base}
		case i%3 == 0:
			list[i] = Mem{Base: base}
		default:
			list[i] = Mem{Base: base, Index: step, Scale: uint8(i % 3)}
		}
	}
	return list
}

// transpose moves a tile. A register is loaded with the halves of two lines four
// apart, so that pairs and then fours of numbers never cross the halves.
func transpose(to, from, toStep, fromStep Register) {
	in := lines(from, fromStep)
	half := func(m Mem, i int) Mem { m.Disp = 16 * i; return m }
	x := [tile]VecPhysical{Y0, Y1, Y2, Y3, Y4, Y5, Y6, Y7}
	pairs := [tile]VecPhysical{Y8, Y9, Y10, Y11, Y12, Y13, Y14, Y15}
	fours := x
	for i := range x { // line i%4 and i%4+4, half i/4
		VMOVUPS(half(in[i%4], i/4), x[i].AsX())
		VINSERTF128(Imm(1), half(in[i%4+4], i/4), x[i], x[i])
	}
	for i := 0; i < tile; i += 2 {
		VUNPCKLPS(x[i+1], x[i], pairs[i])
		VUNPCKHPS(x[i+1], x[i], pairs[i+1])
	}
	out := lines(to, toStep)
	for h := 0; h < tile; h += 4 {
		for i := range 4 {
			VSHUFPS(U8([]uint8{0x44, 0xee}[i%2]), pairs[h+2+i/2], pairs[h+i/2], fours[h+i])
			VMOVUPS(fours[h+i], out[h+i])
		}
	}
}

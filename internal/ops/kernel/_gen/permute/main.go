// Command permute writes the function that transposes blocks of float32, in tiles of
// eight by eight numbers.
package main

import (
	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	. "github.com/mmcloughlin/avo/reg"
	"github.com/poolctl/poolctl/internal/ops/kernel/_gen/vec"
)

const tile = 8

func main() { vec.Main("permute", transposeBlock) }

func transposeBlock() {
	vec.Func{
		Name:      "transposeAVX2",
		Signature: "func(dst, src *float32, rows, columns, srcStep, dstStep int)",
		Does:      "transposes a block.",
		Loop: `
for i := range rows {
	for j := range columns {
		dst[i*dstStep/4+j] = src[j*srcStep/4+i]
	}
}`,
		Rules: []string{"rows and columns, of dst, are multiples of 8, and at least that; dstStep and srcStep are bytes from one row to the next."},
	}.Begin()
	p := vec.Params("dst", "src", "rows", "srcStep", "dstStep")
	dst, src, rows, srcStep, dstStep := p[0], p[1], p[2], p[3], p[4]
	from, to, columns := GP64(), GP64(), GP64()

	vec.Label("row", "Eight rows of dst, at %, from eight columns of src, at %; % rows are left.", dst, src, rows)
	MOVQ(src, from)
	MOVQ(dst, to)
	Load(Param("columns"), columns)
	vec.Label("tile", "A tile from % to %; % columns are left.", from, to, columns)
	transpose(to, from, dstStep, srcStep)
	LEAQ(Mem{Base: from, Index: srcStep, Scale: tile}, from)
	ADDQ(Imm(4*tile), to)
	SUBQ(Imm(tile), columns)
	JNZ(LabelRef("tile"))
	ADDQ(Imm(4*tile), src)
	LEAQ(Mem{Base: dst, Index: dstStep, Scale: tile}, dst)
	SUBQ(Imm(tile), rows)
	JNZ(LabelRef("row"))
	vec.Return()
}

// lines returns where eight lines begin that lie step bytes apart.
func lines(first, step Register) (list [tile]Mem) {
	base := first
	for i := range list {
		switch {
		case i%3 == 0 && i > 0:
			next := GP64()
			vec.Note("% is line %d.", next, i)
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
	vec.Note("A half each of two lines four apart: %.", x[:])
	for i := range x { // line i%4 and i%4+4, half i/4
		VMOVUPS(half(in[i%4], i/4), x[i].AsX())
		VINSERTF128(Imm(1), half(in[i%4+4], i/4), x[i], x[i])
	}
	vec.Note("Pairs of numbers of two lines: %.", pairs[:])
	for i := 0; i < tile; i += 2 {
		VUNPCKLPS(x[i+1], x[i], pairs[i])
		VUNPCKHPS(x[i+1], x[i], pairs[i+1])
	}
	out := lines(to, toStep)
	vec.Note("Whole columns, which become lines: %.", fours[:])
	for h := 0; h < tile; h += 4 {
		for i := range 4 {
			VSHUFPS(U8([]uint8{0x44, 0xee}[i%2]), pairs[h+2+i/2], pairs[h+i/2], fours[h+i])
			VMOVUPS(fours[h+i], out[h+i])
		}
	}
}

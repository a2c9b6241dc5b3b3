package main

import (
	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/poolctl/poolctl/internal/ops/kernel/_gen/vec"
	"github.com/poolctl/poolctl/internal/ops/kernel/_gen/window"
)

// slide writes the function that sums windows over a block of cells, from the ends
// of the block before and the beginnings of this one. Each sum waits for the one
// before it, but beginnings, ends and what the next block needs do not wait for each
// other.
//
// The vector of a cell of less than four numbers holds some of its neighbour:
// windows are stored first number first, ends, which come from behind, last number
// last, so that the next store puts right what one wrote too far.
func slide() {
	vec.Func{
		Name:      "slideSumsAVX2",
		Signature: "func(windows, ends, src *float64, n, size, cells int)",
		Does: "takes a block of cells: size of them or, at the end of a row, less. It writes the sums of the windows that end at each, " +
			"and those of the cells from each on to the end of the block. The ends of the block before stand before those of this one.",
		Loop: `
for i := range n {
	up, down := minusZero, minusZero
	for c := range cells {
		up += src[c*n+i]
		windows[c*n+i] = up
		if c+1 < size {
			windows[c*n+i] += ends[(c+1-size)*n+i]
		}
		last := cells - 1 - c
		down += src[last*n+i]
		ends[last*n+i] = down
	}
}`,
		Rules: []string{"n is at least 2, cells 1 to size, size at least 2. Where n is less than 4, up to 4-n numbers before and behind are read and written."},
	}.Begin()
	p := vec.Params("windows", "ends", "src", "n")
	windows, ends, src, step := p[0], p[1], p[2], p[3]
	vec.Note("% is a cell in bytes from here on.", step)
	SHLQ(U8(3), step)
	before := GP64()
	vec.Note("% is the cell behind the one where a window ends, a block before.", before)
	MOVQ(vec.Slot("size"), before)
	DECQ(before)
	IMULQ(step, before)
	NEGQ(before)
	ADDQ(ends, before)
	chunk := GP64()
	XORQ(chunk, chunk)

	ahead, behind, left := GP64(), GP64(), GP64()
	vec.Label("chunk", "The four numbers of all cells from % of % bytes on: % goes forward, % backward.", chunk, step, ahead, behind)
	MOVQ(chunk, ahead)
	MOVQ(vec.Slot("cells"), left)
	LEAQ(Mem{Base: left, Disp: -1}, behind)
	IMULQ(step, behind)
	ADDQ(chunk, behind)
	CMPQ(step, U8(32))
	JGE(LabelRef("begin"))
	LEAQ(Mem{Base: behind, Index: step, Scale: 1, Disp: -32}, behind)
	up, down, window4 := YMM(), YMM(), YMM()
	vec.Label("begin", "% is the sum from the block's beginning on, % to its end, % that of a window.", up, down, window4)
	VBROADCASTSD(window.MinusZero(minusZero), up)
	VMOVUPD(up, down)
	CMPQ(left, vec.Slot("size"))
	JNE(LabelRef("cell"))
	DECQ(left)
	vec.Label("cell", "A cell from both sides; % are left.", left)
	VADDPD(Mem{Base: src, Index: ahead, Scale: 1}, up, up)
	VADDPD(Mem{Base: before, Index: ahead, Scale: 1}, up, window4)
	VMOVUPD(window4, Mem{Base: windows, Index: ahead, Scale: 1})
	VADDPD(Mem{Base: src, Index: behind, Scale: 1}, down, down)
	VMOVUPD(down, Mem{Base: ends, Index: behind, Scale: 1})
	ADDQ(step, ahead)
	SUBQ(step, behind)
	DECQ(left)
	JNZ(LabelRef("cell"))
	MOVQ(vec.Slot("cells"), left)
	CMPQ(left, vec.Slot("size"))
	JNE(LabelRef("next"))
	vec.Note("The last window of a whole block is the block itself.")
	VADDPD(Mem{Base: src, Index: ahead, Scale: 1}, up, up)
	VMOVUPD(up, Mem{Base: windows, Index: ahead, Scale: 1})
	VADDPD(Mem{Base: src, Index: behind, Scale: 1}, down, down)
	VMOVUPD(down, Mem{Base: ends, Index: behind, Scale: 1})

	whole := GP64()
	vec.Label("next", "The next four numbers; the last vector of a cell, at %, overlaps the one before it.", whole)
	ADDQ(U32(32), chunk)
	CMPQ(chunk, step)
	JGE(LabelRef("done"))
	LEAQ(Mem{Base: step, Disp: -32}, whole)
	CMPQ(chunk, whole)
	CMOVQGT(whole, chunk)
	JMP(LabelRef("chunk"))
	vec.Label("done", "All numbers are done.")
	vec.Return()
}

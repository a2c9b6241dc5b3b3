package main

import (
	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
)

// slide writes the function that sums windows over a block of cells, from the
// ends of the block before and the beginnings of this one. Each sum waits for the
// one before it, but beginnings, ends and what the next block needs do not wait
// for each other.
//
// The vector of a cell of less than four numbers holds some of its neighbour:
// windows are stored first number first, ends, which come from behind, last
// number last, so that the next store puts right what one wrote too far.
func slide() {
	TEXT("slideSumsAVX2", NOSPLIT, "func(windows, ends, src *float64, n, size, cells int)")
	Pragma("noescape")
	Doc("slideSumsAVX2 takes a block of cells of n numbers, size of them or, at the end of a row, less. It writes the sums of the windows of size cells",
		"that end at each, and those of the cells from each on to the end of the block; the ends of the block before stand before them.",
		"n is at least 2; where it is less than 4 up to 4-n numbers before and behind are read and written.")
	windows, ends, src := Load(Param("windows"), GP64()), Load(Param("ends"), GP64()), Load(Param("src"), GP64())
	step := Load(Param("n"), GP64())
	SHLQ(U8(3), step)
	before := GP64() // of the cell behind the one where a window ends, a block before
	MOVQ(argument("size"), before)
	DECQ(before)
	IMULQ(step, before)
	NEGQ(before)
	ADDQ(ends, before)
	chunk := GP64()
	XORQ(chunk, chunk)

	Label("chunk")
	ahead, behind, left := GP64(), GP64(), GP64()
	MOVQ(chunk, ahead)
	MOVQ(argument("cells"), left)
	LEAQ(Mem{Base: left, Disp: -1}, behind)
	IMULQ(step, behind)
	ADDQ(chunk, behind)
	CMPQ(step, U8(32))
	JGE(LabelRef("begin"))
	LEAQ(Mem{Base: behind, Index: step, Scale: 1, Disp: -32}, behind)
	Label("begin")
	up, down, window := YMM(), YMM(), YMM()
	VBROADCASTSD(minusZero, up)
	VMOVUPD(up, down)
	CMPQ(left, argument("size"))
	JNE(LabelRef("cell"))
	DECQ(left)
	Label("cell")
	VADDPD(Mem{Base: src, Index: ahead, Scale: 1}, up, up)
	VADDPD(Mem{Base: before, Index: ahead, Scale: 1}, up, window)
	VMOVUPD(window, Mem{Base: windows, Index: ahead, Scale: 1})
	VADDPD(Mem{Base: src, Index: behind, Scale: 1}, down, down)
	VMOVUPD(down, Mem{Base: ends, Index: behind, Scale: 1})
	ADDQ(step, ahead)
	SUBQ(step, behind)
	DECQ(left)
	JNZ(LabelRef("cell"))
	MOVQ(argument("cells"), left)
	CMPQ(left, argument("size"))
	JNE(LabelRef("next"))
	VADDPD(Mem{Base: src, Index: ahead, Scale: 1}, up, up) // the block itself
	VMOVUPD(up, Mem{Base: windows, Index: ahead, Scale: 1})
	VADDPD(Mem{Base: src, Index: behind, Scale: 1}, down, down)
	VMOVUPD(down, Mem{Base: ends, Index: behind, Scale: 1})

	Label("next")
	ADDQ(U32(32), chunk)
	CMPQ(chunk, step)
	JGE(LabelRef("done"))
	whole := GP64() // the last vector of a cell overlaps the one before it
	LEAQ(Mem{Base: step, Disp: -32}, whole)
	CMPQ(chunk, whole)
	CMOVQGT(whole, chunk)
	JMP(LabelRef("chunk"))
	Label("done")
	VZEROUPPER()
	RET()
}

package window

import (
	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	. "github.com/mmcloughlin/avo/reg"
	"github.com/poolctl/poolctl/internal/ops/kernel/_gen/vec"
)

// QuadBytes is how much of a row four outputs of photographs see at stride 2, at
// most.
const QuadBytes = 128

// QuadLoader reads the same tap of four outputs, two a vector, four numbers each.
func QuadLoader(f Frame) Loader {
	three, base := GP64(), GP64()
	return func(offset Register, i int, to VecVirtual) {
		if i == 0 {
			LEAQ(Mem{Base: f.Step, Index: f.Step, Scale: 2}, three)
			LEAQ(Mem{Base: f.Src, Index: offset, Scale: 1}, base)
			VMOVUPS(Mem{Base: base}, to.AsX())
			VINSERTF128(Imm(1), Mem{Base: base, Index: f.Step, Scale: 1}, to, to)
			return
		}
		VMOVUPS(Mem{Base: base, Index: f.Step, Scale: 2}, to.AsX())
		VINSERTF128(Imm(1), Mem{Base: base, Index: three, Scale: 1}, to, to)
	}
}

// EachQuad runs a body for every four outputs, of which it moves f.Dst on.
func (f Frame) EachQuad(body func()) {
	vec.Label("output", "% outputs are left; the next four go to %, the first cell of the first is at %.", f.Outputs, f.Dst, f.Src)
	body()
	LEAQ(Mem{Base: f.Src, Index: f.Step, Scale: 4}, f.Src)
	SUBQ(U32(4), f.Outputs)
	JNZ(LabelRef("output"))
	vec.Return()
}

// StoreQuad stores the cells of four outputs, four numbers each: what a store
// writes too far the next one puts right.
func (f Frame) StoreQuad(acc []VecVirtual) {
	for i := range acc {
		VMOVUPS(acc[i].AsX(), Mem{Base: f.Dst})
		VEXTRACTF128(Imm(1), acc[i], Mem{Base: f.Dst, Index: f.N, Scale: 1})
		LEAQ(Mem{Base: f.Dst, Index: f.N, Scale: 2}, f.Dst)
	}
}

// QuadRule says what quads demand.
const QuadRule = "n is 1 to 4, outputs a multiple of 4. Cells are read and written as four numbers each, in order: what stands behind the last cell must exist, and is overwritten."

// LoadMask loads the mask of the lanes that a cell smaller than a vector has.
func LoadMask() VecVirtual {
	pointer, mask := vec.Param("mask"), YMM()
	vec.Note("% has the lanes of a cell.", mask)
	VMOVUPS(Mem{Base: pointer}, mask)
	return mask
}

// EvenParameters are those of functions for single numbers at stride 2.
const EvenParameters = "dst, src *float32, taps *int, ntaps, outputs"

// EvenRule says what functions for single numbers demand.
const EvenRule = "taps are bytes. Behind the last number of a window that counts nothing is read."

// NewEvenFrame loads their parameters.
func NewEvenFrame() Frame {
	p := vec.Params("dst", "src", "taps", "ntaps", "outputs")
	return Frame{Dst: p[0], Src: p[1], Taps: p[2], NTaps: p[3], Outputs: p[4]}
}

// EachEven calls do for blocks of many outputs at stride 2, and then of few, of
// which the last one overlaps the one before it.
func (f Frame) EachEven(many, few int, do func(outputs int, label string)) {
	end := GP64()
	advance := func(outputs int) {
		ADDQ(U32(uint32(4*outputs)), f.Dst)
		ADDQ(U32(uint32(8*outputs)), f.Src)
		SUBQ(U32(uint32(outputs)), f.Outputs)
	}
	vec.Label("many", "%d outputs at a time, from % to %; % are left.", many, f.Src, f.Dst, f.Outputs)
	CMPQ(f.Outputs, U32(uint32(many)))
	JL(LabelRef("few"))
	do(many, "many")
	advance(many)
	JMP(LabelRef("many"))
	vec.Label("few", "%d outputs at a time; % are left.", few, f.Outputs)
	TESTQ(f.Outputs, f.Outputs)
	JZ(LabelRef("finish"))
	CMPQ(f.Outputs, U32(uint32(few)))
	JGE(LabelRef("whole"))
	vec.Note("Less are left: go back, so that the last ones overlap those before them.")
	MOVQ(U32(uint32(few)), end)
	SUBQ(f.Outputs, end)
	SHLQ(U8(2), end)
	SUBQ(end, f.Dst)
	SUBQ(end, f.Src)
	SUBQ(end, f.Src)
	MOVQ(U32(uint32(few)), f.Outputs)
	vec.Label("whole", "%d outputs are left or more.", few)
	do(few, "few")
	advance(few)
	JMP(LabelRef("few"))
	vec.Label("finish", "All outputs are done.")
	vec.Return()
}

// Evens selects every other number of two registers' worth of them, of which the
// second register begins at the last of the first: so nothing is read behind the
// last number that counts.
const Evens = 0xd8

package main

import (
	"fmt"

	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	. "github.com/mmcloughlin/avo/reg"
)

// direct writes the functions that reduce whole windows of float32 in registers.
// Tap t of an output stands taps[t] bytes after its first one, so that windows
// of any size, dilation and border are lists of offsets, in row-major order.
//
// NaN cost almost nothing: maxima are taken by VMAXPS, which passes them over,
// and whether any was met is gathered beside it, one comparison for two vectors.
// Only then is the block reduced once more, by the exact rule.
func direct() {
	for _, minimum := range []bool{false, true} {
		for _, ignore := range []bool{false, true} {
			r := reduction{extremum{minimum: minimum}, ignore}
			for _, v := range isas {
				r.wide(v)
			}
			r.narrow()
			r.quad()
			r.even()
			r.permuted()
		}
		for _, v := range isas {
			reduction{extremum{minimum: minimum}, false}.band3x3(v)
		}
	}
}

// reduction is a maximum or minimum of windows of float32.
type reduction struct {
	extremum
	ignoreNaN bool
}

// name returns the function's name; what it does is the second word.
func (r reduction) name(how string, v isa) string {
	name := how + map[bool]string{false: "Max", true: "Min"}[r.minimum]
	if r.double {
		name += "Float64"
	}
	if r.ignoreNaN {
		name += "IgnoreNaN"
	}
	return name + v.name
}

func (r reduction) element() element {
	if r.double {
		return float64s
	}
	return float32s
}

// frame holds the registers of a function's parameters.
type frame struct {
	dst, src, taps, ntaps, n, outputs, step Register
}

// newFrame loads the parameters of functions over float32.
func newFrame() frame { return frameOf(float32s) }

func frameOf(e element) frame {
	load := func(name string) Register { return Load(Param(name), GP64()) }
	f := frame{load("dst"), load("src"), load("taps"), load("ntaps"), load("n"), load("outputs"), load("step")}
	SHLQ(U8(e.shift), f.n) // to bytes
	return f
}

func (e element) parameters() string {
	return "dst, src *" + e.name + ", taps *int, ntaps, n, outputs, step int"
}

var parameters = float32s.parameters()

// wide writes the function for cells of at least a vector.
func (r reduction) wide(v isa) {
	name := r.name("wide", v)
	wideLoop(v, name, r.element(), name+" reduces windows", func(f frame, label string, acc []VecVirtual, load func(offset Register, i int, to VecVirtual)) {
		r.window(v, f, label, acc, load)
	})
}

// element is a type of numbers.
type element struct {
	name  string // in Go
	shift uint8  // its size is 1<<shift bytes
}

var (
	float32s = element{"float32", 2}
	float64s = element{"float64", 3}
	int64s   = element{"int64", 3}
	pairs    = element{"float64", 4} // of 8 bytes each
)

// windowFunc reduces the taps of a block into acc and goes on at label+"Store";
// load reads vector i of the tap at an offset.
type windowFunc func(f frame, label string, acc []VecVirtual, load func(offset Register, i int, to VecVirtual))

// wideLoop writes a function for cells of at least a vector: vectors of one
// output after another, four at a time. The last one of an output overlaps the
// one before it, which costs less than a tail.
func wideLoop(v isa, name string, e element, doc string, window windowFunc) {
	lanes := v.bytes >> e.shift
	TEXT(name, NOSPLIT, "func("+e.parameters()+", stream, fetches int)")
	Pragma("noescape")
	Doc(fmt.Sprintf("%s over cells of n >= %d numbers, step bytes apart; with stream != 0 past the caches, for which", doc, lanes),
		fmt.Sprintf("dst must be aligned to %d bytes and n a multiple of %d. What stands at the fetches offsets behind the taps is fetched early.", v.bytes, lanes))
	f := frameOf(e)
	stream := Load(Param("stream"), GP64())
	at, left := GP64(), GP64()
	block := func(vectors int, label string) {
		base, acc := GP64(), make([]VecVirtual, vectors)
		LEAQ(Mem{Base: f.src, Index: at, Scale: 1}, base)
		for i := range acc {
			acc[i] = v.vector()
		}
		if vectors > 1 {
			prefetch(f, base, vectors*v.bytes, label)
		}
		window(f, label, acc, func(offset Register, i int, to VecVirtual) {
			VMOVUPS(Mem{Base: base, Index: offset, Scale: 1, Disp: i * v.bytes}, to)
		})
		Label(label + "Store")
		storeRow(stream, label, Mem{Base: f.dst, Index: at, Scale: 1}, v.bytes, acc)
	}
	Label("output")
	XORQ(at, at)
	Label("many")
	MOVQ(f.n, left)
	SUBQ(at, left)
	CMPQ(left, U32(uint32(4*v.bytes)))
	JL(LabelRef("one"))
	block(4, "many")
	ADDQ(U32(uint32(4*v.bytes)), at)
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
	ADDQ(f.n, f.dst)
	ADDQ(f.step, f.src)
	DECQ(f.outputs)
	JNZ(LabelRef("output"))
	VZEROUPPER()
	RET()
}

// storeRow stores registers side by side, past the caches if stream is not 0.
func storeRow(stream Op, label string, to Mem, bytes int, list []VecVirtual) {
	CMPQ(stream, U8(0))
	JNE(LabelRef(label + "Stream"))
	for i, r := range list {
		VMOVUPS(r, to.Offset(i*bytes))
	}
	JMP(LabelRef(label + "Stored"))
	Label(label + "Stream")
	for i, r := range list {
		VMOVNTPS(r, to.Offset(i*bytes))
	}
	Label(label + "Stored")
}

// prefetch asks for what the next row of windows adds: the numbers of a block at
// the offsets that stand behind the taps. The processor sees linear streams by
// itself, but few at a time, and they stop at every row.
func prefetch(f frame, base Register, bytes int, label string) {
	list, left, at := GP64(), GP64(), GP64()
	MOVQ(argument("fetches"), left)
	TESTQ(left, left)
	JE(LabelRef(label + "Begin"))
	LEAQ(Mem{Base: f.taps, Index: f.ntaps, Scale: 8}, list)
	Label(label + "Fetch")
	MOVQ(Mem{Base: list, Index: left, Scale: 8, Disp: -8}, at)
	for line := 0; line < bytes; line += 64 {
		PREFETCHT1(Mem{Base: base, Index: at, Scale: 1, Disp: line})
	}
	DECQ(left)
	JNZ(LabelRef(label + "Fetch"))
	Label(label + "Begin")
}

// window reduces all taps into acc. load reads vector i of the tap at an offset.
// Before it returns it defines no label but label+"Fast", "Slow", "Again",
// "Done"; the caller goes on.
func (r reduction) window(v isa, f frame, label string, acc []VecVirtual, load func(offset Register, i int, to VecVirtual)) {
	t, offset := GP64(), GP64()
	nan := v.mask()
	first := func() {
		MOVQ(Mem{Base: f.taps}, offset)
		for i := range acc {
			load(offset, i, acc[i])
		}
		MOVQ(U32(1), t)
	}
	r.clear(v, nan)
	first()
	for i := 0; i < len(acc); i += 2 {
		r.gather(v, nan, acc[i], acc[min(i+1, len(acc)-1)])
	}
	CMPQ(t, f.ntaps)
	JGE(LabelRef(label + "Done"))
	Label(label + "Fast")
	MOVQ(Mem{Base: f.taps, Index: t, Scale: 8}, offset)
	next := make([]VecVirtual, len(acc))
	for i := range acc {
		next[i] = v.vector()
		load(offset, i, next[i])
	}
	for i := 0; i < len(acc); i += 2 {
		r.gather(v, nan, next[i], next[min(i+1, len(acc)-1)])
	}
	for i := range acc {
		r.strict(acc[i], next[i], acc[i])
	}
	INCQ(t)
	CMPQ(t, f.ntaps)
	JL(LabelRef(label + "Fast"))
	Label(label + "Done")
	r.any(v, nan)
	JZ(LabelRef(label + "Store"))

	first()
	CMPQ(t, f.ntaps)
	JGE(LabelRef(label + "Store"))
	Label(label + "Slow")
	MOVQ(Mem{Base: f.taps, Index: t, Scale: 8}, offset)
	for i := range acc {
		b := v.vector()
		load(offset, i, b)
		r.merge(v, r.ignoreNaN, b, acc[i])
	}
	INCQ(t)
	CMPQ(t, f.ntaps)
	JL(LabelRef(label + "Slow"))
}

// clear empties a mask.
func (r reduction) clear(v isa, mask Register) {
	if v.wide() {
		KXORW(mask, mask, mask)
	} else {
		VXORPS(mask, mask, mask)
	}
}

// gather adds to a mask whether a or b holds a NaN.
func (r reduction) gather(v isa, nan Register, a, b VecVirtual) {
	mask := v.mask()
	r.compare(unordered, a, b, mask)
	if v.wide() {
		KORW(mask, nan, nan)
	} else {
		VORPS(mask, nan, nan)
	}
}

// any sets the zero flag if a mask is empty.
func (r reduction) any(v isa, mask Register) {
	if v.wide() {
		KORTESTW(mask, mask)
	} else {
		VPTEST(mask, mask)
	}
}

// narrow writes the AVX2 function for cells of less than a vector: one output at
// a time, by masked loads and stores.
func (r reduction) narrow() {
	v := avx2
	TEXT(r.name("narrow", v), NOSPLIT, "func("+parameters+", mask *int32)")
	Pragma("noescape")
	Doc(r.name("narrow", v) + " reduces windows over cells of n <= 8 numbers; mask has as many lanes set.")
	f := newFrame()
	pointer, mask := Load(Param("mask"), GP64()), YMM()
	VMOVUPS(Mem{Base: pointer}, mask)
	Label("output")
	acc := []VecVirtual{YMM()}
	r.window(v, f, "output", acc, func(offset Register, _ int, to VecVirtual) {
		VMASKMOVPS(Mem{Base: f.src, Index: offset, Scale: 1}, mask, to)
	})
	Label("outputStore")
	VMASKMOVPS(acc[0], mask, Mem{Base: f.dst})
	ADDQ(f.n, f.dst)
	ADDQ(f.step, f.src)
	DECQ(f.outputs)
	JNZ(LabelRef("output"))
	VZEROUPPER()
	RET()
}

// quad writes the AVX2 function for cells of up to four numbers: four outputs in
// two vectors. Every cell is read and written as four numbers; what a store
// writes too far the next one puts right.
func (r reduction) quad() {
	v := avx2
	TEXT(r.name("quad", v), NOSPLIT, "func("+parameters+", fetches int)")
	Pragma("noescape")
	Doc(r.name("quad", v)+" reduces windows over cells of n <= 4 numbers; outputs is a multiple of 4. Reads and",
		"writes up to 16 bytes from the beginning of a cell. What stands at the fetches offsets behind the taps is fetched early.")
	f := newFrame()
	Label("output")
	prefetch(f, f.src, quadBytes, "output")
	acc := []VecVirtual{YMM(), YMM()}
	r.window(v, f, "output", acc, quadLoad(f))
	Label("outputStore")
	for i := range acc {
		VMOVUPS(acc[i].AsX(), Mem{Base: f.dst})
		VEXTRACTF128(Imm(1), acc[i], Mem{Base: f.dst, Index: f.n, Scale: 1})
		LEAQ(Mem{Base: f.dst, Index: f.n, Scale: 2}, f.dst)
	}
	LEAQ(Mem{Base: f.src, Index: f.step, Scale: 4}, f.src)
	SUBQ(U32(4), f.outputs)
	JNZ(LabelRef("output"))
	VZEROUPPER()
	RET()
}

// quadBytes is how much of a row four outputs of photographs see at stride 2, at
// most.
const quadBytes = 128

// quadLoad reads the same tap of four outputs, two a vector.
func quadLoad(f frame) func(offset Register, i int, to VecVirtual) {
	three, base := GP64(), GP64()
	return func(offset Register, i int, to VecVirtual) {
		if i == 0 {
			LEAQ(Mem{Base: f.step, Index: f.step, Scale: 2}, three)
			LEAQ(Mem{Base: f.src, Index: offset, Scale: 1}, base)
			VMOVUPS(Mem{Base: base}, to.AsX())
			VINSERTF128(Imm(1), Mem{Base: base, Index: f.step, Scale: 1}, to, to)
			return
		}
		VMOVUPS(Mem{Base: base, Index: f.step, Scale: 2}, to.AsX())
		VINSERTF128(Imm(1), Mem{Base: base, Index: three, Scale: 1}, to, to)
	}
}

// evenFrame holds the registers of functions for single numbers at stride 2.
type evenFrame struct{ frame }

var evenParameters = "dst, src *float32, taps *int, ntaps, outputs"

func newEvenFrame() evenFrame {
	load := func(name string) Register { return Load(Param(name), GP64()) }
	return evenFrame{frame{dst: load("dst"), src: load("src"), taps: load("taps"), ntaps: load("ntaps"), outputs: load("outputs")}}
}

// blocks calls do for blocks of many outputs, and then of few, of which the last
// one overlaps the one before it.
func (f evenFrame) blocks(many, few int, do func(outputs int, label string)) {
	end := GP64()
	advance := func(outputs int) {
		ADDQ(U32(uint32(4*outputs)), f.dst)
		ADDQ(U32(uint32(8*outputs)), f.src)
		SUBQ(U32(uint32(outputs)), f.outputs)
	}
	Label("many")
	CMPQ(f.outputs, U32(uint32(many)))
	JL(LabelRef("few"))
	do(many, "many")
	advance(many)
	JMP(LabelRef("many"))
	Label("few")
	TESTQ(f.outputs, f.outputs)
	JZ(LabelRef("finish"))
	CMPQ(f.outputs, U32(uint32(few)))
	JGE(LabelRef("whole"))
	MOVQ(U32(uint32(few)), end) // go back
	SUBQ(f.outputs, end)
	SHLQ(U8(2), end)
	SUBQ(end, f.dst)
	SUBQ(end, f.src)
	SUBQ(end, f.src)
	MOVQ(U32(uint32(few)), f.outputs)
	Label("whole")
	do(few, "few")
	advance(few)
	JMP(LabelRef("few"))
	Label("finish")
	VZEROUPPER()
	RET()
}

// evens selects every other number of two registers' worth of them, of which the
// second register begins at the last of the first: so nothing is read behind the
// last number that counts.
const evens = 0xd8

// even writes the AVX2 function for single numbers at stride 2: a vector of the same
// tap is every other number of two. Halves are then in the order 0 1 4 5, 2 3 6 7.
func (r reduction) even() {
	v := avx2
	TEXT(r.name("even", v), NOSPLIT, "func("+evenParameters+", fetches int)")
	Pragma("noescape")
	Doc(r.name("even", v)+" reduces windows over single numbers at stride 2, at least 8 of them. What stands at the fetches",
		"offsets behind the taps is fetched early.")
	f := newEvenFrame()
	f.blocks(16, 8, func(outputs int, label string) {
		acc := make([]VecVirtual, outputs/8)
		for i := range acc {
			acc[i] = YMM()
		}
		if outputs > 8 {
			prefetch(f.frame, f.src, 8*outputs, label)
		}
		r.window(v, f.frame, label, acc, func(offset Register, i int, to VecVirtual) {
			m := Mem{Base: f.src, Index: offset, Scale: 1, Disp: 64 * i}
			VMOVUPS(m, to)
			VSHUFPS(U8(evens), m.Offset(28), to, to)
		})
		Label(label + "Store")
		for i, a := range acc {
			VPERMPD(U8(evens), a, a)
			VMOVUPS(a, Mem{Base: f.dst, Disp: 32 * i})
		}
	})
}

// permuted writes the AVX-512 function for cells of less than a vector: as many
// outputs as 32 numbers of a row hold are gathered by VPERMT2PS.
func (r reduction) permuted() {
	v := avx512
	TEXT(r.name("permuted", v), NOSPLIT, "func("+parameters+", lanes *int32, low, high, store int)")
	Pragma("noescape")
	Doc(r.name("permuted", v)+" reduces windows over several cells at once, n numbers of output and step bytes of",
		"input in each of as many steps as outputs says. lanes says which of 32 numbers each of the 16 lanes takes; low, high",
		"and store are masks of the numbers read and written.")
	f := newFrame()
	pointer, index := Load(Param("lanes"), GP64()), ZMM()
	VMOVUPS(Mem{Base: pointer}, index)
	masks := [3]Register{K(), K(), K()}
	for i, name := range []string{"low", "high", "store"} {
		bits := GP64()
		Load(Param(name), bits)
		KMOVW(bits.As32(), masks[i])
	}
	Label("output")
	acc := []VecVirtual{ZMM()}
	r.window(v, f, "output", acc, func(offset Register, _ int, to VecVirtual) {
		high := ZMM()
		VMOVUPS_Z(Mem{Base: f.src, Index: offset, Scale: 1}, masks[0], to)
		VMOVUPS_Z(Mem{Base: f.src, Index: offset, Scale: 1, Disp: v.bytes}, masks[1], high)
		VPERMT2PS(high, index, to)
	})
	Label("outputStore")
	VMOVUPS(acc[0], masks[2], Mem{Base: f.dst})
	ADDQ(f.n, f.dst)
	ADDQ(f.step, f.src)
	DECQ(f.outputs)
	JNZ(LabelRef("output"))
	VZEROUPPER()
	RET()
}

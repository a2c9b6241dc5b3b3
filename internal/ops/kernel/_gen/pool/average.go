package main

import (
	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	. "github.com/mmcloughlin/avo/reg"
)

// averages writes the functions that sum windows of float32 in float64, multiply
// by the divisor's reciprocal and round. They add in the order of the separable kernel, cells to rows,
// rows to planes, planes to the window, so that both agree to the bit. Sums
// begin at -0, the one number that changes nothing it is added to.
func averages() {
	zero := GLOBL("negativeZero", NOPTR|RODATA)
	DATA(0, U64(1<<63))
	for _, v := range isas {
		averageWide(v, zero)
		averageBand(v)
		averageBand3x3(v)
	}
	averageQuad(zero)
	averageEven(zero)
	averageNarrow(zero)
}

var averaged = parameters + ", nx, ny int, reciprocal float64"

// totals are a block's sums at the three depths.
type totals struct{ window, plane, row []VecVirtual }

func newTotals(v isa, vectors int) totals {
	make := func() (list []VecVirtual) {
		for range vectors {
			list = append(list, v.vector())
		}
		return list
	}
	return totals{make(), make(), make()}
}

// walk holds the registers of the loops over a window.
type walk struct{ tap, end, x, y, offset Register }

func newWalk() walk { return walk{GP64(), GP64(), GP64(), GP64(), GP64()} }

// sum adds up all taps and returns the averages. load converts vector i of the
// tap at an offset to float64. ntaps is a multiple of nx*ny.
func (s totals) sum(v isa, f frame, w walk, zero Mem, label string, load func(offset Register, i int, to VecVirtual)) []VecVirtual {
	begin := func(list []VecVirtual) {
		for _, r := range list {
			VBROADCASTSD(zero, r)
		}
	}
	add := func(from, to []VecVirtual) {
		for i := range from {
			VADDPD(from[i], to[i], to[i])
		}
	}
	MOVQ(f.taps, w.tap)
	LEAQ(Mem{Base: f.taps, Index: f.ntaps, Scale: 8}, w.end)
	begin(s.window)
	Label(label + "Plane")
	begin(s.plane)
	MOVQ(argument("ny"), w.y)
	Label(label + "Row")
	begin(s.row)
	MOVQ(argument("nx"), w.x)
	Label(label + "Cell")
	MOVQ(Mem{Base: w.tap}, w.offset)
	for i := range s.row {
		cell := v.vector()
		load(w.offset, i, cell)
		VADDPD(cell, s.row[i], s.row[i])
	}
	ADDQ(U8(8), w.tap)
	DECQ(w.x)
	JNZ(LabelRef(label + "Cell"))
	add(s.row, s.plane)
	DECQ(w.y)
	JNZ(LabelRef(label + "Row"))
	add(s.plane, s.window)
	CMPQ(w.tap, w.end)
	JNE(LabelRef(label + "Plane"))
	return means(reciprocal(v), s.window)
}

// reciprocal loads the number that sums are multiplied by.
func reciprocal(v isa) VecVirtual {
	r := v.vector()
	VBROADCASTSD(argument("reciprocal"), r)
	return r
}

// means multiplies sums, in place.
func means(by VecVirtual, sums []VecVirtual) []VecVirtual {
	for _, s := range sums {
		VMULPD(by, s, s)
	}
	return sums
}

// rounded returns a vector of float64 as float32.
func rounded(v isa, r VecVirtual) VecVirtual {
	half := v.half()
	if v.wide() {
		VCVTPD2PS(r, half)
	} else {
		VCVTPD2PSY(r, half)
	}
	return half
}

func averageWide(v isa, zero Mem) {
	name, half := "averageWide"+v.name, v.bytes/2
	TEXT(name, NOSPLIT, "func("+averaged+", stream, fetches int)")
	Pragma("noescape")
	Doc(name+" averages windows over cells of n numbers, at least half a vector, in rows of nx taps and planes",
		"of ny rows. With stream != 0 it writes past the caches, for which dst must be aligned to half a vector and n a multiple of it.",
		"What stands at the fetches offsets behind the taps is fetched early.")
	f, w := newFrame(), newWalk()
	at, left, base := GP64(), GP64(), GP64()
	block := func(vectors int, label string) {
		s := newTotals(v, vectors)
		LEAQ(Mem{Base: f.src, Index: at, Scale: 1}, base)
		if vectors > 1 {
			prefetch(f, base, vectors*half, label)
		}
		averages := s.sum(v, f, w, zero, label, func(offset Register, i int, to VecVirtual) {
			VCVTPS2PD(Mem{Base: base, Index: offset, Scale: 1, Disp: i * half}, to)
		})
		var results []VecVirtual
		for _, r := range averages {
			results = append(results, rounded(v, r))
		}
		storeRow(argument("stream"), label, Mem{Base: f.dst, Index: at, Scale: 1}, half, results)
	}
	Label("output")
	XORQ(at, at)
	Label("many")
	MOVQ(f.n, left)
	SUBQ(at, left)
	CMPQ(left, U32(uint32(4*half)))
	JL(LabelRef("one"))
	block(4, "many")
	ADDQ(U32(uint32(4*half)), at)
	JMP(LabelRef("many"))
	Label("one")
	MOVQ(f.n, left)
	SUBQ(at, left)
	JZ(LabelRef("next"))
	CMPQ(left, U32(uint32(half)))
	JGE(LabelRef("whole"))
	LEAQ(Mem{Base: f.n, Disp: -half}, at)
	Label("whole")
	block(1, "one")
	ADDQ(U32(uint32(half)), at)
	JMP(LabelRef("one"))
	Label("next")
	ADDQ(f.n, f.dst)
	ADDQ(f.step, f.src)
	DECQ(f.outputs)
	JNZ(LabelRef("output"))
	VZEROUPPER()
	RET()
}

// averageBand writes the function for several rows of windows at stride 1 along
// the width. The rows that windows share are converted and summed once: for a
// block of columns first the sums of all rows, to a buffer of a few lines, then
// the windows.
func averageBand(v isa) {
	name, half := "averageBand"+v.name, v.bytes/2
	TEXT(name, NOSPLIT, "func(dst, src *float32, taps *int, nx, n, stream, rows, rowStep, outputs, dstStep, ny, step int, reciprocal float64, buffer *float64)")
	Pragma("noescape")
	Doc(name+" averages outputs rows of windows over n numbers, at least half a vector: nx taps of a row, ny rows, which",
		"begin step rows of rows in all apart; rowStep and dstStep are bytes. buffer holds four vectors for each row. With stream != 0 it",
		"writes past the caches, for which dst must be aligned to half a vector and n and dstStep multiples of it.")
	load := func(name string) Register { return Load(Param(name), GP64()) }
	dst, src, taps, nx, n, buffer := load("dst"), load("src"), load("taps"), load("nx"), load("n"), load("buffer")
	SHLQ(U8(2), n)
	by := reciprocal(v)
	at, left, base, to, count, t, offset := GP64(), GP64(), GP64(), GP64(), GP64(), GP64(), GP64()
	block := func(vectors int, label string) {
		var sums []VecVirtual
		for range vectors {
			sums = append(sums, v.vector())
		}
		cell := func(i int) Mem { return Mem{Base: base, Index: offset, Scale: 1, Disp: i * half} }
		LEAQ(Mem{Base: src, Index: at, Scale: 1}, base)
		MOVQ(buffer, to)
		MOVQ(argument("rows"), count)
		Label(label + "Row")
		MOVQ(argument("outputs"), offset)
		IMULQ(argument("step"), offset)
		IMULQ(argument("rowStep"), offset)
		for line := 0; line < vectors*half; line += 64 { // of the next band
			PREFETCHT1(Mem{Base: base, Index: offset, Scale: 1, Disp: line})
		}
		MOVQ(Mem{Base: taps}, offset)
		for i, s := range sums {
			VCVTPS2PD(cell(i), s)
		}
		MOVQ(U32(1), t)
		CMPQ(t, nx)
		JGE(LabelRef(label + "Summed"))
		Label(label + "Cell")
		MOVQ(Mem{Base: taps, Index: t, Scale: 8}, offset)
		for i, s := range sums {
			x := v.vector()
			VCVTPS2PD(cell(i), x)
			VADDPD(x, s, s)
		}
		INCQ(t)
		CMPQ(t, nx)
		JL(LabelRef(label + "Cell"))
		Label(label + "Summed")
		for i, s := range sums {
			VMOVUPD(s, Mem{Base: to, Disp: i * v.bytes})
		}
		ADDQ(U32(uint32(4*v.bytes)), to)
		ADDQ(argument("rowStep"), base)
		DECQ(count)
		JNZ(LabelRef(label + "Row"))

		LEAQ(Mem{Base: dst, Index: at, Scale: 1}, base)
		MOVQ(buffer, to)
		MOVQ(argument("outputs"), count)
		Label(label + "Window")
		for i, s := range sums {
			VMOVUPD(Mem{Base: to, Disp: i * v.bytes}, s)
		}
		MOVQ(to, offset)
		MOVQ(argument("ny"), t)
		JMP(LabelRef(label + "More"))
		Label(label + "Add")
		ADDQ(U32(uint32(4*v.bytes)), offset)
		for i, s := range sums {
			VADDPD(Mem{Base: offset, Disp: i * v.bytes}, s, s)
		}
		Label(label + "More")
		DECQ(t)
		JNZ(LabelRef(label + "Add"))
		var results []VecVirtual
		for _, r := range means(by, sums) {
			results = append(results, rounded(v, r))
		}
		storeRow(argument("stream"), label, Mem{Base: base}, half, results)
		ADDQ(argument("dstStep"), base)
		MOVQ(argument("step"), offset)
		IMUL3Q(U32(uint32(4*v.bytes)), offset, offset)
		ADDQ(offset, to)
		DECQ(count)
		JNZ(LabelRef(label + "Window"))
	}
	XORQ(at, at)
	Label("many")
	MOVQ(n, left)
	SUBQ(at, left)
	CMPQ(left, U32(uint32(4*half)))
	JL(LabelRef("one"))
	block(4, "many")
	ADDQ(U32(uint32(4*half)), at)
	JMP(LabelRef("many"))
	Label("one")
	MOVQ(n, left)
	SUBQ(at, left)
	JZ(LabelRef("done"))
	CMPQ(left, U32(uint32(half)))
	JGE(LabelRef("whole"))
	LEAQ(Mem{Base: n, Disp: -half}, at)
	Label("whole")
	block(1, "one")
	ADDQ(U32(uint32(half)), at)
	JMP(LabelRef("one"))
	Label("done")
	VZEROUPPER()
	RET()
}

func averageQuad(zero Mem) {
	v, name := avx2, "averageQuadAVX2"
	TEXT(name, NOSPLIT, "func("+averaged+", fetches int)")
	Pragma("noescape")
	Doc(name+" averages windows over cells of n <= 4 numbers; outputs is a multiple of 4. Reads and writes up to 16",
		"bytes from the beginning of a cell.")
	f, w := newFrame(), newWalk()
	three, base := GP64(), GP64()
	LEAQ(Mem{Base: f.step, Index: f.step, Scale: 2}, three)
	Label("output")
	prefetch(f, f.src, quadBytes, "output")
	s := newTotals(v, 4)
	averages := s.sum(v, f, w, zero, "output", func(offset Register, i int, to VecVirtual) {
		switch i {
		case 0:
			LEAQ(Mem{Base: f.src, Index: offset, Scale: 1}, base)
			VCVTPS2PD(Mem{Base: base}, to)
		case 3:
			VCVTPS2PD(Mem{Base: base, Index: three, Scale: 1}, to)
		default:
			VCVTPS2PD(Mem{Base: base, Index: f.step, Scale: uint8(i)}, to)
		}
	})
	for _, r := range averages {
		VMOVUPS(rounded(v, r), Mem{Base: f.dst})
		ADDQ(f.n, f.dst)
	}
	LEAQ(Mem{Base: f.src, Index: f.step, Scale: 4}, f.src)
	SUBQ(U32(4), f.outputs)
	JNZ(LabelRef("output"))
	VZEROUPPER()
	RET()
}

func averageEven(zero Mem) {
	v, name := avx2, "averageEvenAVX2"
	TEXT(name, NOSPLIT, "func("+evenParameters+", nx, ny int, reciprocal float64, fetches int)")
	Pragma("noescape")
	Doc(name+" averages windows over single numbers at stride 2, at least 4 of them, in rows of nx taps and planes of",
		"ny rows. What stands at the fetches offsets behind the taps is fetched early.")
	f, w := newEvenFrame(), newWalk()
	f.blocks(16, 4, func(outputs int, label string) {
		if outputs > 4 {
			prefetch(f.frame, f.src, 8*outputs, label)
		}
		averages := newTotals(v, outputs/4).sum(v, f.frame, w, zero, label, func(offset Register, i int, to VecVirtual) {
			m := Mem{Base: f.src, Index: offset, Scale: 1, Disp: 32 * i}
			VMOVUPS(m, to.AsX())
			VSHUFPS(U8(evens), m.Offset(12), to.AsX(), to.AsX())
			VCVTPS2PD(to.AsX(), to)
		})
		for i, r := range averages {
			VMOVUPS(rounded(v, r), Mem{Base: f.dst, Disp: 16 * i})
		}
	})
}

func averageNarrow(zero Mem) {
	v, name := avx2, "averageNarrowAVX2"
	TEXT(name, NOSPLIT, "func("+averaged+", mask *int32)")
	Pragma("noescape")
	Doc(name + " averages windows over cells of n <= 8 numbers; mask has as many lanes set.")
	f, w := newFrame(), newWalk()
	pointer, masks := Load(Param("mask"), GP64()), []VecVirtual{XMM(), XMM()}
	for i, mask := range masks {
		VMOVUPS(Mem{Base: pointer, Disp: 16 * i}, mask)
	}
	Label("output")
	s := newTotals(v, 2)
	averages := s.sum(v, f, w, zero, "output", func(offset Register, i int, to VecVirtual) {
		cell := XMM()
		VMASKMOVPS(Mem{Base: f.src, Index: offset, Scale: 1, Disp: 16 * i}, masks[i], cell)
		VCVTPS2PD(cell, to)
	})
	for i, r := range averages {
		VMASKMOVPS(rounded(v, r), masks[i], Mem{Base: f.dst, Disp: 16 * i})
	}
	ADDQ(f.n, f.dst)
	ADDQ(f.step, f.src)
	DECQ(f.outputs)
	JNZ(LabelRef("output"))
	VZEROUPPER()
	RET()
}

package main

import (
	"fmt"

	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	. "github.com/mmcloughlin/avo/reg"
)

// band is a function for several rows of 3x3 windows at stride 1. It goes down
// the rows, a block of columns at a time, and keeps what the cells of the last two
// rows come to in registers: each row of cells is reduced once for the three
// windows that see it.
//
// The results of a block, a cache line wide, wait in a buffer. Were they stored
// at once, the next row would be loaded from addresses whose last twelve bits are
// those of the store whenever rows are a multiple of 4 KiB long; such loads wait
// for the store, and for one past the caches they wait long. So does the next
// block's first tap for what was stored last, unless a cell is two lines or more;
// with a delay results wait for some blocks longer.
type band struct {
	isa   isa
	bytes int // of a row for a register of what it comes to
	row   func(h []VecVirtual, cell func(tap, i int) Mem)
	rows  func(h0, h1, h2 []VecVirtual) (results []VecVirtual, bytes int)
}

const (
	lineBytes     = 64
	waitingBlocks = 4 // blocks that may wait
	waitingRows   = 3 // rows of a block, at most
)

// generate writes the loops. vectors are the registers of a step; a block is as
// many steps as fill a line.
func (b band) generate(vectors int) {
	load := func(name string) Register { return Load(Param(name), GP64()) }
	dst, src, second, third, n := load("dst"), load("src"), load("second"), load("third"), load("n")
	rowStep, buffer := load("rowStep"), load("buffer")
	SHLQ(U8(2), n)
	at, base, to, count, ahead := GP64(), GP64(), GP64(), GP64(), GP64()
	MOVQ(argument("outputs"), ahead)
	IMULQ(rowStep, ahead)
	// waiting returns in to where the results of a block wait.
	waiting := func(column Register) {
		MOVQ(column, to)
		ANDQ(U32((waitingBlocks-1)*lineBytes), to)
		LEAQ(Mem{Base: to, Index: to, Scale: waitingRows - 1}, to)
		ADDQ(buffer, to)
	}
	block := func(vectors, steps int, label string) {
		for step := range steps {
			label, first := fmt.Sprint(label, step), step*vectors*b.bytes
			var h [3][]VecVirtual
			for i := range h {
				for range vectors {
					h[i] = append(h[i], b.isa.vector())
				}
			}
			cell := func(tap, i int) Mem {
				m := Mem{Base: base, Disp: i * b.bytes}
				if tap > 0 {
					m.Index, m.Scale = []Register{second, third}[tap-1], 1
				}
				return m
			}
			row := func(h []VecVirtual) {
				if step == 0 {
					PREFETCHT1(Mem{Base: base, Index: ahead, Scale: 1}) // of the next band
				}
				b.row(h, cell)
				ADDQ(rowStep, base)
			}
			LEAQ(Mem{Base: src, Index: at, Scale: 1, Disp: first}, base)
			waiting(at)
			MOVQ(argument("outputs"), count)
			row(h[0])
			row(h[1])
			Label(label + "Window")
			row(h[2])
			results, bytes := b.rows(h[0], h[1], h[2])
			for i, r := range results {
				VMOVUPS(r, Mem{Base: to, Disp: first + i*bytes})
			}
			for i := range vectors {
				VMOVAPS(h[1][i], h[0][i])
				VMOVAPS(h[2][i], h[1][i])
			}
			ADDQ(U32(lineBytes), to)
			DECQ(count)
			JNZ(LabelRef(label + "Window"))
		}
	}
	// flush stores a block of results that wait, from a column on.
	flush := func(column Register, bytes int, label string) {
		waiting(column)
		LEAQ(Mem{Base: dst, Index: column, Scale: 1}, base)
		MOVQ(argument("outputs"), count)
		Label(label + "Row")
		var results []VecVirtual
		size := min(max(32, b.bytes), bytes) // as they were stored
		for i := 0; i*size < bytes; i++ {
			results = append(results, map[int]func() VecVirtual{16: XMM, 32: YMM, 64: ZMM}[size]())
			VMOVUPS(Mem{Base: to, Disp: i * size}, results[i])
		}
		storeRow(argument("stream"), label, Mem{Base: base}, size, results)
		ADDQ(argument("dstStep"), base)
		ADDQ(U32(lineBytes), to)
		DECQ(count)
		JNZ(LabelRef(label + "Row"))
	}
	XORQ(at, at)
	left := GP64()
	Label("many")
	MOVQ(n, left)
	SUBQ(at, left)
	CMPQ(left, U32(lineBytes))
	JL(LabelRef("one"))
	block(vectors, lineBytes/vectors/b.bytes, "many")
	MOVQ(at, left)
	SUBQ(argument("delay"), left)
	JL(LabelRef("wait"))
	flush(left, lineBytes, "many")
	Label("wait")
	ADDQ(U32(lineBytes), at)
	JMP(LabelRef("many"))

	Label("one") // what still waits
	MOVQ(at, left)
	SUBQ(argument("delay"), left)
	JGE(LabelRef("rest"))
	XORQ(left, left)
	Label("rest")
	CMPQ(left, at)
	JGE(LabelRef("tail"))
	flush(left, lineBytes, "rest")
	ADDQ(U32(lineBytes), left)
	JMP(LabelRef("rest"))

	Label("tail")
	MOVQ(n, left)
	SUBQ(at, left)
	JZ(LabelRef("done"))
	CMPQ(left, U32(uint32(b.bytes)))
	JGE(LabelRef("whole"))
	LEAQ(Mem{Base: n, Disp: -b.bytes}, at)
	Label("whole")
	block(1, 1, "tail")
	flush(at, b.bytes, "tail")
	ADDQ(U32(uint32(b.bytes)), at)
	JMP(LabelRef("tail"))
	Label("done")
}

const bandParameters = "dst, src *float32, second, third, n, stream, rowStep, outputs, dstStep int, buffer *float64, delay int"

func bandDoc(name, does string, bytes string) {
	Pragma("noescape")
	Doc(name+" "+does+" outputs rows of 3x3 windows over n numbers, at least "+bytes+": the cells of",
		"a row stand second and third bytes from its first one, rows rowStep and dstStep bytes apart. buffer has four cache",
		"lines for each of up to three rows, delay is up to three lines that results wait. With stream != 0 it writes past the caches, for which dst must be aligned to "+bytes+" and n and dstStep multiples of it.")
}

// averageBand3x3 writes the averages of float32, summed in float64.
func averageBand3x3(v isa) {
	name := "averageBand3x3" + v.name
	TEXT(name, NOSPLIT, "func("+bandParameters+", reciprocal float64)")
	bandDoc(name, "averages", map[bool]string{false: "four", true: "eight"}[v.wide()])
	by := reciprocal(v)
	b := band{
		isa:   v,
		bytes: v.bytes / 2,
		row: func(h []VecVirtual, cell func(tap, i int) Mem) {
			for i := range h {
				VCVTPS2PD(cell(0, i), h[i])
			}
			for tap := 1; tap < 3; tap++ {
				for i := range h {
					x := v.vector()
					VCVTPS2PD(cell(tap, i), x)
					VADDPD(x, h[i], h[i])
				}
			}
		},
		rows: func(h0, h1, h2 []VecVirtual) (results []VecVirtual, bytes int) {
			for _, h := range [][]VecVirtual{h1, h2} {
				for i := range h0 {
					VADDPD(h[i], h0[i], h0[i])
				}
			}
			for _, r := range means(by, h0) {
				results = append(results, rounded(v, r))
			}
			if len(results) == 2 && !v.wide() { // so that they are read as they were stored
				whole := YMM()
				VINSERTF128(Imm(1), results[1], results[0].AsY(), whole)
				return []VecVirtual{whole}, v.bytes
			}
			return results, v.bytes / 2
		},
	}
	b.generate(2)
	VZEROUPPER()
	RET()
}

// band3x3 writes the maxima or minima, and whether there was a NaN, which they
// pass over.
func (r reduction) band3x3(v isa) {
	name := map[bool]string{false: "bandMax3x3", true: "bandMin3x3"}[r.minimum] + v.name
	TEXT(name, NOSPLIT, "func("+bandParameters+") (nan int)")
	bandDoc(name, "reduces", "a vector")
	nan := v.mask()
	r.clear(v, nan)
	b := band{
		isa:   v,
		bytes: v.bytes,
		row: func(h []VecVirtual, cell func(tap, i int) Mem) {
			for tap := range 3 {
				cells := make([]VecVirtual, len(h))
				for i := range h {
					if cells[i] = h[i]; tap > 0 {
						cells[i] = v.vector()
					}
					VMOVUPS(cell(tap, i), cells[i])
				}
				r.gather(v, nan, cells[0], cells[len(h)-1])
				for i := range h {
					if tap > 0 {
						r.strict(h[i], cells[i], h[i])
					}
				}
			}
		},
		rows: func(h0, h1, h2 []VecVirtual) (results []VecVirtual, bytes int) {
			for _, h := range [][]VecVirtual{h1, h2} {
				for i := range h0 {
					r.strict(h0[i], h[i], h0[i])
				}
			}
			return h0, v.bytes
		},
	}
	b.generate(lineBytes / v.bytes)
	found := GP64()
	if v.wide() {
		KMOVW(nan, found.As32())
	} else {
		VMOVMSKPS(nan, found.As32())
	}
	Store(found, ReturnIndex(0))
	VZEROUPPER()
	RET()
}

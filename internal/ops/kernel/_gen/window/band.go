package window

import (
	"fmt"

	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	. "github.com/mmcloughlin/avo/reg"
	"github.com/poolctl/poolctl/internal/ops/kernel/_gen/vec"
)

// Band is a function for several rows of 3x3 windows at stride 1. It goes down the
// rows, a block of columns at a time, and keeps what the cells of the last two rows
// come to in registers: each row of cells is reduced once for the three windows
// that see it.
//
// The results of a block, a cache line wide, wait in a buffer. Were they stored at
// once, the next row would be loaded from addresses whose last twelve bits are
// those of the store whenever rows are a multiple of 4 KiB long; such loads wait
// for the store, and for one past the caches they wait long. So does the next
// block's first tap for what was stored last, unless a cell is two lines or more;
// with a delay results wait for some blocks longer.
type Band struct {
	ISA   vec.ISA
	Bytes int // of a row for a register of what it comes to
	Row   func(h []VecVirtual, cell func(tap, i int) Mem)
	Rows  func(h0, h1, h2 []VecVirtual) (results []VecVirtual, bytes int)
}

const (
	waitingBlocks = 4 // blocks that may wait
	waitingRows   = 3 // rows of a block, at most
)

// band holds the registers of a Band.
type band struct {
	Band
	dst, src, second, third, n, rowStep, buffer Register
	at, base, to, count, ahead                  Register
}

// Generate writes the loops. vectors are the registers of a step; a block is as
// many steps as fill a line.
func (g Band) Generate(vectors int) {
	p := vec.Params("dst", "src", "second", "third", "n", "rowStep", "buffer")
	b := band{Band: g, dst: p[0], src: p[1], second: p[2], third: p[3], n: p[4], rowStep: p[5], buffer: p[6]}
	vec.Note("% counts bytes from here on.", b.n)
	SHLQ(U8(2), b.n)
	b.at, b.base, b.to, b.count, b.ahead = GP64(), GP64(), GP64(), GP64(), GP64()
	vec.Note("% is from a band to the next one, in bytes.", b.ahead)
	MOVQ(vec.Slot("outputs"), b.ahead)
	IMULQ(b.rowStep, b.ahead)
	XORQ(b.at, b.at)
	left := GP64()
	vec.Label("many", "A line of columns at a time; % of % bytes are done.", b.at, b.n)
	MOVQ(b.n, left)
	SUBQ(b.at, left)
	CMPQ(left, U32(vec.LineBytes))
	JL(LabelRef("one"))
	b.block(vectors, vec.LineBytes/vectors/b.Bytes, "many")
	MOVQ(b.at, left)
	SUBQ(vec.Slot("delay"), left)
	JL(LabelRef("wait"))
	b.flush(left, vec.LineBytes, "many")
	vec.Label("wait", "What was stored has waited long enough.")
	ADDQ(U32(vec.LineBytes), b.at)
	JMP(LabelRef("many"))

	vec.Label("one", "No whole line is left. % is the first one that still waits.", left)
	MOVQ(b.at, left)
	SUBQ(vec.Slot("delay"), left)
	JGE(LabelRef("rest"))
	XORQ(left, left)
	vec.Label("rest", "Lines that still wait, from % on.", left)
	CMPQ(left, b.at)
	JGE(LabelRef("tail"))
	b.flush(left, vec.LineBytes, "rest")
	ADDQ(U32(vec.LineBytes), left)
	JMP(LabelRef("rest"))

	vec.Label("tail", "One vector at a time; % of % bytes are done.", b.at, b.n)
	MOVQ(b.n, left)
	SUBQ(b.at, left)
	JZ(LabelRef("done"))
	CMPQ(left, U32(uint32(b.Bytes)))
	JGE(LabelRef("whole"))
	LEAQ(Mem{Base: b.n, Disp: -b.Bytes}, b.at)
	vec.Label("whole", "A whole vector. Where less was left, it overlaps the one before it.")
	b.block(1, 1, "tail")
	b.flush(b.at, b.Bytes, "tail")
	ADDQ(U32(uint32(b.Bytes)), b.at)
	JMP(LabelRef("tail"))
	vec.Label("done", "The band is done.")
}

// waiting returns in b.to where the results of a block wait.
func (b *band) waiting(column Register) {
	vec.Note("% is where the results of the columns at % wait.", b.to, column)
	MOVQ(column, b.to)
	ANDQ(U32((waitingBlocks-1)*vec.LineBytes), b.to)
	LEAQ(Mem{Base: b.to, Index: b.to, Scale: waitingRows - 1}, b.to)
	ADDQ(b.buffer, b.to)
}

// block computes a block of columns, steps times so many vectors.
func (b *band) block(vectors, steps int, label string) {
	for step := range steps {
		label, first := fmt.Sprint(label, step), step*vectors*b.Bytes
		var h [3][]VecVirtual
		for i := range h {
			h[i] = b.ISA.Vectors(vectors)
		}
		vec.Note("What the cells of three rows come to: %; %; %. % walks down the rows.", h[0], h[1], h[2], b.base)
		cell := func(tap, i int) Mem {
			m := Mem{Base: b.base, Disp: i * b.Bytes}
			if tap > 0 {
				m.Index, m.Scale = []Register{b.second, b.third}[tap-1], 1
			}
			return m
		}
		row := func(h []VecVirtual) {
			if step == 0 {
				PREFETCHT1(Mem{Base: b.base, Index: b.ahead, Scale: 1}) // of the next band
			}
			b.Row(h, cell)
			ADDQ(b.rowStep, b.base)
		}
		LEAQ(Mem{Base: b.src, Index: b.at, Scale: 1, Disp: first}, b.base)
		b.waiting(b.at)
		MOVQ(vec.Slot("outputs"), b.count)
		row(h[0])
		row(h[1])
		vec.Label(label+"Window", "% rows of windows are left: one more row of cells completes the next.", b.count)
		row(h[2])
		results, bytes := b.Rows(h[0], h[1], h[2])
		for i, r := range results {
			VMOVUPS(r, Mem{Base: b.to, Disp: first + i*bytes})
		}
		vec.Note("The second row becomes the first, and the third the second.")
		for i := range vectors {
			VMOVAPS(h[1][i], h[0][i])
			VMOVAPS(h[2][i], h[1][i])
		}
		ADDQ(U32(vec.LineBytes), b.to)
		DECQ(b.count)
		JNZ(LabelRef(label + "Window"))
	}
}

// flush stores a block of results that wait, from a column on.
func (b *band) flush(column Register, bytes int, label string) {
	b.waiting(column)
	LEAQ(Mem{Base: b.dst, Index: column, Scale: 1}, b.base)
	MOVQ(vec.Slot("outputs"), b.count)
	vec.Label(label+"Row", "The results at % go to %; % rows are left.", b.to, b.base, b.count)
	var results []VecVirtual
	size := min(max(32, b.Bytes), bytes) // as they were stored
	for i := 0; i*size < bytes; i++ {
		results = append(results, map[int]func() VecVirtual{16: XMM, 32: YMM, 64: ZMM}[size]())
		VMOVUPS(Mem{Base: b.to, Disp: i * size}, results[i])
	}
	vec.Store(vec.Slot("stream"), label, Mem{Base: b.base}, size, results)
	ADDQ(vec.Slot("dstStep"), b.base)
	ADDQ(U32(vec.LineBytes), b.to)
	DECQ(b.count)
	JNZ(LabelRef(label + "Row"))
}

// BandParameters are those of functions for bands.
const BandParameters = "dst, src *float32, second, third, n, stream, rowStep, outputs, dstStep int, buffer *float64, delay int"

// BandRules say what functions for bands demand; a register holds lanes results.
func BandRules(lanes int) []string {
	aligned := max(32, 4*lanes)
	return []string{
		fmt.Sprintf("n counts numbers and is at least %d. second and third are the distances in bytes of the second and third cell of a row of a window from the first, rowStep and dstStep those from one row to the next.", lanes),
		"buffer has four cache lines for each of three rows, so outputs is 1 to 3. delay is how many bytes of a row of results wait in it before they are stored: a multiple of 64, at most 192.",
		fmt.Sprintf("With stream != 0 it writes past the caches: dst and dstStep must then be multiples of %d bytes and n of %d, and the caller needs a fence.", aligned, lanes),
	}
}

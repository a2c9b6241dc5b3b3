package main

import (
	"fmt"

	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
	"github.com/poolctl/poolctl/internal/ops/kernel/_gen/vec"
)

// outer writes the function of the filter's gradient: sums of outer products of
// a few channels with a row of packed columns.
func (s shape) outer() {
	vec.Func{
		Name:      s.name("outer"),
		Signature: fmt.Sprintf("func(sums, channels *%s, step int, columns *%[1]s, n, lines, gap int)", s.float.Go),
		Does:      fmt.Sprintf("adds up the products of %d channels with %d columns over lines of n windows (type outerTile).", s.pixels, s.channels()),
		Loop: fmt.Sprintf(`
for p := range %[1]d {
	for q := range %[2]d {
		sum := %[4]s(0)
		for l := range lines {
			for i := range n {
				sum = fma(columns[l*(%[2]d*n+gap/%[3]d)+%[2]d*i+q], channels[(l*n+i)*step/%[3]d+p], sum)
			}
		}
		sums[%[2]d*p+q] += sum
	}
}`, s.pixels, s.channels(), s.float.Bytes, s.float.Go),
		Rules: []string{"step, from the channels of a window to those of the next, and gap, from the columns of a line to those of the next, are bytes. n and lines are at least 1.", s.chainRule()},
	}.Begin()
	p := vec.Params("channels", "step", "columns")
	a, step, b, n := p[0], p[1], p[2], GP64()
	q := vec.Params("lines", "gap", "sums")
	lines, gap, to := q[0], q[1], q[2]
	vec.Note("The sums are not in L1, but for a tile's.")
	vec.Prefetch(PREFETCHT0, Mem{Base: to}, s.pixels*s.bytes())
	s.clear()
	product := func(k int) {
		free := s.chains * s.pixels * s.width
		var w []reg.VecPhysical
		for v := range s.width {
			w = append(w, s.physical(free+v))
		}
		vec.Note("Window %d: columns in %.", k, w)
		for v := range w {
			s.float.Load(Mem{Base: b, Disp: (k*s.width + v) * s.isa.Bytes}, w[v])
		}
		first := free + s.width
		for p := range s.pixels {
			r := s.physical(first + p%min(4, s.registers-first))
			cell := Mem{Base: a, Disp: p * s.float.Bytes}
			if k > 0 {
				cell.Index, cell.Scale = step, uint8(k)
			}
			s.float.Broadcast(cell, r)
			for v := range s.width {
				s.float.FMA(w[v], r, s.sum(k%s.chains, p, v))
			}
		}
	}
	vec.Label("line", "A line of windows, their channels at % and columns at %; % lines are left.", a, b, lines)
	Load(Param("n"), n)
	SUBQ(Imm(2), n)
	JLT(LabelRef("last"))
	vec.Label("pair", "Two windows; % are left behind them.", n)
	product(0)
	product(1)
	ADDQ(U32(uint32(2*s.bytes())), b)
	LEAQ(Mem{Base: a, Index: step, Scale: 2}, a)
	SUBQ(Imm(2), n)
	JGE(LabelRef("pair"))
	vec.Label("last", "One window, where their number is odd.")
	ADDQ(Imm(2), n)
	JE(LabelRef("next"))
	product(0)
	ADDQ(U32(uint32(s.bytes())), b)
	ADDQ(step, a)
	vec.Label("next", "The line is done.")
	ADDQ(gap, b)
	DECQ(lines)
	JNE(LabelRef("line"))
	vec.Note("The sums are added to those at %.", to)
	for p := range s.pixels {
		for v := range s.width {
			if s.chains == 2 {
				s.float.Add(s.sum(1, p, v), s.sum(0, p, v), s.sum(0, p, v))
			}
			m := Mem{Base: to, Disp: p*s.bytes() + v*s.isa.Bytes}
			s.float.Add(m, s.sum(0, p, v), s.sum(0, p, v))
			s.float.Load(s.sum(0, p, v), m)
		}
	}
	vec.Return()
}

func (s shape) chainRule() string {
	if s.chains == 1 {
		return ""
	}
	return "The first and second window of pairs are added up apart, and their sums at the end."
}

// accumulate writes the function that adds sums to those kept in float64.
func accumulate(f vec.Float) {
	vec.Func{
		Name:      "accumulateAVX2" + f.Suffix,
		Signature: fmt.Sprintf("func(totals *float64, sums *%s, n int)", f.Go),
		Does:      "adds sums to those kept in float64.",
		Loop:      "for i := range n {\n\ttotals[i] += float64(sums[i])\n}",
		Rules:     []string{"n counts numbers and is a multiple of 4, and at least that."},
	}.Begin()
	p := vec.Params("totals", "sums", "n")
	to, from, n := p[0], p[1], p[2]
	x := YMM()
	vec.Label("vector", "Four sums, %, are added to those at %; % are left.", x, to, n)
	if f.Double() {
		VMOVUPD(Mem{Base: from}, x)
	} else {
		VCVTPS2PD(Mem{Base: from}, x)
	}
	VADDPD(Mem{Base: to}, x, x)
	VMOVUPD(x, Mem{Base: to})
	ADDQ(Imm(uint64(4*f.Bytes)), from)
	ADDQ(Imm(32), to)
	SUBQ(Imm(4), n)
	JNZ(LabelRef("vector"))
	vec.Return()
}

// copyRows writes a function that copies rows of width to 2*width bytes, by two
// vectors that may overlap.
func copyRows(width int) {
	vec.Func{
		Name:      fmt.Sprintf("copyRows%d", width),
		Signature: "func(to, from *byte, rows, toStep, fromStep, last int)",
		Does:      "copies rows, and fetches those to come.",
		Loop:      fmt.Sprintf("for i := range rows {\n\tcopy(to[i*toStep:][:last+%d], from[i*fromStep:])\n}", width),
		Rules:     []string{fmt.Sprintf("toStep and fromStep are bytes from one row to the next. last is where the last %[1]d bytes of a row begin, 0 to %[1]d. rows is at least 1.", width)},
	}.Begin()
	p := vec.Params("to", "from", "rows", "toStep", "fromStep", "last")
	to, from, rows, toStep, fromStep, last := p[0], p[1], p[2], p[3], p[4], p[5]
	ahead := GP64()
	vec.Note("% is what is fetched, %d rows ahead.", ahead, 24)
	LEAQ(Mem{Base: fromStep, Index: fromStep, Scale: 2}, ahead)
	LEAQ(Mem{Base: from, Index: ahead, Scale: 8}, ahead)
	vectors := func() (list []reg.VecVirtual) {
		for range max(1, width/32) {
			if width == 16 {
				list = append(list, XMM())
			} else {
				list = append(list, YMM())
			}
		}
		return list
	}
	first, second := vectors(), vectors()
	vec.Label("row", "A row from % to % by way of % and %, which may overlap; % rows are left.", from, to, first, second, rows)
	PREFETCHT0(Mem{Base: ahead})
	if width >= 64 {
		PREFETCHT0(Mem{Base: ahead, Index: last, Scale: 1})
	}
	for i, v := range first {
		VMOVUPS(Mem{Base: from, Disp: 32 * i}, v)
	}
	for i, v := range second {
		VMOVUPS(Mem{Base: from, Index: last, Scale: 1, Disp: 32 * i}, v)
	}
	for i, v := range first {
		VMOVUPS(v, Mem{Base: to, Disp: 32 * i})
	}
	for i, v := range second {
		VMOVUPS(v, Mem{Base: to, Index: last, Scale: 1, Disp: 32 * i})
	}
	ADDQ(fromStep, from)
	ADDQ(fromStep, ahead)
	ADDQ(toStep, to)
	DECQ(rows)
	JNE(LabelRef("row"))
	vec.Return()
}

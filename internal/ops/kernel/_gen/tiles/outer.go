package main

import (
	"fmt"

	"github.com/mmcloughlin/avo/attr"
	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// outer writes the function of the filter's gradient: sums of outer products of
// a few channels with a row of packed columns.
func (s shape) outer() {
	name := fmt.Sprintf("outer%dx%d%s", s.pixels, s.channels(), s.isa)
	if s.float.bytes == 8 {
		name += "Double"
	}
	TEXT(name, attr.NOSPLIT, fmt.Sprintf("func(sums, channels *%s, step int, columns *%[1]s, n, lines, gap int)", s.float.name))
	Pragma("noescape")
	Doc(fmt.Sprintf("%s adds up the products of %d channels with %d columns, over lines of n windows: see outer.", name, s.pixels, s.channels()))
	a, step, b, n := Load(Param("channels"), GP64()), Load(Param("step"), GP64()), Load(Param("columns"), GP64()), GP64()
	lines, gap := Load(Param("lines"), GP64()), Load(Param("gap"), GP64())
	to := Load(Param("sums"), GP64())
	for line := 0; line < s.pixels*s.width*s.vector; line += 64 { // not in L1, but for a tile's
		PREFETCHT0(Mem{Base: to, Disp: line})
	}
	for c := range s.chains {
		for p := range s.pixels {
			for v := range s.width {
				s.zero(s.sum(c, p, v))
			}
		}
	}
	product := func(k int) {
		free := s.chains * s.pixels * s.width
		var w []reg.VecPhysical
		for v := range s.width {
			w = append(w, s.physical(free+v))
			s.float.load(Mem{Base: b, Disp: (k*s.width + v) * s.vector}, w[v])
		}
		first := free + s.width
		for p := range s.pixels {
			r := s.physical(first + p%min(4, s.registers-first))
			cell := Mem{Base: a, Disp: p * s.float.bytes}
			if k > 0 {
				cell.Index, cell.Scale = step, uint8(k)
			}
			s.float.broadcast(cell, r)
			for v := range s.width {
				s.float.fma(w[v], r, s.sum(k%s.chains, p, v))
			}
		}
	}
	Label("line")
	Load(Param("n"), n)
	SUBQ(Imm(2), n)
	JLT(LabelRef("last"))
	Label("pair")
	product(0)
	product(1)
	ADDQ(U32(uint32(2*s.width*s.vector)), b)
	LEAQ(Mem{Base: a, Index: step, Scale: 2}, a)
	SUBQ(Imm(2), n)
	JGE(LabelRef("pair"))
	Label("last")
	ADDQ(Imm(2), n)
	JE(LabelRef("next"))
	product(0)
	ADDQ(U32(uint32(s.width*s.vector)), b)
	ADDQ(step, a)
	Label("next")
	ADDQ(gap, b)
	DECQ(lines)
	JNE(LabelRef("line"))
	for p := range s.pixels {
		for v := range s.width {
			if s.chains == 2 {
				s.float.add(s.sum(1, p, v), s.sum(0, p, v), s.sum(0, p, v))
			}
			s.float.add(Mem{Base: to, Disp: (p*s.width + v) * s.vector}, s.sum(0, p, v), s.sum(0, p, v))
			s.float.load(s.sum(0, p, v), Mem{Base: to, Disp: (p*s.width + v) * s.vector})
		}
	}
	VZEROUPPER()
	RET()
}

// accumulate writes the function that adds sums to those kept in float64.
func (s shape) accumulate() {
	name := "accumulate" + s.isa
	if s.float.bytes == 8 {
		name += "Double"
	}
	TEXT(name, attr.NOSPLIT, fmt.Sprintf("func(totals *float64, sums *%s, n int)", s.float.name))
	Pragma("noescape")
	Doc(name + " computes totals[i] += sums[i] for n > 0 numbers, a multiple of 4.")
	to, from, n := Load(Param("totals"), GP64()), Load(Param("sums"), GP64()), Load(Param("n"), GP64())
	Label("vector")
	x := YMM()
	if s.float.bytes == 8 {
		VMOVUPD(Mem{Base: from}, x)
	} else {
		VCVTPS2PD(Mem{Base: from}, x)
	}
	VADDPD(Mem{Base: to}, x, x)
	VMOVUPD(x, Mem{Base: to})
	ADDQ(Imm(uint64(4*s.float.bytes)), from)
	ADDQ(Imm(32), to)
	SUBQ(Imm(4), n)
	JNZ(LabelRef("vector"))
	VZEROUPPER()
	RET()
}

// zero clears a vector register.
func (s shape) zero(r reg.VecPhysical) {
	if s.vector == 64 {
		VPXORD(r, r, r)
		return
	}
	VPXOR(r, r, r)
}

// copyRows writes a function that copies rows of width to 2*width bytes, by two
// vectors that may overlap.
func copyRows(width int) {
	TEXT(fmt.Sprintf("copyRows%d", width), attr.NOSPLIT, "func(to, from *byte, rows, toStep, fromStep, last int)")
	Pragma("noescape")
	Doc(fmt.Sprintf("copyRows%d copies rows > 0 rows, of which last is where the last %d bytes begin. The steps are bytes from one row to the next.", width, width))
	to, from, rows := Load(Param("to"), GP64()), Load(Param("from"), GP64()), Load(Param("rows"), GP64())
	toStep, fromStep, last := Load(Param("toStep"), GP64()), Load(Param("fromStep"), GP64()), Load(Param("last"), GP64())
	ahead := GP64()
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
	Label("row")
	PREFETCHT0(Mem{Base: ahead})
	if width >= 64 {
		PREFETCHT0(Mem{Base: ahead, Index: last, Scale: 1})
	}
	first, second := vectors(), vectors()
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
	VZEROUPPER()
	RET()
}

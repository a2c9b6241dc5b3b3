package main

import (
	"fmt"

	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
	"github.com/poolctl/poolctl/internal/ops/kernel/_gen/vec"
)

// rowUnroll is how many steps of a run are one pass of the loop: pictures have
// three channels.
const rowUnroll = 3

// row writes the function that walks along a row of destinations. Three of them
// share a register: they lie 0, 1 and 2 steps from it.
func (s shape) row() {
	streams := s.bytes() >= vec.LineBytes
	streamRule := "stream is not read: no cache line would be filled."
	if streams {
		streamRule = fmt.Sprintf("With stream != 0 it writes past the caches, with a fence at the end: dst and dstStep must then be multiples of %d bytes.", s.isa.Bytes)
	}
	vec.Func{
		Name:      s.name("row"),
		Signature: fmt.Sprintf("func(src, dst *%[1]s, n, srcStep, dstStep int, segments *int, count, passes, rest int, weights, bias *%[1]s, stream int)", s.float.Go),
		Does:      fmt.Sprintf("convolves a row of destinations to %d channels, %d destinations at a time (type convolveRow).", s.channels(), s.pixels),
		Loop: fmt.Sprintf(`
run := %[5]d*passes + rest
for i := range n {
	for c := range %[2]d {
		sum := %[4]s(0)
		for s := range count {
			for k := range run {
				sum = fma(src[(i*srcStep+segments[2*s])/%[3]d+k], weights[(s*run+k)*%[2]d+c], sum)
			}
		}
		dst[i*dstStep/%[3]d+c] = sum + bias[c]
	}
}`, s.pixels, s.channels(), s.float.Bytes, s.float.Go, rowUnroll),
		Rules: append(s.rules(fmt.Sprintf("n is at least %d; the last tile overlaps the one before it. srcStep, dstStep and the segments' offsets from a destination's first cell are bytes; the other number of a segment is not read. count, passes and rest may be 0.", s.pixels)), streamRule),
	}.Begin()
	p := vec.Params("src", "dst", "srcStep")
	src, dst, step := p[0], p[1], p[2]
	weights, segment, left, pass, out := GP64(), GP64(), GP64(), GP64(), GP64()
	var base []reg.GPVirtual
	for range s.pixels / 3 {
		base = append(base, GP64())
	}
	var pixel []Mem
	for p := range s.pixels {
		m := Mem{Base: base[p/3]}
		if p%3 > 0 {
			m.Index, m.Scale = step, uint8(p%3)
		}
		pixel = append(pixel, m)
	}
	advance := func(steps int) {
		ADDQ(I32(int32(steps*s.bytes())), weights)
		for _, b := range base {
			ADDQ(Imm(uint64(steps*s.float.Bytes)), b)
		}
	}

	vec.Label("tile", "%d destinations from %, their first cell at %.", s.pixels, dst, src)
	s.clear()
	Load(Param("weights"), weights)
	Load(Param("segments"), segment)
	Load(Param("count"), left)
	TESTQ(left, left)
	JE(LabelRef("store"))

	vec.Label("segment", "The segment at %: its numbers at %, each for three destinations, its weights at %; % are left.", segment, base, weights, left)
	MOVQ(Mem{Base: segment}, base[0])
	ADDQ(src, base[0])
	for i := 1; i < len(base); i++ {
		LEAQ(Mem{Base: base[i-1], Index: step, Scale: 2}, base[i])
		ADDQ(step, base[i])
	}
	Load(Param("passes"), pass)
	TESTQ(pass, pass)
	JE(LabelRef("rest"))
	vec.Label("pass", "%d steps; % times are left.", rowUnroll, pass)
	for k := range rowUnroll {
		s.step(pixel, weights, k)
	}
	advance(rowUnroll)
	DECQ(pass)
	JNE(LabelRef("pass"))
	vec.Label("rest", "What is left of the run.")
	Load(Param("rest"), pass)
	TESTQ(pass, pass)
	JE(LabelRef("next"))
	vec.Label("one", "One step; % are left.", pass)
	s.step(pixel, weights, 0)
	advance(1)
	DECQ(pass)
	JNE(LabelRef("one"))
	vec.Label("next", "The segment is done.")
	ADDQ(Imm(segmentBytes), segment)
	DECQ(left)
	JNE(LabelRef("segment"))

	bias := weights
	vec.Label("store", "All products are added up; % is the bias.", bias)
	s.addUp()
	Load(Param("bias"), bias)
	for p := range s.pixels {
		for v := range s.width {
			r := s.sum(0, p, v)
			s.float.Add(Mem{Base: bias, Disp: v * s.isa.Bytes}, r, r)
		}
	}
	MOVQ(dst, out)
	through := func() { s.storeRow(out, func(src, dst Op) { s.float.Load(src, dst) }) }
	if streams {
		vec.Either(vec.Slot("stream"), "row", through, func() { s.storeRow(out, s.float.Stream) })
	} else {
		through()
	}

	vec.Note("The last tile overlaps the one before it.")
	n := left
	Load(Param("n"), n)
	SUBQ(Imm(uint64(s.pixels)), n)
	JE(LabelRef("finish"))
	MOVQ(n, vec.Slot("n"))
	MOVQ(U32(uint32(s.pixels)), out)
	CMPQ(n, out)
	JGE(LabelRef("move"))
	MOVQ(out, vec.Slot("n"))
	MOVQ(n, out)
	vec.Label("move", "On by % destinations.", out)
	MOVQ(step, pass)
	IMULQ(out, pass)
	ADDQ(pass, src)
	IMULQ(vec.Slot("dstStep"), out)
	ADDQ(out, dst)
	JMP(LabelRef("tile"))
	vec.Label("finish", "The row is done.")
	if streams {
		SFENCE()
	}
	vec.Return()
}

// storeRow writes the sums of a tile to destinations from out on.
func (s shape) storeRow(out reg.Register, store func(src, dst Op)) {
	for p := range s.pixels {
		for v := range s.width {
			store(s.sum(0, p, v), Mem{Base: out, Disp: v * s.isa.Bytes})
		}
		if p+1 < s.pixels {
			ADDQ(vec.Slot("dstStep"), out)
		}
	}
}

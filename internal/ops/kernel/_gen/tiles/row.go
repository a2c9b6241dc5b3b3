package main

import (
	"fmt"

	"github.com/mmcloughlin/avo/attr"
	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// rowUnroll is how many steps of a run are one pass of the loop: pictures have
// three channels.
const rowUnroll = 3

const lineBytes = 64 // of a cache line

// row writes the function that walks along a row of destinations. Three of them
// share a register: they lie 0, 1 and 2 steps from it.
func (s shape) row() {
	name := fmt.Sprintf("row%dx%d%s", s.pixels, s.channels(), s.isa)
	if s.float.bytes == 8 {
		name += "Double"
	}
	TEXT(name, attr.NOSPLIT, fmt.Sprintf("func(src, dst *%[1]s, n, srcStep, dstStep int, segments *int, count, passes, rest int, weights, bias *%[1]s, stream int)", s.float.name))
	Pragma("noescape")
	Doc(fmt.Sprintf("%s computes rows of %d channels, %d destinations at a time: see convolveRow.", name, s.channels(), s.pixels))
	src, dst, step := Load(Param("src"), GP64()), Load(Param("dst"), GP64()), Load(Param("srcStep"), GP64())
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
		ADDQ(I32(int32(steps*s.width*s.vector)), weights)
		for _, b := range base {
			ADDQ(Imm(uint64(steps*s.float.bytes)), b)
		}
	}

	Label("tile")
	for c := range s.chains {
		for p := range s.pixels {
			for v := range s.width {
				s.zero(s.sum(c, p, v))
			}
		}
	}
	Load(Param("weights"), weights)
	Load(Param("segments"), segment)
	Load(Param("count"), left)
	TESTQ(left, left)
	JE(LabelRef("store"))

	Label("segment")
	MOVQ(Mem{Base: segment}, base[0])
	ADDQ(src, base[0])
	for i := 1; i < len(base); i++ {
		LEAQ(Mem{Base: base[i-1], Index: step, Scale: 2}, base[i])
		ADDQ(step, base[i])
	}
	Load(Param("passes"), pass)
	TESTQ(pass, pass)
	JE(LabelRef("rest"))
	Label("pass")
	for k := range rowUnroll {
		s.step(pixel, weights, k)
	}
	advance(rowUnroll)
	DECQ(pass)
	JNE(LabelRef("pass"))
	Label("rest")
	Load(Param("rest"), pass)
	TESTQ(pass, pass)
	JE(LabelRef("next"))
	Label("one")
	s.step(pixel, weights, 0)
	advance(1)
	DECQ(pass)
	JNE(LabelRef("one"))
	Label("next")
	ADDQ(Imm(segmentBytes), segment)
	DECQ(left)
	JNE(LabelRef("segment"))

	Label("store")
	s.addUp()
	bias := weights
	Load(Param("bias"), bias)
	for p := range s.pixels {
		for v := range s.width {
			r := s.sum(0, p, v)
			s.float.add(Mem{Base: bias, Disp: v * s.vector}, r, r)
		}
	}
	MOVQ(dst, out)
	streams := s.width*s.vector >= lineBytes
	if streams {
		CMPQ(argument("stream"), Imm(0))
		JNE(LabelRef("stream"))
	}
	s.storeRow(out, s.float.load)
	if streams {
		JMP(LabelRef("stored"))
		Label("stream")
		s.storeRow(out, s.float.stream)
		Label("stored")
	}

	// The last tile overlaps the one before it.
	n := left
	Load(Param("n"), n)
	SUBQ(Imm(uint64(s.pixels)), n)
	JE(LabelRef("finish"))
	MOVQ(n, argument("n"))
	MOVQ(U32(uint32(s.pixels)), out)
	CMPQ(n, out)
	JGE(LabelRef("move"))
	MOVQ(out, argument("n"))
	MOVQ(n, out)
	Label("move")
	MOVQ(step, pass)
	IMULQ(out, pass)
	ADDQ(pass, src)
	IMULQ(argument("dstStep"), out)
	ADDQ(out, dst)
	JMP(LabelRef("tile"))
	Label("finish")
	if streams {
		SFENCE()
	}
	VZEROUPPER()
	RET()
}

// storeRow writes the sums of a tile to destinations from out on.
func (s shape) storeRow(out reg.Register, store func(src, dst Op)) {
	for p := range s.pixels {
		for v := range s.width {
			store(s.sum(0, p, v), Mem{Base: out, Disp: v * s.vector})
		}
		if p+1 < s.pixels {
			ADDQ(argument("dstStep"), out)
		}
	}
}

// Command roofline writes the loops that measure a machine's limits: a copy by
// stores past the caches, and fused multiply-adds in registers. It is run by go
// generate in the parent package.
package main

import (
	"github.com/mmcloughlin/avo/attr"
	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// chains is how many sums grow side by side: more than latency (4 or 5 cycles)
// times multipliers (2), fewer than registers.
const chains = 12

func main() {
	ConstraintExpr("amd64,!purego")
	stream("AVX2", 32, func() reg.VecVirtual { return YMM() })
	stream("AVX512", 64, func() reg.VecVirtual { return ZMM() })
	multiplyAdds("AVX2", func() reg.VecVirtual { return YMM() }, false)
	multiplyAdds("AVX512", func() reg.VecVirtual { return ZMM() }, true)
	Generate()
}

// stream writes a copy of blocks of four vectors by non-temporal stores.
func stream(isa string, bytes int, vector func() reg.VecVirtual) {
	TEXT("streamCopy"+isa, attr.NOSPLIT, "func(to, from *byte, blocks int)")
	Pragma("noescape")
	Doc("streamCopy" + isa + " copies blocks > 0 blocks of four vectors past the caches. to is aligned to a vector.")
	to, from, blocks := Load(Param("to"), GP64()), Load(Param("from"), GP64()), Load(Param("blocks"), GP64())
	Label("block")
	var held []reg.VecVirtual
	for i := range 4 {
		held = append(held, vector())
		VMOVUPS(Mem{Base: from, Disp: i * bytes}, held[i])
	}
	for i, v := range held {
		VMOVNTPS(v, Mem{Base: to, Disp: i * bytes})
	}
	ADDQ(U32(4*bytes), from)
	ADDQ(U32(4*bytes), to)
	DECQ(blocks)
	JNE(LabelRef("block"))
	SFENCE()
	VZEROUPPER()
	RET()
}

// multiplyAdds writes a loop of fused multiply-adds of float32 on numbers that
// stay as they are: 0 times 0 is added to 0.
func multiplyAdds(isa string, vector func() reg.VecVirtual, wide bool) {
	TEXT("multiplyAdds"+isa, attr.NOSPLIT, "func(rounds int)")
	Doc("multiplyAdds" + isa + " does rounds > 0 times 12 fused multiply-adds of vectors of float32.")
	rounds := Load(Param("rounds"), GP64())
	var sums []reg.VecVirtual
	for range chains + 1 {
		v := vector()
		if wide {
			VPXORD(v, v, v)
		} else {
			VXORPS(v, v, v)
		}
		sums = append(sums, v)
	}
	Label("round")
	for _, sum := range sums[:chains] {
		VFMADD231PS(sums[chains], sums[chains], sum)
	}
	DECQ(rounds)
	JNE(LabelRef("round"))
	VZEROUPPER()
	RET()
}

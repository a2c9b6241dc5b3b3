// Command roofline writes the loops that measure a machine's limits: a copy by
// stores past the caches, and fused multiply-adds in registers.
package main

import (
	"fmt"

	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/poolctl/poolctl/internal/ops/kernel/_gen/vec"
)

// chains is how many sums grow side by side: more than latency (4 or 5 cycles)
// times multipliers (2), fewer than registers.
const chains = 12

func main() {
	vec.Main("roofline", func() {
		for _, v := range vec.ISAs {
			stream(v)
		}
		for _, v := range vec.ISAs {
			multiplyAdds(v)
		}
	})
}

// stream writes a copy of blocks of four vectors by non-temporal stores.
func stream(v vec.ISA) {
	const vectors = 4
	vec.Func{
		Name:      "streamCopy" + v.Name,
		Signature: "func(to, from *byte, blocks int)",
		Does:      "copies memory past the caches, with a fence at the end.",
		Loop:      fmt.Sprintf("copy(to[:blocks*%[1]d], from[:blocks*%[1]d])", vectors*v.Bytes),
		Rules:     []string{fmt.Sprintf("blocks counts blocks of %d bytes and is at least 1; to is aligned to %d bytes.", vectors*v.Bytes, v.Bytes)},
	}.Begin()
	p := vec.Params("to", "from", "blocks")
	to, from, blocks := p[0], p[1], p[2]
	held := v.Vectors(vectors)
	vec.Label("block", "A block from % to % by way of %; % are left.", from, to, held, blocks)
	for i := range held {
		VMOVUPS(Mem{Base: from, Disp: i * v.Bytes}, held[i])
	}
	for i, r := range held {
		VMOVNTPS(r, Mem{Base: to, Disp: i * v.Bytes})
	}
	ADDQ(U32(vectors*v.Bytes), from)
	ADDQ(U32(vectors*v.Bytes), to)
	DECQ(blocks)
	JNE(LabelRef("block"))
	vec.FenceAndReturn()
}

// multiplyAdds writes a loop of fused multiply-adds of float32 on numbers that
// stay as they are: 0 times 0 is added to 0.
func multiplyAdds(v vec.ISA) {
	vec.Func{
		Name:      "multiplyAdds" + v.Name,
		Signature: "func(rounds int)",
		Does:      "multiplies and adds in registers, which stay 0.",
		Loop: fmt.Sprintf(`
var x float32
var sums [%d]float32
for range rounds {
	for i := range sums {
		sums[i] = fma(x, x, sums[i])
	}
}`, chains*v.Bytes/4),
		Rules: []string{"rounds is at least 1."},
	}.Begin()
	rounds := vec.Param("rounds")
	sums := v.Vectors(chains + 1)
	vec.Note("Sums in %, the factor in %.", sums[:chains], sums[chains])
	for _, r := range sums {
		vec.ZeroFloats(r)
	}
	vec.Label("round", "One multiply-add for each sum; % rounds are left.", rounds)
	for _, sum := range sums[:chains] {
		VFMADD231PS(sums[chains], sums[chains], sum)
	}
	DECQ(rounds)
	JNE(LabelRef("round"))
	vec.Return()
}

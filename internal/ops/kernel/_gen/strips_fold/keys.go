package main

import (
	"fmt"

	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	. "github.com/mmcloughlin/avo/reg"
	"github.com/poolctl/poolctl/internal/ops/kernel/_gen/vec"
)

// keysOfFloats writes the function that makes the keys of argmax; Go's loadKeys
// says what they are.
func keysOfFloats(v vec.ISA) {
	lanes := v.Bytes / 8
	vec.Func{
		Name:      "keysFloat32" + v.Name,
		Signature: "func(dst *int64, src *float32, n, low int, reverse, nan int32)",
		Does:      "makes keys of numbers: the order of a number in the upper half, low less its place in the lower.",
		Loop: `
for i := range n {
	v := src[i]
	bits := int32(math.Float32bits(v + 0))
	order := bits ^ bits>>31&math.MaxInt32 ^ reverse
	if v != v {
		order = nan
	}
	dst[i] = int64(order)<<32 | int64(low-i)
}`,
		Rules: []string{
			fmt.Sprintf("n is a multiple of %d and at least that; low-i stays within 0 and 1<<32 - 1.", lanes),
			"reverse is -1 where the smallest number comes last, else 0; nan is the order of NaN.",
		},
	}.Begin()
	p := vec.Params("dst", "src", "n")
	dst, src, n := p[0], p[1], p[2]
	reverse, nan, low, step := v.Half(), v.Half(), v.Vector(), v.Vector()
	vec.Note("% is reverse and % the order of NaN, in every lane; % is the lower half of the keys, % how many a vector has.", reverse, nan, low, step)
	for i, to := range []VecVirtual{reverse, nan} {
		number, x := Load(Param([]string{"reverse", "nan"}[i]), GP32()), XMM()
		VMOVD(number, x)
		VPBROADCASTD(x, to)
	}
	VPBROADCASTQ(vec.Slot("low"), low)
	var places []uint64
	for i := range lanes {
		places = append(places, uint64(i))
	}
	VPSUBQ(vec.Table("places"+v.Name, vec.Uint64s(places...)...), low, low)
	eight, most, zero := GP64(), v.Half(), v.Half()
	MOVQ(U64(lanes), eight)
	VPBROADCASTQ(vec.Lane(eight), step)
	vec.Note("% has all bits but the sign, % is 0.", most, zero)
	VPCMPEQD(most, most, most)
	VPSRLD(Imm(1), most, most)
	VPXOR(zero, zero, zero)
	x, sign, unordered, key := v.Half(), v.Half(), v.Half(), v.Vector()
	vec.Label("loop", "A vector of keys % from the numbers %; % are left.", key, x, n)
	VADDPS(Mem{Base: src}, zero, x) // -0 becomes 0
	VCMPPS(Imm(vec.Unordered), x, x, unordered)
	VPSRAD(Imm(31), x, sign)
	VPAND(most, sign, sign)
	VPXOR(sign, x, x)
	VPXOR(reverse, x, x)
	VBLENDVPS(unordered, nan, x, x)
	VPMOVSXDQ(x, key)
	VPSLLQ(Imm(32), key, key)
	if v.Wide() {
		VPORQ(low, key, key)
	} else {
		VPOR(low, key, key)
	}
	VMOVUPS(key, Mem{Base: dst})
	VPSUBQ(step, low, low)
	ADDQ(U32(uint32(v.Bytes)), dst)
	ADDQ(U32(uint32(v.Bytes/2)), src)
	SUBQ(U32(uint32(lanes)), n)
	JNZ(LabelRef("loop"))
	vec.Return()
}

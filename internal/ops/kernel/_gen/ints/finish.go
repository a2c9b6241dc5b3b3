package main

import (
	"fmt"

	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	. "github.com/mmcloughlin/avo/reg"
	"github.com/poolctl/poolctl/internal/ops/kernel/_gen/vec"
)

// source is a type of sums.
type source struct {
	name string
	sum  string // in Go
	load func(from, to Op)
}

var sources = []source{
	{"Uint16", "uint16", func(a, b Op) { VPMOVZXWD(a, b); VCVTDQ2PS(b, b) }},
	{"Int16", "int16", func(a, b Op) { VPMOVSXWD(a, b); VCVTDQ2PS(b, b) }},
	{"Int32", "int32", func(a, b Op) { VCVTDQ2PS(a, b) }},
}

// by is what quotients are made with: a factor where that is exact, else a
// divisor.
type by struct{ value VecVirtual }

func newBy(v vec.ISA) by {
	b := by{v.Vector()}
	vec.Note("% is the divisor, or the factor, in every lane.", b.value)
	VBROADCASTSS(vec.Slot("by"), b.value)
	return b
}

// apply divides or multiplies all vectors in place.
func (b by) apply(label string, list []VecVirtual) {
	CMPQ(vec.Slot("multiply"), U8(0))
	JNE(LabelRef(label + "Multiply"))
	for _, r := range list {
		VDIVPS(b.value, r, r)
	}
	JMP(LabelRef(label + "Quotient"))
	vec.Label(label+"Multiply", "% is a factor.", b.value)
	for _, r := range list {
		VMULPS(b.value, r, r)
	}
	vec.Label(label+"Quotient", "The quotients are in %.", list)
}

const (
	dividing     = ", by float32, multiply int"
	dividingRule = "by is the divisor, or its reciprocal where that is exact and multiply is not 0. Sums are of magnitudes up to 1<<24, which float32 holds exactly, so that quotients are rounded once."
	quotientLoop = "q := float32(src[i]) / by // or * by\n"
)

// quotient writes the function that divides sums of magnitudes up to 2^24, which
// float32 holds exactly, so that one division rounds once.
func quotient(v vec.ISA, s source) {
	narrow := 4 / sizes[s.sum]
	vec.Func{
		Name:      "quotient" + s.name + v.Name,
		Signature: "func(dst, src *byte, n int" + dividing + ", stream int)",
		Does:      "divides sums of " + s.sum + " to float32.",
		Loop:      elements(4, quotientLoop+"dst[i] = q"),
		Rules:     []string{inBytes(v.Bytes, 4), dividingRule, streams(v)},
	}.Begin()
	p := vec.Params("dst", "src", "n")
	dst, src, n := p[0], p[1], p[2]
	b, from := newBy(v), GP64()
	row := vec.NewRow("row", n, v.Bytes, 4)
	row.Each(func(vectors int, label string) {
		list := v.Vectors(vectors)
		vec.Note("The sums from % on, in %.", from, list)
		MOVQ(row.At, from)
		if narrow == 2 {
			SHRQ(U8(1), from)
		}
		for i, r := range list {
			s.load(Mem{Base: src, Index: from, Scale: 1, Disp: i * v.Bytes / narrow}, r)
		}
		b.apply(label, list)
		vec.Store(vec.Slot("stream"), label, Mem{Base: dst, Index: row.At, Scale: 1}, v.Bytes, list)
	})
	vec.FenceAndReturn()
}

// preciseQuotient writes the function that divides any sum of 32 bits in float64.
func preciseQuotient(v vec.ISA) {
	half := v.Bytes / 2
	vec.Func{
		Name:      "preciseQuotient" + v.Name,
		Signature: "func(dst, src *byte, n int, divisor float64)",
		Does:      "divides sums of int32 in float64, to float32.",
		Loop:      elements(4, "dst[i] = float32(float64(src[i]) / divisor)"),
		Rules:     []string{inBytes(half, 4)},
	}.Begin()
	p := vec.Params("dst", "src", "n")
	dst, src, n := p[0], p[1], p[2]
	value := v.Vector()
	vec.Note("% is the divisor, in every lane.", value)
	VBROADCASTSD(vec.Slot("divisor"), value)
	row := vec.NewRow("row", n, half, 1)
	row.Each(func(int, string) {
		x, y := v.Vector(), v.Half()
		VCVTDQ2PD(Mem{Base: src, Index: row.At, Scale: 1}, x)
		VDIVPD(value, x, x)
		v.Round(x, y)
		VMOVUPS(y, Mem{Base: dst, Index: row.At, Scale: 1})
	})
	vec.Return()
}

// roundMagic writes the function that rounds quotients of 16-bit sums to the
// nearest byte, ties to even: of the quotients rounded half down and half up
// (half of the divisor less or more, then a multiplication for the division) the
// second is taken where the first is odd.
func roundMagic(v vec.ISA) {
	vec.Func{
		Name:      "roundMagic" + v.Name,
		Signature: "func(dst, src *byte, n, down, up, magic, shift, stream int)",
		Does:      "divides sums of uint16 and rounds to uint8, ties to even: where a quotient rounded half down is odd, it is the one rounded half up.",
		Loop: elements(1, `half := func(more int) int { return (int(src[i]) + more) * magic >> (16 + shift) }
dst[i] = uint8(half(down))
if half(down)%2 == 1 {
	dst[i] = uint8(half(up))
}`),
		Rules: []string{
			fmt.Sprintf("n is bytes of dst, at least %d.", v.Bytes),
			"Sums are up to 255 times the divisor, which is 2 to 128; newMagic has the numbers that make a multiplication of the division.",
			streams(v),
		},
	}.Begin()
	p := vec.Params("dst", "src", "n")
	dst, src, n := p[0], p[1], p[2]
	spread := func(name string) VecVirtual {
		x, r := XMM(), v.Vector()
		MOVQ(vec.Slot(name), x)
		VPBROADCASTW(x, r)
		return r
	}
	down, up, magic, shift := spread("down"), spread("up"), spread("magic"), XMM()
	vec.Note("In every lane: what is added to round half down, %, and half up, %, and the factor, %. % is the shift.", down, up, magic, shift)
	MOVQ(vec.Slot("shift"), shift)
	var order VecVirtual
	if v.Wide() {
		order = v.Vector()
		vec.Note("% puts the quads of two packed vectors in order.", order)
		VMOVUPS(vec.Table("evensThenOdds", vec.Uint64s(0, 2, 4, 6, 1, 3, 5, 7)...), order)
	}
	row := vec.NewRow("row", n, v.Bytes, 2)
	row.Each(func(vectors int, label string) {
		var packed []VecVirtual
		for i := range vectors {
			var parts [2]VecVirtual
			for k := range parts {
				q, r := v.Vector(), v.Vector()
				VMOVUPS(Mem{Base: src, Index: row.At, Scale: 2, Disp: (2*i + k) * v.Bytes}, r)
				VPADDW(down, r, q)
				VPADDW(up, r, r)
				VPMULHUW(magic, q, q)
				VPMULHUW(magic, r, r)
				VPSRLW(shift, q, q)
				VPSRLW(shift, r, r)
				VPSUBW(q, r, r)
				if v.Wide() {
					VPANDD(q, r, r)
				} else {
					VPAND(q, r, r)
				}
				VPADDW(q, r, r)
				parts[k] = r
			}
			a, b := parts[0], parts[1]
			VPACKUSWB(b, a, a)
			if v.Wide() { // quads of both parts alternate
				VPERMQ(a, order, a)
			} else {
				VPERMQ(Imm(0xd8), a, a)
			}
			packed = append(packed, a)
		}
		vec.Note("The bytes are in %.", packed)
		vec.Store(vec.Slot("stream"), label, Mem{Base: dst, Index: row.At, Scale: 1}, v.Bytes, packed)
	})
	vec.FenceAndReturn()
}

// roundQuotient writes the function that divides sums in float32 and rounds the
// quotients to integers of one or two bytes, ties to even.
func roundQuotient(v vec.ISA, bytes int) {
	piece := v.Bytes / 4 * bytes
	element := fmt.Sprintf("uint%d", 8*bytes)
	vec.Func{
		Name:      fmt.Sprintf("roundQuotient%d%s", 8*bytes, v.Name),
		Signature: "func(dst, src *byte, n int" + dividing + ")",
		Does:      "divides sums of int32 in float32 and rounds to " + element + ", ties to even.",
		Loop:      elements(bytes, quotientLoop+fmt.Sprintf("dst[i] = uint%d(math.RoundToEven(float64(q)))", 8*bytes)),
		Rules:     []string{inBytes(piece, bytes), dividingRule},
	}.Begin()
	p := vec.Params("dst", "src", "n")
	dst, src, n := p[0], p[1], p[2]
	b := newBy(v)
	row := vec.NewRow("row", n, piece, 2)
	row.Each(func(vectors int, label string) {
		list := v.Vectors(vectors)
		vec.Note("The sums, in %.", list)
		for i, r := range list {
			from := Mem{Base: src, Index: row.At, Scale: uint8(4 / bytes), Disp: i * v.Bytes}
			VCVTDQ2PS(from, r)
		}
		b.apply(label, list)
		for i, r := range list {
			to := Mem{Base: dst, Index: row.At, Scale: 1, Disp: i * piece}
			VCVTPS2DQ(r, r)
			switch {
			case v.Wide() && bytes == 1:
				VPMOVUSDB(r, to)
			case v.Wide():
				VPMOVUSDW(r, to)
			default:
				high, low := XMM(), r.AsX()
				VEXTRACTI128(Imm(1), r, high)
				VPACKUSDW(high, low, low)
				if bytes == 2 {
					VMOVUPS(low, to)
				} else {
					VPACKUSWB(low, low, low)
					VMOVQ(low, to)
				}
			}
		}
	})
	vec.Return()
}

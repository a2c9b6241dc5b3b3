// Command separable_rows writes the functions that merge and convert contiguous
// rows. Their lengths are multiples of a vector's lanes; the callers' plain Go does
// the rest. Loads and stores need no alignment.
package main

import (
	"fmt"

	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	. "github.com/mmcloughlin/avo/reg"
	"github.com/poolctl/poolctl/internal/ops/kernel/_gen/vec"
	"github.com/poolctl/poolctl/internal/ops/kernel/_gen/window"
)

func main() {
	vec.Main("pool/separable_rows", func() {
		for _, v := range vec.ISAs {
			for _, f := range vec.Floats {
				for _, e := range window.Extrema(f) {
					extremum(v, e)
				}
			}
			for _, word := range []string{"max", "min"} {
				merger{
					name: word + "Uint8", element: "byte", size: 1, unroll: 4,
					does: "merges two rows to their " + word + "ima.",
					loop: "dst[i] = " + word + "(a[i], b[i])",
				}.generate(v, func(a, b VecVirtual) {
					if word == "min" {
						VPMINUB(b, a, a)
					} else {
						VPMAXUB(b, a, a)
					}
				})
			}
			merger{name: "sum", element: "float64", size: 8, unroll: 4, does: "adds two rows.", loop: "dst[i] = a[i] + b[i]"}.
				generate(v, func(a, b VecVirtual) { VADDPD(b, a, a) })
			widen(v)
			widenBytes(v)
			scale(v)
		}
	})
}

// extremum writes the function that merges rows to their maxima or minima.
func extremum(v vec.ISA, e window.Extremum) {
	name := e.Word() + map[bool]string{false: "Float32", true: "Float64"}[e.Float.Double()]
	if e.IgnoreNaN {
		name += "IgnoreNaN"
	}
	merger{
		name: name, element: e.Float.Go, size: e.Float.Bytes, unroll: 2,
		does: "merges two rows to their " + e.Word() + "ima. " + e.Rule(),
		loop: "v := a[i]\n\tif w := b[i]; " + e.Replacing() + " {\n\t\tv = w\n\t}\n\tdst[i] = v",
	}.generate(v, func(a, b VecVirtual) { e.Merge(v, b, a) })
}

// merger is a function dst[i] = a[i] ⊕ b[i].
type merger struct {
	name, element string
	size, unroll  int
	does, loop    string
}

func (m merger) generate(v vec.ISA, merge func(a, b VecVirtual)) {
	lanes := v.Bytes / m.size
	vec.Func{
		Name:      m.name + v.Name,
		Signature: "func(dst, a, b *" + m.element + ", n int)",
		Does:      m.does,
		Loop:      "for i := range n {\n\t" + m.loop + "\n}",
		Rules:     []string{multiple(lanes), "dst may be a."},
	}.Begin()
	p := vec.Params("dst", "a", "b", "n")
	each(p[3], lanes, m.unroll, func(i int) {
		x, y := v.Vector(), v.Vector()
		VMOVUPS(Mem{Base: p[1], Disp: i * v.Bytes}, x)
		VMOVUPS(Mem{Base: p[2], Disp: i * v.Bytes}, y)
		merge(x, y)
		VMOVUPS(x, Mem{Base: p[0], Disp: i * v.Bytes})
	}, func(vectors int) {
		for _, r := range p[:3] {
			ADDQ(U32(uint32(vectors*v.Bytes)), r)
		}
	})
}

func multiple(lanes int) string {
	return fmt.Sprintf("n counts numbers and is a multiple of %d.", lanes)
}

// each runs a body over n numbers, unroll vectors at a time and then one at a
// time.
func each(n Register, lanes, unroll int, body, advance func(i int)) {
	vec.Label("many", "%d vectors at a time; % numbers are left.", unroll, n)
	CMPQ(n, U32(uint32(unroll*lanes)))
	JL(LabelRef("one"))
	for i := range unroll {
		body(i)
	}
	advance(unroll)
	SUBQ(U32(uint32(unroll*lanes)), n)
	JMP(LabelRef("many"))
	vec.Label("one", "One vector at a time; % numbers are left.", n)
	CMPQ(n, U32(uint32(lanes)))
	JL(LabelRef("done"))
	body(0)
	advance(1)
	SUBQ(U32(uint32(lanes)), n)
	JMP(LabelRef("one"))
	vec.Label("done", "The row is done.")
	vec.Return()
}

// widen writes the function that makes float64 of float32.
func widen(v vec.ISA) {
	lanes := v.Bytes / 8
	vec.Func{
		Name:      "widenFloat32" + v.Name,
		Signature: "func(dst *float64, src *float32, n int)",
		Does:      "converts a row to float64.",
		Loop:      "for i := range n {\n\tdst[i] = float64(src[i])\n}",
		Rules:     []string{multiple(lanes)},
	}.Begin()
	p := vec.Params("dst", "src")
	dst, src := p[0], p[1]
	each(vec.Param("n"), lanes, 4, func(i int) {
		x := v.Vector()
		VCVTPS2PD(Mem{Base: src, Disp: i * v.Bytes / 2}, x)
		VMOVUPD(x, Mem{Base: dst, Disp: i * v.Bytes})
	}, func(vectors int) {
		ADDQ(U32(uint32(vectors*v.Bytes/2)), src)
		ADDQ(U32(uint32(vectors*v.Bytes)), dst)
	})
}

// widenBytes writes the function that makes float64 of uint8.
func widenBytes(v vec.ISA) {
	lanes := v.Bytes / 8
	vec.Func{
		Name:      "widenUint8" + v.Name,
		Signature: "func(dst *float64, src *byte, n int)",
		Does:      "converts a row to float64.",
		Loop:      "for i := range n {\n\tdst[i] = float64(src[i])\n}",
		Rules:     []string{multiple(lanes)},
	}.Begin()
	p := vec.Params("dst", "src")
	dst, src := p[0], p[1]
	each(vec.Param("n"), lanes, 4, func(i int) {
		ints, x := v.Half(), v.Vector()
		VPMOVZXBD(Mem{Base: src, Disp: i * lanes}, ints)
		VCVTDQ2PD(ints, x)
		VMOVUPD(x, Mem{Base: dst, Disp: i * v.Bytes})
	}, func(vectors int) {
		ADDQ(U32(uint32(vectors*lanes)), src)
		ADDQ(U32(uint32(vectors*v.Bytes)), dst)
	})
}

// scale writes the function that divides sums.
func scale(v vec.ISA) {
	lanes := v.Bytes / 8
	vec.Func{
		Name:      "scaleFloat32" + v.Name,
		Signature: "func(dst *float32, src *float64, reciprocal float64, n, stream int)",
		Does:      "multiplies a row by the reciprocal of a divisor and rounds it.",
		Loop:      "for i := range n {\n\tdst[i] = float32(src[i] * reciprocal)\n}",
		Rules:     []string{fmt.Sprintf("n counts numbers and is at least %d.", lanes), window.Streams(4*lanes, lanes)},
	}.Begin()
	p := vec.Params("dst", "src", "n")
	dst, src, n := p[0], p[1], p[2]
	by := window.Reciprocal(v)
	row := vec.NewRow("", n, lanes, 4)
	row.Each(func(vectors int, label string) {
		var sums []VecVirtual
		for i := range vectors {
			x := v.Vector()
			VMOVUPD(Mem{Base: src, Index: row.At, Scale: 8, Disp: i * v.Bytes}, x)
			sums = append(sums, x)
		}
		vec.Store(vec.Slot("stream"), label, Mem{Base: dst, Index: row.At, Scale: 4}, v.Bytes/2, window.Means(v, by, sums))
	})
	vec.Return()
}

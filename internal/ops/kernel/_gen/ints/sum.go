package main

import (
	"fmt"
	"strings"

	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	. "github.com/mmcloughlin/avo/reg"
	"github.com/poolctl/poolctl/internal/ops/kernel/_gen/vec"
	"github.com/poolctl/poolctl/internal/ops/kernel/_gen/window"
)

// widening is a conversion of one element type to sums of 16 or 32 bits.
type widening struct {
	from, to string // in Go; signed sums have the bits of unsigned ones
	convert  func(from, to Op)
}

var widenings = []widening{
	{"uint8", "uint16", func(a, b Op) { VPMOVZXBW(a, b) }},
	{"int8", "uint16", func(a, b Op) { VPMOVSXBW(a, b) }},
	{"uint8", "uint32", func(a, b Op) { VPMOVZXBD(a, b) }},
	{"int8", "uint32", func(a, b Op) { VPMOVSXBD(a, b) }},
	{"uint16", "uint32", func(a, b Op) { VPMOVZXWD(a, b) }},
	{"int16", "uint32", func(a, b Op) { VPMOVSXWD(a, b) }},
}

func (w widening) name() string {
	return strings.ToUpper(w.from[:1]) + w.from[1:] + "To" + w.to[len("uint"):]
}

// wider is how many times as many bytes a sum has.
func (w widening) wider() int { return sizes[w.to] / sizes[w.from] }

// add adds vectors of sums.
func (w widening) add(a, b, c Op) {
	if w.to == "uint16" {
		VPADDW(a, b, c)
	} else {
		VPADDD(a, b, c)
	}
}

func (w widening) subtract(a, b, c Op) {
	if w.to == "uint16" {
		VPSUBW(a, b, c)
	} else {
		VPSUBD(a, b, c)
	}
}

// narrow is an address in the source for an offset in the destination, whose
// elements are wider.
func (w widening) narrow(v vec.ISA, base, half Register, i int) Mem {
	return Mem{Base: base, Index: half, Scale: 1, Disp: i * v.Bytes / w.wider()}
}

// shrink sets a register to an offset divided by how much wider sums are.
func (w widening) shrink(at, to Register) {
	MOVQ(at, to)
	SHRQ(U8(map[int]uint64{2: 1, 4: 2}[w.wider()]), to)
}

// sums writes the function that adds up rows.
func sums(v vec.ISA, w widening) {
	vec.Func{
		Name:      "sums" + w.name() + v.Name,
		Signature: "func(dst, src *byte, taps *int, ntaps, n int)",
		Does:      fmt.Sprintf("adds up rows of %s to sums of %s.", w.from, w.to),
		Loop: elements(sizes[w.to], fmt.Sprintf("dst[i] = 0\nfor _, tap := range taps[:ntaps] {\n\tdst[i] += %s(src[i%s])\n}",
			w.to, offset("+tap", sizes[w.from]))),
		Rules: []string{inBytes(v.Bytes, sizes[w.to]), "taps are bytes; ntaps is at least 1."},
	}.Begin()
	p := vec.Params("dst", "src", "taps", "ntaps", "n")
	dst, src, n := p[0], p[1], p[4]
	taps := window.Taps{List: p[2], N: p[3], T: GP64()}
	base := GP64()
	taps.Offset = GP64()
	row := vec.NewRow("row", n, v.Bytes, 4)
	row.Each(func(vectors int, label string) {
		acc := v.Vectors(vectors)
		vec.Note("The first row begins the sums, in %; % is this block of it.", acc, base)
		w.shrink(row.At, base)
		ADDQ(src, base)
		taps.First()
		for i, r := range acc {
			w.convert(w.narrow(v, base, taps.Offset, i), r)
		}
		taps.Begin()
		taps.Others(label+"Tap", label+"Reduced", func() {
			for i, r := range acc {
				x := v.Vector()
				w.convert(w.narrow(v, base, taps.Offset, i), x)
				w.add(x, r, r)
			}
		}, "it is merged into %.", acc)
		vec.Label(label+"Reduced", "The sums are in %.", acc)
		for i, r := range acc {
			VMOVUPS(r, Mem{Base: dst, Index: row.At, Scale: 1, Disp: i * v.Bytes})
		}
	})
	vec.Return()
}

// slide writes the function that moves sums of rows by a row.
func slide(v vec.ISA, w widening) {
	vec.Func{
		Name:      "slide" + w.name() + v.Name,
		Signature: "func(dst, src, add, sub *byte, n int)",
		Does:      fmt.Sprintf("moves sums of rows by a row: they are of %s, the rows of %s.", w.to, w.from),
		Loop:      elements(sizes[w.to], fmt.Sprintf("dst[i] = src[i] + %[1]s(add[i]) - %[1]s(sub[i])", w.to)),
		Rules:     []string{inBytes(v.Bytes, sizes[w.to]), fmt.Sprintf("dst may be src if n is a multiple of %d.", v.Bytes)},
	}.Begin()
	p := vec.Params("dst", "src", "add", "sub", "n")
	dst, src, plus, minus, n := p[0], p[1], p[2], p[3], p[4]
	half := GP64()
	row := vec.NewRow("row", n, v.Bytes, 4)
	row.Each(func(vectors int, _ string) {
		vec.Note("% is how far the rows are.", half)
		w.shrink(row.At, half)
		for i, r := range v.Vectors(vectors) {
			x, y := v.Vector(), v.Vector()
			w.convert(w.narrow(v, plus, half, i), x)
			w.convert(w.narrow(v, minus, half, i), y)
			w.add(Mem{Base: src, Index: row.At, Scale: 1, Disp: i * v.Bytes}, x, r)
			w.subtract(y, r, r)
			VMOVUPS(r, Mem{Base: dst, Index: row.At, Scale: 1, Disp: i * v.Bytes})
		}
	})
	vec.Return()
}

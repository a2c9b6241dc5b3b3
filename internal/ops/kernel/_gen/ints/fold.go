package main

import (
	"fmt"

	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	. "github.com/mmcloughlin/avo/reg"
	"github.com/poolctl/poolctl/internal/ops/kernel/_gen/vec"
	"github.com/poolctl/poolctl/internal/ops/kernel/_gen/window"
)

// reduce reduces all taps into acc: the first is loaded, each of the others is
// combined from memory. address gives where vector i of the tap at an offset is.
func reduce(o op, list, ntaps Register, label string, acc []VecVirtual, address func(offset Register) func(i int) Mem) {
	taps := window.NewTaps(list, ntaps)
	vec.Note("The first tap begins the results, in %.", acc)
	taps.First()
	at := address(taps.Offset)
	for i, r := range acc {
		VMOVUPS(at(i), r)
	}
	taps.Begin()
	taps.Others(label+"Tap", label+"Reduced", func() {
		at := address(taps.Offset)
		for i, r := range acc {
			o.combine(at(i), r)
		}
	}, "it is merged into %.", acc)
	vec.Label(label+"Reduced", "The results are in %.", acc)
}

// fold writes the function that combines rows shifted against each other.
func fold(v vec.ISA, o op) {
	vec.Func{
		Name:      "fold" + o.name + v.Name,
		Signature: "func(dst, src *byte, taps *int, ntaps, n, outputs, step, stream int)",
		Does:      fmt.Sprintf("reduces windows of %s to their %s, for outputs side by side in dst and step bytes apart in src.", o.element, o.result()),
		Loop: indent(fmt.Sprintf("for o := range outputs {\n\tfor i := range %s {", offset("n", o.size())),
			o.windowLoop("i"+offset("+o*step", o.size()), offset("o*n", o.size())+"+i"), "\t}\n}"),
		Rules: []string{inBytes(v.Bytes, o.size()), "taps and step are bytes; ntaps and outputs are at least 1.", streams(v)},
	}.Begin()
	p := vec.Params("dst", "src", "taps", "ntaps", "n")
	dst, src, list, ntaps, n := p[0], p[1], p[2], p[3], p[4]
	base := GP64()
	row := vec.NewRow("row", n, v.Bytes, 4)
	vec.Label("output", "The next output goes to %; its first cell is at %.", dst, src)
	row.Each(func(vectors int, label string) {
		acc := v.Vectors(vectors)
		LEAQ(Mem{Base: src, Index: row.At, Scale: 1}, base)
		reduce(o, list, ntaps, label, acc, func(offset Register) func(i int) Mem {
			return func(i int) Mem { return Mem{Base: base, Index: offset, Scale: 1, Disp: i * v.Bytes} }
		})
		vec.Store(vec.Slot("stream"), label, Mem{Base: dst, Index: row.At, Scale: 1}, v.Bytes, acc)
	})
	ADDQ(n, dst)
	ADDQ(vec.Slot("step"), src)
	DECQ(vec.Slot("outputs"))
	JNZ(LabelRef("output"))
	vec.FenceAndReturn()
}

// elements is the loop in Go over the elements of n bytes.
func elements(size int, body string) string {
	return indent(fmt.Sprintf("for i := range %s {", offset("n", size)), body, "}")
}

// merge writes the function that combines two rows.
func merge(v vec.ISA, o op) {
	vec.Func{
		Name:      "merge" + o.name + v.Name,
		Signature: "func(dst, a, b *byte, n int)",
		Does:      fmt.Sprintf("reduces two rows of %s to their %s.", o.element, o.result()),
		Loop:      elements(o.size(), "dst[i] = "+o.both("a[i]", "b[i]")),
		Rules:     []string{inBytes(v.Bytes, o.size()), "dst may be a or b."},
	}.Begin()
	p := vec.Params("dst", "a", "b", "n")
	dst, a, b, n := p[0], p[1], p[2], p[3]
	row := vec.NewRow("row", n, v.Bytes, 4)
	row.Each(func(vectors int, _ string) {
		for i, r := range v.Vectors(vectors) {
			VMOVUPS(Mem{Base: a, Index: row.At, Scale: 1, Disp: i * v.Bytes}, r)
			o.combine(Mem{Base: b, Index: row.At, Scale: 1, Disp: i * v.Bytes}, r)
			VMOVUPS(r, Mem{Base: dst, Index: row.At, Scale: 1, Disp: i * v.Bytes})
		}
	})
	vec.Return()
}

// advance writes the function that combines a prefix with one more row, and the
// window of that prefix and a suffix.
func advance(v vec.ISA, o op) {
	vec.Func{
		Name:      "advance" + o.name + v.Name,
		Signature: "func(dst, longer, prefix, more, suffix *byte, n int)",
		Does: fmt.Sprintf("takes one more row of %s into the %s of those before it, and writes what a window comes to: "+
			"the rows of its block so far, and the rest of the block before.", o.element, o.result()),
		Loop:  elements(o.size(), "longer[i] = "+o.both("prefix[i]", "more[i]")+"\ndst[i] = "+o.both("longer[i]", "suffix[i]")),
		Rules: []string{inBytes(v.Bytes, o.size()), "longer may be prefix."},
	}.Begin()
	p := vec.Params("dst", "longer", "prefix", "more", "suffix", "n")
	dst, longer, prefix, more, suffix, n := p[0], p[1], p[2], p[3], p[4], p[5]
	row := vec.NewRow("row", n, v.Bytes, 4)
	row.Each(func(vectors int, _ string) {
		for i, r := range v.Vectors(vectors) {
			part := func(base Register) Mem { return Mem{Base: base, Index: row.At, Scale: 1, Disp: i * v.Bytes} }
			VMOVUPS(part(prefix), r)
			o.combine(part(more), r)
			VMOVUPS(r, part(longer))
			o.combine(part(suffix), r)
			VMOVUPS(r, part(dst))
		}
	})
	vec.Return()
}

// squeeze writes the function for outputs apart in src that are smaller than 16
// bytes: a group of them lies in 16 bytes, of which a shuffle keeps what counts.
func squeeze(o op) {
	vec.Func{
		Name:      "squeeze" + o.name + "AVX2",
		Signature: "func(dst, src *byte, taps *int, ntaps, groups, step, bytes int, shuffle *byte)",
		Does: fmt.Sprintf("reduces windows over cells of up to 16 bytes of %s to their %s: a group of cells within 16 bytes, of which shuffle keeps those that count.",
			o.element, o.result()),
		Loop: `
for g := range groups {
	v := [16]byte(src[g*step+taps[0]:])
	for _, tap := range taps[1:ntaps] {
		v = reduce(v, [16]byte(src[g*step+tap:]))
	}
	for i, from := range shuffle[:16] {
		dst[g*bytes+i] = 0
		if from < 0x80 {
			dst[g*bytes+i] = v[from]
		}
	}
}`,
		Rules: []string{
			fmt.Sprintf("reduce takes the %s of each %s of two vectors.", o.result(), o.element),
			"taps, step and bytes are bytes; ntaps and groups are at least 1. shuffle says which of the 16 bytes read each byte written is, 0 where it is 0x80. " +
				"16 bytes are written for each group, so groups must be written in order and what follows the last one is overwritten.",
		},
	}.Begin()
	p := vec.Params("dst", "src", "taps", "ntaps", "groups", "step", "bytes", "shuffle")
	dst, src, list, ntaps, groups, step, bytes, pointer := p[0], p[1], p[2], p[3], p[4], p[5], p[6], p[7]
	shuffle := XMM()
	vec.Note("% says which byte goes where.", shuffle)
	VMOVUPS(Mem{Base: pointer}, shuffle)
	three, base := GP64(), GP64()
	vec.Note("% is three steps.", three)
	LEAQ(Mem{Base: step, Index: step, Scale: 2}, three)
	emit := func(acc []VecVirtual) {
		for _, r := range acc {
			VPSHUFB(shuffle, r, r)
			VMOVUPS(r, Mem{Base: dst})
			ADDQ(bytes, dst)
		}
	}
	vec.Label("many", "Four groups at a time; % are left.", groups)
	CMPQ(groups, U8(4))
	JL(LabelRef("one"))
	acc := []VecVirtual{XMM(), XMM(), XMM(), XMM()}
	reduce(o, list, ntaps, "many", acc, func(offset Register) func(i int) Mem {
		LEAQ(Mem{Base: src, Index: offset, Scale: 1}, base)
		return func(i int) Mem {
			return []Mem{{Base: base}, {Base: base, Index: step, Scale: 1}, {Base: base, Index: step, Scale: 2}, {Base: base, Index: three, Scale: 1}}[i]
		}
	})
	emit(acc)
	LEAQ(Mem{Base: src, Index: step, Scale: 4}, src)
	SUBQ(U32(4), groups)
	JMP(LabelRef("many"))
	vec.Label("one", "One group at a time; % are left.", groups)
	TESTQ(groups, groups)
	JZ(LabelRef("done"))
	acc = acc[:1]
	reduce(o, list, ntaps, "one", acc, func(offset Register) func(i int) Mem {
		return func(int) Mem { return Mem{Base: src, Index: offset, Scale: 1} }
	})
	emit(acc)
	ADDQ(step, src)
	DECQ(groups)
	JMP(LabelRef("one"))
	vec.Label("done", "All groups are done.")
	vec.Return()
}

// halve writes the function for every other cell of 1, 2, 4 or 8 bytes: whole
// vectors, whose lanes of 16 bytes are shuffled so that what counts comes first.
func halve(v vec.ISA, o op) {
	vec.Func{
		Name:      "halve" + o.name + v.Name,
		Signature: "func(dst, src *byte, taps *int, ntaps, n int, shuffle *byte, stream int)",
		Does: fmt.Sprintf("reduces windows of %s to their %s, 2n bytes side by side, of which it writes every other cell: "+
			"the half of every 16 bytes that shuffle puts first.", o.element, o.result()),
		Loop: `
for i := 0; i < n; i += 8 {
	v := [16]byte(src[2*i+taps[0]:])
	for _, tap := range taps[1:ntaps] {
		v = reduce(v, [16]byte(src[2*i+tap:]))
	}
	for j, from := range shuffle[:8] {
		dst[i+j] = v[from]
	}
}`,
		Rules: []string{
			fmt.Sprintf("reduce takes the %s of each %s of two vectors.", o.result(), o.element),
			inBytes(v.Bytes, 8), "taps are bytes; ntaps is at least 1.", streams(v),
		},
	}.Begin()
	p := vec.Params("dst", "src", "taps", "ntaps", "n", "shuffle")
	dst, src, list, ntaps, n, pointer := p[0], p[1], p[2], p[3], p[4], p[5]
	shuffle, order := v.Vector(), v.Vector()
	vec.Note("% says which byte goes where in each 16.", shuffle)
	if v.Wide() {
		VBROADCASTI32X4(Mem{Base: pointer}, shuffle)
		vec.Note("% takes the first halves of two vectors together.", order)
		VMOVUPS(vec.Table("evens", vec.Uint64s(0, 2, 4, 6, 8, 10, 12, 14)...), order)
	} else {
		VBROADCASTI128(Mem{Base: pointer}, shuffle)
	}
	base := GP64()
	row := vec.NewRow("row", n, v.Bytes, 2)
	row.Each(func(vectors int, label string) {
		acc := v.Vectors(2 * vectors)
		LEAQ(Mem{Base: src, Index: row.At, Scale: 2}, base)
		reduce(o, list, ntaps, label, acc, func(offset Register) func(i int) Mem {
			return func(i int) Mem { return Mem{Base: base, Index: offset, Scale: 1, Disp: i * v.Bytes} }
		})
		var halves []VecVirtual
		for i := 0; i < len(acc); i += 2 {
			a, b := acc[i], acc[i+1]
			VPSHUFB(shuffle, a, a)
			VPSHUFB(shuffle, b, b)
			if v.Wide() {
				VPERMT2Q(b, order, a)
			} else {
				VPUNPCKLQDQ(b, a, a)
				VPERMQ(Imm(0xd8), a, a)
			}
			halves = append(halves, a)
		}
		vec.Note("What counts of them is in %.", halves)
		vec.Store(vec.Slot("stream"), label, Mem{Base: dst, Index: row.At, Scale: 1}, v.Bytes, halves)
	})
	vec.FenceAndReturn()
}

package main

import (
	"fmt"

	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	. "github.com/mmcloughlin/avo/reg"
	"github.com/poolctl/poolctl/internal/ops/kernel/_gen/vec"
)

// spread adds the gradients of all windows that see the cell: those of float32
// in float64, rounded once. The sum of two is the same either way.
func (k kind) spread() {
	vec.Func{
		Name:      "spread" + k.suffix(),
		Signature: fmt.Sprintf("func(dst, src *%s, %s)", k.Go, parameters),
		Does:      "gathers the gradients of sums: each cell gets those of all windows, added in float64 and rounded once. The first begins the sum.",
		Loop: fmt.Sprintf(`
for c := range cells {
	for i := range n {
		sum := float64(src[links[0]+c*n+i])
		for l := 1; l < nlinks; l++ {
			sum += float64(src[links[2*l]+c*n+i])
		}
		dst[c*dstStep+i] = %s(sum)
	}
}`, k.Go),
		Rules: k.rules(),
	}.Begin()
	r := k.newRun()
	links := GP64()
	vec.Note("One link is a copy, two are one addition in the type itself; % says how many there are.", links)
	MOVQ(vec.Slot("nlinks"), links)
	CMPQ(links, U8(2))
	JE(LabelRef("pairCell"))
	if !k.Double() {
		JG(LabelRef("sumCell"))
	} else {
		JG(LabelRef("longCell"))
	}
	second := GP64()
	offsets := func() {
		MOVQ(Mem{Base: r.links}, r.offset)
		ADDQ(r.at, r.offset)
	}
	r.each("copy", 4, func(vectors int, label string) {
		x := k.Vectors(vectors)
		vec.Note("The only gradients, in %.", x)
		offsets()
		for i := range x {
			VMOVUPS(r.upstream(i), x[i])
		}
		r.store(label, x)
	})
	r.each("pair", 4, func(vectors int, label string) {
		x := k.Vectors(vectors)
		vec.Note("Sums in %, of the gradients at % and %.", x, r.offset, second)
		offsets()
		MOVQ(Mem{Base: r.links, Disp: 16}, second)
		ADDQ(r.at, second)
		for i := range x {
			VMOVUPS(r.upstream(i), x[i])
			k.Add(r.vector(r.src, second, i), x[i], x[i])
		}
		r.store(label, x)
	})
	if k.Double() {
		r.each("long", 4, func(vectors int, label string) {
			sums := k.Vectors(vectors)
			r.total(label, sums, func(i int, to VecVirtual) { VMOVUPS(r.upstream(i), to) })
			r.store(label, sums)
		})
		return
	}
	r.each("sum", 2, func(vectors int, label string) {
		sums := k.Vectors(2 * vectors)
		r.total(label, sums, func(i int, to VecVirtual) {
			VCVTPS2PD(r.upstream(0).Offset(i*k.ISA.Bytes/2), to)
		})
		results := k.Vectors(vectors)
		vec.Note("Rounded, they are in %.", results)
		for i, to := range results {
			k.join(sums[2*i], sums[2*i+1], to)
		}
		r.store(label, results)
	})
}

// total adds what load reads of every link, in order, in float64.
func (r run) total(label string, sums []VecVirtual, load func(i int, to VecVirtual)) {
	vec.Note("The first link begins the sums, float64 in %.", sums)
	MOVQ(Mem{Base: r.links}, r.offset)
	ADDQ(r.at, r.offset)
	for i, sum := range sums {
		load(i, sum)
	}
	LEAQ(Mem{Base: r.links, Disp: 16}, r.link)
	r.restLinks(label, func() {
		for i, sum := range sums {
			x := r.Vector()
			load(i, x)
			VADDPD(x, sum, sum)
		}
	}, "added to %.", sums)
}

// join rounds two vectors of float64 to one of float32.
func (k kind) join(low, high, to VecVirtual) {
	upper := k.Half()
	if k.Wide() {
		k.Round(low, to.AsY())
		k.Round(high, upper)
		VINSERTF64X4(Imm(1), upper, to, to)
		return
	}
	k.Round(low, to.AsX())
	k.Round(high, upper)
	VINSERTF128(Imm(1), upper, to, to)
}

// divide divides a row by a number.
func (k kind) divide() {
	vec.Func{
		Name:      "shares" + k.suffix(),
		Signature: fmt.Sprintf("func(dst, src *%[1]s, divisor %[1]s, n int)", k.Go),
		Does:      "divides a row.",
		Loop:      "for i := range n {\n\tdst[i] = src[i] / divisor\n}",
		Rules:     []string{fmt.Sprintf("n counts elements and is a multiple of %d, and at least that.", k.lanes())},
	}.Begin()
	p := vec.Params("dst", "src", "n")
	dst, src, n, at := p[0], p[1], p[2], GP64()
	by := k.Vector()
	vec.Note("% is the divisor, in every lane.", by)
	k.Broadcast(vec.Slot("divisor"), by)
	XORQ(at, at)
	x := k.Vector()
	vec.Label("next", "One vector, %, at a time; % of % is done.", x, at, n)
	VMOVUPS(Mem{Base: src, Index: at, Scale: uint8(k.Float.Bytes)}, x)
	k.Div(by, x, x)
	VMOVUPS(x, Mem{Base: dst, Index: at, Scale: uint8(k.Float.Bytes)})
	ADDQ(U8(uint8(k.lanes())), at)
	CMPQ(at, n)
	JL(LabelRef("next"))
	vec.Return()
}

// interleave writes the function that moves small cells: each by one load and
// one store of 16 or 32 bytes.
func interleave(f vec.Float) {
	vec.Func{
		Name:      "interleave" + typeName(f),
		Signature: fmt.Sprintf("func(dst, src *%s, phases, phase, n, groups, bytes int)", f.Go),
		Does:      "puts cells of several phases in turn: a group is a cell of each phase. The cells of a phase stand side by side in src.",
		Loop: `
for g := range groups {
	for p := range phases {
		copy(dst[(g*phases+p)*n:][:n], src[p*phase+g*n:])
	}
}`,
		Rules: []string{
			"phase, the distance of phases in src, and n, the length of a cell, count elements; phases and groups are at least 1.",
			"bytes is 16 or 32, at least a cell: so much is moved for each, so what follows the last cell in dst and src must exist, and is overwritten in dst.",
		},
	}.Begin()
	p := vec.Params("dst", "src", "phases", "phase", "n", "groups")
	dst, src, phases, phase, n, groups := p[0], p[1], p[2], p[3], p[4], p[5]
	scale := uint8(f.Bytes)
	move := func(label string, x VecVirtual) {
		from, left := GP64(), GP64()
		vec.Label(label+"Group", "A group to %; % are left.", dst, groups)
		MOVQ(src, from)
		MOVQ(phases, left)
		vec.Label(label+"Cell", "The cell of a phase, at %, by way of %; % phases are left.", from, x, left)
		VMOVUPS(Mem{Base: from}, x)
		VMOVUPS(x, Mem{Base: dst})
		LEAQ(Mem{Base: from, Index: phase, Scale: scale}, from)
		LEAQ(Mem{Base: dst, Index: n, Scale: scale}, dst)
		DECQ(left)
		JNZ(LabelRef(label + "Cell"))
		LEAQ(Mem{Base: src, Index: n, Scale: scale}, src)
		DECQ(groups)
		JNZ(LabelRef(label + "Group"))
		vec.Return()
	}
	CMPQ(vec.Slot("bytes"), U8(16))
	JE(LabelRef("smallGroup"))
	move("large", YMM())
	move("small", XMM())
}

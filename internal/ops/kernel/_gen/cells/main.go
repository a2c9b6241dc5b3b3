// Command cells writes the row functions of pooling's gradients: every one computes
// the cells of an input gradient that are reached by windows in the same way, a
// vector at a time, from the upstream gradients of those windows.
package main

import (
	"fmt"

	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	. "github.com/mmcloughlin/avo/reg"
	"github.com/poolctl/poolctl/internal/ops/kernel/_gen/vec"
)

func main() {
	vec.Main("poolgrad/cells", func() {
		for _, f := range vec.Floats {
			for _, v := range vec.ISAs {
				k := kind{v, f}
				k.route()
				k.match()
				k.spread()
				k.divide()
			}
		}
		interleave(vec.Float32)
		interleave(vec.Float64)
	})
}

// kind is an element type at a CPU level.
type kind struct {
	vec.ISA
	vec.Float
}

func (k kind) lanes() int { return k.ISA.Bytes / k.Float.Bytes }

// suffix ends the names of functions.
func (k kind) suffix() string { return typeName(k.Float) + k.Name }

func typeName(f vec.Float) string { return fmt.Sprintf("Float%d", 8*f.Bytes) }

// run holds the registers of a function: cells of n elements, dstStep elements apart
// in dst and n apart in src. A link is a pair of numbers: how many elements past the
// cell's place in src a window's gradient stands, and the tap with which that window
// sees the cell.
type run struct {
	kind
	dst, src, links, end, n, cells Register
	at, offset, link               Register
	beside                         Register // a pointer that moves with src, if any
	along                          Register // a pointer that moves with dst, if any
}

const (
	parameters = "links *int, nlinks, n, cells, dstStep, stream int"
	linkRule   = "A link is two numbers: how many elements past the cell's place in src the gradient of a window stands, and the tap with which that window sees the cell. nlinks and cells are at least 1."
)

// rules say what the functions demand.
func (k kind) rules() []string {
	return []string{
		fmt.Sprintf("n and dstStep count elements; n is at least %d.", k.lanes()), linkRule,
		fmt.Sprintf("With stream != 0 it writes past the caches: dst must then be aligned to %d bytes, n and dstStep be multiples of %d, and the caller needs a fence.", k.ISA.Bytes, k.lanes()),
	}
}

// loop is the loop in Go over the cells; add is what a link adds to sum.
func loop(sum, add, result string) string {
	return fmt.Sprintf(`
for c := range cells {
	for i := range n {
		var sum %s
		for l := range nlinks {
			at := links[2*l] + c*n + i
			%s
		}
		dst[c*dstStep+i] = %s
	}
}`, sum, add, result)
}

func (k kind) newRun() run {
	p := vec.Params("dst", "src", "links", "nlinks", "n", "cells")
	r := run{kind: k, dst: p[0], src: p[1], links: p[2], end: p[3], n: p[4], cells: p[5], at: GP64(), offset: GP64(), link: GP64()}
	vec.Note("% is the end of the links.", r.end)
	SHLQ(U8(4), r.end)
	ADDQ(r.links, r.end)
	return r
}

// each loops over the cells and their vectors. The body computes those at r.at and
// stores them.
func (r run) each(prefix string, many int, body func(vectors int, label string)) {
	row := vec.Row{Label: prefix, N: r.n, Step: r.lanes(), Many: many, At: r.at, Left: GP64()}
	scale := uint8(r.Float.Bytes)
	cell := vec.Sub(prefix, "Cell")
	vec.Label(cell, "The next cell goes to %; % are left.", r.dst, r.cells)
	row.Each(body)
	LEAQ(Mem{Base: r.src, Index: r.n, Scale: scale}, r.src)
	if r.beside != nil {
		if r.along == nil { // bytes
			ADDQ(r.n, r.beside)
		} else {
			LEAQ(Mem{Base: r.beside, Index: r.n, Scale: scale}, r.beside)
		}
	}
	MOVQ(vec.Slot("dstStep"), row.Left)
	LEAQ(Mem{Base: r.dst, Index: row.Left, Scale: scale}, r.dst)
	if r.along != nil {
		LEAQ(Mem{Base: r.along, Index: row.Left, Scale: scale}, r.along)
	}
	DECQ(r.cells)
	JNZ(LabelRef(cell))
	vec.Return()
}

// eachLink loops over the links with the place of the current vectors in src in
// r.offset.
func (r run) eachLink(label string, do func(), format string, groups ...any) {
	MOVQ(r.links, r.link)
	r.restLinks(label, do, format, groups...)
}

// restLinks loops over the links from r.link on.
func (r run) restLinks(label string, do func(), format string, groups ...any) {
	vec.Label(label+"Link", "Link % of those up to %; its gradients are at %: "+format, append([]any{r.link, r.end, r.offset}, groups...)...)
	MOVQ(Mem{Base: r.link}, r.offset)
	ADDQ(r.at, r.offset)
	do()
	ADDQ(U8(16), r.link)
	CMPQ(r.link, r.end)
	JNE(LabelRef(label + "Link"))
}

// upstream is vector i of the gradients at r.offset.
func (r run) upstream(i int) Mem { return r.vector(r.src, r.offset, i) }

// vector is vector i of a row at an index.
func (r run) vector(base, index Register, i int) Mem {
	return Mem{Base: base, Index: index, Scale: uint8(r.Float.Bytes), Disp: i * r.ISA.Bytes}
}

// store writes vectors to the cell, past the caches or through them.
func (r run) store(label string, from []VecVirtual) {
	vec.StoreTo(vec.Slot("stream"), label, func(i int) Mem { return r.vector(r.dst, r.at, i) }, from)
}

// route adds the gradients of the windows whose winner the cell is: those whose
// code is the link's.
func (k kind) route() {
	vec.Func{
		Name:      "route" + k.suffix(),
		Signature: fmt.Sprintf("func(dst, src *%s, codes *uint8, %s)", k.Go, parameters),
		Does:      "gathers the gradients of maxima or minima: each cell gets those of the windows that it won, whose code is the link's tap.",
		Loop:      loop(k.Go, "if int(codes[at]) == links[2*l+1] {\n\t\t\t\tsum += src[at]\n\t\t\t}", "sum"),
		Rules:     k.rules(),
	}.Begin()
	r := k.newRun()
	r.beside = vec.Param("codes")
	r.each("", 4, func(vectors int, label string) {
		sums, code := k.Vectors(vectors), k.Vector()
		vec.Note("Sums in %; % is the link's tap in every lane.", sums, code)
		for _, sum := range sums {
			vec.ZeroFloats(sum)
		}
		r.eachLink(label, func() {
			if k.Double() {
				VPBROADCASTQ(Mem{Base: r.link, Disp: 8}, code)
			} else {
				VPBROADCASTD(Mem{Base: r.link, Disp: 8}, code)
			}
			for i, sum := range sums {
				found := k.Vector()
				from := Mem{Base: r.beside, Index: r.offset, Scale: 1, Disp: i * k.lanes()}
				if k.Double() {
					VPMOVZXBQ(from, found)
				} else {
					VPMOVZXBD(from, found)
				}
				k.addWhere(sum, r.upstream(i), func(mask Register) {
					if k.Double() {
						VPCMPEQQ(code, found, mask)
					} else {
						VPCMPEQD(code, found, mask)
					}
				})
			}
		}, "added to % where the code is the tap.", sums)
		r.store(label, sums)
	})
}

// addWhere adds a vector in memory to a sum in the lanes of a mask that compare
// sets.
func (k kind) addWhere(sum VecVirtual, from Mem, compare func(mask Register)) {
	mask := k.Mask()
	compare(mask)
	if k.Wide() {
		k.Add(from, sum, mask, sum)
		return
	}
	VANDPS(from, mask, mask)
	k.Add(mask, sum, sum)
}

// match adds the gradients of the windows whose extremum the cell equals; NaN
// equals NaN.
func (k kind) match() {
	vec.Func{
		Name:      "match" + k.suffix(),
		Signature: fmt.Sprintf("func(dst, x, src, top *%s, %s)", k.Go, parameters),
		Does:      "gathers the gradients of maxima or minima: each cell gets those of all windows whose result, in top, its number in x equals.",
		Loop:      loop(k.Go, "if v, w := x[c*dstStep+i], top[at]; v == w || v != v && w != w {\n\t\t\t\tsum += src[at]\n\t\t\t}", "sum"),
		Rules:     k.rules(),
	}.Begin()
	r := k.newRun()
	r.beside = vec.Param("top")
	r.along = vec.Param("x")
	r.each("", 2, func(vectors int, label string) {
		sums, cells := k.Vectors(vectors), k.Vectors(vectors)
		vec.Note("Sums in %, the numbers of the cell in %.", sums, cells)
		for i, sum := range sums {
			vec.ZeroFloats(sum)
			VMOVUPS(r.vector(r.along, r.at, i), cells[i])
		}
		r.eachLink(label, func() {
			for i, sum := range sums {
				top := k.Vector()
				VMOVUPS(r.vector(r.beside, r.offset, i), top)
				k.addWhere(sum, r.upstream(i), func(mask Register) { k.same(cells[i], top, mask) })
			}
		}, "added to % where the window's result is the cell's number.", sums)
		r.store(label, sums)
	})
}

// same sets a mask where a equals b or both are NaN.
func (k kind) same(a, b VecVirtual, mask Register) {
	nan, other := k.Mask(), k.Mask()
	k.Compare(vec.Unordered, a, a, nan)
	if k.Wide() {
		k.Compare(vec.Unordered, b, b, nan, nan)
		k.Compare(vec.Equals, a, b, other)
		KORW(nan, other, mask)
		return
	}
	k.Compare(vec.Unordered, b, b, other)
	VANDPS(nan, other, nan)
	k.Compare(vec.Equals, a, b, mask)
	VORPS(nan, mask, mask)
}

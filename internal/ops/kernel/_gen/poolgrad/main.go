// Command poolgrad writes the row functions of pooling's gradients in assembly:
// every one computes the cells of an input gradient that are reached by windows
// in the same way, a vector at a time, from the upstream gradients of those
// windows. It is run by go generate in the parent package.
package main

import (
	"fmt"

	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	. "github.com/mmcloughlin/avo/reg"
)

func main() {
	ConstraintExpr("amd64,!purego")
	for _, v := range []vectors{{"Float32AVX2", 32, 4}, {"Float32AVX512", 64, 4}, {"Float64AVX2", 32, 8}, {"Float64AVX512", 64, 8}} {
		v.route()
		v.match()
		v.spread()
		v.divide()
	}
	interleave(4)
	interleave(8)
	Generate()
}

// vectors is an element type at a CPU level.
type vectors struct {
	name    string // the suffix of its functions
	bytes   int    // of a vector
	element int    // bytes of an element
}

func (v vectors) wide() bool   { return v.bytes == 64 }
func (v vectors) double() bool { return v.element == 8 }
func (v vectors) lanes() int   { return v.bytes / v.element }

// pointer returns the type of a pointer to an element.
func (v vectors) pointer() string { return fmt.Sprintf("*float%d", 8*v.element) }

func (v vectors) vector() VecVirtual {
	if v.wide() {
		return ZMM()
	}
	return YMM()
}

func (v vectors) half() VecVirtual {
	if v.wide() {
		return YMM()
	}
	return XMM()
}

func (v vectors) list(n int) []VecVirtual {
	list := make([]VecVirtual, n)
	for i := range list {
		list[i] = v.vector()
	}
	return list
}

func (v vectors) zero(r VecVirtual) {
	if v.wide() {
		VPXORD(r, r, r)
	} else {
		VXORPS(r, r, r)
	}
}

func (v vectors) load(from Op, to VecVirtual) { VMOVUPS(from, to) }

func (v vectors) add(a Op, b, sum VecVirtual) {
	if v.double() {
		VADDPD(a, b, sum)
	} else {
		VADDPS(a, b, sum)
	}
}

// run is the frame of a function: cells of n elements, dstStep elements apart in
// dst and n apart in src. A link is a pair of numbers: how many elements past
// the cell's place in src a window's gradient stands, and the tap with which
// that window sees the cell.
type run struct {
	vectors
	dst, src, links, end, n, cells Register
	at, offset, link               Register
	beside                         []Register // pointers that move with src
	along                          []Register // pointers that move with dst
}

const parameters = "links *int, nlinks, n, cells, dstStep, stream int"

func argument(name string) Mem {
	p, err := Param(name).Resolve()
	if err != nil {
		panic(err)
	}
	return p.Addr
}

func (v vectors) newRun() run {
	load := func(name string) Register { return Load(Param(name), GP64()) }
	r := run{vectors: v, dst: load("dst"), src: load("src"), links: load("links"), end: load("nlinks"), n: load("n"), cells: load("cells"),
		at: GP64(), offset: GP64(), link: GP64()}
	SHLQ(U8(4), r.end)
	ADDQ(r.links, r.end)
	return r
}

// each loops over the cells and their vectors, so many at a time, then one at a
// time; the last vector of a cell overlaps the one before it. block computes
// those at r.at and stores them.
func (r run) each(prefix string, many int, block func(vectors int, label string)) {
	left := GP64()
	label := func(name string) string { return prefix + name }
	Label(label("cell"))
	XORQ(r.at, r.at)
	Label(label("many"))
	MOVQ(r.n, left)
	SUBQ(r.at, left)
	CMPQ(left, U32(uint32(many*r.lanes())))
	JL(LabelRef(label("one")))
	block(many, label("many"))
	ADDQ(U32(uint32(many*r.lanes())), r.at)
	JMP(LabelRef(label("many")))
	Label(label("one"))
	MOVQ(r.n, left)
	SUBQ(r.at, left)
	JZ(LabelRef(label("next")))
	CMPQ(left, U32(uint32(r.lanes())))
	JGE(LabelRef(label("whole")))
	LEAQ(Mem{Base: r.n, Disp: -r.lanes()}, r.at)
	Label(label("whole"))
	block(1, label("one"))
	ADDQ(U32(uint32(r.lanes())), r.at)
	JMP(LabelRef(label("one")))
	Label(label("next"))
	scale := uint8(r.element)
	LEAQ(Mem{Base: r.src, Index: r.n, Scale: scale}, r.src)
	for _, p := range r.beside {
		if p == r.beside[0] && r.codes() {
			ADDQ(r.n, p)
		} else {
			LEAQ(Mem{Base: p, Index: r.n, Scale: scale}, p)
		}
	}
	MOVQ(argument("dstStep"), left)
	LEAQ(Mem{Base: r.dst, Index: left, Scale: scale}, r.dst)
	for _, p := range r.along {
		LEAQ(Mem{Base: p, Index: left, Scale: scale}, p)
	}
	DECQ(r.cells)
	JNZ(LabelRef(label("cell")))
	VZEROUPPER()
	RET()
}

// codes reports whether what moves beside src are bytes.
func (r run) codes() bool { return len(r.along) == 0 }

// eachLink loops over the links with the place of the current vectors in src in
// r.offset.
func (r run) eachLink(label string, do func()) {
	MOVQ(r.links, r.link)
	Label(label + "Link")
	MOVQ(Mem{Base: r.link}, r.offset)
	ADDQ(r.at, r.offset)
	do()
	ADDQ(U8(16), r.link)
	CMPQ(r.link, r.end)
	JNE(LabelRef(label + "Link"))
}

// upstream is vector i of the gradients at r.offset.
func (r run) upstream(i int) Mem {
	return Mem{Base: r.src, Index: r.offset, Scale: uint8(r.element), Disp: i * r.bytes}
}

// store writes vectors to the cell, past the caches or through them.
func (r run) store(label string, from []VecVirtual) {
	place := func(i int) Mem { return Mem{Base: r.dst, Index: r.at, Scale: uint8(r.element), Disp: i * r.bytes} }
	CMPQ(argument("stream"), U8(0))
	JNE(LabelRef(label + "Stream"))
	for i, x := range from {
		VMOVUPS(x, place(i))
	}
	JMP(LabelRef(label + "Stored"))
	Label(label + "Stream")
	for i, x := range from {
		VMOVNTPS(x, place(i))
	}
	Label(label + "Stored")
}

// route adds the gradients of the windows whose winner the cell is: those whose
// code is the link's.
func (v vectors) route() {
	name := "route" + v.name
	TEXT(name, NOSPLIT, fmt.Sprintf("func(dst, src %s, codes *uint8, %s)", v.pointer(), parameters))
	Pragma("noescape")
	Doc(name + " adds to each cell the gradients whose codes are those of the links.")
	r := v.newRun()
	r.beside = []Register{Load(Param("codes"), GP64())}
	r.each("", 4, func(vectors int, label string) {
		sums, code := v.list(vectors), v.vector()
		for _, sum := range sums {
			v.zero(sum)
		}
		r.eachLink(label, func() {
			if v.double() {
				VPBROADCASTQ(Mem{Base: r.link, Disp: 8}, code)
			} else {
				VPBROADCASTD(Mem{Base: r.link, Disp: 8}, code)
			}
			for i, sum := range sums {
				found := v.vector()
				from := Mem{Base: r.beside[0], Index: r.offset, Scale: 1, Disp: i * v.lanes()}
				if v.double() {
					VPMOVZXBQ(from, found)
				} else {
					VPMOVZXBD(from, found)
				}
				v.addWhere(sum, r.upstream(i), func(mask Register) {
					if v.double() {
						VPCMPEQQ(code, found, mask)
					} else {
						VPCMPEQD(code, found, mask)
					}
				})
			}
		})
		r.store(label, sums)
	})
}

// addWhere adds a vector in memory to a sum in the lanes of a mask that compare
// sets.
func (v vectors) addWhere(sum VecVirtual, from Mem, compare func(mask Register)) {
	if v.wide() {
		mask := K()
		compare(mask)
		if v.double() {
			VADDPD(from, sum, mask, sum)
		} else {
			VADDPS(from, sum, mask, sum)
		}
		return
	}
	mask := YMM()
	compare(mask)
	VANDPS(from, mask, mask)
	v.add(mask, sum, sum)
}

// Comparison predicates of VCMPPS and VCMPPD.
const (
	equal     = 0x00 // and ordered
	unordered = 0x03
)

func (v vectors) compare(predicate uint64, a, b, mask Op) {
	if v.double() {
		VCMPPD(Imm(predicate), a, b, mask)
	} else {
		VCMPPS(Imm(predicate), a, b, mask)
	}
}

// match adds the gradients of the windows whose extremum the cell equals; NaN
// equals NaN.
func (v vectors) match() {
	name := "match" + v.name
	TEXT(name, NOSPLIT, fmt.Sprintf("func(dst, x, src, top %s, %s)", v.pointer(), parameters))
	Pragma("noescape")
	Doc(name + " adds to each cell the gradients of those windows whose number in top is that of the cell in x.")
	r := v.newRun()
	r.beside = []Register{Load(Param("top"), GP64())}
	r.along = []Register{Load(Param("x"), GP64())}
	r.each("", 2, func(vectors int, label string) {
		sums, cells := v.list(vectors), v.list(vectors)
		for i, sum := range sums {
			v.zero(sum)
			v.load(Mem{Base: r.along[0], Index: r.at, Scale: uint8(v.element), Disp: i * v.bytes}, cells[i])
		}
		r.eachLink(label, func() {
			for i, sum := range sums {
				top := v.vector()
				v.load(Mem{Base: r.beside[0], Index: r.offset, Scale: uint8(v.element), Disp: i * v.bytes}, top)
				v.addWhere(sum, r.upstream(i), func(mask Register) { v.same(cells[i], top, mask) })
			}
		})
		r.store(label, sums)
	})
}

// same sets a mask where a equals b or both are NaN.
func (v vectors) same(a, b VecVirtual, mask Register) {
	if v.wide() {
		nan, equals := K(), K()
		v.compare(unordered, a, a, nan)
		if v.double() {
			VCMPPD(Imm(unordered), b, b, nan, nan)
		} else {
			VCMPPS(Imm(unordered), b, b, nan, nan)
		}
		v.compare(equal, a, b, equals)
		KORW(nan, equals, mask)
		return
	}
	nan, other := YMM(), YMM()
	v.compare(unordered, a, a, nan)
	v.compare(unordered, b, b, other)
	VANDPS(nan, other, nan)
	v.compare(equal, a, b, mask)
	VORPS(nan, mask, mask)
}

// spread adds the gradients of all windows that see the cell: those of float32
// in float64, rounded once. The sum of two is the same either way.
func (v vectors) spread() {
	name := "spread" + v.name
	TEXT(name, NOSPLIT, fmt.Sprintf("func(dst, src %s, %s)", v.pointer(), parameters))
	Pragma("noescape")
	Doc(name + " adds the gradients of all links, in float64, and rounds once.")
	r := v.newRun()
	links := GP64()
	MOVQ(argument("nlinks"), links)
	CMPQ(links, U8(2))
	JE(LabelRef("paircell"))
	if !v.double() {
		JG(LabelRef("sumcell"))
	} else {
		JG(LabelRef("longcell"))
	}
	second := GP64()
	offsets := func() {
		MOVQ(Mem{Base: r.links}, r.offset)
		ADDQ(r.at, r.offset)
	}
	r.each("copy", 4, func(vectors int, label string) {
		x := v.list(vectors)
		offsets()
		for i := range x {
			v.load(r.upstream(i), x[i])
		}
		r.store(label, x)
	})
	r.each("pair", 4, func(vectors int, label string) {
		x := v.list(vectors)
		offsets()
		MOVQ(Mem{Base: r.links, Disp: 16}, second)
		ADDQ(r.at, second)
		for i := range x {
			v.load(r.upstream(i), x[i])
			v.add(Mem{Base: r.src, Index: second, Scale: uint8(v.element), Disp: i * v.bytes}, x[i], x[i])
		}
		r.store(label, x)
	})
	if v.double() {
		r.each("long", 4, func(vectors int, label string) {
			sums := v.list(vectors)
			r.total(label, sums, func(i int, to VecVirtual) { v.load(r.upstream(i), to) })
			r.store(label, sums)
		})
		return
	}
	r.each("sum", 2, func(vectors int, label string) {
		sums := v.list(2 * vectors)
		r.total(label, sums, func(i int, to VecVirtual) {
			VCVTPS2PD(r.upstream(0).Offset(i*v.bytes/2), to)
		})
		results := v.list(vectors)
		for i, to := range results {
			v.round(sums[2*i], sums[2*i+1], to)
		}
		r.store(label, results)
	})
}

// total adds what load reads of every link, in order, in float64.
func (r run) total(label string, sums []VecVirtual, load func(i int, to VecVirtual)) {
	MOVQ(Mem{Base: r.links}, r.offset)
	ADDQ(r.at, r.offset)
	for i, sum := range sums {
		load(i, sum)
	}
	LEAQ(Mem{Base: r.links, Disp: 16}, r.link)
	Label(label + "Link")
	MOVQ(Mem{Base: r.link}, r.offset)
	ADDQ(r.at, r.offset)
	for i, sum := range sums {
		x := r.vector()
		load(i, x)
		VADDPD(x, sum, sum)
	}
	ADDQ(U8(16), r.link)
	CMPQ(r.link, r.end)
	JNE(LabelRef(label + "Link"))
}

// round joins two vectors of float64 to one of float32.
func (v vectors) round(low, high, to VecVirtual) {
	upper := v.half()
	if v.wide() {
		VCVTPD2PS(low, to.AsY())
		VCVTPD2PS(high, upper)
		VINSERTF64X4(Imm(1), upper, to, to)
		return
	}
	VCVTPD2PSY(low, to.AsX())
	VCVTPD2PSY(high, upper)
	VINSERTF128(Imm(1), upper, to, to)
}

// divide divides a row by a number.
func (v vectors) divide() {
	name := "shares" + v.name
	TEXT(name, NOSPLIT, fmt.Sprintf("func(dst, src %s, divisor float%d, n int)", v.pointer(), 8*v.element))
	Pragma("noescape")
	Doc(fmt.Sprintf("%s computes dst[i] = src[i] / divisor; n is a multiple of %d.", name, v.lanes()))
	dst, src, n, at := Load(Param("dst"), GP64()), Load(Param("src"), GP64()), Load(Param("n"), GP64()), GP64()
	by := v.vector()
	if v.double() {
		VBROADCASTSD(argument("divisor"), by)
	} else {
		VBROADCASTSS(argument("divisor"), by)
	}
	XORQ(at, at)
	Label("next")
	x := v.vector()
	v.load(Mem{Base: src, Index: at, Scale: uint8(v.element)}, x)
	if v.double() {
		VDIVPD(by, x, x)
	} else {
		VDIVPS(by, x, x)
	}
	VMOVUPS(x, Mem{Base: dst, Index: at, Scale: uint8(v.element)})
	ADDQ(U8(uint8(v.lanes())), at)
	CMPQ(at, n)
	JL(LabelRef("next"))
	VZEROUPPER()
	RET()
}

// interleave writes the function that moves small cells: each by one load and
// one store of 16 or 32 bytes.
func interleave(element int) {
	name := fmt.Sprintf("interleaveFloat%d", 8*element)
	TEXT(name, NOSPLIT, fmt.Sprintf("func(dst, src *float%d, phases, phase, n, groups, bytes int)", 8*element))
	Pragma("noescape")
	Doc(name+" writes groups times a cell of n numbers of every phase; those of a phase stand side by side, phases",
		"so many numbers apart. Each cell is moved as 16 or 32 bytes.")
	load := func(name string) Register { return Load(Param(name), GP64()) }
	dst, src, phases, phase, n, groups := load("dst"), load("src"), load("phases"), load("phase"), load("n"), load("groups")
	scale := uint8(element)
	move := func(label string, x VecVirtual) {
		from, left := GP64(), GP64()
		Label(label + "Group")
		MOVQ(src, from)
		MOVQ(phases, left)
		Label(label + "Cell")
		VMOVUPS(Mem{Base: from}, x)
		VMOVUPS(x, Mem{Base: dst})
		LEAQ(Mem{Base: from, Index: phase, Scale: scale}, from)
		LEAQ(Mem{Base: dst, Index: n, Scale: scale}, dst)
		DECQ(left)
		JNZ(LabelRef(label + "Cell"))
		LEAQ(Mem{Base: src, Index: n, Scale: scale}, src)
		DECQ(groups)
		JNZ(LabelRef(label + "Group"))
		VZEROUPPER()
		RET()
	}
	CMPQ(argument("bytes"), U8(16))
	JE(LabelRef("smallGroup"))
	move("large", YMM())
	move("small", XMM())
}

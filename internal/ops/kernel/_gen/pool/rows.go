package main

import (
	"fmt"

	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	. "github.com/mmcloughlin/avo/reg"
)

// rows writes the functions over contiguous rows. Their lengths are multiples
// of a vector's lanes; the callers' plain Go does the rest. Loads and stores
// need no alignment.
func rows() {
	for _, v := range isas {
		for _, t := range []struct {
			double bool
			suffix string
			size   int
		}{{false, "Float32", 4}, {true, "Float64", 8}} {
			for _, minimum := range []bool{false, true} {
				for _, ignore := range []bool{false, true} {
					e := extremum{minimum, t.double}
					name, doc := word(minimum)+t.suffix, "the first NaN stays"
					if ignore {
						name, doc = name+"IgnoreNaN", "a NaN gives way to what follows"
					}
					merger(v, name, t.suffix, t.size, 2, doc, func(a, b VecVirtual) { e.merge(v, ignore, b, a) })
				}
			}
		}
		merger(v, "maxUint8", "Uint8", 1, 4, "", func(a, b VecVirtual) { VPMAXUB(b, a, a) })
		merger(v, "minUint8", "Uint8", 1, 4, "", func(a, b VecVirtual) { VPMINUB(b, a, a) })
		merger(v, "sum", "Float64", 8, 4, "", func(a, b VecVirtual) { VADDPD(b, a, a) })
		widen(v)
		widenBytes(v)
		scale(v)
	}
}

func word(minimum bool) string {
	if minimum {
		return "min"
	}
	return "max"
}

var goTypes = map[string]string{"Float32": "float32", "Float64": "float64", "Uint8": "byte"}

// merger writes dst[i] = a[i] ⊕ b[i].
func merger(v isa, name, suffix string, size, unroll int, rule string, merge func(a, b VecVirtual)) {
	lanes := v.bytes / size
	TEXT(name+v.name, NOSPLIT, fmt.Sprintf("func(dst, a, b *%s, n int)", goTypes[suffix]))
	Pragma("noescape")
	doc := fmt.Sprintf("%s%s merges rows of n numbers, a multiple of %d", name, v.name, lanes)
	if rule != "" {
		doc += ": " + rule
	}
	Doc(doc + ".")
	dst, a, b := Load(Param("dst"), GP64()), Load(Param("a"), GP64()), Load(Param("b"), GP64())
	n := Load(Param("n"), GP64())
	each(n, lanes, unroll, func(i int) {
		x, y := v.vector(), v.vector()
		VMOVUPS(Mem{Base: a, Disp: i * v.bytes}, x)
		VMOVUPS(Mem{Base: b, Disp: i * v.bytes}, y)
		merge(x, y)
		VMOVUPS(x, Mem{Base: dst, Disp: i * v.bytes})
	}, func(vectors int) {
		for _, p := range []Register{dst, a, b} {
			ADDQ(U32(uint32(vectors*v.bytes)), p)
		}
	})
}

// each runs a body over n numbers, unroll vectors at a time and then one at a
// time.
func each(n Register, lanes, unroll int, body, advance func(i int)) {
	Label("many")
	CMPQ(n, U32(uint32(unroll*lanes)))
	JL(LabelRef("one"))
	for i := range unroll {
		body(i)
	}
	advance(unroll)
	SUBQ(U32(uint32(unroll*lanes)), n)
	JMP(LabelRef("many"))
	Label("one")
	CMPQ(n, U32(uint32(lanes)))
	JL(LabelRef("done"))
	body(0)
	advance(1)
	SUBQ(U32(uint32(lanes)), n)
	JMP(LabelRef("one"))
	Label("done")
	VZEROUPPER()
	RET()
}

// widen writes dst[i] = float64(src[i]) for float32.
func widen(v isa) {
	lanes := v.bytes / 8
	TEXT("widenFloat32"+v.name, NOSPLIT, "func(dst *float64, src *float32, n int)")
	Pragma("noescape")
	Doc(fmt.Sprintf("widenFloat32%s converts n numbers, a multiple of %d.", v.name, lanes))
	dst, src := Load(Param("dst"), GP64()), Load(Param("src"), GP64())
	each(Load(Param("n"), GP64()), lanes, 4, func(i int) {
		x := v.vector()
		VCVTPS2PD(Mem{Base: src, Disp: i * v.bytes / 2}, x)
		VMOVUPD(x, Mem{Base: dst, Disp: i * v.bytes})
	}, func(vectors int) {
		ADDQ(U32(uint32(vectors*v.bytes/2)), src)
		ADDQ(U32(uint32(vectors*v.bytes)), dst)
	})
}

// widenBytes writes dst[i] = float64(src[i]) for uint8.
func widenBytes(v isa) {
	lanes := v.bytes / 8
	TEXT("widenUint8"+v.name, NOSPLIT, "func(dst *float64, src *byte, n int)")
	Pragma("noescape")
	Doc(fmt.Sprintf("widenUint8%s converts n numbers, a multiple of %d.", v.name, lanes))
	dst, src := Load(Param("dst"), GP64()), Load(Param("src"), GP64())
	each(Load(Param("n"), GP64()), lanes, 4, func(i int) {
		ints, x := v.half(), v.vector()
		VPMOVZXBD(Mem{Base: src, Disp: i * lanes}, ints)
		VCVTDQ2PD(ints, x)
		VMOVUPD(x, Mem{Base: dst, Disp: i * v.bytes})
	}, func(vectors int) {
		ADDQ(U32(uint32(vectors*lanes)), src)
		ADDQ(U32(uint32(vectors*v.bytes)), dst)
	})
}

// scale writes dst[i] = float32(src[i] * reciprocal).
func scale(v isa) {
	lanes := v.bytes / 8
	TEXT("scaleFloat32"+v.name, NOSPLIT, "func(dst *float32, src *float64, reciprocal float64, n, stream int)")
	Pragma("noescape")
	Doc(fmt.Sprintf("scaleFloat32%s multiplies n >= %d numbers by the reciprocal and rounds them.", v.name, lanes),
		fmt.Sprintf("With stream != 0 it writes past the caches, for which dst must be aligned to %d bytes and n a multiple of %d.", 4*lanes, lanes))
	dst, src, n := Load(Param("dst"), GP64()), Load(Param("src"), GP64()), Load(Param("n"), GP64())
	by := reciprocal(v)
	at, left := GP64(), GP64()
	block := func(vectors int, label string) {
		var sums []VecVirtual
		for i := range vectors {
			x := v.vector()
			VMOVUPD(Mem{Base: src, Index: at, Scale: 8, Disp: i * v.bytes}, x)
			sums = append(sums, x)
		}
		var results []VecVirtual
		for _, x := range means(by, sums) {
			results = append(results, rounded(v, x))
		}
		storeRow(argument("stream"), label, Mem{Base: dst, Index: at, Scale: 4}, v.bytes/2, results)
	}
	XORQ(at, at)
	Label("many")
	MOVQ(n, left)
	SUBQ(at, left)
	CMPQ(left, U32(uint32(4*lanes)))
	JL(LabelRef("one"))
	block(4, "many")
	ADDQ(U32(uint32(4*lanes)), at)
	JMP(LabelRef("many"))
	Label("one")
	MOVQ(n, left)
	SUBQ(at, left)
	JZ(LabelRef("done"))
	CMPQ(left, U32(uint32(lanes)))
	JGE(LabelRef("whole"))
	LEAQ(Mem{Base: n, Disp: -lanes}, at)
	Label("whole")
	block(1, "one")
	ADDQ(U32(uint32(lanes)), at)
	JMP(LabelRef("one"))
	Label("done")
	VZEROUPPER()
	RET()
}

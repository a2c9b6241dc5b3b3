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
		divide(v)
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
	each(n, lanes, unroll, singly(func(i int) {
		x, y := v.vector(), v.vector()
		VMOVUPS(Mem{Base: a, Disp: i * v.bytes}, x)
		VMOVUPS(Mem{Base: b, Disp: i * v.bytes}, y)
		merge(x, y)
		VMOVUPS(x, Mem{Base: dst, Disp: i * v.bytes})
	}), func(vectors int) {
		for _, p := range []Register{dst, a, b} {
			ADDQ(U32(uint32(vectors*v.bytes)), p)
		}
	})
}

// each runs a body over n numbers, for unroll vectors at a time and then for one.
func each(n Register, lanes, unroll int, body func(label string, vectors int), advance func(vectors int)) {
	Label("many")
	CMPQ(n, U32(uint32(unroll*lanes)))
	JL(LabelRef("one"))
	body("many", unroll)
	advance(unroll)
	SUBQ(U32(uint32(unroll*lanes)), n)
	JMP(LabelRef("many"))
	Label("one")
	CMPQ(n, U32(uint32(lanes)))
	JL(LabelRef("done"))
	body("one", 1)
	advance(1)
	SUBQ(U32(uint32(lanes)), n)
	JMP(LabelRef("one"))
	Label("done")
	VZEROUPPER()
	RET()
}

// singly is a body that does the same for each vector.
func singly(body func(i int)) func(label string, vectors int) {
	return func(_ string, vectors int) {
		for i := range vectors {
			body(i)
		}
	}
}

// widen writes dst[i] = float64(src[i]) for float32.
func widen(v isa) {
	lanes := v.bytes / 8
	TEXT("widenFloat32"+v.name, NOSPLIT, "func(dst *float64, src *float32, n int)")
	Pragma("noescape")
	Doc(fmt.Sprintf("widenFloat32%s converts n numbers, a multiple of %d.", v.name, lanes))
	dst, src := Load(Param("dst"), GP64()), Load(Param("src"), GP64())
	each(Load(Param("n"), GP64()), lanes, 4, singly(func(i int) {
		x := v.vector()
		VCVTPS2PD(Mem{Base: src, Disp: i * v.bytes / 2}, x)
		VMOVUPD(x, Mem{Base: dst, Disp: i * v.bytes})
	}), func(vectors int) {
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
	each(Load(Param("n"), GP64()), lanes, 4, singly(func(i int) {
		ints, x := v.half(), v.vector()
		VPMOVZXBD(Mem{Base: src, Disp: i * lanes}, ints)
		VCVTDQ2PD(ints, x)
		VMOVUPD(x, Mem{Base: dst, Disp: i * v.bytes})
	}), func(vectors int) {
		ADDQ(U32(uint32(vectors*lanes)), src)
		ADDQ(U32(uint32(vectors*v.bytes)), dst)
	})
}

// divide writes dst[i] = float32(src[i] / divisor).
func divide(v isa) {
	lanes := v.bytes / 8
	TEXT("divideFloat32"+v.name, NOSPLIT, "func(dst *float32, src *float64, divisor, reciprocal float64, n int)")
	Pragma("noescape")
	Doc(fmt.Sprintf("divideFloat32%s divides n numbers, a multiple of %d, and rounds them. The divisor is 0 where multiplying", v.name, lanes),
		"by the reciprocal is exact.")
	dst, src := Load(Param("dst"), GP64()), Load(Param("src"), GP64())
	q := newQuotient(v, argument("divisor"), argument("reciprocal"))
	each(Load(Param("n"), GP64()), lanes, 4, func(label string, vectors int) {
		var sums []VecVirtual
		for i := range vectors {
			x := v.vector()
			VMOVUPD(Mem{Base: src, Disp: i * v.bytes}, x)
			sums = append(sums, x)
		}
		for i, x := range q.divide(v, label, sums) {
			VMOVUPS(rounded(v, x), Mem{Base: dst, Disp: i * v.bytes / 2})
		}
	}, func(vectors int) {
		ADDQ(U32(uint32(vectors*v.bytes/2)), dst)
		ADDQ(U32(uint32(vectors*v.bytes)), src)
	})
}

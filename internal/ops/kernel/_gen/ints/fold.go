package main

import (
	"fmt"

	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	. "github.com/mmcloughlin/avo/reg"
)

// taps reduces all taps into acc: the first is loaded, each of the others is
// combined from memory. address gives where vector i of the tap at an offset is.
func taps(o op, list, ntaps Register, label string, acc []VecVirtual, address func(offset Register) func(i int) Mem) {
	t, offset := GP64(), GP64()
	MOVQ(Mem{Base: list}, offset)
	at := address(offset)
	for i, r := range acc {
		VMOVUPS(at(i), r)
	}
	MOVQ(U32(1), t)
	CMPQ(t, ntaps)
	JGE(LabelRef(label + "Reduced"))
	Label(label + "Tap")
	MOVQ(Mem{Base: list, Index: t, Scale: 8}, offset)
	at = address(offset)
	for i, r := range acc {
		o.combine(at(i), r)
	}
	INCQ(t)
	CMPQ(t, ntaps)
	JL(LabelRef(label + "Tap"))
	Label(label + "Reduced")
}

func vectors(v isa, n int) (list []VecVirtual) {
	for range n {
		list = append(list, v.vector())
	}
	return list
}

// fold writes the function that combines rows shifted against each other.
func fold(v isa, o op) {
	name := "fold" + o.name + v.name
	TEXT(name, NOSPLIT, "func(dst, src *byte, taps *int, ntaps, n, outputs, step, stream int)")
	Pragma("noescape")
	Doc(fmt.Sprintf("%s combines, for each of the outputs side by side in dst, n >= %d bytes from each of the offsets taps;", name, v.bytes),
		"the outputs are step bytes apart in src. With stream != 0 it writes past the caches, for which dst must be",
		fmt.Sprintf("aligned to %d bytes and n a multiple of it.", v.bytes))
	dst, src, list, ntaps := parameter("dst"), parameter("src"), parameter("taps"), parameter("ntaps")
	n := parameter("n")
	base := GP64()
	Label("output")
	row(v, "row", n, 4, func(at Register, count int, label string) {
		acc := vectors(v, count)
		LEAQ(Mem{Base: src, Index: at, Scale: 1}, base)
		taps(o, list, ntaps, label, acc, func(offset Register) func(i int) Mem {
			return func(i int) Mem { return Mem{Base: base, Index: offset, Scale: 1, Disp: i * v.bytes} }
		})
		store(argument("stream"), label, Mem{Base: dst, Index: at, Scale: 1}, v.bytes, acc)
	})
	ADDQ(n, dst)
	ADDQ(argument("step"), src)
	DECQ(argument("outputs"))
	JNZ(LabelRef("output"))
	leave()
}

// merge writes the function that combines two rows.
func merge(v isa, o op) {
	name := "merge" + o.name + v.name
	TEXT(name, NOSPLIT, "func(dst, a, b *byte, n int)")
	Pragma("noescape")
	Doc(fmt.Sprintf("%s combines two rows of n >= %d bytes.", name, v.bytes))
	dst, a, b, n := parameter("dst"), parameter("a"), parameter("b"), parameter("n")
	row(v, "row", n, 4, func(at Register, count int, _ string) {
		for i, r := range vectors(v, count) {
			VMOVUPS(Mem{Base: a, Index: at, Scale: 1, Disp: i * v.bytes}, r)
			o.combine(Mem{Base: b, Index: at, Scale: 1, Disp: i * v.bytes}, r)
			VMOVUPS(r, Mem{Base: dst, Index: at, Scale: 1, Disp: i * v.bytes})
		}
	})
	VZEROUPPER()
	RET()
}

// advance writes the function that combines a prefix with one more row, and the
// window of that prefix and a suffix.
func advance(v isa, o op) {
	name := "advance" + o.name + v.name
	TEXT(name, NOSPLIT, "func(dst, longer, prefix, more, suffix *byte, n int)")
	Pragma("noescape")
	Doc(fmt.Sprintf("%s sets longer to prefix combined with more, and dst to that combined with suffix: rows of n >= %d bytes.", name, v.bytes),
		"longer may be prefix.")
	dst, longer, prefix, more, suffix, n := parameter("dst"), parameter("longer"), parameter("prefix"), parameter("more"), parameter("suffix"), parameter("n")
	row(v, "row", n, 4, func(at Register, count int, _ string) {
		for i, r := range vectors(v, count) {
			part := func(base Register) Mem { return Mem{Base: base, Index: at, Scale: 1, Disp: i * v.bytes} }
			VMOVUPS(part(prefix), r)
			o.combine(part(more), r)
			VMOVUPS(r, part(longer))
			o.combine(part(suffix), r)
			VMOVUPS(r, part(dst))
		}
	})
	VZEROUPPER()
	RET()
}

// squeeze writes the function for outputs apart in src that are smaller than 16
// bytes: a group of them lies in 16 bytes, of which a shuffle keeps what counts.
func squeeze(o op) {
	name := "squeeze" + o.name + "AVX2"
	TEXT(name, NOSPLIT, "func(dst, src *byte, taps *int, ntaps, groups, step, bytes int, shuffle *byte)")
	Pragma("noescape")
	Doc(name+" combines, for each group, 16 bytes from each of the offsets taps, shuffles them and writes all 16. Groups",
		"are step bytes apart in src and bytes in dst.")
	dst, src, list, ntaps := parameter("dst"), parameter("src"), parameter("taps"), parameter("ntaps")
	groups, step, bytes := parameter("groups"), parameter("step"), parameter("bytes")
	pointer, shuffle := parameter("shuffle"), XMM()
	VMOVUPS(Mem{Base: pointer}, shuffle)
	three, base := GP64(), GP64()
	LEAQ(Mem{Base: step, Index: step, Scale: 2}, three)
	emit := func(acc []VecVirtual) {
		for _, r := range acc {
			VPSHUFB(shuffle, r, r)
			VMOVUPS(r, Mem{Base: dst})
			ADDQ(bytes, dst)
		}
	}
	Label("many")
	CMPQ(groups, U8(4))
	JL(LabelRef("one"))
	acc := []VecVirtual{XMM(), XMM(), XMM(), XMM()}
	taps(o, list, ntaps, "many", acc, func(offset Register) func(i int) Mem {
		LEAQ(Mem{Base: src, Index: offset, Scale: 1}, base)
		return func(i int) Mem {
			return []Mem{{Base: base}, {Base: base, Index: step, Scale: 1}, {Base: base, Index: step, Scale: 2}, {Base: base, Index: three, Scale: 1}}[i]
		}
	})
	emit(acc)
	LEAQ(Mem{Base: src, Index: step, Scale: 4}, src)
	SUBQ(U32(4), groups)
	JMP(LabelRef("many"))
	Label("one")
	TESTQ(groups, groups)
	JZ(LabelRef("done"))
	acc = acc[:1]
	taps(o, list, ntaps, "one", acc, func(offset Register) func(i int) Mem {
		return func(int) Mem { return Mem{Base: src, Index: offset, Scale: 1} }
	})
	emit(acc)
	ADDQ(step, src)
	DECQ(groups)
	JMP(LabelRef("one"))
	Label("done")
	VZEROUPPER()
	RET()
}

// halve writes the function for every other cell of 1, 2, 4 or 8 bytes: whole
// vectors, whose lanes of 16 bytes are shuffled so that what counts comes first.
func halve(v isa, o op) {
	name := "halve" + o.name + v.name
	TEXT(name, NOSPLIT, "func(dst, src *byte, taps *int, ntaps, n int, shuffle *byte, stream int)")
	Pragma("noescape")
	Doc(fmt.Sprintf("%s combines 2n bytes from each of the offsets taps and writes the half of every 16 bytes that the shuffle", name),
		fmt.Sprintf("puts first, n >= %d bytes. With stream != 0 it writes past the caches, for which dst must be", v.bytes),
		fmt.Sprintf("aligned to %d bytes and n a multiple of it.", v.bytes))
	dst, src, list, ntaps := parameter("dst"), parameter("src"), parameter("taps"), parameter("ntaps")
	n, pointer := parameter("n"), parameter("shuffle")
	shuffle, order := v.vector(), v.vector()
	if v.wide() {
		VBROADCASTI32X4(Mem{Base: pointer}, shuffle)
		VMOVUPS(quads("evens", 0, 2, 4, 6, 8, 10, 12, 14), order)
	} else {
		VBROADCASTI128(Mem{Base: pointer}, shuffle)
	}
	base := GP64()
	row(v, "row", n, 2, func(at Register, count int, label string) {
		acc := vectors(v, 2*count)
		LEAQ(Mem{Base: src, Index: at, Scale: 2}, base)
		taps(o, list, ntaps, label, acc, func(offset Register) func(i int) Mem {
			return func(i int) Mem { return Mem{Base: base, Index: offset, Scale: 1, Disp: i * v.bytes} }
		})
		var halves []VecVirtual
		for i := 0; i < len(acc); i += 2 {
			a, b := acc[i], acc[i+1]
			VPSHUFB(shuffle, a, a)
			VPSHUFB(shuffle, b, b)
			if v.wide() {
				VPERMT2Q(b, order, a)
			} else {
				VPUNPCKLQDQ(b, a, a)
				VPERMQ(Imm(0xd8), a, a)
			}
			halves = append(halves, a)
		}
		store(argument("stream"), label, Mem{Base: dst, Index: at, Scale: 1}, v.bytes, halves)
	})
	leave()
}

var orders = map[string]Mem{}

// quads is a table of the numbers of 64-bit lanes.
func quads(name string, numbers ...uint64) Mem {
	if m, ok := orders[name]; ok {
		return m
	}
	m := GLOBL(name, NOPTR|RODATA)
	for i, q := range numbers {
		DATA(8*i, U64(q))
	}
	orders[name] = m
	return m
}

// Command planes writes the functions of convolutions of few channels, whose
// vectors are neighbouring cells of one channel: they take rows apart into
// channels, convolve, and put channels together to rows.
package main

import (
	"fmt"

	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	. "github.com/mmcloughlin/avo/reg"
)

const (
	lanes  = 8
	vector = 4 * lanes // bytes
)

func main() {
	ConstraintExpr("amd64,!purego")
	split2()
	join2()
	split3()
	join3()
	// As many sums as hide the latency of additions, in tiles that load little
	// for each of them: 8, 10, 12 and 12 of sixteen registers.
	for i, vectors := range []int{8, 5, 4, 3} {
		convolve(i+1, vectors)
	}
	Generate()
}

// pointers loads parameters that are pointers.
func pointers(names ...string) []Register {
	var list []Register
	for _, name := range names {
		list = append(list, Load(Param(name), GP64()))
	}
	return list
}

// load loads neighbouring vectors.
func load(from Register, n int) []VecVirtual {
	var list []VecVirtual
	for i := range n {
		x := YMM()
		VMOVUPS(Mem{Base: from, Disp: i * vector}, x)
		list = append(list, x)
	}
	return list
}

// each repeats a body for each vector of n numbers.
func each(n Register, body func()) {
	Label("vector")
	body()
	SUBQ(U32(lanes), n)
	JNZ(LabelRef("vector"))
	VZEROUPPER()
	RET()
}

func advance(bytes int, list ...Register) {
	for _, p := range list {
		ADDQ(U32(uint32(bytes)), p)
	}
}

func split2() {
	TEXT("split2AVX2", NOSPLIT, "func(a, b, src *float32, n int)")
	Pragma("noescape")
	Doc("split2AVX2 takes n pairs, a multiple of 8, apart.")
	p := pointers("a", "b", "src")
	each(Load(Param("n"), GP64()), func() {
		x := load(p[2], 2)
		for i, control := range []uint8{0x88, 0xdd} { // even, odd numbers of each half
			y := YMM()
			VSHUFPS(U8(control), x[1], x[0], y)
			VPERMPD(U8(0xd8), y, y)
			VMOVUPS(y, Mem{Base: p[i]})
		}
		advance(vector, p[0], p[1])
		advance(2*vector, p[2])
	})
}

func join2() {
	TEXT("join2AVX2", NOSPLIT, "func(dst, a, b *float32, n int)")
	Pragma("noescape")
	Doc("join2AVX2 makes n pairs, a multiple of 8.")
	p := pointers("dst", "a", "b")
	each(Load(Param("n"), GP64()), func() {
		a, b := load(p[1], 1)[0], load(p[2], 1)[0]
		low, high, first, second := YMM(), YMM(), YMM(), YMM()
		VUNPCKLPS(b, a, low)
		VUNPCKHPS(b, a, high)
		VPERM2F128(U8(0x20), high, low, first)
		VPERM2F128(U8(0x31), high, low, second)
		VMOVUPS(first, Mem{Base: p[0]})
		VMOVUPS(second, Mem{Base: p[0], Disp: vector})
		advance(vector, p[1], p[2])
		advance(2*vector, p[0])
	})
}

// Number c of triple k stands at 3*k + c: in vector (3*k+c)/8, lane (3*k+c)%8,
// which for one c is another lane for every k.

// lanesOf is where the numbers c of eight triples lie: the mask of lanes for each
// vector, and the lane of each triple.
func lanesOf(c int) (masks [3]uint8, at [lanes]int) {
	for k := range lanes {
		place := 3*k + c
		masks[place/lanes] |= 1 << (place % lanes)
		at[k] = place % lanes
	}
	return masks, at
}

// indices puts eight lane numbers in a register.
func indices(name string, list [lanes]int) VecVirtual {
	m := GLOBL(name, NOPTR|RODATA)
	for i, v := range list {
		DATA(4*i, U32(uint32(v)))
	}
	x := YMM()
	VMOVDQU(m, x)
	return x
}

func split3() {
	TEXT("split3AVX2", NOSPLIT, "func(a, b, c, src *float32, n int)")
	Pragma("noescape")
	Doc("split3AVX2 takes n triples, a multiple of 8, apart.")
	p := pointers("a", "b", "c", "src")
	var index [3]VecVirtual
	for c := range index {
		_, at := lanesOf(c)
		index[c] = indices(fmt.Sprintf("apart%d", c), at)
	}
	each(Load(Param("n"), GP64()), func() {
		x := load(p[3], 3)
		for c := range index {
			masks, _ := lanesOf(c)
			y := YMM()
			VBLENDPS(U8(masks[1]), x[1], x[0], y)
			VBLENDPS(U8(masks[2]), x[2], y, y)
			VPERMPS(y, index[c], y)
			VMOVUPS(y, Mem{Base: p[c]})
		}
		advance(vector, p[:3]...)
		advance(3*vector, p[3])
	})
}

func join3() {
	TEXT("join3AVX2", NOSPLIT, "func(dst, a, b, c *float32, n int)")
	Pragma("noescape")
	Doc("join3AVX2 makes n triples, a multiple of 8.")
	p := pointers("dst", "a", "b", "c")
	var index [3]VecVirtual
	for c := range index {
		_, at := lanesOf(c)
		var from [lanes]int // the triple of each lane
		for k, lane := range at {
			from[lane] = k
		}
		index[c] = indices(fmt.Sprintf("together%d", c), from)
	}
	each(Load(Param("n"), GP64()), func() {
		var x [3]VecVirtual
		var masks [3][3]uint8
		for c := range x {
			x[c] = YMM()
			VPERMPS(Mem{Base: p[1+c]}, index[c], x[c])
			masks[c], _ = lanesOf(c)
		}
		for i := range 3 {
			y := YMM()
			VBLENDPS(U8(masks[1][i]), x[1], x[0], y)
			VBLENDPS(U8(masks[2][i]), x[2], y, y)
			VMOVUPS(y, Mem{Base: p[0], Disp: i * vector})
		}
		advance(vector, p[1:]...)
		advance(3*vector, p[0])
	})
}

// convolve writes the function for so many outputs, in tiles of so many vectors.
func convolve(outputs, vectors int) {
	name := fmt.Sprintf("planes%dAVX2", outputs)
	TEXT(name, NOSPLIT, "func(dst *float32, room int, src *float32, taps *int, ntaps int, weights, bias *float32, n int)")
	Pragma("noescape")
	Doc(fmt.Sprintf("%s computes n vectors of each of %d outputs, which stand room bytes apart. Each tap is an offset from src, in bytes,", name, outputs),
		fmt.Sprintf("and %d weights.", outputs))
	p := pointers("dst", "room", "src", "taps", "ntaps", "weights", "bias", "n")
	dst, room, src, taps, ntaps, weights, bias, n := p[0], p[1], p[2], p[3], p[4], p[5], p[6], p[7]
	t, weight, from := GP64(), GP64(), GP64()
	block := func(count int, label string) {
		sums := make([][]VecVirtual, outputs)
		for o := range sums {
			for range count {
				sum := YMM()
				VBROADCASTSS(Mem{Base: bias, Disp: 4 * o}, sum)
				sums[o] = append(sums[o], sum)
			}
		}
		XORQ(t, t)
		MOVQ(weights, weight)
		Label(label + "Tap")
		MOVQ(Mem{Base: taps, Index: t, Scale: 8}, from)
		ADDQ(src, from)
		switch {
		case outputs == 1:
			w := YMM()
			VBROADCASTSS(Mem{Base: weight}, w)
			for v := range count {
				VFMADD231PS(Mem{Base: from, Disp: v * vector}, w, sums[0][v])
			}
		case outputs < 4: // weights stay, numbers pass
			var w []VecVirtual
			for o := range outputs {
				w = append(w, YMM())
				VBROADCASTSS(Mem{Base: weight, Disp: 4 * o}, w[o])
			}
			for v := range count {
				x := YMM()
				VMOVUPS(Mem{Base: from, Disp: v * vector}, x)
				for o := range outputs {
					VFMADD231PS(x, w[o], sums[o][v])
				}
			}
		default: // numbers stay, weights pass
			x := load(from, count)
			for o := range outputs {
				w := YMM()
				VBROADCASTSS(Mem{Base: weight, Disp: 4 * o}, w)
				for v := range count {
					VFMADD231PS(x[v], w, sums[o][v])
				}
			}
		}
		ADDQ(U32(uint32(4*outputs)), weight)
		INCQ(t)
		CMPQ(t, ntaps)
		JL(LabelRef(label + "Tap"))
		MOVQ(dst, from)
		for o := range outputs {
			if o > 0 {
				ADDQ(room, from)
			}
			for v := range count {
				VMOVUPS(sums[o][v], Mem{Base: from, Disp: v * vector})
			}
		}
		advance(count*vector, dst, src)
		SUBQ(U32(uint32(count)), n)
	}
	Label("many")
	CMPQ(n, U32(uint32(vectors)))
	JL(LabelRef("one"))
	block(vectors, "many")
	JMP(LabelRef("many"))
	Label("one")
	TESTQ(n, n)
	JZ(LabelRef("done"))
	block(1, "one")
	JMP(LabelRef("one"))
	Label("done")
	VZEROUPPER()
	RET()
}

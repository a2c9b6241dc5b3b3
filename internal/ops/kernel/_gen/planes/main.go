// Command planes writes the functions of convolutions of few channels, whose vectors
// are neighbouring cells of one channel: they take rows apart into channels,
// convolve, and put channels together to rows.
package main

import (
	"fmt"

	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	. "github.com/mmcloughlin/avo/reg"
	"github.com/poolctl/poolctl/internal/ops/kernel/_gen/vec"
)

const (
	lanes  = 8
	vector = 4 * lanes // bytes
)

func main() {
	vec.Main("conv/planes", func() {
		split2()
		join2()
		split3()
		join3()
		// As many sums as hide the latency of additions, in tiles that load little
		// for each of them: 8, 10, 12 and 12 of sixteen registers.
		for i, vectors := range []int{8, 5, 4, 3} {
			convolve(i+1, vectors)
		}
	})
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
func each(body func(), format string, groups ...any) {
	n := vec.Param("n")
	vec.Label("vector", format+"; % are left.", append(groups, n)...)
	body()
	SUBQ(U32(lanes), n)
	JNZ(LabelRef("vector"))
	vec.Return()
}

func advance(bytes int, list ...Register) {
	for _, p := range list {
		ADDQ(U32(uint32(bytes)), p)
	}
}

const multiple = "n counts pairs and is a multiple of 8, and at least that."

func split2() {
	vec.Func{
		Name:      "split2AVX2",
		Signature: "func(a, b, src *float32, n int)",
		Does:      "takes pairs apart.",
		Loop:      "for i := range n {\n\ta[i], b[i] = src[2*i], src[2*i+1]\n}",
		Rules:     []string{multiple},
	}.Begin()
	p := vec.Params("a", "b", "src")
	each(func() {
		x := load(p[2], 2)
		for i, control := range []uint8{0x88, 0xdd} { // even, odd numbers of each half
			y := YMM()
			VSHUFPS(U8(control), x[1], x[0], y)
			VPERMPD(U8(0xd8), y, y)
			VMOVUPS(y, Mem{Base: p[i]})
		}
		advance(vector, p[0], p[1])
		advance(2*vector, p[2])
	}, "Eight pairs from %", p[2])
}

func join2() {
	vec.Func{
		Name:      "join2AVX2",
		Signature: "func(dst, a, b *float32, n int)",
		Does:      "makes pairs.",
		Loop:      "for i := range n {\n\tdst[2*i], dst[2*i+1] = a[i], b[i]\n}",
		Rules:     []string{multiple},
	}.Begin()
	p := vec.Params("dst", "a", "b")
	each(func() {
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
	}, "Eight pairs to %", p[0])
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
	var numbers []Constant
	for _, v := range list {
		numbers = append(numbers, U32(uint32(v)))
	}
	m := vec.Table(name, numbers...)
	x := YMM()
	VMOVDQU(m, x)
	return x
}

func split3() {
	vec.Func{
		Name:      "split3AVX2",
		Signature: "func(a, b, c, src *float32, n int)",
		Does:      "takes triples apart.",
		Loop:      "for i := range n {\n\ta[i], b[i], c[i] = src[3*i], src[3*i+1], src[3*i+2]\n}",
		Rules:     []string{"n counts triples and is a multiple of 8, and at least that."},
	}.Begin()
	p := vec.Params("a", "b", "c", "src")
	vec.Note("In which lanes the first, second and third numbers of eight triples stand when they are blended.")
	var index [3]VecVirtual
	for c := range index {
		_, at := lanesOf(c)
		index[c] = indices(fmt.Sprintf("apart%d", c), at)
	}
	each(func() {
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
	}, "Eight triples from %, put in order by %", p[3], index[:])
}

func join3() {
	vec.Func{
		Name:      "join3AVX2",
		Signature: "func(dst, a, b, c *float32, n int)",
		Does:      "makes triples.",
		Loop:      "for i := range n {\n\tdst[3*i], dst[3*i+1], dst[3*i+2] = a[i], b[i], c[i]\n}",
		Rules:     []string{"n counts triples and is a multiple of 8, and at least that."},
	}.Begin()
	p := vec.Params("dst", "a", "b", "c")
	vec.Note("Which of eight first, second and third numbers each lane takes before they are blended.")
	var index [3]VecVirtual
	for c := range index {
		_, at := lanesOf(c)
		var from [lanes]int // the triple of each lane
		for k, lane := range at {
			from[lane] = k
		}
		index[c] = indices(fmt.Sprintf("together%d", c), from)
	}
	each(func() {
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
	}, "Eight triples to %, put in their lanes by %", p[0], index[:])
}

// convolve writes the function for so many outputs, in tiles of so many vectors.
func convolve(outputs, vectors int) {
	vec.Func{
		Name:      fmt.Sprintf("planes%dAVX2", outputs),
		Signature: "func(dst *float32, room int, src *float32, taps *int, ntaps int, weights, bias *float32, n int)",
		Does:      fmt.Sprintf("convolves rows of neighbouring cells to %s.", []string{"one output channel", "two output channels", "three output channels", "four output channels"}[outputs-1]),
		Loop: fmt.Sprintf(`
for o := range %[1]d {
	for i := range 8 * n {
		sum := bias[o]
		for t := range ntaps {
			sum = fma(src[i+taps[t]/4], weights[%[1]d*t+o], sum)
		}
		dst[o*room/4+i] = sum
	}
}`, outputs),
		Rules: []string{"n counts vectors of 8 cells; taps, and room, the distance of output channels in dst, are bytes. ntaps is at least 1."},
	}.Begin()
	p := vec.Params("dst", "room", "src", "taps", "ntaps", "weights", "bias", "n")
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
			vec.Note("Sums of output %d: %.", o, sums[o])
		}
		XORQ(t, t)
		MOVQ(weights, weight)
		vec.Label(label+"Tap", "Tap % of %: the cells at %, the weights at %.", t, ntaps, from, weight)
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
		vec.Note("The outputs, room bytes apart from % on.", dst)
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
	vec.Label("many", "%d vectors of cells at a time; % are left.", vectors, n)
	CMPQ(n, U32(uint32(vectors)))
	JL(LabelRef("one"))
	block(vectors, "many")
	JMP(LabelRef("many"))
	vec.Label("one", "One vector at a time; % are left.", n)
	TESTQ(n, n)
	JZ(LabelRef("done"))
	block(1, "one")
	JMP(LabelRef("one"))
	vec.Label("done", "All cells are done.")
	vec.Return()
}

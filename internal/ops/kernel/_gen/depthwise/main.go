// Command depthwise writes the row functions of depthwise convolution and of grey
// morphology: sums of products, maxima or minima of sums, of cells with weights of
// their own for each channel.
//
// There are two shapes. In a wide one a register tile is four vectors of one cell,
// so that source, weights and result are linear streams, or of a pair, which shares
// the weights; in a narrow one it is one vector of eight cells, which share the load
// of a weight, or of a single one.
//
// In small groups a result is a sum over the channels of its group: the cell is
// permuted so that each lane holds the first, the second, ... of them.
package main

import (
	"fmt"
	"math"

	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
	"github.com/poolctl/poolctl/internal/ops/kernel/_gen/vec"
)

func main() {
	vec.Main("conv/depthwise", func() {
		for _, f := range vec.Floats {
			for _, v := range vec.ISAs {
				for _, r := range []reduction{multiply, largest, least, twos, fours} {
					for _, s := range shapes(f, v, r) {
						row{f, v, r, s}.generate()
					}
				}
			}
		}
	})
}

// shapes lists the register tiles that a reduction has.
func shapes(f vec.Float, v vec.ISA, r reduction) (list []shape) {
	if r.group() > 1 && f.Double() {
		return nil
	}
	list = []shape{{"Single", 1, 1, false}, {"Narrow", 8, 1, false}}
	if r.group() > 1 {
		return list
	}
	list = append(list, shape{"Wide", 1, 4, false})
	if r == multiply {
		list = append(list, shape{"Stream", 1, 4, true})
	}
	if !v.Wide() {
		list = append(list, shape{"Pair", 2, 4, false})
		if r == multiply {
			list = append(list, shape{"PairStream", 2, 4, true})
		}
	}
	return list
}

// reduction says what is done with a cell and its weight.
type reduction string

const (
	multiply reduction = "depthwise"
	largest  reduction = "dilate"
	least    reduction = "erode"
	twos     reduction = "twos" // products of groups of two channels
	fours    reduction = "fours"
)

// group returns how many channels a result is a sum of.
func (r reduction) group() int {
	switch r {
	case twos:
		return 2
	case fours:
		return 4
	}
	return 1
}

// adds reports whether the reduction is a sum, to which a bias is added.
func (r reduction) adds() bool { return r != largest && r != least }

// shape is a register tile: vectors of cells. With stream the results are
// written past the caches; they must be aligned.
type shape struct {
	name           string
	cells, vectors int
	stream         bool
}

type row struct {
	vec.Float
	vec.ISA
	reduction
	shape
}

// tileBytes is how much of a cell a tile takes.
func (k row) tileBytes() int { return k.vectors * k.ISA.Bytes }

func (k row) generate() {
	k.function().Begin()
	p := vec.Params("dst", "src", "cells", "srcStep", "dstStep")
	dst, src, left, srcStep, dstStep := p[0], p[1], p[2], p[3], p[4]
	at, block, weights := GP64(), GP64(), GP64()
	tap, taps, cell, far, weight := GP64(), GP64(), GP64(), GP64(), GP64()
	step3 := GP64()
	var start reg.VecVirtual
	odd := k.noneOdd()
	if !k.adds() {
		start = k.Vector()
		vec.Note("% is what changes no result, in every lane.", start)
		k.Broadcast(k.neutral(), start)
	}
	if k.shape.cells > 1 {
		vec.Note("% is three steps in the source.", step3)
		LEAQ(Mem{Base: srcStep, Index: srcStep, Scale: 2}, step3)
	}
	vec.Label("cells", "Cells from % go to %; % are left.", src, dst, left)
	XORQ(at, at)
	sums := k.Vectors(k.shape.cells * k.vectors)
	vec.Label("vectors", "A tile of results %, at byte % of the cells; % and % are this block of the first cell and of the weights.", sums, at, block, weights)
	for _, s := range sums {
		if start != nil {
			k.Load(start, s)
		} else {
			vec.Zero(s)
		}
	}
	LEAQ(Mem{Base: src, Index: at, Scale: 1}, block)
	Load(Param("weights"), weights)
	ADDQ(at, weights)
	vec.Note("What the next row of destinations will need.")
	Load(Param("ahead"), cell)
	ADDQ(block, cell)
	for c := range k.shape.cells {
		vec.Prefetch(PREFETCHT1, Mem{Base: cell}, k.tileBytes())
		if c+1 < k.shape.cells {
			ADDQ(srcStep, cell)
		}
	}
	Load(Param("taps"), tap)
	Load(Param("count"), taps)
	TESTQ(taps, taps)
	JE(LabelRef("store"))
	vec.Label("tap", "The tap at %, its cell % and weights %; % taps are left.", tap, cell, weight, taps)
	MOVQ(Mem{Base: tap}, cell)
	ADDQ(block, cell)
	MOVQ(Mem{Base: tap, Disp: 8}, weight)
	ADDQ(weights, weight)
	if k.shape.cells > 4 {
		vec.Note("% is the cell of the fifth result.", far)
		LEAQ(Mem{Base: cell, Index: srcStep, Scale: 4}, far)
	}
	if k.group() > 1 {
		k.tapOfGroup(sums, cell, far, srcStep, step3, weight)
	} else {
		k.tap(sums, cell, far, srcStep, step3, weight, odd)
	}
	ADDQ(Imm(16), tap)
	DECQ(taps)
	JNE(LabelRef("tap"))

	to := GP64()
	vec.Label("store", "The results go to %.", to)
	LEAQ(Mem{Base: dst, Index: at, Scale: 1}, to)
	if k.adds() {
		bias := vec.Param("bias")
		ADDQ(at, bias)
		for i, s := range sums {
			k.Add(Mem{Base: bias, Disp: i % k.vectors * k.ISA.Bytes}, s, s)
		}
	}
	for c := range k.shape.cells {
		for v := range k.vectors {
			if s, m := sums[c*k.vectors+v], (Mem{Base: to, Disp: v * k.ISA.Bytes}); k.shape.stream {
				k.Stream(s, m)
			} else {
				k.Load(s, m)
			}
		}
		if c+1 < k.shape.cells {
			ADDQ(dstStep, to)
		}
	}
	vec.Note("The last vectors of a cell may overlap those before them.")
	last := vec.Param("last")
	CMPQ(at, last)
	JGE(LabelRef("next"))
	ADDQ(U32(uint32(k.tileBytes())), at)
	CMPQ(at, last)
	CMOVQGT(last, at)
	JMP(LabelRef("vectors"))

	vec.Label("next", "The cells are done.")
	LEAQ(Mem{Base: src, Index: srcStep, Scale: uint8(k.shape.cells)}, src)
	LEAQ(Mem{Base: dst, Index: dstStep, Scale: uint8(k.shape.cells)}, dst)
	SUBQ(Imm(uint64(k.shape.cells)), left)
	JG(LabelRef("cells"))
	if k.shape.stream {
		SFENCE()
	}
	k.returnOdd(odd)
	vec.Return()
}

// neutral is where the number lies that changes no maximum or minimum.
func (k row) neutral() Mem {
	if k.reduction == largest {
		return vec.Table(k.Go+"NegativeInfinity", k.Bits(math.Inf(-1)))
	}
	return vec.Table(k.Go+"Infinity", k.Bits(math.Inf(1)))
}

// tap adds one tap to the tile.
func (k row) tap(sums []reg.VecVirtual, cell, far, step, step3, weight reg.Register, odd reg.Register) {
	from := func(c, v int) Mem { return k.cell(c, cell, far, step, step3).Offset(v * k.ISA.Bytes) }
	for v := range k.vectors {
		w := k.Vector()
		k.Load(Mem{Base: weight, Disp: v * k.ISA.Bytes}, w)
		for c := range k.shape.cells {
			s := sums[c*k.vectors+v]
			if k.reduction == multiply {
				k.FMA(from(c, v), w, s)
				continue
			}
			x := k.Vector()
			k.Add(from(c, v), w, x)
			k.noteOdd(x, odd)
			if k.reduction == largest {
				k.Max(s, x, s) // the earlier of equal sums stays, NaN are passed over
			} else {
				k.Min(s, x, s)
			}
		}
	}
}

// cell addresses cell c of a tile.
func (k row) cell(c int, cell, far, step, step3 reg.Register) Mem {
	m := Mem{Base: cell}
	if c >= 4 {
		m.Base = far
	}
	switch c % 4 {
	case 1, 2:
		m.Index, m.Scale = step, uint8(c%4)
	case 3:
		m.Index, m.Scale = step3, 1
	}
	return m
}

// tapOfGroup adds one tap to a tile of one vector a cell. The weights that meet the
// second channel of the groups stand a cell behind those that meet the first, and so
// on.
func (k row) tapOfGroup(sums []reg.VecVirtual, cell, far, step, step3, weight reg.Register) {
	next := GP64()
	vec.Note("% is from the weights of a channel to those of the next.", next)
	Load(Param("last"), next)
	ADDQ(U32(uint32(k.ISA.Bytes)), next)
	var weights []reg.VecVirtual
	for j := range k.group() {
		w := k.Vector()
		if j > 0 {
			ADDQ(next, weight)
		}
		k.Load(Mem{Base: weight}, w)
		weights = append(weights, w)
	}
	vec.Note("Weights of each channel of the groups: %.", weights)
	for c, sum := range sums {
		x := k.Vector()
		k.Load(k.cell(c, cell, far, step, step3), x)
		for j, w := range weights {
			control := uint8(0x55 * j) // lane j of every four
			if k.group() == 2 {
				control = []uint8{0xa0, 0xf5}[j]
			}
			same := k.Vector()
			VPERMILPS(U8(control), x, same)
			k.FMA(same, w, sum)
		}
	}
}

// noneOdd returns a register in which NaN are noted.
func (k row) noneOdd() reg.Register {
	if k.adds() {
		return nil
	}
	r := k.Mask()
	vec.Note("% notes NaN.", r)
	if k.Wide() {
		KXORQ(r, r, r)
	} else {
		VPXOR(r, r, r)
	}
	return r
}

func (k row) noteOdd(x reg.VecVirtual, odd reg.Register) {
	m := k.Mask()
	k.Compare(vec.Unordered, x, x, m)
	if k.Wide() {
		KORQ(m, odd, odd)
	} else {
		VPOR(m, odd, odd)
	}
}

func (k row) returnOdd(odd reg.Register) {
	r := GP64()
	vec.Note("% is not 0 where there was a NaN.", r)
	switch {
	case odd == nil:
		XORQ(r, r)
	case k.Wide():
		KMOVQ(odd, r)
	default:
		VMOVMSKPS(odd, r.As32())
	}
	Store(r, ReturnIndex(0))
}

// function is the function's name and doc comment.
func (k row) function() vec.Func {
	size, lanes := k.Float.Bytes, k.tileBytes()/k.Float.Bytes
	f := vec.Func{
		Name:      string(k.reduction) + k.shape.name + k.ISA.Name + k.Suffix,
		Signature: fmt.Sprintf("func(dst, src *%[1]s, taps *int, count int, weights, bias *%[1]s, cells, dstStep, srcStep, last, ahead int) (odd int)", k.Go),
		Rules: []string{
			"A tap is two offsets: from src to the cell of the first result, and from weights to the tap's.",
			"taps, dstStep, srcStep, last and ahead are bytes;",
			fmt.Sprintf("last, at least 0, is where the last %d numbers of a cell begin. %s; count may be 0.", lanes, k.cellsRule()),
			"What stands ahead bytes behind a cell is fetched early.",
		},
	}
	body, result := "", "v"
	start := "0"
	switch k.reduction {
	case multiply:
		f.Does = "computes a row of depthwise convolution."
		body, result = "v = fma(%s, %s, v)", "v + bias[i]"
	case largest, least:
		word, sign := "max", "-"
		if f.Does = "computes a row of grey dilation."; k.reduction == least {
			word, sign = "min", "+"
			f.Does = "computes a row of grey erosion, whose weights are negated."
		}
		start = "inf(" + sign + "1)"
		body = "w := %s + %s\n\t\t\tif w != w {\n\t\t\t\todd = 1\n\t\t\t}\n\t\t\tv = " + word + "(v, w)"
		f.Rules = append(f.Rules, "bias is not read. Where odd is not 0 a sum was NaN, and the results are not to be used.")
	default:
		f.Does = fmt.Sprintf("computes a row of convolution in groups of %d channels.", k.group())
		body, result = fmt.Sprintf("for j := range %[1]d {\n\t\t\t\tv = fma(%%[1]s/%[1]d*%[1]d+j], %%[2]s+j*n], v)\n\t\t\t}", k.group()), "v + bias[i]"
	}
	cell, weight := fmt.Sprintf("src[(c*srcStep+taps[2*t])/%d+i", size), fmt.Sprintf("weights[taps[2*t+1]/%d+i", size)
	if k.group() == 1 {
		cell, weight = cell+"]", weight+"]"
	}
	f.Loop = fmt.Sprintf(`
n := last/%d + %d
for c := range cells {
	for i := range n {
		v := %s(%s)
		for t := range count {
			%s
		}
		dst[c*dstStep/%d+i] = %s
	}
}`, size, lanes, k.Go, start, fmt.Sprintf(body, cell, weight), size, result)
	if k.shape.stream {
		f.Rules = append(f.Rules, fmt.Sprintf("It writes past the caches, with a fence at the end: dst, dstStep and last must be multiples of %d bytes.", k.ISA.Bytes))
	}
	return f
}

func (k row) cellsRule() string {
	if k.shape.cells == 1 {
		return "cells is at least 1"
	}
	return fmt.Sprintf("cells is a multiple of %d and at least that", k.shape.cells)
}

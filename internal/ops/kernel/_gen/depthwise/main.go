// Command depthwise writes the row functions of depthwise convolution and of
// grey morphology: sums of products, maxima or minima of sums, of cells with
// weights of their own for each channel.
//
// There are two shapes. In a wide one a register tile is four vectors of one
// cell, so that source, weights and result are linear streams, or of a pair, which
// shares the weights; in a narrow one it is one vector of eight cells, which share
// the load of a weight, or of a single one.
//
// In small groups a result is a sum over the channels of its group: the cell is
// permuted so that each lane holds the first, the second, ... of them.
package main

import (
	"fmt"
	"math"

	"github.com/mmcloughlin/avo/attr"
	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

func main() {
	ConstraintExpr("amd64,!purego")
	for _, f := range []float{single, double} {
		for _, v := range []isa{{"AVX2", 32}, {"AVX512", 64}} {
			for _, r := range []reduction{multiply, largest, least, twos, fours} {
				if r.group() > 1 {
					for _, s := range []shape{{"Single", 1, 1, false}, {"Narrow", 8, 1, false}} {
						if f.bytes == 4 {
							row{f, v, r, s}.generate()
						}
					}
					continue
				}
				shapes := []shape{{"Single", 1, 1, false}, {"Narrow", 8, 1, false}, {"Wide", 1, 4, false}, {"Stream", 1, 4, true}}
				if v.bytes == 32 {
					shapes = append(shapes, shape{"Pair", 2, 4, false}, shape{"PairStream", 2, 4, true})
				}
				for _, s := range shapes {
					if !s.stream || r == multiply {
						row{f, v, r, s}.generate()
					}
				}
			}
		}
	}
	Generate()
}

// float is an element type with its instructions.
type float struct {
	suffix, name  string
	bytes         int
	constant      func(v float64) Constant
	broadcast     func(src, dst Op)
	load, stream  func(src, dst Op)
	add, max, min func(a, b, dst Op)
	fma           func(a, b, sum Op)
	compare       func(predicate, a, b, mask Op)
}

var single = float{
	name: "float32", bytes: 4,
	constant:  func(v float64) Constant { return U32(math.Float32bits(float32(v))) },
	broadcast: func(src, dst Op) { VBROADCASTSS(src, dst) },
	load:      func(src, dst Op) { VMOVUPS(src, dst) },
	stream:    func(src, dst Op) { VMOVNTPS(src, dst) },
	add:       func(a, b, dst Op) { VADDPS(a, b, dst) },
	max:       func(a, b, dst Op) { VMAXPS(a, b, dst) },
	min:       func(a, b, dst Op) { VMINPS(a, b, dst) },
	fma:       func(a, b, sum Op) { VFMADD231PS(a, b, sum) },
	compare:   func(predicate, a, b, mask Op) { VCMPPS(predicate, a, b, mask) },
}

var double = float{
	suffix: "Double", name: "float64", bytes: 8,
	constant:  func(v float64) Constant { return U64(math.Float64bits(v)) },
	broadcast: func(src, dst Op) { VBROADCASTSD(src, dst) },
	load:      func(src, dst Op) { VMOVUPD(src, dst) },
	stream:    func(src, dst Op) { VMOVNTPD(src, dst) },
	add:       func(a, b, dst Op) { VADDPD(a, b, dst) },
	max:       func(a, b, dst Op) { VMAXPD(a, b, dst) },
	min:       func(a, b, dst Op) { VMINPD(a, b, dst) },
	fma:       func(a, b, sum Op) { VFMADD231PD(a, b, sum) },
	compare:   func(predicate, a, b, mask Op) { VCMPPD(predicate, a, b, mask) },
}

type isa struct {
	name  string
	bytes int // of a vector
}

func (v isa) vector() reg.VecVirtual {
	if v.bytes == 64 {
		return ZMM()
	}
	return YMM()
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
	float
	isa
	reduction
	shape
}

func (k row) generate() {
	name := string(k.reduction) + k.shape.name + k.isa.name + k.float.suffix
	TEXT(name, attr.NOSPLIT, fmt.Sprintf("func(dst, src *%[1]s, taps *int, count int, weights, bias *%[1]s, cells, dstStep, srcStep, last, ahead int) (odd int)", k.float.name))
	Pragma("noescape")
	Doc(fmt.Sprintf("%s computes tiles of %d cells by %d vectors: see depthwiseRow.", name, k.shape.cells, k.vectors))
	dst, src, left := Load(Param("dst"), GP64()), Load(Param("src"), GP64()), Load(Param("cells"), GP64())
	srcStep, dstStep := Load(Param("srcStep"), GP64()), Load(Param("dstStep"), GP64())
	at, block, weights := GP64(), GP64(), GP64()
	tap, taps, cell, far, weight := GP64(), GP64(), GP64(), GP64(), GP64()
	step3 := GP64()
	var start reg.VecVirtual
	odd := k.noneOdd()
	if !k.adds() {
		start = k.vector()
		k.broadcast(k.memory(math.Inf(map[reduction]int{largest: -1, least: 1}[k.reduction])), start)
	}
	if k.shape.cells > 1 {
		LEAQ(Mem{Base: srcStep, Index: srcStep, Scale: 2}, step3)
	}
	Label("cells")
	XORQ(at, at)
	Label("vectors")
	var sums []reg.VecVirtual
	for range k.shape.cells * k.vectors {
		s := k.vector()
		switch {
		case start != nil:
			k.load(start, s)
		case k.isa.bytes == 64:
			VPXORD(s, s, s)
		default:
			VPXOR(s, s, s)
		}
		sums = append(sums, s)
	}
	LEAQ(Mem{Base: src, Index: at, Scale: 1}, block)
	Load(Param("weights"), weights)
	ADDQ(at, weights)
	// What the next row of destinations will need.
	Load(Param("ahead"), cell)
	ADDQ(block, cell)
	for c := range k.shape.cells {
		for line := 0; line < k.vectors*k.isa.bytes; line += 64 {
			PREFETCHT1(Mem{Base: cell, Disp: line})
		}
		if c+1 < k.shape.cells {
			ADDQ(srcStep, cell)
		}
	}
	Load(Param("taps"), tap)
	Load(Param("count"), taps)
	TESTQ(taps, taps)
	JE(LabelRef("store"))
	Label("tap")
	MOVQ(Mem{Base: tap}, cell)
	ADDQ(block, cell)
	MOVQ(Mem{Base: tap, Disp: 8}, weight)
	ADDQ(weights, weight)
	if k.shape.cells > 4 {
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

	Label("store")
	to := GP64()
	LEAQ(Mem{Base: dst, Index: at, Scale: 1}, to)
	store := k.load
	if k.shape.stream {
		store = k.float.stream
	}
	if k.adds() {
		bias := Load(Param("bias"), GP64())
		ADDQ(at, bias)
		for i, s := range sums {
			k.float.add(Mem{Base: bias, Disp: i % k.vectors * k.isa.bytes}, s, s)
		}
	}
	for c := range k.shape.cells {
		for v := range k.vectors {
			store(sums[c*k.vectors+v], Mem{Base: to, Disp: v * k.isa.bytes})
		}
		if c+1 < k.shape.cells {
			ADDQ(dstStep, to)
		}
	}
	// The last vectors of a cell may overlap those before them.
	last := Load(Param("last"), GP64())
	CMPQ(at, last)
	JGE(LabelRef("next"))
	ADDQ(U32(uint32(k.vectors*k.isa.bytes)), at)
	CMPQ(at, last)
	CMOVQGT(last, at)
	JMP(LabelRef("vectors"))

	Label("next")
	LEAQ(Mem{Base: src, Index: srcStep, Scale: uint8(k.shape.cells)}, src)
	LEAQ(Mem{Base: dst, Index: dstStep, Scale: uint8(k.shape.cells)}, dst)
	SUBQ(Imm(uint64(k.shape.cells)), left)
	JG(LabelRef("cells"))
	if k.shape.stream {
		SFENCE()
	}
	k.returnOdd(odd)
	VZEROUPPER()
	RET()
}

// written are the constants that the file has, by type and value.
var written = map[Constant]Mem{}

func (k row) memory(v float64) Mem {
	c := k.constant(v)
	if _, known := written[c]; !known {
		written[c] = ConstData(fmt.Sprintf("%sStart%d", k.float.name, len(written)), c)
	}
	return written[c]
}

// tap adds one tap to the tile.
func (k row) tap(sums []reg.VecVirtual, cell, far, step, step3, weight reg.Register, odd reg.Register) {
	from := func(c, v int) Mem { return k.cell(c, cell, far, step, step3).Offset(v * k.isa.bytes) }
	for v := range k.vectors {
		w := k.vector()
		k.load(Mem{Base: weight, Disp: v * k.isa.bytes}, w)
		for c := range k.shape.cells {
			s := sums[c*k.vectors+v]
			if k.reduction == multiply {
				k.fma(from(c, v), w, s)
				continue
			}
			x := k.vector()
			k.float.add(from(c, v), w, x)
			k.noteOdd(x, odd)
			if k.reduction == largest {
				k.max(s, x, s) // the earlier of equal sums stays, NaN are passed over
			} else {
				k.min(s, x, s)
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
	Load(Param("last"), next)
	ADDQ(U32(uint32(k.isa.bytes)), next)
	var weights []reg.VecVirtual
	for j := range k.group() {
		w := k.vector()
		if j > 0 {
			ADDQ(next, weight)
		}
		k.load(Mem{Base: weight}, w)
		weights = append(weights, w)
	}
	for c, sum := range sums {
		x := k.vector()
		k.load(k.cell(c, cell, far, step, step3), x)
		for j, w := range weights {
			control := uint8(0x55 * j) // lane j of every four
			if k.group() == 2 {
				control = []uint8{0xa0, 0xf5}[j]
			}
			same := k.vector()
			VPERMILPS(U8(control), x, same)
			k.fma(same, w, sum)
		}
	}
}

// noneOdd returns a register in which NaN are noted.
func (k row) noneOdd() reg.Register {
	switch {
	case k.adds():
		return nil
	case k.isa.bytes == 64:
		r := K()
		KXORQ(r, r, r)
		return r
	default:
		r := YMM()
		VPXOR(r, r, r)
		return r
	}
}

func (k row) noteOdd(x reg.VecVirtual, odd reg.Register) {
	const unordered = 3
	if k.isa.bytes == 64 {
		m := K()
		k.compare(Imm(unordered), x, x, m)
		KORQ(m, odd, odd)
		return
	}
	m := YMM()
	k.compare(Imm(unordered), x, x, m)
	VPOR(m, odd, odd)
}

func (k row) returnOdd(odd reg.Register) {
	r := GP64()
	switch {
	case odd == nil:
		XORQ(r, r)
	case k.isa.bytes == 64:
		KMOVQ(odd, r)
	default:
		VMOVMSKPS(odd, r.As32())
	}
	Store(r, ReturnIndex(0))
}

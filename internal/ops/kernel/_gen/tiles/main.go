// Command conv writes the register tiles of convolution: functions that
// multiply a few runs of source numbers with a panel of the packed filter, and
// those of the filter's gradient (outer.go).
//
// A tile of P destinations by Q channels keeps its P*Q sums in vector
// registers. For every step of a run it loads Q weights, broadcasts one number
// of each destination's run and multiplies. The loops over tiles, segments and
// steps are all here, so that one call does a whole list of tiles.
package main

import (
	"fmt"

	"github.com/mmcloughlin/avo/attr"
	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

func main() {
	ConstraintExpr("amd64,!purego")
	for _, float := range []float{single, double} {
		for _, s := range []shape{
			{isa: "AVX2", float: float, vector: 32, registers: 16, pixels: 6, width: 2, chains: 1},
			{isa: "AVX2", float: float, vector: 32, registers: 16, pixels: 6, width: 1, chains: 2},
			{isa: "AVX512", float: float, vector: 64, registers: 32, pixels: 12, width: 2, chains: 1},
			{isa: "AVX512", float: float, vector: 64, registers: 32, pixels: 12, width: 1, chains: 2},
		} {
			s.generate()
			s.row()
			for _, s.pixels = range []int{s.pixels, 4, 1} {
				s.outer()
			}
		}
	}
	shape{isa: "AVX2", float: single}.accumulate()
	shape{isa: "AVX2", float: double}.accumulate()
	for _, width := range []int{16, 32, 64} {
		copyRows(width)
	}
	Generate()
}

// float is an element type with its instructions.
type float struct {
	name      string
	bytes     int
	broadcast func(src, dst Op)
	fma       func(a, b, sum Op)
	add       func(a, b, dst Op)
	load      func(src, dst Op)
	stream    func(src, dst Op) // write past the caches
}

var single = float{
	name: "float32", bytes: 4,
	broadcast: func(src, dst Op) { VBROADCASTSS(src, dst) },
	fma:       func(a, b, sum Op) { VFMADD231PS(a, b, sum) },
	add:       func(a, b, dst Op) { VADDPS(a, b, dst) },
	load:      func(src, dst Op) { VMOVUPS(src, dst) },
	stream:    func(src, dst Op) { VMOVNTPS(src, dst) },
}

var double = float{
	name: "float64", bytes: 8,
	broadcast: func(src, dst Op) { VBROADCASTSD(src, dst) },
	fma:       func(a, b, sum Op) { VFMADD231PD(a, b, sum) },
	add:       func(a, b, dst Op) { VADDPD(a, b, dst) },
	load:      func(src, dst Op) { VMOVUPD(src, dst) },
	stream:    func(src, dst Op) { VMOVNTPD(src, dst) },
}

// shape is a register tile: pixels destinations by width vectors of channels.
// With two chains the sums of even and odd steps are apart, so that enough
// multiplications are under way at a time.
type shape struct {
	isa                   string
	float                 float
	vector, registers     int // bytes of a vector, how many there are
	pixels, width, chains int
}

const unroll = 4

const segmentBytes = 16

func (s shape) channels() int { return s.width * s.vector / s.float.bytes }

// physical returns vector register i.
func (s shape) physical(i int) reg.VecPhysical {
	if s.vector == 64 {
		return []reg.VecPhysical{
			reg.Z0, reg.Z1, reg.Z2, reg.Z3, reg.Z4, reg.Z5, reg.Z6, reg.Z7, reg.Z8, reg.Z9, reg.Z10, reg.Z11, reg.Z12, reg.Z13, reg.Z14, reg.Z15,
			reg.Z16, reg.Z17, reg.Z18, reg.Z19, reg.Z20, reg.Z21, reg.Z22, reg.Z23, reg.Z24, reg.Z25, reg.Z26, reg.Z27, reg.Z28, reg.Z29, reg.Z30, reg.Z31,
		}[i]
	}
	return []reg.VecPhysical{
		reg.Y0, reg.Y1, reg.Y2, reg.Y3, reg.Y4, reg.Y5, reg.Y6, reg.Y7, reg.Y8, reg.Y9, reg.Y10, reg.Y11, reg.Y12, reg.Y13, reg.Y14, reg.Y15,
	}[i]
}

// sum returns the register of pixel p's vector v in a chain.
func (s shape) sum(chain, p, v int) reg.VecPhysical {
	return s.physical((chain*s.pixels+p)*s.width + v)
}

func (s shape) generate() {
	name := fmt.Sprintf("tile%dx%d%s", s.pixels, s.channels(), s.isa)
	if s.float.bytes == 8 {
		name += "Double"
	}
	TEXT(name, attr.NOSPLIT, fmt.Sprintf("func(pixels, dst *uintptr, tiles int, segments *int, count, run int, weights, bias *%s, shift int)", s.float.name))
	Pragma("noescape")
	Doc(name + " computes tiles of " + fmt.Sprint(s.pixels) + " destinations by " + fmt.Sprint(s.channels()) + " channels: see multiply.")

	// Pointers that the loop over steps uses live in registers, the rest in
	// memory: twelve pixels leave three.
	gp := []reg.GPPhysical{reg.RAX, reg.RBX, reg.RCX, reg.RDX, reg.RSI, reg.RDI, reg.R8, reg.R9, reg.R10, reg.R11, reg.R12, reg.R13, reg.R14, reg.R15, reg.RBP}
	at, weights, segment, pixel := gp[0], gp[1], gp[2], gp[3:3+s.pixels]
	body, end, left := AllocLocal(8), AllocLocal(8), AllocLocal(8)

	CMPQ(argument("tiles"), Imm(0))
	JE(LabelRef("finish"))
	MOVQ(argument("run"), at)
	IMUL3Q(I32(int32(s.float.bytes)), at, at)
	MOVQ(at, end)
	ANDQ(I32(-unroll*int32(s.float.bytes)), at)
	MOVQ(at, body)

	Label("tile")
	for c := range s.chains {
		for p := range s.pixels {
			for v := range s.width {
				s.zero(s.sum(c, p, v))
			}
		}
	}
	MOVQ(argument("segments"), segment)
	MOVQ(argument("count"), at)
	MOVQ(at, left)
	TESTQ(at, at)
	JE(LabelRef("store"))

	Label("segment")
	MOVQ(argument("pixels"), at)
	for p, r := range pixel {
		MOVQ(Mem{Base: at, Disp: 8 * p}, r)
	}
	MOVQ(Mem{Base: segment}, at)
	for _, r := range pixel {
		ADDQ(at, r)
	}
	MOVQ(argument("weights"), weights)
	ADDQ(Mem{Base: segment, Disp: 8}, weights)
	XORQ(at, at)
	CMPQ(body, Imm(0))
	JE(LabelRef("rest"))

	Label("steps")
	var cells []Mem
	for _, r := range pixel {
		cells = append(cells, Mem{Base: r, Index: at, Scale: 1})
	}
	for k := range unroll {
		s.step(cells, weights, k)
	}
	s.advance(at, weights, unroll)
	CMPQ(at, body)
	JLT(LabelRef("steps"))

	Label("rest")
	CMPQ(at, end)
	JGE(LabelRef("next"))
	s.step(cells, weights, 0)
	s.advance(at, weights, 1)
	JMP(LabelRef("rest"))

	Label("next")
	ADDQ(Imm(segmentBytes), segment)
	DECQ(left)
	JNE(LabelRef("segment"))

	Label("store")
	s.store(at, weights, pixel[0])
	ADDQ(I32(int32(8*s.pixels)), argument("pixels"))
	ADDQ(I32(int32(8*s.pixels)), argument("dst"))
	DECQ(argument("tiles"))
	JNE(LabelRef("tile"))

	Label("finish")
	VZEROUPPER()
	RET()
}

// argument returns where an argument of the function lies.
func argument(name string) Mem {
	where, err := Param(name).Resolve()
	if err != nil {
		panic(err)
	}
	return where.Addr
}

// step multiplies one source number of every pixel with its weights.
func (s shape) step(pixel []Mem, weights reg.Register, k int) {
	free := s.chains * s.pixels * s.width
	take := func() reg.VecPhysical {
		free++
		return s.physical(free - 1)
	}
	if s.chains*s.pixels*s.width+2*s.width+4 <= s.registers && k%2 == 1 {
		free += s.width // the other weights are still in use
	}
	var w []reg.VecPhysical
	for v := range s.width {
		w = append(w, take())
		s.float.load(Mem{Base: weights, Disp: (k*s.width + v) * s.vector}, w[v])
	}
	first := s.registers - min(4, s.registers-free)
	for p, at := range pixel {
		b := s.physical(first + p%(s.registers-first))
		at.Disp = k * s.float.bytes
		s.float.broadcast(at, b)
		for v := range s.width {
			s.float.fma(w[v], b, s.sum(k%s.chains, p, v))
		}
	}
}

func (s shape) advance(at, weights reg.GPPhysical, steps int) {
	ADDQ(I32(int32(steps*s.width*s.vector)), weights)
	ADDQ(I32(int32(steps*s.float.bytes)), at)
}

// addUp adds the chains.
func (s shape) addUp() {
	if s.chains == 1 {
		return
	}
	for p := range s.pixels {
		for v := range s.width {
			s.float.add(s.sum(1, p, v), s.sum(0, p, v), s.sum(0, p, v))
		}
	}
}

// store adds chains and bias and writes the tile.
func (s shape) store(dst, bias, out reg.GPPhysical) {
	s.addUp()
	MOVQ(argument("bias"), bias)
	MOVQ(argument("dst"), dst)
	extra := s.registers - s.width
	for v := range s.width {
		s.float.load(Mem{Base: bias, Disp: v * s.vector}, s.physical(extra+v))
	}
	shift := bias
	MOVQ(argument("shift"), shift)
	for p := range s.pixels {
		MOVQ(Mem{Base: dst, Disp: 8 * p}, out)
		for v := range s.width {
			r := s.sum(0, p, v)
			s.float.add(s.physical(extra+v), r, r)
			s.float.load(r, Mem{Base: out, Index: shift, Scale: 1, Disp: v * s.vector})
		}
	}
}

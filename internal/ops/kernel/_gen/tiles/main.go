// Command tiles writes the register tiles of convolution: functions that multiply a
// few runs of source numbers with a panel of the packed filter (here), those that
// walk along a row (row.go), and those of the filter's gradient (outer.go).
//
// A tile of P destinations by Q channels keeps its P*Q sums in vector registers. For
// every step of a run it loads Q weights, broadcasts one number of each
// destination's run and multiplies. The loops over tiles, segments and steps are all
// here, so that one call does a whole list of tiles.
package main

import (
	"fmt"

	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
	"github.com/poolctl/poolctl/internal/ops/kernel/_gen/vec"
)

func main() {
	vec.Main("conv/tiles", func() {
		for _, float := range vec.Floats {
			for _, s := range []shape{
				{vec.AVX2, float, 16, 6, 2, 1},
				{vec.AVX2, float, 16, 6, 1, 2},
				{vec.AVX512, float, 32, 12, 2, 1},
				{vec.AVX512, float, 32, 12, 1, 2},
			} {
				s.tile()
				s.row()
				for _, s.pixels = range []int{s.pixels, 4, 1} {
					s.outer()
				}
			}
		}
		accumulate(vec.Float32)
		accumulate(vec.Float64)
		for _, width := range []int{16, 32, 64} {
			copyRows(width)
		}
	})
}

// shape is a register tile: pixels destinations by width vectors of channels.
// With two chains the sums of even and odd steps are apart, so that enough
// multiplications are under way at a time.
type shape struct {
	isa                   vec.ISA
	float                 vec.Float
	registers             int // how many vectors there are
	pixels, width, chains int
}

const unroll = 4

const segmentBytes = 16

func (s shape) channels() int { return s.width * s.isa.Bytes / s.float.Bytes }

// name names a function of the shape.
func (s shape) name(what string) string {
	return fmt.Sprintf("%s%dx%d%s%s", what, s.pixels, s.channels(), s.isa.Name, s.float.Suffix)
}

// bytes is a row of weights, or of a destination's sums.
func (s shape) bytes() int { return s.width * s.isa.Bytes }

// physical returns vector register i.
func (s shape) physical(i int) reg.VecPhysical {
	if s.isa.Wide() {
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

// clear clears all sums.
func (s shape) clear() {
	for c := range s.chains {
		var sums []reg.VecPhysical
		for p := range s.pixels {
			for v := range s.width {
				sums = append(sums, s.sum(c, p, v))
			}
		}
		switch {
		case s.chains == 1:
			vec.Note("Sums in %, %d registers for each of %d destinations.", sums, s.width, s.pixels)
		case c == 0:
			vec.Note("Sums of even steps in %, one register for each of %d destinations.", sums, s.pixels)
		default:
			vec.Note("Sums of odd steps in %.", sums)
		}
		for _, r := range sums {
			vec.Zero(r)
		}
	}
}

func (s shape) tile() {
	size := s.float.Bytes
	vec.Func{
		Name:      s.name("tile"),
		Signature: fmt.Sprintf("func(pixels, dst *uintptr, tiles int, segments *int, count, run int, weights, bias *%s, shift int)", s.float.Go),
		Does:      fmt.Sprintf("convolves tiles of %d destinations by %d channels, destinations and their cells being given by address (type multiply).", s.pixels, s.channels()),
		Loop: fmt.Sprintf(`
for i := range tiles * %[1]d {
	for c := range %[2]d {
		sum := %[4]s(0)
		for s := range count {
			src := at(pixels[i] + segments[2*s])
			w := weights[segments[2*s+1]/%[3]d:]
			for k := range run {
				sum = fma(src[k], w[k*%[2]d+c], sum)
			}
		}
		at(dst[i] + shift)[c] = sum + bias[c]
	}
}`, s.pixels, s.channels(), size, s.float.Go),
		Rules: s.rules("at gives the numbers at an address. tiles, count and run may be 0. A segment is two offsets in bytes: of a run of numbers from a destination's first cell, and of its weights; shift is bytes too."),
	}.Begin()

	// Pointers that the loop over steps uses live in registers, the rest in
	// memory: twelve pixels leave three.
	gp := []reg.GPPhysical{reg.RAX, reg.RBX, reg.RCX, reg.RDX, reg.RSI, reg.RDI, reg.R8, reg.R9, reg.R10, reg.R11, reg.R12, reg.R13, reg.R14, reg.R15, reg.RBP}
	at, weights, segment, pixel := gp[0], gp[1], gp[2], gp[3:3+s.pixels]
	body, end, left := AllocLocal(8), AllocLocal(8), AllocLocal(8)

	CMPQ(vec.Slot("tiles"), Imm(0))
	JE(LabelRef("finish"))
	vec.Note("0(SP) is a run's length in bytes without its last steps, 8(SP) with them; 16(SP) counts segments.")
	MOVQ(vec.Slot("run"), at)
	IMUL3Q(I32(int32(size)), at, at)
	MOVQ(at, end)
	ANDQ(I32(-unroll*int32(size)), at)
	MOVQ(at, body)

	vec.Label("tile", "A tile of %d destinations.", s.pixels)
	s.clear()
	MOVQ(vec.Slot("segments"), segment)
	MOVQ(vec.Slot("count"), at)
	MOVQ(at, left)
	TESTQ(at, at)
	JE(LabelRef("store"))

	vec.Label("segment", "The segment at %: its numbers at %, its weights at %.", segment, pixel, weights)
	MOVQ(vec.Slot("pixels"), at)
	for p, r := range pixel {
		MOVQ(Mem{Base: at, Disp: 8 * p}, r)
	}
	MOVQ(Mem{Base: segment}, at)
	for _, r := range pixel {
		ADDQ(at, r)
	}
	MOVQ(vec.Slot("weights"), weights)
	ADDQ(Mem{Base: segment, Disp: 8}, weights)
	XORQ(at, at)
	CMPQ(body, Imm(0))
	JE(LabelRef("rest"))

	vec.Label("steps", "%d steps at byte % of the run.", unroll, at)
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

	vec.Label("rest", "One step at byte % of the run.", at)
	CMPQ(at, end)
	JGE(LabelRef("next"))
	s.step(cells, weights, 0)
	s.advance(at, weights, 1)
	JMP(LabelRef("rest"))

	vec.Label("next", "The segment is done.")
	ADDQ(Imm(segmentBytes), segment)
	DECQ(left)
	JNE(LabelRef("segment"))

	vec.Label("store", "All products are added up.")
	s.store(at, weights, pixel[0])
	ADDQ(I32(int32(8*s.pixels)), vec.Slot("pixels"))
	ADDQ(I32(int32(8*s.pixels)), vec.Slot("dst"))
	DECQ(vec.Slot("tiles"))
	JNE(LabelRef("tile"))

	vec.Label("finish", "All tiles are done.")
	vec.Return()
}

// rules say what functions over segments demand.
func (s shape) rules(first string) []string {
	rules := []string{first, fmt.Sprintf("A row of weights, bias and what is written are %d numbers each.", s.channels())}
	if s.chains == 2 {
		rules = append(rules, "Even and odd steps are added up apart, and their sums at the end.")
	}
	return rules
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
	for range s.width {
		w = append(w, take())
	}
	vec.Note("Step %d: weights in %.", k, w)
	for v := range w {
		s.float.Load(Mem{Base: weights, Disp: (k*s.width + v) * s.isa.Bytes}, w[v])
	}
	first := s.registers - min(4, s.registers-free)
	for p, at := range pixel {
		b := s.physical(first + p%(s.registers-first))
		at.Disp = k * s.float.Bytes
		s.float.Broadcast(at, b)
		for v := range s.width {
			s.float.FMA(w[v], b, s.sum(k%s.chains, p, v))
		}
	}
}

func (s shape) advance(at, weights reg.GPPhysical, steps int) {
	ADDQ(I32(int32(steps*s.bytes())), weights)
	ADDQ(I32(int32(steps*s.float.Bytes)), at)
}

// addUp adds the chains.
func (s shape) addUp() {
	if s.chains == 1 {
		return
	}
	vec.Note("The sums of odd steps are added to those of even ones.")
	for p := range s.pixels {
		for v := range s.width {
			s.float.Add(s.sum(1, p, v), s.sum(0, p, v), s.sum(0, p, v))
		}
	}
}

// store adds chains and bias and writes the tile.
func (s shape) store(dst, bias, out reg.GPPhysical) {
	s.addUp()
	extra := s.registers - s.width
	var biases []reg.VecPhysical
	for v := range s.width {
		biases = append(biases, s.physical(extra+v))
	}
	vec.Note("The bias is in %; % lists the destinations.", biases, dst)
	MOVQ(vec.Slot("bias"), bias)
	MOVQ(vec.Slot("dst"), dst)
	for v, b := range biases {
		s.float.Load(Mem{Base: bias, Disp: v * s.isa.Bytes}, b)
	}
	shift := bias
	MOVQ(vec.Slot("shift"), shift)
	for p := range s.pixels {
		MOVQ(Mem{Base: dst, Disp: 8 * p}, out)
		for v, b := range biases {
			r := s.sum(0, p, v)
			s.float.Add(b, r, r)
			s.float.Load(r, Mem{Base: out, Index: shift, Scale: 1, Disp: v * s.isa.Bytes})
		}
	}
}

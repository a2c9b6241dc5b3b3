// Command bytes writes the row functions of pooling over integers of 8 and 16
// bits in assembly. It is run by go generate in the parent package.
package main

import (
	"strings"

	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	. "github.com/mmcloughlin/avo/reg"
)

// isa is an instruction set that functions are written for.
type isa struct {
	name  string // the suffix of its functions
	bytes int    // of a vector
}

var isas = []isa{{"AVX2", 32}, {"AVX512", 64}}

func (v isa) wide() bool { return v.bytes == 64 }

// vector allocates a vector register.
func (v isa) vector() VecVirtual {
	if v.wide() {
		return ZMM()
	}
	return YMM()
}

// half allocates a register of half a vector.
func (v isa) half() VecVirtual {
	if v.wide() {
		return YMM()
	}
	return XMM()
}

// op is a reduction of one element type: into = into ⊕ from, which may be memory.
type op struct {
	name    string
	combine func(from, into Op)
}

var ops = []op{
	{"MaxUint8", func(a, b Op) { VPMAXUB(a, b, b) }},
	{"MaxInt8", func(a, b Op) { VPMAXSB(a, b, b) }},
	{"MaxUint16", func(a, b Op) { VPMAXUW(a, b, b) }},
	{"MaxInt16", func(a, b Op) { VPMAXSW(a, b, b) }},
	{"MinUint8", func(a, b Op) { VPMINUB(a, b, b) }},
	{"MinInt8", func(a, b Op) { VPMINSB(a, b, b) }},
	{"MinUint16", func(a, b Op) { VPMINUW(a, b, b) }},
	{"MinInt16", func(a, b Op) { VPMINSW(a, b, b) }},
	{"Add16", func(a, b Op) { VPADDW(a, b, b) }},
	{"Add32", func(a, b Op) { VPADDD(a, b, b) }},
}

// widening is a conversion of one element type to sums of 16 or 32 bits.
type widening struct {
	name    string
	wider   int // how many times as many bytes a sum has
	convert func(from, to Op)
}

var widenings = []widening{
	{"Uint8To16", 2, func(a, b Op) { VPMOVZXBW(a, b) }},
	{"Int8To16", 2, func(a, b Op) { VPMOVSXBW(a, b) }},
	{"Uint8To32", 4, func(a, b Op) { VPMOVZXBD(a, b) }},
	{"Int8To32", 4, func(a, b Op) { VPMOVSXBD(a, b) }},
	{"Uint16To32", 2, func(a, b Op) { VPMOVZXWD(a, b) }},
	{"Int16To32", 2, func(a, b Op) { VPMOVSXWD(a, b) }},
}

func main() {
	ConstraintExpr("amd64,!purego")
	for _, v := range isas {
		for _, o := range ops {
			fold(v, o)
			halve(v, o)
			if !strings.HasPrefix(o.name, "Add") {
				merge(v, o)
				advance(v, o)
			}
		}
		for _, w := range widenings {
			sums(v, w)
			slide(v, w)
		}
		for _, s := range sources {
			quotient(v, s)
		}
		preciseQuotient(v)
		roundMagic(v)
		roundQuotient(v, 1)
		roundQuotient(v, 2)
	}
	for _, o := range ops {
		squeeze(o)
	}
	Generate()
}

// parameter loads a parameter into a general register.
func parameter(name string) Register { return Load(Param(name), GP64()) }

// argument is a parameter in memory, for what is used once a loop.
func argument(name string) Mem {
	resolved, err := Param(name).Resolve()
	if err != nil {
		panic(err)
	}
	return resolved.Addr
}

// row runs a body over bytes of the destination, unroll vectors at a time, then
// one at a time; the last one overlaps the one before it. The body is given the
// register of its offset in bytes.
func row(v isa, label string, bytes Register, unroll int, body func(at Register, vectors int, label string)) {
	at, left := GP64(), GP64()
	XORQ(at, at)
	Label(label + "Many")
	MOVQ(bytes, left)
	SUBQ(at, left)
	CMPQ(left, U32(uint32(unroll*v.bytes)))
	JL(LabelRef(label + "One"))
	body(at, unroll, label+"Many")
	ADDQ(U32(uint32(unroll*v.bytes)), at)
	JMP(LabelRef(label + "Many"))
	Label(label + "One")
	MOVQ(bytes, left)
	SUBQ(at, left)
	JZ(LabelRef(label + "End"))
	CMPQ(left, U32(uint32(v.bytes)))
	JGE(LabelRef(label + "Whole"))
	LEAQ(Mem{Base: bytes, Disp: -v.bytes}, at)
	Label(label + "Whole")
	body(at, 1, label+"One")
	ADDQ(U32(uint32(v.bytes)), at)
	JMP(LabelRef(label + "One"))
	Label(label + "End")
}

// store writes vectors side by side from an address on, past the caches where
// stream is not 0.
func store(stream Op, label string, to Mem, step int, list []VecVirtual) {
	CMPQ(stream, U8(0))
	JNE(LabelRef(label + "Stream"))
	for i, r := range list {
		VMOVUPS(r, to.Offset(i*step))
	}
	JMP(LabelRef(label + "Stored"))
	Label(label + "Stream")
	for i, r := range list {
		VMOVNTPS(r, to.Offset(i*step))
	}
	Label(label + "Stored")
}

// leave returns, after a fence for what was written past the caches.
func leave() {
	SFENCE()
	VZEROUPPER()
	RET()
}

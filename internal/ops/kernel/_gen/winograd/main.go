// Command winograd writes the transforms of Winograd convolution.
//
// A transform applies a small matrix to the columns and then to the rows of a
// square of vectors: for the filter from 3x3 to TxT, for the input from TxT to
// TxT, for the output from TxT to MxM, where T = M+2. Between the two the
// square is in the function's frame. One call goes over all channels.
package main

import (
	"fmt"

	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

func main() {
	ConstraintExpr("amd64,!purego")
	for _, f := range []float{single, double} {
		for _, v := range []isa{{"AVX2", 32}, {"AVX512", 64}} {
			for _, t := range []transform{
				{"winogradFilter2x2", 3, 4, filter2}, {"winogradInput2x2", 4, 4, input2}, {"winogradOutput2x2", 4, 2, output2},
				{"winogradFilter4x4", 3, 6, filter4}, {"winogradInput4x4", 6, 6, input4}, {"winogradOutput4x4", 6, 4, output4},
			} {
				kernel{t, f, v}.generate()
			}
		}
	}
	Generate()
}

// float is an element type with its instructions.
type float struct {
	suffix, name string
	bytes        int
	constant     func(v float64) Constant
	broadcast    func(src, dst Op)
	load         func(src, dst Op)
	add, mul     func(a, b, dst Op)
	sub          func(b, a, dst Op) // dst = a - b
	fma, fnma    func(a, b, sum Op) // sum ± a*b
}

var single = float{
	name: "float32", bytes: 4,
	constant:  func(v float64) Constant { return F32(v) },
	broadcast: func(src, dst Op) { VBROADCASTSS(src, dst) },
	load:      func(src, dst Op) { VMOVUPS(src, dst) },
	add:       func(a, b, dst Op) { VADDPS(a, b, dst) },
	mul:       func(a, b, dst Op) { VMULPS(a, b, dst) },
	sub:       func(b, a, dst Op) { VSUBPS(b, a, dst) },
	fma:       func(a, b, sum Op) { VFMADD231PS(a, b, sum) },
	fnma:      func(a, b, sum Op) { VFNMADD231PS(a, b, sum) },
}

var double = float{
	suffix: "Double", name: "float64", bytes: 8,
	constant:  func(v float64) Constant { return F64(v) },
	broadcast: func(src, dst Op) { VBROADCASTSD(src, dst) },
	load:      func(src, dst Op) { VMOVUPD(src, dst) },
	add:       func(a, b, dst Op) { VADDPD(a, b, dst) },
	mul:       func(a, b, dst Op) { VMULPD(a, b, dst) },
	sub:       func(b, a, dst Op) { VSUBPD(b, a, dst) },
	fma:       func(a, b, sum Op) { VFMADD231PD(a, b, sum) },
	fnma:      func(a, b, sum Op) { VFNMADD231PD(a, b, sum) },
}

type isa struct {
	name  string
	bytes int // of a vector
}

// transform is a one-dimensional transform of in numbers to out numbers.
type transform struct {
	name    string
	in, out int
	apply   func(k *line)
}

type kernel struct {
	transform
	float
	isa
}

func (k kernel) generate() {
	name := k.transform.name + k.isa.name + k.suffix
	TEXT(name, 0, fmt.Sprintf("func(dst, src, bias *%s, dstRow, dstCell, srcRow, srcCell, last int)", k.float.name))
	Pragma("noescape")
	Doc(fmt.Sprintf("%s transforms %dx%d numbers into %dx%d for each channel: see transform.", name, k.in, k.in, k.out, k.out))
	l := line{kernel: k, constants: map[float64]reg.VecVirtual{}}
	l.apply(&l) // with no numbers: loads the constants
	l.ready = true

	square := GP64() // at a multiple of a vector
	LEAQ(AllocLocal((k.in*k.out+1)*k.isa.bytes), square)
	ADDQ(Imm(uint64(k.isa.bytes-1)), square)
	ANDQ(I32(-int32(k.isa.bytes)), square)
	at := GP64()
	XORQ(at, at)
	Label("channels")
	var from, to reg.Register = Load(Param("src"), GP64()), GP64()
	ADDQ(at, from)
	MOVQ(square, to)
	row, cell := k.steps("srcRow", k.in), Load(Param("srcCell"), GP64())
	left := GP64()
	MOVQ(U32(uint32(k.in)), left)
	Label("column")
	l.in(from, row)
	l.apply(&l)
	for i, v := range l.results {
		k.load(v, Mem{Base: to, Disp: i * k.in * k.isa.bytes})
	}
	ADDQ(cell, from)
	ADDQ(U32(uint32(k.isa.bytes)), to)
	DECQ(left)
	JNE(LabelRef("column"))

	to = Load(Param("dst"), GP64())
	ADDQ(at, to)
	MOVQ(square, from)
	cells, next := k.steps("dstCell", k.out), Load(Param("dstRow"), GP64())
	var bias reg.VecVirtual
	if k.out == k.in-2 {
		where := Load(Param("bias"), GP64())
		bias = l.vector()
		k.load(Mem{Base: where, Index: at, Scale: 1}, bias)
	}
	MOVQ(U32(uint32(k.out)), left)
	Label("row")
	l.numbers = nil
	for i := range k.in {
		v := l.vector()
		k.load(Mem{Base: from, Disp: i * k.isa.bytes}, v)
		l.numbers = append(l.numbers, v)
	}
	l.apply(&l)
	for i, v := range l.results {
		if bias != nil {
			k.add(bias, v, v)
		}
		k.load(v, cells.at(to, i))
	}
	ADDQ(U32(uint32(k.in*k.isa.bytes)), from)
	ADDQ(next, to)
	DECQ(left)
	JNE(LabelRef("row"))

	// The last vector may overlap the one before it.
	last := Load(Param("last"), GP64())
	CMPQ(at, last)
	JGE(LabelRef("finish"))
	ADDQ(U32(uint32(k.isa.bytes)), at)
	CMPQ(at, last)
	CMOVQGT(last, at)
	JMP(LabelRef("channels"))
	Label("finish")
	VZEROUPPER()
	RET()
}

// steps holds the multiples of a step by which numbers of a line are addressed.
type steps struct{ one, three, five reg.GPVirtual }

func (k kernel) steps(param string, n int) steps {
	s := steps{one: Load(Param(param), GP64()).(reg.GPVirtual)}
	if n > 3 {
		s.three = GP64()
		LEAQ(Mem{Base: s.one, Index: s.one, Scale: 2}, s.three)
	}
	if n > 5 {
		s.five = GP64()
		LEAQ(Mem{Base: s.one, Index: s.one, Scale: 4}, s.five)
	}
	return s
}

// at addresses number i of the line that begins at base.
func (s steps) at(base reg.Register, i int) Mem {
	switch i {
	case 0:
		return Mem{Base: base}
	case 1, 2, 4:
		return Mem{Base: base, Index: s.one, Scale: uint8(i)}
	case 3:
		return Mem{Base: base, Index: s.three, Scale: 1}
	default:
		return Mem{Base: base, Index: s.five, Scale: 1}
	}
}

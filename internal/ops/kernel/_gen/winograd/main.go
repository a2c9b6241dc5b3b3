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
	"github.com/poolctl/poolctl/internal/ops/kernel/_gen/vec"
)

func main() {
	vec.Main("conv/winograd", func() {
		for _, f := range vec.Floats {
			for _, v := range vec.ISAs {
				for _, t := range []transform{
					{"winogradFilter2x2", 3, 4, filter2}, {"winogradInput2x2", 4, 4, input2}, {"winogradOutput2x2", 4, 2, output2},
					{"winogradFilter4x4", 3, 6, filter4}, {"winogradInput4x4", 6, 6, input4}, {"winogradOutput4x4", 6, 4, output4},
				} {
					kernel{t, f, v}.generate()
				}
			}
		}
	})
}

// transform is a one-dimensional transform of in numbers to out numbers.
type transform struct {
	name    string
	in, out int
	apply   func(k *line)
}

type kernel struct {
	transform
	vec.Float
	vec.ISA
}

// adds reports whether a bias is added: to outputs only.
func (k kernel) adds() bool { return k.out == k.in-2 }

func (k kernel) function() vec.Func {
	size, lanes := k.Float.Bytes, k.ISA.Bytes/k.Float.Bytes
	bias, rule := "", "bias is not read."
	if k.adds() {
		bias, rule = fmt.Sprintf(" + bias[i/%d]", size), ""
	}
	return vec.Func{
		Name:      k.transform.name + k.ISA.Name + k.Suffix,
		Signature: fmt.Sprintf("func(dst, src, bias *%s, dstRow, dstCell, srcRow, srcCell, last int)", k.Go),
		Does:      fmt.Sprintf("transforms a square of %[1]dx%[1]d numbers into one of %[2]dx%[2]d, for each channel (type transform).", k.in, k.out),
		Loop: fmt.Sprintf(`
for i := 0; i <= last+%[3]d; i += %[4]d {
	var square [%[2]d][%[1]d]%[6]s
	for c := range %[1]d {
		var x [%[1]d]%[6]s
		for r := range %[1]d {
			x[r] = src[(i+r*srcRow+c*srcCell)/%[4]d]
		}
		for r, v := range line(x) {
			square[r][c] = v
		}
	}
	for r := range %[2]d {
		for c, v := range line(square[r]) {
			dst[(i+r*dstRow+c*dstCell)/%[4]d] = v%[5]s
		}
	}
}`, k.in, k.out, (lanes-1)*size, size, bias, k.Go),
		Rules: []string{
			"line is the transform of that name in plainTransforms, by multiply-adds.",
			fmt.Sprintf("dstRow, dstCell, srcRow, srcCell and last are bytes; last, at least 0, is where the last %d channels begin.", lanes), rule,
		},
	}
}

func (k kernel) generate() {
	k.function().BeginSplit()
	l := line{kernel: k, constants: map[float64]reg.VecVirtual{}}
	l.apply(&l) // with no numbers: loads the constants
	l.ready = true
	l.note()

	square := GP64()
	vec.Note("% is the square between the two passes, on the stack at a multiple of a vector.", square)
	LEAQ(AllocLocal((k.in*k.out+1)*k.ISA.Bytes), square)
	ADDQ(Imm(uint64(k.ISA.Bytes-1)), square)
	ANDQ(I32(-int32(k.ISA.Bytes)), square)
	at := GP64()
	XORQ(at, at)
	vec.Label("channels", "A vector of channels, at byte %.", at)
	var from, to reg.Register = vec.Param("src"), GP64()
	ADDQ(at, from)
	MOVQ(square, to)
	row, cell := k.steps("srcRow", k.in), vec.Param("srcCell")
	left := GP64()
	MOVQ(U32(uint32(k.in)), left)
	vec.Label("column", "A column from %, into a column of the square at %; % are left.", from, to, left)
	l.in(from, row)
	l.apply(&l)
	for i, v := range l.results {
		k.Load(v, Mem{Base: to, Disp: i * k.in * k.ISA.Bytes})
	}
	ADDQ(cell, from)
	ADDQ(U32(uint32(k.ISA.Bytes)), to)
	DECQ(left)
	JNE(LabelRef("column"))

	to = vec.Param("dst")
	ADDQ(at, to)
	MOVQ(square, from)
	cells, next := k.steps("dstCell", k.out), vec.Param("dstRow")
	var bias reg.VecVirtual
	if k.adds() {
		where := vec.Param("bias")
		bias = l.Vector()
		vec.Note("% is the bias.", bias)
		k.Load(Mem{Base: where, Index: at, Scale: 1}, bias)
	}
	MOVQ(U32(uint32(k.out)), left)
	vec.Label("row", "A row of the square, at %, to %; % are left.", from, to, left)
	l.numbers = nil
	for i := range k.in {
		v := l.Vector()
		k.Load(Mem{Base: from, Disp: i * k.ISA.Bytes}, v)
		l.numbers = append(l.numbers, v)
	}
	l.apply(&l)
	for i, v := range l.results {
		if bias != nil {
			k.Add(bias, v, v)
		}
		k.Load(v, cells.at(to, i))
	}
	ADDQ(U32(uint32(k.in*k.ISA.Bytes)), from)
	ADDQ(next, to)
	DECQ(left)
	JNE(LabelRef("row"))

	vec.Note("The last vector may overlap the one before it.")
	last := vec.Param("last")
	CMPQ(at, last)
	JGE(LabelRef("finish"))
	ADDQ(U32(uint32(k.ISA.Bytes)), at)
	CMPQ(at, last)
	CMOVQGT(last, at)
	JMP(LabelRef("channels"))
	vec.Label("finish", "All channels are done.")
	vec.Return()
}

// steps holds the multiples of a step by which numbers of a line are addressed.
type steps struct{ one, three, five reg.GPVirtual }

func (k kernel) steps(param string, n int) steps {
	s := steps{one: vec.Param(param).(reg.GPVirtual)}
	if n > 3 {
		s.three = GP64()
		vec.Note("% is three times %.", s.three, s.one)
		LEAQ(Mem{Base: s.one, Index: s.one, Scale: 2}, s.three)
	}
	if n > 5 {
		s.five = GP64()
		vec.Note("% is five times %.", s.five, s.one)
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

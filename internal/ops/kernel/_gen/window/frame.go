package window

import (
	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	. "github.com/mmcloughlin/avo/reg"
	"github.com/poolctl/poolctl/internal/ops/kernel/_gen/vec"
)

// Element is a type of numbers.
type Element struct {
	Go    string // in Go
	Shift uint8  // its size is 1<<Shift bytes
}

var (
	Float32s = Element{"float32", 2}
	Float64s = Element{"float64", 3}
	Int64s   = Element{"int64", 3}
	Pairs    = Element{"float64", 4} // of 8 bytes each
)

// Frame holds the registers of the parameters of functions that reduce windows:
// outputs cells of n numbers, side by side in dst and step bytes apart in src, and
// the offsets of ntaps taps from a window's first one.
type Frame struct {
	Dst, Src, Taps, NTaps, N, Outputs, Step Register
}

// Parameters are those of a Frame in Go.
func (e Element) Parameters() string {
	return "dst, src *" + e.Go + ", taps *int, ntaps, n, outputs, step int"
}

// NewFrame loads the parameters and makes n bytes of numbers.
func NewFrame(e Element) Frame {
	p := vec.Params("dst", "src", "taps", "ntaps", "n", "outputs", "step")
	f := Frame{p[0], p[1], p[2], p[3], p[4], p[5], p[6]}
	vec.Note("% counts bytes from here on.", f.N)
	SHLQ(U8(e.Shift), f.N)
	return f
}

// EachOutput runs a body for each output, which it moves on from.
func (f Frame) EachOutput(body func()) {
	vec.Label("output", "% outputs are left; the next one goes to %, its first cell is at %.", f.Outputs, f.Dst, f.Src)
	body()
	DECQ(f.Outputs)
	JNZ(LabelRef("output"))
	vec.Return()
}

// NextOutput moves on to the next output.
func (f Frame) NextOutput() {
	ADDQ(f.N, f.Dst)
	ADDQ(f.Step, f.Src)
}

// Reduce reduces the taps of a block into acc and goes on at label+"Store".
type Reduce func(f Frame, label string, acc []VecVirtual, load Loader)

// Wide writes a function for cells of at least a vector: vectors of one output
// after another, four at a time. f has its name, what it does and its loop.
func Wide(v vec.ISA, e Element, f vec.Func, reduce Reduce) {
	lanes := v.Bytes >> e.Shift
	f.Signature = "func(" + e.Parameters() + ", stream, fetches int)"
	f.Rules = append(f.Rules, Units(e), AtLeast(lanes), Streams(v.Bytes, lanes), Fetches)
	f.Begin()
	frame := NewFrame(e)
	stream := vec.Param("stream")
	row := vec.NewRow("", frame.N, v.Bytes, 4)
	frame.EachOutput(func() {
		row.Each(func(vectors int, label string) {
			base, acc := GP64(), make([]VecVirtual, vectors)
			vec.Note("% is this block of the first cell; taps are offsets from it.", base)
			LEAQ(Mem{Base: frame.Src, Index: row.At, Scale: 1}, base)
			for i := range acc {
				acc[i] = v.Vector()
			}
			if vectors > 1 {
				Prefetch(frame, base, vectors*v.Bytes, label)
			}
			reduce(frame, label, acc, func(offset Register, i int, to VecVirtual) {
				VMOVUPS(Mem{Base: base, Index: offset, Scale: 1, Disp: i * v.Bytes}, to)
			})
			vec.Label(label+"Store", "The results are in %.", acc)
			vec.Store(stream, label, Mem{Base: frame.Dst, Index: row.At, Scale: 1}, v.Bytes, acc)
		})
		frame.NextOutput()
	})
}

// InOrder reduces by an operation that needs nothing but its two numbers: a = a ⊕ b.
func InOrder(v vec.ISA, combine func(b, a VecVirtual)) Reduce {
	return func(f Frame, label string, acc []VecVirtual, load Loader) {
		taps := NewTaps(f.Taps, f.NTaps)
		vec.Note("The first tap begins the results, in %.", acc)
		taps.First()
		for i := range acc {
			load(taps.Offset, i, acc[i])
		}
		taps.Begin()
		taps.Others(label+"Tap", label+"Store", func() {
			for i := range acc {
				b := v.Vector()
				load(taps.Offset, i, b)
				combine(b, acc[i])
			}
		}, "it is merged into %.", acc)
	}
}

// Prefetch asks for what the next row of windows adds: the numbers of a block at
// the offsets that stand behind the taps. The processor sees linear streams by
// itself, but few at a time, and they stop at every row.
func Prefetch(f Frame, base Register, bytes int, label string) {
	list, left, at := GP64(), GP64(), GP64()
	MOVQ(vec.Slot("fetches"), left)
	TESTQ(left, left)
	JE(LabelRef(label + "Begin"))
	LEAQ(Mem{Base: f.Taps, Index: f.NTaps, Scale: 8}, list)
	vec.Label(label+"Fetch", "What the next row of windows adds, into L2: % of the offsets behind the taps are left.", left)
	MOVQ(Mem{Base: list, Index: left, Scale: 8, Disp: -8}, at)
	vec.Prefetch(PREFETCHT1, Mem{Base: base, Index: at, Scale: 1}, bytes)
	DECQ(left)
	JNZ(LabelRef(label + "Fetch"))
	vec.Label(label+"Begin", "The window itself.")
}

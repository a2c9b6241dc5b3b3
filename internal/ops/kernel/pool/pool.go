package pool

import (
	"fmt"
	"math"
	"strings"
	"unsafe"

	"github.com/poolctl/poolctl/internal/geom"
	"github.com/poolctl/poolctl/internal/ops/kernel"
	"github.com/poolctl/poolctl/internal/tensor"
)

// Reduction is what pooling does with the cells of a window.
type Reduction uint8

// The reductions. LP is (Σ|x|^p)^(1/p).
const (
	Max Reduction = iota
	Min
	Average
	Sum
	LP
)

// Spec says what a pooling kernel computes.
type Spec struct {
	Level         kernel.Level // the CPU level to plan for; results do not depend on it
	Geometry      geom.Geometry
	Reduction     Reduction
	DType         tensor.DType // of the input: a Real type
	ChannelsFirst bool
	IgnoreNaN     bool
	Power         float64 // of LP
	CountPadding  bool    // averages divide by the cells of input and padding
	Divisor       int     // averages divide by this instead of a count, unless it is 0
	Picture       bool    // Average of unsigned 8 or 16 bits without Divisor: results of that type, see Result
	Argmax        bool    // Max and Min: also write where the value was
	Index         Index   // how Argmax numbers cells
}

// Result returns the type of the output: the input's for Max and Min, else the
// floating-point type that sums of it are computed in. A Picture is what that
// would be rounded to: the nearest integer, ties to even.
func (s *Spec) Result() tensor.DType {
	if s.Reduction == Max || s.Reduction == Min || s.Picture {
		return s.DType
	}
	return s.DType.Averaged()
}

// Kernel is a planned pooling kernel.
type Kernel struct {
	Units   int
	Scratch int // bytes
	Impl    string
	Why     []kernel.Reject
	run     func(s *kernel.Scratch, dst, argmax, src *tensor.Tensor, unit int)

	// Reach returns how many leading numbers of the input the units up to this one
	// read at most, and how many of the output are final when these have run. nil
	// where units do not go from front to back.
	Reach func(unit int) (in, out int)

	// Turn says that channels-first data had better be transposed for a kernel of
	// channels-last data, and back.
	Turn bool
}

// Run computes the units lo <= u < hi. argmax is nil unless it was planned.
func (p *Kernel) Run(s *kernel.Scratch, dst, argmax, src *tensor.Tensor, lo, hi int) {
	for unit := lo; unit < hi; unit++ {
		p.run(s, dst, argmax, src, unit)
	}
}

// New plans a pooling kernel. Every window must hold a real cell (see
// geom.Window.Pooling), and the output must not be empty.
func New(spec Spec) *Kernel {
	direct, refusal := newDirect(&spec)
	if direct != nil {
		return direct
	}
	rows, rowsRefusal := newIntRows(&spec)
	if rows != nil {
		return rows
	}
	k := newReduction(spec)
	k.Turn = spec.turns()
	k.Why = append([]kernel.Reject{{Impl: "direct " + WindowSize(&spec.Geometry), Reason: refusal}, {Impl: "rows of integers", Reason: rowsRefusal}}, k.Why...)
	return k
}

// turnTaps is from how large windows that share no cell on it pays to transpose what
// maxima are taken of. (112x112: 0.6 of the time of strips along short rows, 8x8:
// 1.1; maxima of windows that overlap take as long either way.)
const turnTaps = 1 << 10

// turns reports whether channels-first data is better transposed. Sums of windows
// that overlap are, 7x7 at stride 1 taking 0.4 of the time, others not: their rows
// are merged before they are reduced.
func (s *Spec) turns() bool {
	if !s.ChannelsFirst || s.Argmax || s.Reduction == LP || !kernel.TurningPays(s.DType, s.Geometry.C, s.Level) {
		return false
	}
	overlap := false
	for _, a := range s.Geometry.Spatial() {
		overlap = overlap || a.Stride < a.Effective()
	}
	if s.Reduction <= Min {
		return !overlap && s.Geometry.Taps() >= turnTaps
	}
	return overlap
}

// newReduction plans a kernel that reduces axis by axis: in strips if it can.
func newReduction(spec Spec) *Kernel {
	switch spec.DType {
	case tensor.Uint8:
		return newReductionOf[uint8, float32](spec)
	case tensor.Int8:
		return newReductionOf[int8, float32](spec)
	case tensor.Uint16:
		return newReductionOf[uint16, float32](spec)
	case tensor.Int16:
		return newReductionOf[int16, float32](spec)
	case tensor.Uint32:
		return newReductionOf[uint32, float64](spec)
	case tensor.Int32:
		return newReductionOf[int32, float64](spec)
	case tensor.Uint64:
		return newReductionOf[uint64, float64](spec)
	case tensor.Int64:
		return newReductionOf[int64, float64](spec)
	case tensor.Float32:
		return newReductionOf[float32, float32](spec)
	default:
		return newReductionOf[float64, float64](spec)
	}
}

// newReductionOf chooses accumulators and what is done with them. O is the type of
// averages of T.
func newReductionOf[T tensor.Real, O tensor.Floating](spec Spec) *Kernel {
	power := powers{spec.Power, tensor.TypeOf[O]() == tensor.Float32}
	root := power.root()
	sum, sumISA := sumMerger(spec.Level)
	sums := method[T, float64, O]{merge: sum, fold: sumFolder(spec.Level), slide: sumSlider(spec.Level), neutral: math.Copysign(0, -1), isa: sumISA}
	skips := method[T, counted, O]{merge: mergeCounted, fold: countedFolder(spec.Level), neutral: counted{noDouble, noDouble}, isa: sumISA}
	tallies := method[T, tally, O]{merge: mergeTally, fold: tallyFolder(spec.Level), neutral: tally{noDouble.hi, noDouble.hi}, isa: sumISA}
	switch infinite := math.IsInf(spec.Power, 1); {
	case spec.Argmax:
		return newArgmax[T](spec)
	case spec.Reduction == Max || spec.Reduction == Min:
		merge, isa := extremumMerger[T](spec.Level, spec.Reduction == Min, spec.IgnoreNaN)
		return assemble(spec, method[T, T, T]{load: loadSame[T], merge: merge, fold: extremumFolder(spec.Level, kernel.KindOf(spec.Reduction == Min, spec.IgnoreNaN), merge),
			finish: finishSame[T], overlap: true, ordered: true, same: true, isa: isa})
	case spec.Reduction == LP && infinite:
		merge, isa := extremumMerger[float64](spec.Level, false, spec.IgnoreNaN)
		return assemble(spec, method[T, float64, O]{load: loadPower[T](power), merge: merge, fold: extremumFolder(spec.Level, kernel.KindOf(false, spec.IgnoreNaN), merge),
			finish: finishRoot[T, O](root), overlap: true, isa: isa})
	case spec.Reduction == LP && spec.IgnoreNaN && power.narrow:
		tallies.load, tallies.finish = loadPowerOf[T](power, tallied), finishSkippingRoot[T, tally, O](root, func(a tally) (sum, skipped float64) { return a.sum, a.skipped })
		return assemble(spec, tallies)
	case spec.Reduction == LP && spec.IgnoreNaN:
		skips.load, skips.finish = loadPowerOf[T](power, counting), finishSkippingRoot[T, counted, O](root, func(a counted) (sum, skipped float64) { return a.sum.over(1, 1), a.skipped.hi })
		return assemble(spec, skips)
	case spec.Reduction == LP:
		sums.load, sums.finish = loadPower[T](power), finishRoot[T, O](root)
		return assemble(spec, sums)
	case spec.Picture:
		return assemble(spec, method[T, float64, T]{load: wideLoader[T](spec.Level), merge: sum, fold: sums.fold, slide: sums.slide, finish: finishPicture[T], neutral: sums.neutral, isa: sumISA})
	case spec.IgnoreNaN && spec.DType == tensor.Float32:
		tallies.load, tallies.finish = loadTally[T], finishTally[T, O]
		return assemble(spec, tallies)
	case spec.IgnoreNaN && spec.DType.IsFloat():
		skips.load, skips.finish = loadCounted[T], finishCounted[T, O]
		return assemble(spec, skips)
	case spec.DType == tensor.Float64:
		return assemble(spec, method[T, double, O]{load: loadDouble[T], merge: mergeDouble, fold: doubleFolder(spec.Level), finish: finishDouble[T, O], neutral: noDouble, isa: sumISA})
	default:
		sums.load, sums.finish = wideLoader[T](spec.Level), sumFinisher[T, O](spec.Level)
		return assemble(spec, sums)
	}
}

// newArgmax plans argmax: by keys where the numbers are small enough.
func newArgmax[T tensor.Real](spec Spec) *Kernel {
	elements := spec.Index.Plane()
	if !spec.ChannelsFirst {
		elements *= spec.Geometry.C
	}
	merge := pickMerger(spec, mergeArgMax[T], mergeArgMaxIgnoreNaN[T], mergeArgMin[T], mergeArgMinIgnoreNaN[T])
	fold, isa := locatedFolder(spec.Level, kernel.KindOf(spec.Reduction == Min, spec.IgnoreNaN), merge)
	located := method[T, located[T], T]{load: loadLocated[T], merge: merge, fold: fold, finish: finishLocated[T], overlap: true, ordered: true, isa: isa}
	if !key32(spec.DType) || elements > keysUpTo {
		return assemble(spec, located)
	}
	keys := method[T, int64, T]{load: keyLoader[T](&spec), merge: mergeKeys, fold: keyFolder(spec.Level), finish: finishKeys[T], overlap: true,
		isa: kernel.ISA(spec.Level, foldTables[spec.Level].keys != nil)}
	k, refusal := strip(spec, keys)
	if k == nil {
		k = newSeparable(spec, located)
		k.Why = append([]kernel.Reject{{Impl: "strips", Reason: refusal}}, k.Why...)
	}
	return k
}

func pickMerger[A any](spec Spec, maximum, maximumIgnore, minimum, minimumIgnore kernel.Merger[A]) kernel.Merger[A] {
	switch {
	case spec.Reduction == Max && spec.IgnoreNaN:
		return maximumIgnore
	case spec.Reduction == Max:
		return maximum
	case spec.IgnoreNaN:
		return minimumIgnore
	default:
		return minimum
	}
}

// method is what a kernel does with accumulators A of elements T, of which
// become results O.
type method[T tensor.Real, A any, O tensor.Real] struct {
	load    loader[T, A]
	merge   kernel.Merger[A]
	fold    folder[A] // nil: by merge
	slide   slider[A] // nil: there is none
	finish  finisher[T, A, O]
	same    bool   // accumulators are elements and results
	overlap bool   // merging a cell twice changes nothing
	ordered bool   // see merging
	neutral A      // changes nothing that it is merged with; only where overlap is false
	isa     string // what merge and fold are written for
}

func (m *method[T, A, O]) merging() merging {
	return merging{size: int(unsafe.Sizeof(m.neutral)), overlap: m.overlap, ordered: m.ordered, slides: m.slide != nil}
}

// assemble plans strips, or else the separable kernel.
func assemble[T tensor.Real, A any, O tensor.Real](spec Spec, m method[T, A, O]) *Kernel {
	if m.fold == nil {
		m.fold = foldMerging(m.merge)
	}
	k, refusal := strip(spec, m)
	if k == nil {
		k = newSeparable(spec, m)
		k.Why = append([]kernel.Reject{{Impl: "strips", Reason: refusal}}, k.Why...)
	}
	return k
}

// separable is a planned kernel with its types: elements T, accumulators A,
// results O.
type separable[T tensor.Real, A any, O tensor.Real] struct {
	Spec
	tiling
	method[T, A, O]
	spans []span
}

// newSeparable plans the separable kernel, which does everything.
func newSeparable[T tensor.Real, A any, O tensor.Real](spec Spec, m method[T, A, O]) *Kernel {
	inner, images := spec.Geometry.C, spec.Geometry.N
	if spec.ChannelsFirst {
		inner, images = 1, images*inner
	}
	k := &separable[T, A, O]{Spec: spec, method: m, spans: spec.spans(), tiling: newTiling(&spec.Geometry, inner, 8*kernel.Words[A](1))}
	row, w, h, d, suffix := k.buffers()
	words := 0
	for _, n := range []int{row, w, h, d, suffix} {
		words += kernel.Words[A](n)
	}
	return &Kernel{Units: k.units(images), Scratch: 8 * words, Impl: k.describe() + ", " + m.isa, Why: k.rejects(), run: k.run}
}

// describe names the algorithm of each axis that is not trivial.
func (t *tiling) describe() string {
	var words []string
	for i, name := range []string{"depth", "height", "width"} {
		p := &t.passes[i]
		switch {
		case p.axis.Trivial():
		case p.blocks:
			words = append(words, name+" by blocks")
		default:
			words = append(words, name+" by taps")
		}
	}
	if words == nil {
		return "separable (copy)"
	}
	return fmt.Sprintf("separable (%s)", strings.Join(words, ", "))
}

// rejects says for each axis why its windows are not reduced by blocks.
func (t *tiling) rejects() []kernel.Reject {
	var list []kernel.Reject
	for i, name := range []string{"depth", "height", "width"} {
		p := &t.passes[i]
		if p.axis.Trivial() || p.blocks {
			continue
		}
		reason := fmt.Sprintf("a window of %d at stride %d needs fewer steps tap by tap (blocks pay from %d)", p.axis.Size, p.axis.Stride, p.threshold+1)
		if p.axis.Bounds != nil {
			reason = "the windows differ in size"
		}
		list = append(list, kernel.Reject{Impl: name + " by blocks", Reason: reason})
	}
	return list
}

func (k *separable[T, A, O]) run(s *kernel.Scratch, dst, argmax, src *tensor.Tensor, unit int) {
	b := k.box(unit)
	var i0, i1 [3]int
	for axis := range i0 {
		i0[axis], i1[axis] = k.passes[axis].cells(b.o0[axis], b.o1[axis])
	}
	in := &k.Geometry.Axes
	rowElements := in[2].In * k.inner
	image := in[0].In * in[1].In * rowElements
	data := tensor.Of[T](src)[b.image*image : (b.image+1)*image]

	s.Reset()
	nRow, nW, nH, nD, nSuffix := k.buffers()
	row, afterW, afterH := kernel.Take[A](s, nRow), kernel.Take[A](s, nW), kernel.Take[A](s, nH)
	afterD, suffix := kernel.Take[A](s, nD), kernel.Take[A](s, nSuffix)

	line := (b.o1[2] - b.o0[2]) * k.inner // one row of outputs
	cells := (i1[2] - i0[2]) * k.inner
	ny, by := i1[1]-i0[1], b.o1[1]-b.o0[1]
	for z := range i1[0] - i0[0] {
		for y := range ny {
			at := ((i0[0]+z)*in[1].In+i0[1]+y)*rowElements + i0[2]*k.inner
			out := afterW[(z*ny+y)*line:][:line]
			if in[2].Trivial() {
				k.load(out, data[at:at+cells], at)
				continue
			}
			k.load(row[:cells], data[at:at+cells], at)
			reduce(&k.passes[2], k.merge, out, row, suffix, k.inner, b.o0[2], b.o1[2], i0[2], i1[2])
		}
		if !in[1].Trivial() {
			reduce(&k.passes[1], k.merge, afterH[z*by*line:][:by*line], afterW[z*ny*line:][:ny*line], suffix, line, b.o0[1], b.o1[1], i0[1], i1[1])
		}
	}
	acc := afterW
	if !in[1].Trivial() {
		acc = afterH
	}
	if !in[0].Trivial() {
		reduce(&k.passes[0], k.merge, afterD, acc, suffix, by*line, b.o0[0], b.o1[0], i0[0], i1[0])
		acc = afterD
	}

	f := Finishing[T, O]{Spec: &k.Spec, inner: k.inner, image: b.image, src: data, dst: tensor.Of[O](dst), x0: b.o0[2], spans: k.spans}
	if k.Argmax {
		f.argmax = tensor.Of[int64](argmax)
	}
	for f.Z = b.o0[0]; f.Z < b.o1[0]; f.Z++ {
		for f.Y = b.o0[1]; f.Y < b.o1[1]; f.Y++ {
			f.at = (((b.image*in[0].Out+f.Z)*in[1].Out+f.Y)*in[2].Out + b.o0[2]) * k.inner
			k.finish(f, acc[:line])
			acc = acc[line:]
		}
	}
}

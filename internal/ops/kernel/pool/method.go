package pool

import (
	"math"
	"unsafe"

	"github.com/poolctl/poolctl/internal/ops/kernel"
	"github.com/poolctl/poolctl/internal/tensor"
)

// method is what a kernel that goes axis by axis does with accumulators A of
// elements T, of which become results O.
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

// candidates are strips and the separable kernel.
func (m method[T, A, O]) candidates(spec *Spec) []candidate {
	if m.fold == nil {
		m.fold = foldMerging(m.merge)
	}
	return []candidate{stripsCandidate(spec, m), separableCandidate(spec, m)}
}

// axisCandidates are the kernels that reduce axis by axis.
func axisCandidates(spec *Spec) []candidate {
	if spec.DType.IsNarrow() {
		return noAxisCandidates("there are none for " + spec.DType.String())
	}
	return axisCandidatesPerType.For(spec.DType)(spec)
}

// axisCandidatesPerType has the type of averages beside each type.
var axisCandidatesPerType = tensor.PerReal(axisCandidatesOf[uint8, float32], axisCandidatesOf[int8, float32],
	axisCandidatesOf[uint16, float32], axisCandidatesOf[int16, float32],
	axisCandidatesOf[uint32, float64], axisCandidatesOf[int32, float64], axisCandidatesOf[uint64, float64], axisCandidatesOf[int64, float64],
	axisCandidatesOf[float32, float32], axisCandidatesOf[float64, float64])

// noAxisCandidates are refused.
func noAxisCandidates(refusal string) []candidate {
	return []candidate{{Name: "strips", Refusal: refusal}, {Name: "separable", Refusal: refusal}}
}

// axisCandidatesOf chooses accumulators and what is done with them. O is the type
// of averages of T.
func axisCandidatesOf[T tensor.Real, O tensor.Floating](spec *Spec) []candidate {
	switch r := spec.Reduction; {
	case spec.Argmax && !r.IsExtremum():
		return noAxisCandidates(r.String() + " have no argmax")
	case spec.Argmax:
		return argmaxCandidates[T](spec)
	case r.IsExtremum():
		m := extremumMethod[T](spec.Level, r == Min, spec.IgnoreNaN)
		return method[T, T, T]{load: loadSame[T], merge: m.merge, fold: m.fold, finish: finishSame[T], overlap: true, ordered: true, same: true, isa: m.isa}.candidates(spec)
	case r == LP:
		return lpCandidates[T, O](spec)
	case r.IsMoment():
		return momentCandidates[T, O](spec)
	case r.IsSum():
		return sumCandidates[T, O](spec)
	default:
		return noAxisCandidates("there are none for " + r.String())
	}
}

// extremumFunctions merge maxima or minima of numbers.
type extremumFunctions[A any] struct {
	merge kernel.Merger[A]
	fold  folder[A]
	isa   string
}

func extremumMethod[T tensor.Real](level kernel.Level, minimum, ignoreNaN bool) extremumFunctions[T] {
	merge, isa := extremumMerger[T](level, minimum, ignoreNaN)
	return extremumFunctions[T]{merge, extremumFolder(level, kernel.KindOf(minimum, ignoreNaN), merge), isa}
}

// sumMethod adds float64.
func sumMethod[T tensor.Real, O tensor.Real](level kernel.Level) method[T, float64, O] {
	merge, isa := sumMerger(level)
	return method[T, float64, O]{merge: merge, fold: sumFolder(level), slide: sumSlider(level), neutral: math.Copysign(0, -1), isa: isa}
}

// tallyMethod adds float64 and counts NaN.
func tallyMethod[T tensor.Real, O tensor.Real](level kernel.Level) method[T, tally, O] {
	_, isa := sumMerger(level)
	return method[T, tally, O]{merge: mergeTally, fold: tallyFolder(level), neutral: tally{noDouble.hi, noDouble.hi}, isa: isa}
}

// countedMethod adds with twice the precision of float64 and counts NaN.
func countedMethod[T tensor.Real, O tensor.Real](level kernel.Level) method[T, counted, O] {
	_, isa := sumMerger(level)
	return method[T, counted, O]{merge: mergeCounted, fold: countedFolder(level), neutral: counted{noDouble, noDouble}, isa: isa}
}

func sumCandidates[T tensor.Real, O tensor.Floating](spec *Spec) []candidate {
	level := spec.Level
	switch {
	case spec.Picture:
		m := sumMethod[T, T](level)
		m.load, m.finish = wideLoader[T](level), finishPicture[T]
		return m.candidates(spec)
	case spec.IgnoreNaN && spec.DType == tensor.Float32:
		m := tallyMethod[T, O](level)
		m.load, m.finish = loadTally[T], finishTally[T, O]
		return m.candidates(spec)
	case spec.IgnoreNaN && spec.DType.IsFloat():
		m := countedMethod[T, O](level)
		m.load, m.finish = loadCounted[T], finishCounted[T, O]
		return m.candidates(spec)
	case spec.DType == tensor.Float64:
		_, isa := sumMerger(level)
		return method[T, double, O]{load: loadDouble[T], merge: mergeDouble, fold: doubleFolder(level), finish: finishDouble[T, O], neutral: noDouble, isa: isa}.candidates(spec)
	default: // integers, and float32 whose NaN propagate
		m := sumMethod[T, O](level)
		m.load, m.finish = wideLoader[T](level), sumFinisher[T, O](level)
		return m.candidates(spec)
	}
}

package pool

import (
	"fmt"
	"slices"

	"github.com/poolctl/poolctl/internal/geom"
	"github.com/poolctl/poolctl/internal/ops/kernel"
	"github.com/poolctl/poolctl/internal/tensor"
)

// Spec says what a pooling kernel computes.
type Spec struct {
	Level         kernel.Level // the CPU level to plan for; results do not depend on it
	Want          string       // the implementation to run if it can, empty for the best
	Geometry      geom.Geometry
	Reduction     Reduction
	DType         tensor.DType // of the input: a Real type
	ChannelsFirst bool
	IgnoreNaN     bool
	Power         float64 // of LP
	Rank          int     // of Rank: the smallest cell is 0; every window has more real cells
	CountPadding  bool    // averages divide by the cells of input and padding
	Divisor       int     // averages divide by this instead of a count, unless it is 0
	Picture       bool    // Average of unsigned 8 or 16 bits without Divisor: results of that type, see Result
	Argmax        bool    // also write where the value was, see Reduction.HasArgmax
	Index         Index   // how Argmax numbers cells
}

// Result returns the type of the output: the input's for reductions that give a
// cell of their window, else the floating-point type that sums of it are computed
// in. A Picture is what that would be rounded to: the nearest integer, ties to
// even.
func (s *Spec) Result() tensor.DType {
	if s.Reduction.KeepsType() || s.Picture {
		return s.DType
	}
	return s.DType.Averaged()
}

// Kernel is a planned pooling kernel.
type Kernel struct {
	Units   int
	Scratch int // bytes
	kernel.Choice
	run func(s *kernel.Scratch, dst, argmax, src *tensor.Tensor, unit int)

	// Reach returns how many leading numbers of the input the units up to this one
	// read at most, and how many of the output are final when these have run. nil
	// where units do not go from front to back.
	Reach func(unit int) (in, out int)
}

// Run computes the units lo <= u < hi. argmax is nil unless it was planned.
func (p *Kernel) Run(s *kernel.Scratch, dst, argmax, src *tensor.Tensor, lo, hi int) {
	for unit := lo; unit < hi; unit++ {
		p.run(s, dst, argmax, src, unit)
	}
}

// candidate is a way to compute a pooling.
type candidate = kernel.Candidate[*Kernel]

// New plans the best kernel that can compute a pooling, or the one that is wanted
// if that can. Every window must hold a real cell (see geom.Window.Pooling), and
// the output must not be empty. The error says why no kernel can.
func New(spec Spec) (*Kernel, error) {
	list := candidates(spec)
	k, choice := kernel.Choose(list, spec.Want)
	if k == nil {
		return nil, fmt.Errorf("there is no kernel for %s of %s (%s: %s)", spec.Reduction, spec.DType, list[0].Name, list[0].Refusal)
	}
	choice.Why = append(choice.Why, k.Why...)
	k.Choice = choice
	return k, nil
}

// candidates lists all ways to compute a pooling, best first: those of the level,
// then those of lower ones.
func candidates(spec Spec) []candidate {
	var list []candidate
	named := map[string]bool{}
	for {
		for _, c := range candidatesOfLevel(&spec) {
			if !named[c.Name] { // by functions that are as good at a lower level
				named[c.Name] = true
				list = append(list, c)
			}
		}
		if spec.Level == kernel.Generic {
			return list
		}
		spec.Level--
	}
}

func candidatesOfLevel(spec *Spec) []candidate {
	return slices.Concat([]candidate{directCandidate(spec), intsCandidate(spec)}, axisCandidates(spec), rankCandidates(spec))
}

// turnTaps is the smallest non-overlapping window for which transposing the input
// of a maximum pays. (112x112 takes 0.6 of the time of strips along short rows,
// 8x8 1.1. Maxima of windows that overlap take as long either way.)
const turnTaps = 1 << 10

// Turns reports whether channels-first data is better transposed, pooled with
// channels last, and transposed back. That is so for maxima of large windows that
// do not overlap. It is so for sums of windows that overlap: 7x7 at stride 1 takes
// 0.4 of the time. Other sums merge rows before they reduce them, and do not gain.
func (s *Spec) Turns() bool {
	if !s.ChannelsFirst || s.Argmax || !kernel.TurningPays(s.DType, s.Geometry.C, s.Level) {
		return false
	}
	overlap := false
	for _, a := range s.Geometry.Spatial() {
		overlap = overlap || a.Stride < a.Effective()
	}
	pays := s.Reduction.IsSum() && overlap || s.Reduction.IsExtremum() && !overlap && s.Geometry.Taps() >= turnTaps
	return pays && !directCandidate(s).RunsUnasked() && !intsCandidate(s).RunsUnasked()
}

package conv

import (
	"cmp"
	"fmt"

	"github.com/poolctl/poolctl/internal/geom"
	"github.com/poolctl/poolctl/internal/ops/kernel"
	"github.com/poolctl/poolctl/internal/tensor"
)

// FilterStrides says where a filter's numbers lie in memory: the number of tap t,
// source channel i and destination channel o of group g is at index
// t*Tap + i*Src + o*Dst + g*Group. Channels are counted within their group.
type FilterStrides struct{ Tap, Src, Dst, Group int }

// Spec says what a convolution kernel computes, over channels-last data
// unless the kernel says otherwise.
type Spec struct {
	Gather   [3]geom.Gather // depth, height, width
	N        int
	Src, Dst int // channels of all groups
	Groups   int
	Filter   FilterStrides
	DType    tensor.DType // Float32 or Float64: source, filter, bias and destination
	Bias     bool
	Level    kernel.Level // the best that may be used
	Want     string       // the implementation to run if it can, empty for the best

	// ChannelsFirst says that the caller has channels-first data. The caller
	// transposes it unless Kernel.ChannelsFirst says that it need not.
	ChannelsFirst bool

	Algorithm     kernel.Algorithm // the one that implementations must use
	AllowWinograd bool             // Winograd may run without being asked for

	// SkipPadding says that padding adds nothing, even under an infinite or NaN
	// weight. Transposed convolutions and gradients are defined that way.
	SkipPadding bool
}

// taps returns the number of taps of the filter.
func (s *Spec) taps() int { return s.Gather[0].Size * s.Gather[1].Size * s.Gather[2].Size }

// Kernel is a planned convolution. Pack copies the filter into a buffer of Packed
// numbers, in the order in which Run reads it.
type Kernel struct {
	Packed    int
	PackUnits int
	Units     int
	Scratch   int // bytes, for Run

	// ChannelsFirst says that Run takes and writes channels-first data.
	ChannelsFirst bool

	kernel.Choice
	pack func(packed, filter *tensor.Tensor, unit int)
	run  func(s *kernel.Scratch, dst, src, packed, bias *tensor.Tensor, unit int)
}

// Pack packs the units lo <= u < hi of the filter. All of them must be packed
// before the first Run.
func (c *Kernel) Pack(packed, filter *tensor.Tensor, lo, hi int) {
	for unit := lo; unit < hi; unit++ {
		c.pack(packed, filter, unit)
	}
}

// Run computes the units lo <= u < hi. bias is nil unless Spec.Bias is set.
func (c *Kernel) Run(s *kernel.Scratch, dst, src, packed, bias *tensor.Tensor, lo, hi int) {
	for unit := lo; unit < hi; unit++ {
		c.run(s, dst, src, packed, bias, unit)
	}
}

// New plans a convolution with the best implementation that the level, the
// build, the shape and the wanted algorithm allow. The error is a *geom.Error that
// says why the wanted algorithm cannot run.
func New(spec Spec) (*Kernel, error) {
	if spec.DType == tensor.Float32 {
		return newConv[float32](spec)
	}
	return newConv[float64](spec)
}

func newConv[F tensor.Floating](spec Spec) (*Kernel, error) {
	list := convCandidates[F](&spec)
	reason := ""
	for i := range list {
		switch c := &list[i]; {
		case !spec.Algorithm.Takes(c.Algorithm):
			c.Refusal = fmt.Sprintf("the algorithm %s was asked for", spec.Algorithm)
		case spec.Algorithm.Given():
			c.Unasked = ""
			reason = cmp.Or(reason, c.Refusal)
		}
	}
	c, choice := kernel.Choose(list, spec.Want)
	if c == nil {
		return nil, &geom.Error{Field: "algorithm", Problem: fmt.Sprintf("got %s, which cannot run here: %s", spec.Algorithm, reason)}
	}
	c.Choice = choice
	if spec.ChannelsFirst && spec.Src == 1 && spec.Dst == 1 { // both layouts are the same
		c.ChannelsFirst = true
	}
	return c, nil
}

// convCandidates lists the implementations of a convolution, best first.
func convCandidates[F tensor.Floating](spec *Spec) []kernel.Candidate[*Kernel] {
	tiles, ahead := winogradTilesOf(spec)
	list := []kernel.Candidate[*Kernel]{planesCandidate(spec)}
	for level := kernel.AVX512; ; level-- {
		if spec.eachAlone() || spec.smallGroups() > 1 && level > kernel.Generic {
			list = append(list, depthwiseCandidate[F](spec, level))
		}
		var winograds []kernel.Candidate[*Kernel]
		for _, out := range tiles {
			winograds = append(winograds, winogradCandidate[F](spec, out, level))
		}
		if ahead {
			list = append(list, winograds...)
		}
		if level == kernel.Generic {
			list = append(list, kernel.Candidate[*Kernel]{Name: plainName, Algorithm: kernel.Direct, Plan: func() *Kernel { return newPlain[F](*spec) }})
		} else {
			list = append(list, gemmCandidate[F](spec, level))
		}
		if !ahead {
			list = append(list, winograds...)
		}
		if level == kernel.Generic {
			return list
		}
	}
}

// eachAlone reports whether every channel is a group of its own with one filter.
func (s *Spec) eachAlone() bool { return s.Src == s.Groups && s.Dst == s.Groups }

// smallGroups returns the channels of a group that has as many source as
// destination channels, or 0 if there are no functions for that number.
func (s *Spec) smallGroups() int {
	if n := s.Src / max(1, s.Groups); s.Src == s.Dst && (n == 2 || n == 4) && s.DType == tensor.Float32 {
		return n
	}
	return 0
}

// depthwiseTaps is the largest filter for which depthwise rows in plain Go beat
// register tiles that use one channel. (1080p RGB: two thirds of the time at 3x3,
// equal at 9x9.)
const depthwiseTaps = 25

// depthwiseCandidate offers the kernel of depthwise convolution.
func depthwiseCandidate[F tensor.Floating](spec *Spec, level kernel.Level) kernel.Candidate[*Kernel] {
	rows := DepthwiseSpec{
		Gather: spec.Gather, N: spec.N, C: spec.Src, Group: spec.smallGroups(), Multiplier: 1, Filter: spec.Filter, DType: spec.DType,
		Bias: spec.Bias, Level: spec.Level, SkipPadding: spec.SkipPadding,
	}
	c := kernel.Candidate[*Depthwise]{Name: plainDepthwiseName, Plan: func() *Depthwise { return newDepthwise[F](rows) }}
	switch {
	case level > kernel.Generic:
		c = vectorDepthwiseCandidate[F](rows, level)
	case spec.SkipPadding:
		c.Refusal = "it only walks forward"
	case spec.taps() > depthwiseTaps && spec.Level > kernel.Generic:
		c.Refusal = fmt.Sprintf("the filter has more than %d taps", depthwiseTaps)
	}
	return kernel.Candidate[*Kernel]{Name: c.Name, Refusal: c.Refusal, Algorithm: kernel.Direct, Plan: func() *Kernel { return c.Plan().conv() }}
}

func gemmCandidate[F tensor.Floating](spec *Spec, level kernel.Level) kernel.Candidate[*Kernel] {
	tiles := assembledTiles[F](level)
	refusal := kernel.LevelRefusal(tiles != nil, level, spec.Level)
	if refusal == "" && phasesOf(&spec.Gather) > mostPhases {
		refusal = manyPhases
	}
	return kernel.Candidate[*Kernel]{Name: gemmName[F](level), Refusal: refusal, Algorithm: kernel.GEMM, Plan: func() *Kernel { return newGemm(*spec, tiles).conv() }}
}

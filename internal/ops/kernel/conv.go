package kernel

import (
	"fmt"

	"github.com/poolctl/poolctl/internal/geom"
	"github.com/poolctl/poolctl/internal/tensor"
)

// FilterStrides says where a filter's numbers lie in memory: that of tap t,
// source channel i and destination channel o of group g at
// t*Tap + i*Src + o*Dst + g*Group. Channels are counted within their group.
type FilterStrides struct{ Tap, Src, Dst, Group int }

// ConvSpec says what a convolution kernel computes, over channels-last data.
type ConvSpec struct {
	Gather   [3]geom.Gather // depth, height, width
	N        int
	Src, Dst int // channels of all groups
	Groups   int
	Filter   FilterStrides
	DType    tensor.DType // Float32 or Float64: source, filter, bias and destination
	Bias     bool
	Level    Level // the best that may be used

	// SkipPadding says that padding adds nothing, not even where a weight is
	// infinite or NaN: so it is in transposed convolutions and gradients.
	SkipPadding bool
}

// taps returns the number of taps of the filter.
func (s *ConvSpec) taps() int { return s.Gather[0].Size * s.Gather[1].Size * s.Gather[2].Size }

// Conv is a planned convolution: Pack brings the filter into the order in which
// Run reads it, into a buffer of Packed numbers.
type Conv struct {
	Packed    int
	PackUnits int
	Units     int
	Scratch   int // bytes, for Run
	Impl      string
	Why       []Reject
	pack      func(packed, filter *tensor.Tensor, unit int)
	run       func(s *Scratch, dst, src, packed, bias *tensor.Tensor, unit int)
}

// Pack packs the units lo <= u < hi of the filter. All of them must be packed
// before the first Run.
func (c *Conv) Pack(packed, filter *tensor.Tensor, lo, hi int) {
	for unit := lo; unit < hi; unit++ {
		c.pack(packed, filter, unit)
	}
}

// Run computes the units lo <= u < hi; bias is nil unless it was planned.
func (c *Conv) Run(s *Scratch, dst, src, packed, bias *tensor.Tensor, lo, hi int) {
	for unit := lo; unit < hi; unit++ {
		c.run(s, dst, src, packed, bias, unit)
	}
}

// NewConv plans a convolution with the best implementation that the level, the
// build and the shape allow.
func NewConv(spec ConvSpec) *Conv {
	if spec.DType == tensor.Float32 {
		return newConv[float32](spec)
	}
	return newConv[float64](spec)
}

func newConv[F tensor.Floating](spec ConvSpec) *Conv {
	phases := 1
	for i := range spec.Gather {
		phases *= max(1, min(spec.Gather[i].Period, spec.Gather[i].Dst, mostPhases+1))
	}
	refuse := ""
	if phases > mostPhases {
		refuse = fmt.Sprintf("the strides make more than %d sets of taps", mostPhases)
	}
	tiles, level, why := bestTiles[F](spec.Level, refuse)
	var c *Conv
	if tiles != nil {
		c = newGemm(spec, tiles).conv(level)
	} else {
		c = newPlainConv[F](spec)
	}
	c.Why = why
	return c
}

// bestTiles returns the register tiles of the best level that may be used, none
// when refuse says why the shape needs plain Go, and why not those of better
// levels.
func bestTiles[F tensor.Floating](most Level, refuse string) (tiles []registerTile[F], level Level, why []Reject) {
	for level = AVX512; level > Generic; level-- {
		tiles := assembledTiles[F](level)
		reason := refuse
		switch {
		case tiles == nil:
			reason = "this build has no assembly"
		case level > most:
			reason = fmt.Sprintf("the level is %s (the machine's, or less by %s)", most, Variable)
		case reason == "":
			return tiles, level, why
		}
		why = append(why, Reject{gemmName[F](level), reason})
	}
	return nil, Generic, why
}

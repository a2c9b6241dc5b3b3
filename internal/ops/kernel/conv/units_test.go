package conv_test

import (
	"math/rand/v2"
	"testing"

	"github.com/poolctl/poolctl/internal/ops/kernel"
	"github.com/poolctl/poolctl/internal/ops/kernel/conv"
	"github.com/poolctl/poolctl/internal/ops/kernel/kerneltest"
	"github.com/poolctl/poolctl/internal/tensor"
)

// TestConvolutionUnitsWritePartsOfTheirOwn: every number of the output is written
// by exactly one unit, so that units may run at the same time.
func TestConvolutionUnitsWritePartsOfTheirOwn(t *testing.T) {
	random := rand.New(rand.NewPCG(13, 14))
	for _, g := range kerneltest.UnitGeometries(t) {
		x := kerneltest.Fill[float32](random, kerneltest.Ties, g.N*kerneltest.InputOrder(&g, false).Cells()*g.C)
		cells := g.N * kerneltest.OutputOrder(&g, g.C, false).Cells()
		input := tensor.From(x, len(x))

		s := conv.Spec{N: g.N, Src: g.C, Dst: 2, Groups: 1, DType: tensor.Float32}
		d := conv.DepthwiseSpec{N: g.N, C: g.C, Multiplier: 1, DType: tensor.Float32}
		for i, a := range g.Axes {
			s.Gather[i], d.Gather[i] = a.Forward(), a.Forward()
		}
		var count int
		s.Filter, count = filterStrides("TIO", g.Taps(), g.C, 2, 1, false)
		for s.Level = range kernel.Detected() + 1 {
			conv := plannedConv(t, s)
			packed := tensor.New(tensor.Spec{DType: tensor.Float32, Shape: tensor.Shape{conv.Packed}})
			conv.Pack(packed, tensor.From(kerneltest.Fill[float32](random, kerneltest.Ties, count), count), 0, conv.PackUnits)
			scratch := kernel.NewScratch(conv.Scratch)
			kerneltest.CheckUnits(t, g, conv.Impl, conv.Units, cells*2, func(y *tensor.Tensor, unit int) {
				conv.Run(&scratch, y, input, packed, nil, unit, unit+1)
			})
		}

		depthwise := conv.NewDepthwise(d)
		packed := tensor.New(tensor.Spec{DType: tensor.Float32, Shape: tensor.Shape{depthwise.Packed}})
		depthwise.Pack(packed, tensor.From(kerneltest.Fill[float32](random, kerneltest.Ties, g.Taps()*g.C), g.Taps()*g.C))
		scratch := kernel.NewScratch(depthwise.Scratch)
		kerneltest.CheckUnits(t, g, "depthwise", depthwise.Units, cells*g.C, func(y *tensor.Tensor, unit int) {
			depthwise.Run(&scratch, y, input, packed, nil, unit, unit+1)
		})
	}
}

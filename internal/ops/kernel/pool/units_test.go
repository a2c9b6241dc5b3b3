package pool_test

import (
	"math/rand/v2"
	"testing"

	"github.com/poolctl/poolctl/internal/ops/kernel"
	"github.com/poolctl/poolctl/internal/ops/kernel/kerneltest"
	"github.com/poolctl/poolctl/internal/ops/kernel/pool"
	"github.com/poolctl/poolctl/internal/tensor"
)

// TestPoolUnitsWritePartsOfTheirOwn: every number of the output is written by
// exactly one unit, so that units may run at the same time.
func TestPoolUnitsWritePartsOfTheirOwn(t *testing.T) {
	random := rand.New(rand.NewPCG(13, 14))
	for _, g := range kerneltest.UnitGeometries(t) {
		x := kerneltest.Fill[float32](random, kerneltest.Ties, g.N*kerneltest.InputOrder(&g, false).Cells()*g.C)
		cells := g.N * kerneltest.OutputOrder(&g, g.C, false).Cells()
		input := tensor.From(x, len(x))

		k := planned(t, pool.Spec{Geometry: g, DType: tensor.Float32})
		scratch := kernel.NewScratch(k.Scratch)
		kerneltest.CheckUnits(t, g, "pool", k.Units, cells*g.C, func(y *tensor.Tensor, unit int) {
			k.Run(&scratch, y, nil, input, unit, unit+1)
		})
	}
}

package kernel_test

import (
	"math/rand/v2"
	"testing"

	"github.com/poolctl/poolctl/internal/geom"
	"github.com/poolctl/poolctl/internal/ops/kernel"
	"github.com/poolctl/poolctl/internal/tensor"
)

// TestUnitsWritePartsOfTheirOwn: every number of the output is written by
// exactly one unit, so that units may run at the same time.
func TestUnitsWritePartsOfTheirOwn(t *testing.T) {
	resolve := func(n int, in []int, c int, w geom.Window) geom.Geometry {
		g, err := geom.Resolve(n, in, c, w)
		if err != nil {
			t.Fatal(err)
		}
		return g
	}
	random := rand.New(rand.NewPCG(13, 14))
	for _, g := range []geom.Geometry{
		resolve(2, []int{3001}, 3, geom.Window{Size: []int{4}, Padding: geom.Same}),
		resolve(1, []int{700, 60}, 3, geom.Window{Size: []int{3, 2}, Stride: []int{1, 2}, Padding: geom.Same}),
		resolve(2, []int{5, 40, 50}, 3, geom.Window{Size: []int{2}, Dilation: []int{2}}),
	} {
		x := fill[float32](random, ties, g.N*inputOrder(&g, false).cells()*g.C)
		cells := g.N * outputOrder(&g, g.C, false).cells()
		input := tensor.From(x, len(x))

		pool := kernel.NewPool(kernel.PoolSpec{Geometry: g, DType: tensor.Float32})
		scratch := kernel.NewScratch(pool.Scratch)
		checkUnits(t, g, "pool", pool.Units, cells*g.C, func(y *tensor.Tensor, unit int) {
			pool.Run(&scratch, y, nil, input, unit, unit+1)
		})

		s := kernel.ConvSpec{N: g.N, Src: g.C, Dst: 2, Groups: 1, DType: tensor.Float32}
		d := kernel.DepthwiseSpec{N: g.N, C: g.C, Multiplier: 1, DType: tensor.Float32}
		for i, a := range g.Axes {
			s.Gather[i], d.Gather[i] = a.Forward(), a.Forward()
		}
		var count int
		s.Filter, count = filterStrides("TIO", g.Taps(), g.C, 2, 1, false)
		for s.Level = range kernel.Detected() + 1 {
			conv := plannedConv(t, s)
			packed := tensor.New(tensor.Spec{DType: tensor.Float32, Shape: tensor.Shape{conv.Packed}})
			conv.Pack(packed, tensor.From(fill[float32](random, ties, count), count), 0, conv.PackUnits)
			scratch := kernel.NewScratch(conv.Scratch)
			checkUnits(t, g, conv.Impl, conv.Units, cells*2, func(y *tensor.Tensor, unit int) {
				conv.Run(&scratch, y, input, packed, nil, unit, unit+1)
			})
		}

		depthwise := kernel.NewDepthwise(d)
		packed := tensor.New(tensor.Spec{DType: tensor.Float32, Shape: tensor.Shape{depthwise.Packed}})
		depthwise.Pack(packed, tensor.From(fill[float32](random, ties, g.Taps()*g.C), g.Taps()*g.C))
		scratch = kernel.NewScratch(depthwise.Scratch)
		checkUnits(t, g, "depthwise", depthwise.Units, cells*g.C, func(y *tensor.Tensor, unit int) {
			depthwise.Run(&scratch, y, input, packed, nil, unit, unit+1)
		})
	}
}

func checkUnits(t *testing.T, g geom.Geometry, name string, units, n int, run func(y *tensor.Tensor, unit int)) {
	t.Helper()
	const untouched = 1e30
	y, writers := make([]float32, n), make([]int, n)
	for unit := range units {
		for i := range y {
			y[i] = untouched
		}
		run(tensor.From(y, n), unit)
		for i, v := range y {
			if v != untouched {
				writers[i]++
			}
		}
	}
	for i, w := range writers {
		if w != 1 {
			t.Fatalf("%v %s: %d of %d units write output %d", g, name, w, units, i)
		}
	}
	if units < 2 {
		t.Errorf("%v %s: one unit", g, name)
	}
}

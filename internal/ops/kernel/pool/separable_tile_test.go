package pool_test

import (
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/poolctl/poolctl/internal/geom"
	"github.com/poolctl/poolctl/internal/ops/kernel/kerneltest"
	"github.com/poolctl/poolctl/internal/ops/kernel/pool"
	"github.com/poolctl/poolctl/internal/tensor"
	"github.com/poolctl/poolctl/internal/testutil"
	"pgregory.net/rapid"
)

// TestPoolingInManyTiles: inputs so large that an axis is cut into several
// tiles, whose windows overlap across the cuts. Every output is compared.
func TestPoolingInManyTiles(t *testing.T) {
	regular := func(n int, in []int, c int, w geom.Window) geom.Geometry {
		w.Pooling = true
		g, err := geom.Resolve(n, in, c, w)
		if err != nil {
			t.Fatal(err)
		}
		return g
	}
	same := geom.Same
	for _, c := range []struct {
		name string
		cut  [3]bool // which axes must be in several tiles
		g    geom.Geometry
	}{
		{"height by taps", [3]bool{1: true}, regular(2, []int{300, 170}, 3, geom.Window{Size: []int{3, 4}, Padding: same})},
		{"height by blocks", [3]bool{1: true}, regular(1, []int{420, 130}, 2, geom.Window{Size: []int{27, 2}, Padding: same})},
		{"height by dilated blocks", [3]bool{1: true}, regular(1, []int{422, 130}, 2, geom.Window{Size: []int{21, 2}, Dilation: []int{3, 1}, Padding: same})},
		{"height with strides and ceil mode", [3]bool{1: true}, regular(1, []int{701, 230}, 2, geom.Window{Size: []int{9, 5}, Stride: []int{2, 3}, Padding: geom.Explicit, Amounts: [][2]int{{4, 3}, {2, 1}}, Ceil: true})},
		{"depth and height", [3]bool{0: true, 1: true}, regular(1, []int{24, 90, 300}, 1, geom.Window{Size: []int{2, 3, 2}, Padding: same})},
		{"depth by blocks", [3]bool{0: true}, regular(1, []int{90, 24, 40}, 1, geom.Window{Size: []int{22, 1, 2}, Padding: same})},
		{"width by taps", [3]bool{2: true}, regular(1, []int{600_000}, 1, geom.Window{Size: []int{3}, Padding: same})},
		{"width by blocks", [3]bool{2: true}, regular(1, []int{450_003}, 1, geom.Window{Size: []int{21}, Dilation: []int{5}, Padding: same})},
		{"every axis", [3]bool{true, true, true}, regular(1, []int{3, 3, 600_000}, 1, geom.Window{Size: []int{2, 2, 2}, Padding: same})},
		{"adaptive", [3]bool{1: true}, geom.New(1, 2, []geom.Axis{geom.Adaptive(400, 170), geom.Adaptive(230, 250)})},
		{"fractional", [3]bool{1: true}, geom.New(1, 2, []geom.Axis{geom.Fractional(steps(400, 2), true), geom.Fractional(steps(230, 1), true)})},
	} {
		t.Run(c.name, func(t *testing.T) {
			for i, count := range pool.TileCounts(c.g, c.g.C, 16) {
				if c.cut[i] && count < 2 {
					t.Fatalf("%v: the %s is in one tile", c.g, [3]string{"depth", "height", "width"}[i])
				}
			}
			s := pool.Spec{Geometry: c.g, DType: tensor.Uint8, Reduction: pool.Max, Index: pool.Index{N: c.g.N, Channels: c.g.C}}
			for i, a := range c.g.Axes {
				s.Index.Extent[i] = a.In
			}
			checkExtremum[uint8](t, rand.New(rand.NewPCG(1, 2)), &s, kerneltest.Spread)
		})
	}
}

// TestBlocksAgreeWithTheDefinition: long windows over one axis, where prefixes
// and suffixes of blocks meet strides, dilation and clipped windows.
func TestBlocksAgreeWithTheDefinition(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		stride := rapid.IntRange(1, 3).Draw(t, "stride")
		size := 2*stride + 17 + rapid.IntRange(0, 20).Draw(t, "longer")
		lo, hi := rapid.IntRange(0, size-1).Draw(t, "lo"), rapid.IntRange(0, size-1).Draw(t, "hi")
		w := geom.Window{
			Size: []int{size}, Stride: []int{stride}, Dilation: []int{rapid.IntRange(1, 4).Draw(t, "dilation")},
			Padding: geom.Explicit, Amounts: [][2]int{{lo, hi}}, Ceil: rapid.Bool().Draw(t, "ceil"), Pooling: true,
		}
		if rapid.Bool().Draw(t, "SAME") {
			w.Padding, w.Amounts = geom.Same, nil
		}
		eff := (size-1)*w.Dilation[0] + 1
		in := rapid.IntRange(max(4, eff-lo-hi), 3*eff).Draw(t, "in")
		long, err := geom.Resolve(1, []int{in}, 1, w)
		if err != nil {
			t.Fatal(err)
		}
		axes := []geom.Axis{{In: 1, Out: 1, Size: 1, Stride: 1, Dilation: 1}, {In: 1, Out: 1, Size: 1, Stride: 1, Dilation: 1}, {In: 1, Out: 1, Size: 1, Stride: 1, Dilation: 1}}
		axes[rapid.IntRange(0, 2).Draw(t, "axis")] = long.Axes[2]
		s := kerneltest.DrawSpec(t, geom.New(1, rapid.IntRange(1, 3).Draw(t, "c"), axes), tensor.Float32)
		if k := planned(t, s); !strings.Contains(k.Impl, "by blocks") && !strings.Contains(k.Impl, "by fours") {
			t.Fatalf("%v is reduced %s", s.Geometry, k.Impl)
		}
		random := rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "seed"), 0))
		checkExtremum[float32](t, random, &s, rapid.SampledFrom(kerneltest.Palettes).Draw(t, "palette"))
	})
}

// steps makes a pooling sequence of alternating small steps.
func steps(in, step int) []int {
	s := []int{0}
	for i := 0; s[i] < in; i++ {
		s = append(s, min(in, s[i]+step+i%2))
	}
	return s
}

// TestNamedShapesPool: the named shapes, averages of which agree with the
// definition at a sample of channels.
func TestNamedShapesPool(t *testing.T) {
	for _, shape := range testutil.Shapes(t, "../../../../samples/shapes") {
		if shape.N == 0 || len(shape.Window.Amounts) > 0 && shape.Window.Amounts[0][0] > 3 {
			continue // no images, or windows of padding alone, which only convolutions have
		}
		g := shape.Geometry(t, true)
		g.N, g.C = 1, min(g.C, 2) // sums without rounding take their time
		for i := range g.Spatial() {
			a := &g.Spatial()[i]
			if a.In > 40 && g.Taps() < 100 || a.In > 60 { // the same windows over less
				small, err := geom.Resolve(1, []int{min(a.In, a.Effective()+7)}, 1, geom.Window{
					Size: []int{a.Size}, Stride: []int{a.Stride}, Dilation: []int{a.Dilation},
					Padding: shape.Window.Padding, Amounts: [][2]int{{a.Lo, a.Hi}}, Pooling: true,
				})
				if err != nil {
					t.Fatal(err)
				}
				*a = small.Axes[2]
			}
		}
		s := pool.Spec{Geometry: g, DType: tensor.Float32, Reduction: pool.Max, Index: pool.Index{N: g.N, Channels: g.C}}
		for i, a := range g.Axes {
			s.Index.Extent[i] = a.In
		}
		checkExtremum[float32](t, rand.New(rand.NewPCG(3, 4)), &s, kerneltest.Specials)
	}
}

package pool_test

import (
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/poolctl/poolctl/internal/geom"
	"github.com/poolctl/poolctl/internal/ops/kernel"
	"github.com/poolctl/poolctl/internal/ops/kernel/kerneltest"
	"github.com/poolctl/poolctl/internal/ops/kernel/pool"
	"github.com/poolctl/poolctl/internal/tensor"
	"pgregory.net/rapid"
)

// TestDirectWindows: small windows over every number of channels up to 17 and
// around vectors, every extent from 1 to 67 along a row, strides, dilations and
// paddings, at every level.
func TestDirectWindows(t *testing.T) {
	channels := []int{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 31, 32, 33, 63, 64, 65}
	direct := map[kernel.Level]int{}
	rapid.Check(t, func(t *rapid.T) {
		rank := rapid.IntRange(1, 3).Draw(t, "rank")
		in := rapid.SliceOfN(rapid.IntRange(1, 12), rank, rank).Draw(t, "in")
		in[rank-1] = rapid.IntRange(1, 67).Draw(t, "width")
		c := rapid.SampledFrom(channels).Draw(t, "c")
		numbers := func(name string, hi int) []int {
			return rapid.SliceOfN(rapid.IntRange(1, hi), rank, rank).Draw(t, name)
		}
		w := geom.Window{Size: numbers("size", 5), Stride: numbers("stride", 4), Dilation: numbers("dilation", 2), Pooling: true,
			Padding: rapid.SampledFrom([]geom.Padding{geom.Same, geom.SameLower, geom.Valid}).Draw(t, "padding")}
		g, err := geom.Resolve(rapid.IntRange(1, 2).Draw(t, "n"), in, c, w)
		if err != nil || g.Empty() {
			w.Padding, w.Dilation = geom.Same, nil
			if g, err = geom.Resolve(1, in, c, w); err != nil {
				t.Fatal(err)
			}
		}
		s := kerneltest.DrawSpec(t, kerneltest.Within(g, 200_000), tensor.Float32)
		s.ChannelsFirst = s.ChannelsFirst && rapid.Bool().Draw(t, "really first")
		s.Reduction = rapid.SampledFrom([]pool.Reduction{pool.Max, pool.Min, pool.Average, pool.Sum}).Draw(t, "reduction")
		s.Argmax = s.Reduction.IsExtremum() && rapid.Bool().Draw(t, "argmax")
		s.CountPadding = rapid.Bool().Draw(t, "count padding")
		s.Divisor = rapid.SampledFrom([]int{0, 0, 7, -3}).Draw(t, "divisor")
		for _, l := range kerneltest.Levels() {
			s.Level = l
			if strings.HasPrefix(planned(t, s).Impl, "direct") {
				direct[l]++
			}
		}
		random := rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "seed"), 0))
		checkPoolLevels[float32, float32](t, random, s, rapid.SampledFrom(kerneltest.Palettes).Draw(t, "palette"))
	})
	for _, l := range kerneltest.Levels() {
		if kerneltest.HasAssembly && direct[l] == 0 {
			t.Errorf("no window ran the direct kernel at %v", l)
		}
	}
}

// TestPlanes: pictures of few numbers a cell, whose rows are joined and whose edges
// are computed down the rows, from small ones to some that results of are written
// past the caches.
func TestPlanes(t *testing.T) {
	random := rand.New(rand.NewPCG(23, 24))
	check := func(n, c int, in []int, w geom.Window, first bool) {
		t.Helper()
		w.Pooling = true
		g, err := geom.Resolve(n, in, c, w)
		if err != nil {
			t.Fatal(err)
		}
		for _, reduction := range []pool.Reduction{pool.Max, pool.Min, pool.Average} {
			s := pool.Spec{Geometry: g, DType: tensor.Float32, Reduction: reduction, ChannelsFirst: first, IgnoreNaN: reduction == pool.Min, CountPadding: n%2 == 0}
			checkPoolLevels[float32, float32](t, random, s, kerneltest.Palettes[random.IntN(len(kerneltest.Palettes))])
		}
	}
	windows := []geom.Window{
		{Size: []int{3, 3}, Padding: geom.Same},
		{Size: []int{5, 2}, Padding: geom.SameLower},
		{Size: []int{3, 3}, Stride: []int{2, 2}, Padding: geom.Same},
		{Size: []int{2, 3}, Dilation: []int{2, 3}, Padding: geom.Same},
		{Size: []int{2, 2}, Stride: []int{1, 2}, Padding: geom.Explicit, Amounts: [][2]int{{1, 0}, {1, 1}}},
	}
	for _, w := range windows {
		for _, in := range [][]int{{2, 2}, {5, 3}, {9, 9}, {70, 8}, {140, 17}, {12, 40}, {3, 100}} {
			for c := 1; c <= 17; c += 1 + c/5 {
				check(1, c, in, w, false)
			}
			check(2, 3, in, w, true)
		}
	}
	check(2, 64, []int{130, 131}, windows[0], true)
	check(4, 64, []int{130, 131}, windows[2], true)
}

package conv_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/poolctl/poolctl/internal/geom"
	"github.com/poolctl/poolctl/internal/ops/kernel"
	"github.com/poolctl/poolctl/internal/ops/kernel/conv"
	"github.com/poolctl/poolctl/internal/ops/kernel/kerneltest"
	"github.com/poolctl/poolctl/internal/tensor"
	"pgregory.net/rapid"
)

// filterGradientCase is the gradient of a filter with its numbers.
type filterGradientCase[F tensor.Floating] struct {
	spec         conv.FilterGradientSpec
	count        int // numbers of the filter
	large, small []F
}

func newFilterGradientCase[F tensor.Floating](g geom.Geometry, i, o, groups int, layout string, draw func() F) *filterGradientCase[F] {
	c := &filterGradientCase[F]{spec: conv.FilterGradientSpec{Geometry: g, Large: i * groups, Small: o * groups, Groups: groups, DType: tensor.TypeOf[F]()}}
	c.spec.Filter, c.count = filterStrides(layout, g.Taps(), i, o, groups, false)
	c.large, c.small = make([]F, g.N*kerneltest.InputOrder(&g, false).Cells()*c.spec.Large), make([]F, g.N*kerneltest.OutputOrder(&g, 1, false).Cells()*c.spec.Small)
	for _, list := range [][]F{c.large, c.small} {
		for k := range list {
			list[k] = draw()
		}
	}
	return c
}

func (c *filterGradientCase[F]) text() string {
	return fmt.Sprintf("%v, %d by %d channels in %d groups, filter %+v, level %v", c.spec.Geometry, c.spec.Large, c.spec.Small, c.spec.Groups, c.spec.Filter, c.spec.Level)
}

// run computes all units in a random order and checks every guard.
func (c *filterGradientCase[F]) run(t kerneltest.Failer, random *rand.Rand) []F {
	t.Helper()
	k := conv.NewFilterGradient(c.spec)
	packed, packedIntact := kerneltest.Guarded[F](k.Packed)
	scratch, scratchIntact := kerneltest.GuardedScratch(k.Scratch)
	d, intact := kerneltest.Guarded[F](c.count)
	large, small, to := tensor.From(c.large, len(c.large)), tensor.From(c.small, len(c.small)), tensor.From(packed, len(packed))
	for _, unit := range random.Perm(k.PackUnits) {
		k.Pack(to, small, unit, unit+1)
	}
	for _, unit := range random.Perm(k.Units) {
		k.Run(&scratch, large, small, to, unit, unit+1)
	}
	for _, unit := range random.Perm(k.FinishUnits) {
		k.Finish(&scratch, tensor.From(d, len(d)), large, small, to, unit, unit+1)
	}
	if !intact() || !packedIntact() || !scratchIntact() {
		t.Fatalf("%s: wrote past its output (%v), the packed tensor (%v) or its scratch memory (%v)", c.text(), !intact(), !packedIntact(), !scratchIntact())
	}
	return d
}

// want computes the gradient in float64 from the definition, and the sums of
// the products' magnitudes. Padding adds nothing.
func (c *filterGradientCase[F]) want() (sums, magnitudes []float64) {
	sums, magnitudes = make([]float64, c.count), make([]float64, c.count)
	g, f := &c.spec.Geometry, c.spec.Filter
	in, out := kerneltest.InputOrder(g, false), kerneltest.OutputOrder(g, c.spec.Small, false)
	in.Channels = c.spec.Large
	i, o := c.spec.Large/c.spec.Groups, c.spec.Small/c.spec.Groups
	for n := range g.N {
		for z := range g.Axes[0].Out {
			zs, tz := kerneltest.CellsOf(g.Axes[0], z)
			for y := range g.Axes[1].Out {
				ys, ty := kerneltest.CellsOf(g.Axes[1], y)
				for x := range g.Axes[2].Out {
					xs, tx := kerneltest.CellsOf(g.Axes[2], x)
					for a := range zs {
						for b := range ys {
							for d := range xs {
								tap := (tz[a]*g.Axes[1].Size+ty[b])*g.Axes[2].Size + tx[d]
								for from := range c.spec.Large {
									for to := range o {
										group := from / i
										at := tap*f.Tap + from%i*f.Src + to*f.Dst + group*f.Group
										v := float64(c.large[in.At(n, from, zs[a], ys[b], xs[d])]) * float64(c.small[out.At(n, group*o+to, z, y, x)])
										sums[at] += v
										magnitudes[at] += math.Abs(v)
									}
								}
							}
						}
					}
				}
			}
		}
	}
	return sums, magnitudes
}

// check holds every level to the reference. unit is the rounding error of a product
// relative to the sum of magnitudes, and 0 for numbers whose sums are exact.
func (c *filterGradientCase[F]) check(t kerneltest.Failer, unit float64) {
	t.Helper()
	sums, magnitudes := c.want()
	windows := c.spec.Geometry.N
	for _, a := range c.spec.Geometry.Axes {
		windows *= a.Out
	}
	for _, c.spec.Level = range kerneltest.EveryLevel() {
		for k, got := range c.run(t, rand.New(rand.NewPCG(1, 2))) {
			got, want := float64(got), sums[k]
			if got == want || got != got && want != want {
				continue
			}
			if !(math.Abs(got-want) <= unit*float64(windows+1)*magnitudes[k]) {
				t.Fatalf("%s: number %d is %v, want %v", c.text(), k, got, want)
			}
		}
	}
}

func drawFilterGradient[F tensor.Floating](t *rapid.T, values kerneltest.Palette) *filterGradientCase[F] {
	groups := rapid.SampledFrom([]int{1, 1, 2, 3}).Draw(t, "groups")
	i, o := rapid.IntRange(1, 40).Draw(t, "i"), rapid.IntRange(1, 40).Draw(t, "o")
	g := drawConvGeometry(t, rapid.IntRange(0, 2).Draw(t, "n"), 1)
	random := rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "seed"), 0))
	return newFilterGradientCase(g, i, o, groups, rapid.SampledFrom(filterLayouts).Draw(t, "filter layout"), func() F { return kerneltest.Value[F](random, values) })
}

// TestFilterGradientsOfSmallNumbersAreExact: at every level, infinities and NaN
// included, which are not multiplied with padding.
func TestFilterGradientsOfSmallNumbersAreExact(t *testing.T) {
	for _, values := range []kerneltest.Palette{kerneltest.Ties, kerneltest.Specials} {
		rapid.Check(t, func(t *rapid.T) { drawFilterGradient[float32](t, values).check(t, 0) })
		rapid.Check(t, func(t *rapid.T) { drawFilterGradient[float64](t, values).check(t, 0) })
	}
}

// TestFilterGradientsOfWholePanels: channels that fill panels, so that taps share
// columns. Rows have one part or several, some blocks are not full, and overlaps go
// up to the width of the windows and beyond.
func TestFilterGradientsOfWholePanels(t *testing.T) {
	random := rand.New(rand.NewPCG(5, 6))
	draw := func(values kerneltest.Palette) func() float32 {
		return func() float32 { return kerneltest.Value[float32](random, values) }
	}
	for _, c := range []struct {
		n  int
		in []int
		w  geom.Window
	}{
		{3, []int{9, 14}, geom.Window{Size: []int{3, 3}, Padding: geom.Same}},
		{2, []int{5, 113}, geom.Window{Size: []int{2, 4}, Dilation: []int{1, 3}, Padding: geom.SameLower}},
		{1, []int{1000}, geom.Window{Size: []int{5}, Padding: geom.Same}},
		{1, []int{451}, geom.Window{Size: []int{4}}},
		{9, []int{6, 7}, geom.Window{Size: []int{1, 3}, Stride: []int{2, 1}, Padding: geom.Explicit, Amounts: [][2]int{{0, 1}, {5, 4}}}},
		{4, []int{3, 7}, geom.Window{Size: []int{1, 4}, Dilation: []int{1, 2}, Padding: geom.Same}},
		{4, []int{3, 7}, geom.Window{Size: []int{1, 4}, Dilation: []int{1, 3}, Padding: geom.Same}},
		{2, []int{3, 4, 19}, geom.Window{Size: []int{2, 3, 2}, Padding: geom.Same}},
	} {
		g, err := geom.Resolve(c.n, c.in, 1, c.w)
		if err != nil {
			t.Fatal(err)
		}
		for _, values := range []kerneltest.Palette{kerneltest.Ties, kerneltest.Specials} {
			newFilterGradientCase(g, 32, 13, 1, "TIO", draw(values)).check(t, 0)
			newFilterGradientCase(g, 64, 6, 2, "TOI", draw(values)).check(t, 0)
			newFilterGradientCase(g, 16, 5, 1, "TIO", func() float64 { return kerneltest.Value[float64](random, values) }).check(t, 0)
			newFilterGradientCase(g, 32, 220, 1, "OIT", draw(values)).check(t, 0) // units that begin with the second tap or the third
		}
	}
}

// TestFilterGradientIsWithinItsBound: over more windows than a chunk has, so that
// several chunks are added up.
func TestFilterGradientIsWithinItsBound(t *testing.T) {
	random := rand.New(rand.NewPCG(3, 4))
	for _, w := range []geom.Window{
		{Size: []int{3, 3}, Padding: geom.Same},
		{Size: []int{2, 3}, Stride: []int{2, 1}, Dilation: []int{1, 2}, Padding: geom.Same},
	} {
		g, err := geom.Resolve(3, []int{23, 25}, 1, w)
		if err != nil {
			t.Fatal(err)
		}
		newFilterGradientCase(g, 7, 5, 1, "TIO", func() float32 { return float32(random.NormFloat64()) }).check(t, 2*convUnit[float32]())
		newFilterGradientCase(g, 32, 5, 1, "TIO", func() float32 { return float32(random.NormFloat64()) }).check(t, 2*convUnit[float32]())
		newFilterGradientCase(g, 3, 4, 2, "OIT", random.NormFloat64).check(t, 2*convUnit[float64]())
	}
}

// TestFilterGradientDoesNotAllocate: running a plan allocates nothing.
func TestFilterGradientDoesNotAllocate(t *testing.T) {
	g, err := geom.Resolve(1, []int{9, 9}, 1, geom.Window{Size: []int{3, 3}, Padding: geom.Same})
	if err != nil {
		t.Fatal(err)
	}
	c := newFilterGradientCase(g, 5, 7, 1, "TIO", func() float32 { return 1 })
	for _, c.spec.Level = range kerneltest.EveryLevel() {
		k := conv.NewFilterGradient(c.spec)
		scratch := kernel.NewScratch(k.Scratch)
		shaped := func(n int) *tensor.Tensor {
			return tensor.New(tensor.Spec{DType: tensor.Float32, Shape: tensor.Shape{n}})
		}
		packed, d, large, small := shaped(k.Packed), shaped(c.count), tensor.From(c.large, len(c.large)), tensor.From(c.small, len(c.small))
		if n := testing.AllocsPerRun(3, func() {
			k.Pack(packed, small, 0, k.PackUnits)
			k.Run(&scratch, large, small, packed, 0, k.Units)
			k.Finish(&scratch, d, large, small, packed, 0, k.FinishUnits)
		}); n != 0 {
			t.Errorf("%s: %v allocations", c.text(), n)
		}
	}
}

// BenchmarkFilterGradient times one thread, packing included.
func BenchmarkFilterGradient(b *testing.B) {
	for _, s := range []struct {
		name     string
		n        int
		in, size []int
		stride   int
		i, o     int
	}{
		{"3x3_64by64", 8, []int{56, 56}, []int{3, 3}, 1, 64, 64},
		{"7x7s2_3by64", 8, []int{224, 224}, []int{7, 7}, 2, 3, 64},
		{"1x1_256by512", 8, []int{28, 28}, []int{1, 1}, 1, 256, 512},
	} {
		g, err := geom.Resolve(s.n, s.in, 1, geom.Window{Size: s.size, Stride: []int{s.stride}, Padding: geom.Same})
		if err != nil {
			b.Fatal(err)
		}
		c := newFilterGradientCase(g, s.i, s.o, 1, "TIO", func() float32 { return 0.5 })
		large, small := tensor.From(c.large, len(c.large)), tensor.From(c.small, len(c.small))
		d := tensor.New(tensor.Spec{DType: tensor.Float32, Shape: tensor.Shape{c.count}})
		for _, c.spec.Level = range kerneltest.Levels() {
			k := conv.NewFilterGradient(c.spec)
			scratch, packed := kernel.NewScratch(k.Scratch), tensor.New(tensor.Spec{DType: tensor.Float32, Shape: tensor.Shape{k.Packed}})
			b.Run(fmt.Sprintf("%s/%v", s.name, c.spec.Level), func(b *testing.B) {
				for b.Loop() {
					k.Pack(packed, small, 0, k.PackUnits)
					k.Run(&scratch, large, small, packed, 0, k.Units)
					k.Finish(&scratch, d, large, small, packed, 0, k.FinishUnits)
				}
				flop := 2 * float64(c.count*s.n*g.Axes[1].Out*g.Axes[2].Out)
				b.ReportMetric(flop*float64(b.N)/b.Elapsed().Seconds()*1e-9, "GFLOP/s")
			})
		}
	}
}

package conv_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/poolctl/poolctl/internal/geom"
	"github.com/poolctl/poolctl/internal/ops/kernel/conv"
	"github.com/poolctl/poolctl/internal/ops/kernel/kerneltest"
	"github.com/poolctl/poolctl/internal/tensor"
	"pgregory.net/rapid"
)

// drawConvGeometry draws windows of a convolution: any padding, any window.
func drawConvGeometry(t *rapid.T, n, c int) geom.Geometry {
	rank := rapid.IntRange(1, 3).Draw(t, "rank")
	axes := func(name string, lo, hi int) []int {
		return rapid.SliceOfN(rapid.IntRange(lo, hi), rank, rank).Draw(t, name)
	}
	in := axes("in", 0, []int{0, 30, 9, 5}[rank])
	w := geom.Window{
		Size: axes("size", 1, []int{0, 9, 4, 3}[rank]), Stride: axes("stride", 1, 4), Dilation: axes("dilation", 1, 3),
		Padding: rapid.SampledFrom([]geom.Padding{geom.Valid, geom.Same, geom.SameLower, geom.Explicit}).Draw(t, "padding"),
	}
	if w.Padding == geom.Explicit {
		for range rank {
			w.Amounts = append(w.Amounts, [2]int{rapid.IntRange(0, 7).Draw(t, "lo"), rapid.IntRange(0, 7).Draw(t, "hi")})
		}
	}
	g, err := geom.Resolve(n, in, c, w)
	if err != nil {
		t.Fatal(err)
	}
	return g
}

// link is a tap of a filter and a cell.
type link struct{ tap, cell int }

// linksTo lists, for every destination of an axis, which taps meet which source
// cells. Forward these are all taps of a window, those over padding too; backward
// they are the windows that see a cell.
func linksTo(a geom.Axis, backward bool) [][]link {
	dst := a.Out
	if backward {
		dst = a.In
	}
	list := make([][]link, dst)
	for o := range a.Out {
		for t := range a.Size {
			i := o*a.Stride - a.Lo + t*a.Dilation
			switch {
			case !backward:
				list[o] = append(list[o], link{t, i})
			case i >= 0 && i < a.In:
				list[i] = append(list[i], link{t, o})
			}
		}
	}
	return list
}

// convCase is a convolution with its numbers.
type convCase[F tensor.Floating] struct {
	spec         conv.Spec
	g            geom.Geometry
	x, f, bias   []F
	source, dest kerneltest.Order
}

// want computes one output channel of one destination in float64. Padding is zeros,
// which are multiplied with their weights.
func (c *convCase[F]) want(links [3][]link, n, o int) float64 {
	srcGroup, dstGroup := c.spec.Src/c.spec.Groups, c.spec.Dst/c.spec.Groups
	group := o / dstGroup
	sum := 0.0
	if c.spec.Bias {
		sum = float64(c.bias[o])
	}
	for _, z := range links[0] {
		for _, y := range links[1] {
			for _, x := range links[2] {
				inside := z.cell >= 0 && z.cell < c.source.Size[0] && y.cell >= 0 && y.cell < c.source.Size[1] && x.cell >= 0 && x.cell < c.source.Size[2]
				tap := (z.tap*c.g.Axes[1].Size+y.tap)*c.g.Axes[2].Size + x.tap
				for i := range srcGroup {
					v := 0.0
					if inside {
						v = float64(c.x[c.source.At(n, group*srcGroup+i, z.cell, y.cell, x.cell)])
					}
					s := c.spec.Filter
					sum += v * float64(c.f[tap*s.Tap+i*s.Src+(o%dstGroup)*s.Dst+group*s.Group])
				}
			}
		}
	}
	return sum
}

// filterLayouts are the orders of a filter's axes; T stands for the taps.
var filterLayouts = []string{"TIO", "TOI", "OIT", "IOT"}

// filterStrides computes the strides of a layout from its extents by letter. The
// channels that are counted over all groups also carry the group.
func filterStrides(layout string, taps, i, o, groups int, transposed bool) (s conv.FilterStrides, n int) {
	if transposed {
		i *= groups // I is the whole input, O is per group
	} else {
		o *= groups
	}
	n = 1
	for k := len(layout) - 1; k >= 0; k-- {
		switch layout[k] {
		case 'T':
			s.Tap = n
			n *= taps
		case 'I':
			s.Src = n
			n *= i
		default:
			s.Dst = n
			n *= o
		}
	}
	s.Group = s.Dst * o / groups
	if transposed {
		s.Group = s.Src * i / groups
	}
	return s, n
}

func drawConv[F tensor.Floating](t *rapid.T, values kerneltest.Palette, special float64) *convCase[F] {
	c := &convCase[F]{}
	groups := rapid.SampledFrom([]int{1, 1, 2, 3}).Draw(t, "groups")
	i, o := rapid.IntRange(1, 5).Draw(t, "i"), rapid.IntRange(1, 9).Draw(t, "o")
	n := rapid.IntRange(0, 2).Draw(t, "n")
	c.g = drawConvGeometry(t, n, 1)
	transposed := rapid.Bool().Draw(t, "transposed")
	layout := rapid.SampledFrom(filterLayouts).Draw(t, "filter layout")
	c.spec = conv.Spec{
		N: n, Src: i * groups, Dst: o * groups, Groups: groups, DType: tensor.TypeOf[F](),
		Bias: rapid.Bool().Draw(t, "bias"), SkipPadding: transposed,
		Level: rapid.SampledFrom(kerneltest.EveryLevel()).Draw(t, "level"),
	}
	c.source, c.dest = kerneltest.Order{Channels: c.spec.Src}, kerneltest.Order{Channels: c.spec.Dst}
	for axis, a := range c.g.Axes {
		c.spec.Gather[axis] = a.Forward()
		c.source.Size[axis], c.dest.Size[axis] = a.In, a.Out
		if transposed {
			c.spec.Gather[axis] = a.Backward()
			c.source.Size[axis], c.dest.Size[axis] = a.Out, a.In
		}
	}
	var count int
	c.spec.Filter, count = filterStrides(layout, c.g.Taps(), i, o, groups, transposed)
	random := rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "seed"), 0))
	c.x = kerneltest.Fill[F](random, values, n*c.source.Cells()*c.spec.Src)
	c.f = kerneltest.Fill[F](random, values, count)
	for k := range c.f {
		if random.Float64() < special {
			c.f[k] = F([]float64{math.NaN(), math.Inf(1), math.Inf(-1)}[random.IntN(3)])
		}
	}
	c.bias = kerneltest.Fill[F](random, kerneltest.Ties, c.spec.Dst)
	return c
}

func plannedConv(t kerneltest.Failer, spec conv.Spec) *conv.Kernel {
	t.Helper()
	k, err := conv.New(spec)
	if err != nil {
		t.Fatalf("%v", err)
	}
	return k
}

// run computes all units in a random order and checks every guard.
func (c *convCase[F]) run(t kerneltest.Failer, random *rand.Rand) []F {
	t.Helper()
	k := plannedConv(t, c.spec)
	if c.spec.ChannelsFirst && !k.ChannelsFirst {
		last := *c
		last.spec.ChannelsFirst, last.source.ChannelsFirst, last.dest.ChannelsFirst = false, false, false
		last.x = transposed(c.x, c.source, last.source, c.spec.N)
		return transposed(last.run(t, random), last.dest, c.dest, c.spec.N)
	}
	packed, packedIntact := kerneltest.Guarded[F](k.Packed)
	for _, unit := range random.Perm(k.PackUnits) {
		k.Pack(tensor.From(packed, len(packed)), tensor.From(c.f, len(c.f)), unit, unit+1)
	}
	scratch, scratchIntact := kerneltest.GuardedScratch(k.Scratch)
	y, intact := kerneltest.Guarded[F](c.spec.N * c.dest.Cells() * c.spec.Dst)
	var bias *tensor.Tensor
	if c.spec.Bias {
		bias = tensor.From(c.bias, len(c.bias))
	}
	for _, unit := range random.Perm(k.Units) {
		k.Run(&scratch, tensor.From(y, len(y)), tensor.From(c.x, len(c.x)), tensor.From(packed, len(packed)), bias, unit, unit+1)
	}
	if !intact() || !packedIntact() || !scratchIntact() {
		t.Fatalf("%v: wrote past its output (%v), the packed filter (%v) or its scratch memory (%v)", c.text(), !intact(), !packedIntact(), !scratchIntact())
	}
	return y
}

// transposed returns n images in another order.
func transposed[F tensor.Floating](list []F, from, to kerneltest.Order, n int) []F {
	moved := make([]F, len(list))
	for n := range n {
		for c := range from.Channels {
			for z := range from.Size[0] {
				for y := range from.Size[1] {
					for x := range from.Size[2] {
						moved[to.At(n, c, z, y, x)] = list[from.At(n, c, z, y, x)]
					}
				}
			}
		}
	}
	return moved
}

func (c *convCase[F]) text() string {
	return fmt.Sprintf("%v transposed %v, %d to %d channels in %d groups, filter %+v, bias %v", c.g, c.spec.SkipPadding, c.spec.Src, c.spec.Dst, c.spec.Groups, c.spec.Filter, c.spec.Bias)
}

// check compares every output. The tolerance is relative to the sum of magnitudes;
// 0 means equal to the bit.
func (c *convCase[F]) check(t kerneltest.Failer, y []F, agree func(got, want float64) bool) {
	t.Helper()
	var links [3][][]link
	for axis, a := range c.g.Axes {
		links[axis] = linksTo(a, c.spec.SkipPadding)
	}
	for n := range c.spec.N {
		for z := range c.dest.Size[0] {
			for row := range c.dest.Size[1] {
				for x := range c.dest.Size[2] {
					for o := range c.spec.Dst {
						want := c.want([3][]link{links[0][z], links[1][row], links[2][x]}, n, o)
						if got := float64(y[c.dest.At(n, o, z, row, x)]); !agree(got, want) {
							t.Fatalf("%s: image %d, destination (%d,%d,%d), channel %d is %v, want %v", c.text(), n, z, row, x, o, got, want)
						}
					}
				}
			}
		}
	}
}

// TestConvolutionsOfSmallNumbersAreExact: forward and transposed, in groups, for
// every filter layout. Sums of a few halves need no rounding.
func TestConvolutionsOfSmallNumbersAreExact(t *testing.T) {
	exactly := func(got, want float64) bool { return got == want }
	t.Run("float32", func(t *testing.T) {
		rapid.Check(t, func(t *rapid.T) { checkConv(t, drawConv[float32](t, kerneltest.Ties, 0), exactly) })
	})
	t.Run("float64", func(t *testing.T) {
		rapid.Check(t, func(t *rapid.T) { checkConv(t, drawConv[float64](t, kerneltest.Ties, 0), exactly) })
	})
}

// TestConvolutionSpecials: infinities and NaN of input and weights give what the
// definition gives, over padding too, where 0 times them is NaN.
func TestConvolutionSpecials(t *testing.T) {
	agree := func(got, want float64) bool { return got == want || got != got && want != want }
	rapid.Check(t, func(t *rapid.T) { checkConv(t, drawConv[float32](t, kerneltest.Ties, 0.05), agree) })
	rapid.Check(t, func(t *rapid.T) { checkConv(t, drawConv[float64](t, kerneltest.Specials, 0), agree) })
}

// TestConvolutionOfManyMagnitudes stays within the rounding of its sums.
func TestConvolutionOfManyMagnitudes(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		c := drawConv[float64](t, kerneltest.Spread, 0)
		magnitudes := *c
		magnitudes.x, magnitudes.f, magnitudes.bias = absolute(c.x), absolute(c.f), absolute(c.bias)
		random := rand.New(rand.NewPCG(5, 6))
		y, most := c.run(t, random), magnitudes.run(t, random)
		at := 0
		c.check(t, y, func(got, want float64) bool {
			at++
			return math.Abs(got-want) <= 1e-14*most[at-1]
		})
	})
}

func absolute[F tensor.Floating](list []F) []F {
	out := make([]F, len(list))
	for i, v := range list {
		out[i] = F(math.Abs(float64(v)))
	}
	return out
}

func checkConv[F tensor.Floating](t *rapid.T, c *convCase[F], agree func(got, want float64) bool) {
	c.check(t, c.run(t, rand.New(rand.NewPCG(7, 8))), agree)
}

// TestConvolutionOfLongRows: rows that are cut into several units.
func TestConvolutionOfLongRows(t *testing.T) {
	for _, transposed := range []bool{false, true} {
		for _, w := range []geom.Window{
			{Size: []int{5}, Padding: geom.Same},
			{Size: []int{4}, Stride: []int{3}, Padding: geom.Same},
			{Size: []int{3}, Stride: []int{2}, Dilation: []int{3}},
		} {
			g, err := geom.Resolve(1, []int{3001}, 1, w)
			if err != nil {
				t.Fatal(err)
			}
			c := &convCase[float32]{g: g, spec: conv.Spec{N: 1, Src: 3, Dst: 5, Groups: 1, DType: tensor.Float32, SkipPadding: transposed}}
			c.source, c.dest = kerneltest.Order{Channels: 3}, kerneltest.Order{Channels: 5}
			for axis, a := range g.Axes {
				c.spec.Gather[axis], c.source.Size[axis], c.dest.Size[axis] = a.Forward(), a.In, a.Out
				if transposed {
					c.spec.Gather[axis], c.source.Size[axis], c.dest.Size[axis] = a.Backward(), a.Out, a.In
				}
			}
			var count int
			c.spec.Filter, count = filterStrides("TIO", g.Taps(), 3, 5, 1, transposed)
			random := rand.New(rand.NewPCG(9, 10))
			c.x, c.f = kerneltest.Fill[float32](random, kerneltest.Ties, c.source.Cells()*3), kerneltest.Fill[float32](random, kerneltest.Ties, count)
			if k := plannedConv(t, c.spec); k.Units < 2 {
				t.Errorf("%s: one unit", c.text())
			}
			c.check(t, c.run(t, random), func(got, want float64) bool { return got == want })
		}
	}
}

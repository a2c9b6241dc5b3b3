package kernel_test

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/poolctl/poolctl/internal/geom"
	"github.com/poolctl/poolctl/internal/ops/kernel"
	"github.com/poolctl/poolctl/internal/tensor"
	"pgregory.net/rapid"
)

// TestDepthwiseAgreesWithTheDefinition: each channel meets its own weights; 0
// times an infinite or NaN weight over padding is NaN.
func TestDepthwiseAgreesWithTheDefinition(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := kernel.DepthwiseSpec{
			N: rapid.IntRange(0, 2).Draw(t, "n"), C: rapid.SampledFrom([]int{1, 2, 3, 7, 40}).Draw(t, "c"),
			Multiplier: rapid.IntRange(1, 3).Draw(t, "multiplier"), Bias: rapid.Bool().Draw(t, "bias"), DType: tensor.Float32,
		}
		g := drawConvGeometry(t, s.N, s.C)
		random := rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "seed"), 0))
		values := rapid.SampledFrom([]palette{ties, specials}).Draw(t, "palette")
		channels := s.C * s.Multiplier
		x := fill[float32](random, ties, s.N*inputOrder(&g, false).cells()*s.C)
		f := fill[float32](random, values, g.Taps()*channels)
		bias := fill[float32](random, ties, channels)
		y := runDepthwise(t, random, &g, s, x, f, bias)
		eachTap(&g, s.N, channels, func(n, o, out int, taps, offsets []int) {
			want := 0.0
			for k, tap := range taps {
				v := 0.0
				if offsets[k] >= 0 {
					v = float64(x[offsets[k]*s.C+o/s.Multiplier])
				}
				want += v * float64(f[tap*channels+o])
			}
			if s.Bias {
				want += float64(bias[o])
			}
			if got := float64(y[out]); got != want && !(got != got && want != want) {
				t.Fatalf("%v times %d: output %d (channel %d) is %v, want %v", g, s.Multiplier, out, o, got, want)
			}
		})
	})
}

// TestMorphologyAgreesWithTheDefinition: dilation is the largest of cells plus
// weights, erosion the least of cells minus the weights in reverse order; both
// by the NaN rule of pooling.
func TestMorphologyAgreesWithTheDefinition(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		g := drawGeometry(t, 20_000)
		if g.Axes[0].Bounds != nil || g.Axes[1].Bounds != nil || g.Axes[2].Bounds != nil {
			return // windows of one size only
		}
		s := kernel.DepthwiseSpec{
			N: g.N, C: g.C, Multiplier: 1, DType: tensor.Float64, IgnoreNaN: rapid.Bool().Draw(t, "ignore NaN"),
			Morphology: rapid.SampledFrom([]kernel.Morphology{kernel.Dilate, kernel.Erode}).Draw(t, "kind"),
		}
		random := rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "seed"), 0))
		x := fill[float64](random, rapid.SampledFrom(palettes).Draw(t, "palette"), s.N*inputOrder(&g, false).cells()*s.C)
		f := fill[float64](random, ties, g.Taps()*s.C)
		y := runDepthwise(t, random, &g, s, x, f, nil)
		var shifted []float64
		eachTap(&g, s.N, s.C, func(n, o, out int, taps, offsets []int) {
			shifted = shifted[:0]
			var w window
			for k, tap := range taps {
				if offsets[k] < 0 {
					continue
				}
				v := x[offsets[k]*s.C+o] + f[tap*s.C+o]
				if s.Morphology == kernel.Erode {
					v = x[offsets[k]*s.C+o] - f[(g.Taps()-1-tap)*s.C+o]
				}
				w.offsets = append(w.offsets, len(shifted))
				shifted = append(shifted, v)
			}
			want := shifted[winner(shifted, &w, s.Morphology == kernel.Erode, s.IgnoreNaN)]
			if !same(y[out], want) {
				t.Fatalf("%v kind %d, ignore NaN %v: output %d (channel %d) is %v, want %v", g, s.Morphology, s.IgnoreNaN, out, o, y[out], want)
			}
		})
	})
}

func runDepthwise[F tensor.Floating](t failer, random *rand.Rand, g *geom.Geometry, s kernel.DepthwiseSpec, x, f, bias []F) []F {
	t.Helper()
	for i, a := range g.Axes {
		s.Gather[i] = a.Forward()
	}
	k := kernel.NewDepthwise(s)
	packed, packedIntact := guarded[F](k.Packed)
	k.Pack(tensor.From(packed, len(packed)), tensor.From(f, len(f)))
	y, intact := guarded[F](s.N * outputOrder(g, s.C*s.Multiplier, false).cells() * s.C * s.Multiplier)
	scratch, scratchIntact := kernel.GuardedScratch(k.Scratch)
	var b *tensor.Tensor
	if s.Bias {
		b = tensor.From(bias, len(bias))
	}
	for _, unit := range random.Perm(k.Units) {
		k.Run(&scratch, tensor.From(y, len(y)), tensor.From(x, len(x)), tensor.From(packed, len(packed)), b, unit, unit+1)
	}
	if !intact() || !packedIntact() || !scratchIntact() {
		t.Fatalf("%v: wrote past its memory: output %v, packed filter %v, scratch %v", g, !intact(), !packedIntact(), !scratchIntact())
	}
	return y
}

// eachTap calls do for every output channel of every window with its taps and
// the flat cell (over all images) of each, -1 for padding.
func eachTap(g *geom.Geometry, images, channels int, do func(n, o, out int, taps, cells []int)) {
	in, out := inputOrder(g, false), outputOrder(g, channels, false)
	in.channels = 1
	var links [3][][]link
	for i, a := range g.Axes {
		links[i] = linksTo(a, false)
	}
	for n := range images {
		for oz := range out.size[0] {
			for oy := range out.size[1] {
				for ox := range out.size[2] {
					var taps, cells []int
					for _, z := range links[0][oz] {
						for _, y := range links[1][oy] {
							for _, x := range links[2][ox] {
								cell := -1
								if z.cell >= 0 && z.cell < in.size[0] && y.cell >= 0 && y.cell < in.size[1] && x.cell >= 0 && x.cell < in.size[2] {
									cell = in.at(n, 0, z.cell, y.cell, x.cell)
								}
								taps, cells = append(taps, (z.tap*g.Axes[1].Size+y.tap)*g.Axes[2].Size+x.tap), append(cells, cell)
							}
						}
					}
					for o := range channels {
						do(n, o, out.at(n, o, oz, oy, ox), taps, cells)
					}
				}
			}
		}
	}
}

// TestDepthwiseOfManyMagnitudes stays within the rounding of its sums.
func TestDepthwiseOfManyMagnitudes(t *testing.T) {
	g, err := geom.Resolve(1, []int{19, 23}, 3, geom.Window{Size: []int{5, 3}, Dilation: []int{1, 2}, Padding: geom.Same})
	if err != nil {
		t.Fatal(err)
	}
	random := rand.New(rand.NewPCG(11, 12))
	s := kernel.DepthwiseSpec{N: 1, C: 3, Multiplier: 1, DType: tensor.Float64}
	x, f := fill[float64](random, spread, 19*23*3), fill[float64](random, spread, 15*3)
	y := runDepthwise(t, random, &g, s, x, f, nil)
	most := runDepthwise(t, random, &g, s, absolute(x), absolute(f), nil)
	eachTap(&g, 1, 3, func(_, o, out int, taps, cells []int) {
		want := 0.0
		for k, tap := range taps {
			if cells[k] >= 0 {
				want += x[cells[k]*3+o] * f[tap*3+o]
			}
		}
		if math.Abs(y[out]-want) > 1e-14*most[out] {
			t.Fatalf("output %d is %v, want %v", out, y[out], want)
		}
	})
}

package conv_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/poolctl/poolctl/internal/geom"
	"github.com/poolctl/poolctl/internal/ops/kernel"
	"github.com/poolctl/poolctl/internal/ops/kernel/conv"
	"github.com/poolctl/poolctl/internal/ops/kernel/kerneltest"
	"github.com/poolctl/poolctl/internal/tensor"
	"pgregory.net/rapid"
)

// TestDepthwiseAgreesWithTheDefinition: each channel has weights of its own; 0 times
// an infinite or NaN weight over padding is NaN.
func TestDepthwiseAgreesWithTheDefinition(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := conv.DepthwiseSpec{
			N: rapid.IntRange(0, 2).Draw(t, "n"), C: rapid.SampledFrom([]int{1, 2, 3, 7, 40, 67}).Draw(t, "c"),
			Multiplier: rapid.SampledFrom([]int{1, 1, 1, 2, 3}).Draw(t, "multiplier"), Bias: rapid.Bool().Draw(t, "bias"), DType: tensor.Float32,
			Level: rapid.SampledFrom(kerneltest.EveryLevel()).Draw(t, "level"),
		}
		g := drawConvGeometry(t, s.N, s.C)
		random := rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "seed"), 0))
		values := rapid.SampledFrom([]kerneltest.Palette{kerneltest.Ties, kerneltest.Specials}).Draw(t, "palette")
		channels := s.C * s.Multiplier
		x := kerneltest.Fill[float32](random, kerneltest.Ties, s.N*kerneltest.InputOrder(&g, false).Cells()*s.C)
		f := kerneltest.Fill[float32](random, values, g.Taps()*channels)
		bias := kerneltest.Fill[float32](random, kerneltest.Ties, channels)
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
		g := kerneltest.DrawGeometry(t, 20_000)
		if g.Axes[0].Bounds != nil || g.Axes[1].Bounds != nil || g.Axes[2].Bounds != nil {
			return // windows of one size only
		}
		s := conv.DepthwiseSpec{
			N: g.N, C: g.C, Multiplier: 1, DType: tensor.Float64, Level: rapid.SampledFrom(kerneltest.EveryLevel()).Draw(t, "level"), IgnoreNaN: rapid.Bool().Draw(t, "ignore NaN"),
			Morphology: rapid.SampledFrom([]conv.Morphology{conv.Dilate, conv.Erode}).Draw(t, "kind"),
		}
		random := rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "seed"), 0))
		x := kerneltest.Fill[float64](random, rapid.SampledFrom(kerneltest.Palettes).Draw(t, "palette"), s.N*kerneltest.InputOrder(&g, false).Cells()*s.C)
		f := kerneltest.Fill[float64](random, kerneltest.Ties, g.Taps()*s.C)
		y := runDepthwise(t, random, &g, s, x, f, nil)
		var shifted []float64
		eachTap(&g, s.N, s.C, func(n, o, out int, taps, offsets []int) {
			shifted = shifted[:0]
			var w kerneltest.Window
			for k, tap := range taps {
				if offsets[k] < 0 {
					continue
				}
				v := x[offsets[k]*s.C+o] + f[tap*s.C+o]
				if s.Morphology == conv.Erode {
					v = x[offsets[k]*s.C+o] - f[(g.Taps()-1-tap)*s.C+o]
				}
				w.Offsets = append(w.Offsets, len(shifted))
				shifted = append(shifted, v)
			}
			want := shifted[kerneltest.Winner(shifted, &w, s.Morphology == conv.Erode, s.IgnoreNaN)]
			if !kerneltest.Same(y[out], want) {
				t.Fatalf("%v kind %d, ignore NaN %v: output %d (channel %d) is %v, want %v", g, s.Morphology, s.IgnoreNaN, out, o, y[out], want)
			}
		})
	})
}

func runDepthwise[F tensor.Floating](t kerneltest.Failer, random *rand.Rand, g *geom.Geometry, s conv.DepthwiseSpec, x, f, bias []F) []F {
	t.Helper()
	for i, a := range g.Axes {
		s.Gather[i] = a.Forward()
	}
	s.Filter = conv.FilterStrides{Tap: s.C * s.Multiplier, Group: s.Multiplier, Dst: 1}
	k := conv.NewDepthwise(s)
	packed, packedIntact := kerneltest.Guarded[F](k.Packed)
	k.Pack(tensor.From(packed, len(packed)), tensor.From(f, len(f)))
	y, intact := kerneltest.Guarded[F](s.N * kerneltest.OutputOrder(g, s.C*s.Multiplier, false).Cells() * s.C * s.Multiplier)
	scratch, scratchIntact := kerneltest.GuardedScratch(k.Scratch)
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
	in, out := kerneltest.InputOrder(g, false), kerneltest.OutputOrder(g, channels, false)
	in.Channels = 1
	var links [3][][]link
	for i, a := range g.Axes {
		links[i] = linksTo(a, false)
	}
	for n := range images {
		for oz := range out.Size[0] {
			for oy := range out.Size[1] {
				for ox := range out.Size[2] {
					var taps, cells []int
					for _, z := range links[0][oz] {
						for _, y := range links[1][oy] {
							for _, x := range links[2][ox] {
								cell := -1
								if z.cell >= 0 && z.cell < in.Size[0] && y.cell >= 0 && y.cell < in.Size[1] && x.cell >= 0 && x.cell < in.Size[2] {
									cell = in.At(n, 0, z.cell, y.cell, x.cell)
								}
								taps, cells = append(taps, (z.tap*g.Axes[1].Size+y.tap)*g.Axes[2].Size+x.tap), append(cells, cell)
							}
						}
					}
					for o := range channels {
						do(n, o, out.At(n, o, oz, oy, ox), taps, cells)
					}
				}
			}
		}
	}
}

// depthwiseShapes cover cells narrower than a vector, wider than one, and wide
// enough for the widest tile; every remainder of a row's tiles; and strides.
func depthwiseShapes(do func(n int, in []int, w geom.Window, c int)) {
	for n := range 68 {
		do(1, []int{3, n}, same3x3, 3)
		do(1, []int{2, 9}, same3x3, n+1)
	}
	for _, c := range []int{1, 3, 4, 16, 33, 64, 67, 130, 256} {
		for _, w := range []geom.Window{
			{Size: []int{5, 3}, Dilation: []int{1, 2}, Padding: geom.Same},
			{Size: []int{3, 4}, Stride: []int{2, 3}, Padding: geom.SameLower},
			{Size: []int{2, 3}, Padding: geom.Explicit, Amounts: [][2]int{{4, 0}, {1, 7}}},
			{Size: []int{3}, Padding: geom.Same},
			{Size: []int{2, 3, 3}, Padding: geom.Same},
		} {
			do(2, []int{5, 19, 23}[3-len(w.Size):], w, c)
		}
	}
}

// TestDepthwiseIsWithinItsBoundAtEveryLevel, forward and transposed, in one
// group a channel.
func TestDepthwiseIsWithinItsBoundAtEveryLevel(t *testing.T) {
	random := rand.New(rand.NewPCG(11, 12))
	depthwiseShapes(func(n int, in []int, w geom.Window, c int) {
		for _, transposed := range []bool{false, true} {
			checkConvLevels(t, newConvCase[float32](t, n, in, w, 1, 1, c, transposed, "TIO", random.NormFloat64))
			if c < 100 && in[0] < 5 {
				checkConvLevels(t, newConvCase[float64](t, n, in, w, 1, 1, c, transposed, "OIT", random.NormFloat64))
			}
		}
	})
}

// TestLargeDepthwise: results that are written past the caches.
func TestLargeDepthwise(t *testing.T) {
	random := rand.New(rand.NewPCG(15, 16))
	g, err := geom.Resolve(1, []int{135, 128}, 128, same3x3)
	if err != nil {
		t.Fatal(err)
	}
	s := conv.DepthwiseSpec{N: 1, C: 128, Multiplier: 1, DType: tensor.Float32}
	x, f := kerneltest.Fill[float32](random, kerneltest.Ties, 135*128*128), kerneltest.Fill[float32](random, kerneltest.Ties, 9*128)
	want := runDepthwise(t, random, &g, s, x, f, nil)
	for _, s.Level = range kerneltest.EveryLevel() {
		if got := runDepthwise(t, random, &g, s, x, f, nil); !slices.Equal(got, want) {
			t.Errorf("level %v differs from plain Go", s.Level)
		}
	}
}

// TestMorphologyIsTheSameAtEveryLevel to the bit, with and without NaN.
func TestMorphologyIsTheSameAtEveryLevel(t *testing.T) {
	random := rand.New(rand.NewPCG(13, 14))
	depthwiseShapes(func(n int, in []int, w geom.Window, c int) {
		w.Pooling = true
		g, err := geom.Resolve(n, in, c, w)
		if err != nil {
			return // windows of padding alone
		}
		for _, values := range []kerneltest.Palette{kerneltest.Ties, kerneltest.Specials} {
			s := conv.DepthwiseSpec{N: n, C: c, Multiplier: 1, DType: tensor.Float32}
			x, f := kerneltest.Fill[float32](random, values, n*kerneltest.InputOrder(&g, false).Cells()*c), kerneltest.Fill[float32](random, kerneltest.Ties, g.Taps()*c)
			for _, s.Morphology = range []conv.Morphology{conv.Dilate, conv.Erode} {
				for _, s.IgnoreNaN = range []bool{false, true} {
					s.Level = kernel.Generic
					want := runDepthwise(t, random, &g, s, x, f, nil)
					for _, s.Level = range kerneltest.EveryLevel() {
						for i, got := range runDepthwise(t, random, &g, s, x, f, nil) {
							if !kerneltest.Same(float64(got), float64(want[i])) {
								t.Fatalf("%v, kind %d at level %v: number %d is %v, plain Go has %v", g, s.Morphology, s.Level, i, got, want[i])
							}
						}
					}
				}
			}
		}
	})
}

// BenchmarkDepthwise times one thread, level by level.
func BenchmarkDepthwise(b *testing.B) {
	for _, s := range []struct {
		name     string
		n        int
		in, size []int
		c        int
		kind     conv.Morphology
	}{
		{"3x3_256", 8, []int{56, 56}, []int{3, 3}, 256, conv.Convolve},
		{"3x3_64", 8, []int{224, 224}, []int{3, 3}, 64, conv.Convolve},
		{"3x3_image", 1, []int{1080, 1920}, []int{3, 3}, 3, conv.Convolve},
		{"9x9_image", 1, []int{1080, 1920}, []int{9, 9}, 3, conv.Convolve},
		{"dilate_3x3_64", 8, []int{224, 224}, []int{3, 3}, 64, conv.Dilate},
	} {
		g, err := geom.Resolve(s.n, s.in, s.c, geom.Window{Size: s.size, Padding: geom.Same})
		if err != nil {
			b.Fatal(err)
		}
		spec := conv.DepthwiseSpec{N: s.n, C: s.c, Multiplier: 1, DType: tensor.Float32, Morphology: s.kind, Filter: conv.FilterStrides{Tap: s.c, Group: 1, Dst: 1}}
		for i, a := range g.Axes {
			spec.Gather[i] = a.Forward()
		}
		cells := s.n * s.c * s.in[0] * s.in[1]
		x, y := tensor.From(make([]float32, cells), cells), tensor.From(make([]float32, cells), cells)
		f := tensor.From(make([]float32, g.Taps()*s.c), g.Taps()*s.c)
		for _, spec.Level = range kerneltest.Levels() {
			k := conv.NewDepthwise(spec)
			packed, scratch := tensor.From(make([]float32, k.Packed), k.Packed), kernel.NewScratch(k.Scratch)
			k.Pack(packed, f)
			b.Run(fmt.Sprintf("%s/%v", s.name, spec.Level), func(b *testing.B) {
				b.SetBytes(int64(8 * cells))
				for b.Loop() {
					k.Run(&scratch, y, x, packed, nil, 0, k.Units)
				}
			})
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
	s := conv.DepthwiseSpec{N: 1, C: 3, Multiplier: 1, DType: tensor.Float64}
	x, f := kerneltest.Fill[float64](random, kerneltest.Spread, 19*23*3), kerneltest.Fill[float64](random, kerneltest.Spread, 15*3)
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

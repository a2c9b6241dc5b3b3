package pool_test

import (
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/poolctl/poolctl/internal/geom"
	"github.com/poolctl/poolctl/internal/ops/kernel/kerneltest"
	"github.com/poolctl/poolctl/internal/ops/kernel/pool"
	"github.com/poolctl/poolctl/internal/tensor"
	"pgregory.net/rapid"
)

var realTypes = []tensor.DType{tensor.Uint8, tensor.Int8, tensor.Uint16, tensor.Int16, tensor.Uint32, tensor.Int32, tensor.Uint64, tensor.Int64, tensor.Float32, tensor.Float64}

// planned plans a kernel that must be there.
func planned(t kerneltest.Failer, s pool.Spec) *pool.Kernel {
	t.Helper()
	k, err := pool.New(s)
	if err != nil {
		t.Fatalf("%s: %v", kerneltest.Text(&s), err)
	}
	return k
}

// runPool runs every unit, in a random order, and checks all guards.
func runPool[T, O tensor.Real](t kerneltest.Failer, random *rand.Rand, s *pool.Spec, data []T) (y []O, argmax []int64) {
	t.Helper()
	k := planned(t, *s)
	n := s.Geometry.N * kerneltest.OutputOrder(&s.Geometry, s.Geometry.C, false).Cells() * s.Geometry.C
	y, yIntact := kerneltest.Guarded[O](n)
	argmax, argmaxIntact := kerneltest.Guarded[int64](n)
	scratch, scratchIntact := kerneltest.GuardedScratch(k.Scratch)
	var at *tensor.Tensor
	if s.Argmax {
		at = tensor.From(argmax, n)
	}
	input := tensor.From(data, len(data))
	for _, unit := range random.Perm(k.Units) {
		k.Run(&scratch, tensor.From(y, n), at, input, unit, unit+1)
	}
	if !yIntact() || !argmaxIntact() || !scratchIntact() {
		t.Fatalf("%s (%s): wrote past its memory: output %v, argmax %v, scratch %v", kerneltest.Text(s), k.Impl, !yIntact(), !argmaxIntact(), !scratchIntact())
	}
	return y, argmax
}

// TestMaxAndMinAgreeWithTheDefinition: values to the bit and positions, for
// every type, layout, convention and NaN policy.
func TestMaxAndMinAgreeWithTheDefinition(t *testing.T) {
	for _, d := range realTypes {
		t.Run(d.String(), func(t *testing.T) {
			rapid.Check(t, func(t *rapid.T) {
				s := kerneltest.DrawSpec(t, kerneltest.DrawGeometry(t, 100_000), d)
				s.Reduction = rapid.SampledFrom([]pool.Reduction{pool.Max, pool.Min}).Draw(t, "reduction")
				random := rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "seed"), 0))
				p := rapid.SampledFrom(kerneltest.Palettes).Draw(t, "palette")
				checkExtremums.For(d)(t, random, &s, p)
			})
		})
	}
}

var checkExtremums = tensor.PerReal(checkExtremum[uint8], checkExtremum[int8], checkExtremum[uint16], checkExtremum[int16],
	checkExtremum[uint32], checkExtremum[int32], checkExtremum[uint64], checkExtremum[int64], checkExtremum[float32], checkExtremum[float64])

func checkExtremum[T tensor.Real](t kerneltest.Failer, random *rand.Rand, s *pool.Spec, p kerneltest.Palette) {
	t.Helper()
	data := kerneltest.Fill[T](random, p, s.Geometry.N*kerneltest.InputOrder(&s.Geometry, false).Cells()*s.Geometry.C)
	s.Argmax = false
	plain, _ := runPool[T, T](t, random, s, data)
	s.Argmax = true
	located, argmax := runPool[T, T](t, random, s, data)
	kerneltest.EachWindow(&s.Geometry, s.ChannelsFirst, func(w *kerneltest.Window) {
		k := kerneltest.Winner(data, w, s.Reduction == pool.Min, s.IgnoreNaN)
		want := data[w.Offsets[k]]
		if !kerneltest.Same(plain[w.Out], want) || !kerneltest.Same(located[w.Out], want) {
			t.Fatalf("%s (%s): output %d is %v, with argmax %v, want %v", kerneltest.Text(s), planned(t, *s).Impl, w.Out, plain[w.Out], located[w.Out], want)
		}
		if index := kerneltest.IndexOf(s.Index, w.N, w.C, w.Places[k]); argmax[w.Out] != int64(index) {
			t.Fatalf("%s: argmax %d is %d, want %d (convention %d, batch %v)", kerneltest.Text(s), w.Out, argmax[w.Out], index, s.Index.Convention, s.Index.Batch)
		}
	})
}

// TestAveragesAndSumsAreExactButForOneRounding holds them to sums without
// rounding, for every divisor; what is infinite or NaN reaches exactly those
// outputs whose windows hold it.
func TestAveragesAndSumsAreExactButForOneRounding(t *testing.T) {
	for _, d := range realTypes {
		t.Run(d.String(), func(t *testing.T) {
			rapid.Check(t, func(t *rapid.T) {
				s := kerneltest.DrawSpec(t, kerneltest.DrawGeometry(t, 4_000), d)
				s.Reduction = rapid.SampledFrom([]pool.Reduction{pool.Average, pool.Average, pool.Sum}).Draw(t, "reduction")
				if s.Reduction == pool.Average {
					s.CountPadding = rapid.Bool().Draw(t, "count padding")
					s.Divisor = rapid.SampledFrom([]int{0, 0, 0, 1, 7, -3}).Draw(t, "divisor")
				}
				random := rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "seed"), 0))
				p := rapid.SampledFrom(kerneltest.Palettes).Draw(t, "palette")
				checkSums.For(d)(t, random, &s, p)
			})
		})
	}
}

// TestLargeWindows: windows of more cells than drawn ones have, in strips of
// several tiles and bands, over borders, at strides, dilated, or of which no two
// share a row, against the definition and at every level.
func TestLargeWindows(t *testing.T) {
	random := rand.New(rand.NewPCG(31, 29))
	for _, c := range []struct {
		n        int
		in       []int
		channels int
		w        geom.Window
	}{
		{1, []int{6, 450}, 3, geom.Window{Size: []int{2, 31}, Padding: geom.Same}},
		{1, []int{24, 36}, 5, geom.Window{Size: []int{15, 31}, Padding: geom.Same}},
		{1, []int{9, 150}, 2, geom.Window{Size: []int{2, 30}, Stride: []int{3, 2}, Dilation: []int{1, 2}, Padding: geom.Same}},
		{1, []int{3, 70}, 20, geom.Window{Size: []int{2, 29}, Stride: []int{1, 3}}},
		{1, []int{6, 200}, 1, geom.Window{Size: []int{3, 30}, Dilation: []int{2, 6}, Padding: geom.Same}},
		{2, []int{33, 65}, 3, geom.Window{Size: []int{33, 65}}},
		{1, []int{20, 70}, 17, geom.Window{Size: []int{9, 35}, Stride: []int{9, 35}, Padding: geom.Same}},
		{1, []int{4, 20, 64}, 2, geom.Window{Size: []int{2, 10, 32}, Stride: []int{2, 10, 32}}},
		{1, []int{5, 12, 40}, 3, geom.Window{Size: []int{5, 6, 33}, Stride: []int{1, 6, 1}, Padding: geom.Same}},
	} {
		c.w.Pooling = true
		g, err := geom.Resolve(c.n, c.in, c.channels, c.w)
		if err != nil {
			t.Fatal(err)
		}
		for _, s := range []pool.Spec{
			{Reduction: pool.Average, DType: tensor.Float32},
			{Reduction: pool.Sum, DType: tensor.Float64},
			{Reduction: pool.Average, DType: tensor.Float32, IgnoreNaN: true},
			{Reduction: pool.Average, DType: tensor.Float64, IgnoreNaN: true},
		} {
			s.Geometry = g
			for _, p := range []kerneltest.Palette{kerneltest.Specials, kerneltest.Spread} {
				if s.DType == tensor.Float64 {
					checkPoolLevels[float64, float64](t, random, s, p)
					checkSum[float64, float64](t, random, &s, p)
				} else {
					checkPoolLevels[float32, float32](t, random, s, p)
					checkSum[float32, float32](t, random, &s, p)
				}
			}
		}
		for _, d := range []tensor.DType{tensor.Float32, tensor.Float64} {
			s := pool.Spec{Reduction: pool.Max, DType: d, Geometry: g, Argmax: true, Index: planeIndex(&g)}
			if d == tensor.Float64 {
				checkPoolLevels[float64, float64](t, random, s, kerneltest.Ties)
			} else {
				checkPoolLevels[float32, float32](t, random, s, kerneltest.Ties)
			}
		}
	}
}

// TestStripsOfBytes: windows of so many rows that bytes are pooled in strips.
func TestStripsOfBytes(t *testing.T) {
	random := rand.New(rand.NewPCG(33, 34))
	g, err := geom.Resolve(1, []int{36, 36, 12}, 1, geom.Window{Size: []int{18, 18, 3}, Stride: []int{18, 18, 3}, Pooling: true})
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range []pool.Spec{{DType: tensor.Uint8, Reduction: pool.Max}, {DType: tensor.Int16, Reduction: pool.Min}} {
		s.Geometry, s.Index = g, planeIndex(&g)
		if k := planned(t, s); !strings.HasPrefix(k.Impl, "strips") {
			t.Errorf("%s runs %q, want strips", kerneltest.Text(&s), k.Impl)
		}
		if s.DType == tensor.Uint8 {
			checkExtremum[uint8](t, random, &s, kerneltest.Spread)
		} else {
			checkExtremum[int16](t, random, &s, kerneltest.Spread)
		}
	}
}

func planeIndex(g *geom.Geometry) pool.Index {
	x := pool.Index{Convention: pool.PyTorch, N: g.N, Channels: g.C}
	for i, a := range g.Axes {
		x.Extent[i] = a.In
	}
	return x
}

var checkSums = tensor.PerReal(checkSum[uint8, float32], checkSum[int8, float32], checkSum[uint16, float32], checkSum[int16, float32],
	checkSum[uint32, float64], checkSum[int32, float64], checkSum[uint64, float64], checkSum[int64, float64],
	checkSum[float32, float32], checkSum[float64, float64])

func checkSum[T tensor.Real, O tensor.Floating](t kerneltest.Failer, random *rand.Rand, s *pool.Spec, p kerneltest.Palette) {
	t.Helper()
	data := kerneltest.Fill[T](random, p, s.Geometry.N*kerneltest.InputOrder(&s.Geometry, false).Cells()*s.Geometry.C)
	if got, want := s.Result(), tensor.TypeOf[O](); got != want {
		t.Fatalf("%s: results are %s, want %s", kerneltest.Text(s), got, want)
	}
	y, _ := runPool[T, O](t, random, s, data)
	mantissa, exponent := 24, 128
	if tensor.TypeOf[O]() == tensor.Float64 {
		mantissa, exponent = 53, 1024
	}
	kerneltest.EachWindow(&s.Geometry, s.ChannelsFirst, func(w *kerneltest.Window) {
		sum := kerneltest.SumOf(data, w)
		divisor := float64(len(w.Offsets))
		switch {
		case s.Reduction == pool.Sum:
			divisor = 1
		case s.Divisor != 0:
			divisor = float64(s.Divisor)
		case s.CountPadding:
			divisor = float64(w.Counted)
		}
		if s.IgnoreNaN && s.Reduction == pool.Average && s.Divisor == 0 && sum.Nan < sum.Terms {
			divisor -= float64(sum.Nan)
		}
		unit := float64(len(w.Offsets)) * 0x1p-52 // sums of float64
		if s.DType == tensor.Float64 {
			unit = float64(len(w.Offsets)) * 0x1p-100
		}
		if !sum.Agrees(float64(y[w.Out]), divisor, s.IgnoreNaN, mantissa, exponent, unit) {
			t.Fatalf("%s: output %d is %v, want %v / %v (%d NaN, %d +Inf, %d -Inf), count padding %v, divisor %d", kerneltest.Text(s), w.Out, y[w.Out],
				sum.Sum.Text('g', 20), divisor, sum.Nan, sum.Plus, sum.Minus, s.CountPadding, s.Divisor)
		}
	})
}

// TestMeansOfConstantsAreThatConstant to the bit, whatever the window.
func TestMeansOfConstantsAreThatConstant(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		g := kerneltest.DrawGeometry(t, 20_000)
		random := rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "seed"), 0))
		double := rapid.OneOf(rapid.Float64(), rapid.SampledFrom([]float64{math.MaxFloat64, -math.MaxFloat64, math.SmallestNonzeroFloat64, 0.1})).Draw(t, "double")
		single := rapid.OneOf(rapid.Float32(), rapid.SampledFrom([]float32{math.MaxFloat32, math.SmallestNonzeroFloat32, 0.1})).Draw(t, "single")
		s := kerneltest.DrawSpec(t, g, tensor.Float64)
		s.Reduction = pool.Average
		checkConstant(t, random, &s, double)
		s.DType = tensor.Float32
		checkConstant(t, random, &s, single)
	})
}

func checkConstant[F tensor.Floating](t kerneltest.Failer, random *rand.Rand, s *pool.Spec, c F) {
	t.Helper()
	data := make([]F, s.Geometry.N*kerneltest.InputOrder(&s.Geometry, false).Cells()*s.Geometry.C)
	for i := range data {
		data[i] = c
	}
	y, _ := runPool[F, F](t, random, s, data)
	for i, v := range y {
		if v != c {
			t.Fatalf("%s: the mean of %v is %v (output %d)", kerneltest.Text(s), c, v, i)
		}
	}
}

// TestLpNorms: (Σ|x|^p)^(1/p) over the cells of each window.
func TestLpNorms(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := kerneltest.DrawSpec(t, kerneltest.DrawGeometry(t, 20_000), tensor.Float64)
		s.Reduction = pool.LP
		s.Power = rapid.SampledFrom([]float64{1, 2, 3, 0.5, 2.5, math.Inf(1)}).Draw(t, "p")
		random := rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "seed"), 0))
		p := rapid.SampledFrom([]kerneltest.Palette{kerneltest.Ties, kerneltest.Specials, kerneltest.Spread}).Draw(t, "palette")
		data := kerneltest.Fill[float64](random, p, s.Geometry.N*kerneltest.InputOrder(&s.Geometry, false).Cells()*s.Geometry.C)
		y, _ := runPool[float64, float64](t, random, &s, data)
		kerneltest.EachWindow(&s.Geometry, s.ChannelsFirst, func(w *kerneltest.Window) {
			want, numbers := 0.0, 0
			for _, at := range w.Offsets {
				v := math.Abs(data[at])
				switch {
				case v != v && s.IgnoreNaN:
					continue
				case math.IsInf(s.Power, 1) && v == v:
					want = max(want, v)
				case math.IsInf(s.Power, 1):
					want = v
				default:
					want += math.Pow(v, s.Power)
				}
				numbers++
			}
			if numbers == 0 {
				want = math.NaN()
			}
			if !math.IsInf(s.Power, 1) {
				want = math.Pow(want, 1/s.Power)
			}
			if got := y[w.Out]; !kerneltest.Same(got, want) && !(math.Abs(got-want) <= 1e-12*want) {
				t.Fatalf("%s p %v: output %d is %v, want %v", kerneltest.Text(&s), s.Power, w.Out, got, want)
			}
		})
	})
}

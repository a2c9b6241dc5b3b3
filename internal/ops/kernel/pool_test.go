package kernel_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/poolctl/poolctl/internal/geom"
	"github.com/poolctl/poolctl/internal/ops/kernel"
	"github.com/poolctl/poolctl/internal/tensor"
	"pgregory.net/rapid"
)

// around is how many guard numbers stand on each side of an output.
const around = 16

// guarded makes an output of n numbers between guards, filled with what no
// kernel writes; intact tells whether the guards still stand.
func guarded[T tensor.Real](n int) (out []T, intact func() bool) {
	mark := T(77)
	all := make([]T, n+2*around)
	for i := range all {
		all[i] = mark
	}
	return all[around : around+n : around+n], func() bool {
		for i := range around {
			if all[i] != mark || all[around+n+i] != mark {
				return false
			}
		}
		return true
	}
}

// drawGeometry draws windows over one to three axes; no window is hollow, and
// all windows together see at most work cells.
func drawGeometry(t *rapid.T, work int) geom.Geometry {
	rank := rapid.IntRange(1, 3).Draw(t, "rank")
	most := []int{0, 90, 24, 9}[rank]
	in := rapid.SliceOfN(rapid.IntRange(1, most), rank, rank).Draw(t, "in")
	n, c := rapid.IntRange(1, 2).Draw(t, "n"), rapid.SampledFrom([]int{1, 2, 3, 5, 17}).Draw(t, "c")
	if rapid.IntRange(0, 7).Draw(t, "kind") == 0 {
		return within(drawIrregular(t, n, c, in), work)
	}
	axes := func(name string, lo, hi int) []int {
		return rapid.SliceOfN(rapid.IntRange(lo, hi), rank, rank).Draw(t, name)
	}
	w := geom.Window{
		Size: axes("size", 1, []int{0, 40, 40, 12}[rank]), Stride: axes("stride", 1, 5), Dilation: axes("dilation", 1, 4),
		Padding: rapid.SampledFrom([]geom.Padding{geom.Valid, geom.Same, geom.SameLower, geom.Explicit}).Draw(t, "padding"),
		Ceil:    rapid.Bool().Draw(t, "ceil"), Pooling: true,
	}
	for i := range rank {
		if rapid.Bool().Draw(t, "dense") {
			w.Dilation[i] = 1
		}
		if rapid.Bool().Draw(t, "close") {
			w.Stride[i] = 1
		}
		eff := (w.Size[i]-1)*w.Dilation[i] + 1
		if eff > in[i]+6 { // keep most windows within reach
			w.Dilation[i] = 1
		}
		if w.Padding == geom.Explicit {
			eff = (w.Size[i]-1)*w.Dilation[i] + 1
			w.Amounts = append(w.Amounts, [2]int{rapid.IntRange(0, eff-1).Draw(t, "lo"), rapid.IntRange(0, eff-1).Draw(t, "hi")})
		}
	}
	g, err := geom.Resolve(n, in, c, w)
	if err != nil || g.Empty() { // a hollow window, or none: the plainest windows instead
		g, err = geom.Resolve(n, in, c, geom.Window{Size: in, Padding: geom.Same, Pooling: true})
	}
	if err != nil {
		t.Fatal(err)
	}
	return within(g, work)
}

func drawIrregular(t *rapid.T, n, c int, in []int) geom.Geometry {
	axes := make([]geom.Axis, len(in))
	adaptive := rapid.Bool().Draw(t, "adaptive")
	for i, extent := range in {
		if adaptive {
			axes[i] = geom.Adaptive(extent, rapid.IntRange(1, extent+3).Draw(t, "out"))
			continue
		}
		sequence := []int{0}
		for last := 0; last < extent; last = sequence[len(sequence)-1] {
			sequence = append(sequence, rapid.IntRange(last+1, min(last+4, extent)).Draw(t, "s"))
		}
		axes[i] = geom.Fractional(sequence, rapid.Bool().Draw(t, "overlapping"))
	}
	return geom.New(n, c, axes)
}

// within drops images and channels until all windows see at most work cells.
func within(g geom.Geometry, work int) geom.Geometry {
	seen := 1
	for _, a := range g.Axes {
		cells := 0
		for o := range a.Out {
			list, _ := cellsOf(a, o)
			cells += len(list)
		}
		seen *= cells
	}
	g.C = max(1, min(g.C, work/seen))
	if seen*g.C*g.N > work {
		g.N = 1
	}
	return g
}

var realTypes = []tensor.DType{tensor.Uint8, tensor.Int8, tensor.Uint16, tensor.Int16, tensor.Uint32, tensor.Int32, tensor.Uint64, tensor.Int64, tensor.Float32, tensor.Float64}

// drawSpec draws what is computed, but for the geometry and the reduction.
func drawSpec(t *rapid.T, g geom.Geometry, d tensor.DType) kernel.PoolSpec {
	s := kernel.PoolSpec{
		Geometry: g, DType: d,
		ChannelsFirst: rapid.Bool().Draw(t, "channels first"), IgnoreNaN: rapid.Bool().Draw(t, "ignore NaN"),
	}
	s.Index = kernel.Index{
		Convention: rapid.SampledFrom([]kernel.Convention{kernel.TensorFlow, kernel.PyTorch, kernel.ONNX, kernel.ONNXColumnMajor}).Draw(t, "convention"),
		N:          g.N, Channels: g.C,
	}
	s.Index.Batch = s.Index.Convention == kernel.TensorFlow && rapid.Bool().Draw(t, "batch in index")
	for i, a := range g.Axes {
		s.Index.Extent[i] = a.In
	}
	return s
}

func text(s *kernel.PoolSpec) string {
	return fmt.Sprintf("%v %s reduction %d, ignore NaN %v, channels first %v, bounds %v", s.Geometry, s.DType, s.Reduction, s.IgnoreNaN, s.ChannelsFirst,
		[][][2]int{s.Geometry.Axes[0].Bounds, s.Geometry.Axes[1].Bounds, s.Geometry.Axes[2].Bounds})
}

// failer is a *rapid.T or a *testing.T.
type failer interface {
	Helper()
	Fatalf(format string, args ...any)
}

// runPool runs every unit, in a random order, and checks all guards.
func runPool[T, O tensor.Real](t failer, random *rand.Rand, s *kernel.PoolSpec, data []T) (y []O, argmax []int64) {
	t.Helper()
	k := kernel.NewPool(*s)
	n := s.Geometry.N * outputOrder(&s.Geometry, s.Geometry.C, false).cells() * s.Geometry.C
	y, yIntact := guarded[O](n)
	argmax, argmaxIntact := guarded[int64](n)
	scratch, scratchIntact := kernel.GuardedScratch(k.Scratch)
	var at *tensor.Tensor
	if s.Argmax {
		at = tensor.From(argmax, n)
	}
	input := tensor.From(data, len(data))
	for _, unit := range random.Perm(k.Units) {
		k.Run(&scratch, tensor.From(y, n), at, input, unit, unit+1)
	}
	if !yIntact() || !argmaxIntact() || !scratchIntact() {
		t.Fatalf("%s (%s): wrote past its memory: output %v, argmax %v, scratch %v", text(s), k.Impl, !yIntact(), !argmaxIntact(), !scratchIntact())
	}
	return y, argmax
}

// TestMaxAndMinAgreeWithTheDefinition: values to the bit and positions, for
// every type, layout, convention and NaN policy.
func TestMaxAndMinAgreeWithTheDefinition(t *testing.T) {
	for _, d := range realTypes {
		t.Run(d.String(), func(t *testing.T) {
			rapid.Check(t, func(t *rapid.T) {
				s := drawSpec(t, drawGeometry(t, 100_000), d)
				s.Reduction = rapid.SampledFrom([]kernel.Reduction{kernel.Max, kernel.Min}).Draw(t, "reduction")
				random := rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "seed"), 0))
				p := rapid.SampledFrom(palettes).Draw(t, "palette")
				switch d {
				case tensor.Uint8:
					checkExtremum[uint8](t, random, &s, p)
				case tensor.Int8:
					checkExtremum[int8](t, random, &s, p)
				case tensor.Uint16:
					checkExtremum[uint16](t, random, &s, p)
				case tensor.Int16:
					checkExtremum[int16](t, random, &s, p)
				case tensor.Uint32:
					checkExtremum[uint32](t, random, &s, p)
				case tensor.Int32:
					checkExtremum[int32](t, random, &s, p)
				case tensor.Uint64:
					checkExtremum[uint64](t, random, &s, p)
				case tensor.Int64:
					checkExtremum[int64](t, random, &s, p)
				case tensor.Float32:
					checkExtremum[float32](t, random, &s, p)
				default:
					checkExtremum[float64](t, random, &s, p)
				}
			})
		})
	}
}

func checkExtremum[T tensor.Real](t failer, random *rand.Rand, s *kernel.PoolSpec, p palette) {
	t.Helper()
	data := fill[T](random, p, s.Geometry.N*inputOrder(&s.Geometry, false).cells()*s.Geometry.C)
	s.Argmax = false
	plain, _ := runPool[T, T](t, random, s, data)
	s.Argmax = true
	located, argmax := runPool[T, T](t, random, s, data)
	eachWindow(&s.Geometry, s.ChannelsFirst, func(w *window) {
		k := winner(data, w, s.Reduction == kernel.Min, s.IgnoreNaN)
		want := data[w.offsets[k]]
		if !same(plain[w.out], want) || !same(located[w.out], want) {
			t.Fatalf("%s: output %d is %v, with argmax %v, want %v", text(s), w.out, plain[w.out], located[w.out], want)
		}
		if index := indexOf(s.Index, w.n, w.c, w.places[k]); argmax[w.out] != int64(index) {
			t.Fatalf("%s: argmax %d is %d, want %d (convention %d, batch %v)", text(s), w.out, argmax[w.out], index, s.Index.Convention, s.Index.Batch)
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
				s := drawSpec(t, drawGeometry(t, 4_000), d)
				s.Reduction = rapid.SampledFrom([]kernel.Reduction{kernel.Average, kernel.Average, kernel.Sum}).Draw(t, "reduction")
				if s.Reduction == kernel.Average {
					s.CountPadding = rapid.Bool().Draw(t, "count padding")
					s.Divisor = rapid.SampledFrom([]int{0, 0, 0, 1, 7, -3}).Draw(t, "divisor")
				}
				random := rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "seed"), 0))
				p := rapid.SampledFrom(palettes).Draw(t, "palette")
				switch d {
				case tensor.Uint8:
					checkSum[uint8, float32](t, random, &s, p)
				case tensor.Int8:
					checkSum[int8, float32](t, random, &s, p)
				case tensor.Uint16:
					checkSum[uint16, float32](t, random, &s, p)
				case tensor.Int16:
					checkSum[int16, float32](t, random, &s, p)
				case tensor.Uint32:
					checkSum[uint32, float64](t, random, &s, p)
				case tensor.Int32:
					checkSum[int32, float64](t, random, &s, p)
				case tensor.Uint64:
					checkSum[uint64, float64](t, random, &s, p)
				case tensor.Int64:
					checkSum[int64, float64](t, random, &s, p)
				case tensor.Float32:
					checkSum[float32, float32](t, random, &s, p)
				default:
					checkSum[float64, float64](t, random, &s, p)
				}
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
		for _, s := range []kernel.PoolSpec{
			{Reduction: kernel.Average, DType: tensor.Float32},
			{Reduction: kernel.Sum, DType: tensor.Float64},
			{Reduction: kernel.Average, DType: tensor.Float32, IgnoreNaN: true},
			{Reduction: kernel.Average, DType: tensor.Float64, IgnoreNaN: true},
		} {
			s.Geometry = g
			for _, p := range []palette{specials, spread} {
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
			s := kernel.PoolSpec{Reduction: kernel.Max, DType: d, Geometry: g, Argmax: true, Index: planeIndex(&g)}
			if d == tensor.Float64 {
				checkPoolLevels[float64, float64](t, random, s, ties)
			} else {
				checkPoolLevels[float32, float32](t, random, s, ties)
			}
		}
	}
}

func planeIndex(g *geom.Geometry) kernel.Index {
	x := kernel.Index{Convention: kernel.PyTorch, N: g.N, Channels: g.C}
	for i, a := range g.Axes {
		x.Extent[i] = a.In
	}
	return x
}

func checkSum[T tensor.Real, O tensor.Floating](t failer, random *rand.Rand, s *kernel.PoolSpec, p palette) {
	t.Helper()
	data := fill[T](random, p, s.Geometry.N*inputOrder(&s.Geometry, false).cells()*s.Geometry.C)
	if got, want := s.Result(), tensor.TypeOf[O](); got != want {
		t.Fatalf("%s: results are %s, want %s", text(s), got, want)
	}
	y, _ := runPool[T, O](t, random, s, data)
	mantissa, exponent := 24, 128
	if tensor.TypeOf[O]() == tensor.Float64 {
		mantissa, exponent = 53, 1024
	}
	eachWindow(&s.Geometry, s.ChannelsFirst, func(w *window) {
		sum := sumOf(data, w)
		divisor := float64(len(w.offsets))
		switch {
		case s.Reduction == kernel.Sum:
			divisor = 1
		case s.Divisor != 0:
			divisor = float64(s.Divisor)
		case s.CountPadding:
			divisor = float64(w.counted)
		}
		if s.IgnoreNaN && s.Reduction == kernel.Average && s.Divisor == 0 && sum.nan < sum.terms {
			divisor -= float64(sum.nan)
		}
		unit := float64(len(w.offsets)) * 0x1p-52 // sums of float64
		if s.DType == tensor.Float64 {
			unit = float64(len(w.offsets)) * 0x1p-100
		}
		if !sum.agrees(float64(y[w.out]), divisor, s.IgnoreNaN, mantissa, exponent, unit) {
			t.Fatalf("%s: output %d is %v, want %v / %v (%d NaN, %d +Inf, %d -Inf), count padding %v, divisor %d", text(s), w.out, y[w.out],
				sum.sum.Text('g', 20), divisor, sum.nan, sum.plus, sum.minus, s.CountPadding, s.Divisor)
		}
	})
}

// TestMeansOfConstantsAreThatConstant to the bit, whatever the window.
func TestMeansOfConstantsAreThatConstant(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		g := drawGeometry(t, 20_000)
		random := rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "seed"), 0))
		double := rapid.OneOf(rapid.Float64(), rapid.SampledFrom([]float64{math.MaxFloat64, -math.MaxFloat64, math.SmallestNonzeroFloat64, 0.1})).Draw(t, "double")
		single := rapid.OneOf(rapid.Float32(), rapid.SampledFrom([]float32{math.MaxFloat32, math.SmallestNonzeroFloat32, 0.1})).Draw(t, "single")
		s := drawSpec(t, g, tensor.Float64)
		s.Reduction = kernel.Average
		checkConstant(t, random, &s, double)
		s.DType = tensor.Float32
		checkConstant(t, random, &s, single)
	})
}

func checkConstant[F tensor.Floating](t failer, random *rand.Rand, s *kernel.PoolSpec, c F) {
	t.Helper()
	data := make([]F, s.Geometry.N*inputOrder(&s.Geometry, false).cells()*s.Geometry.C)
	for i := range data {
		data[i] = c
	}
	y, _ := runPool[F, F](t, random, s, data)
	for i, v := range y {
		if v != c {
			t.Fatalf("%s: the mean of %v is %v (output %d)", text(s), c, v, i)
		}
	}
}

// TestLpNorms: (Σ|x|^p)^(1/p) over the cells of each window.
func TestLpNorms(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := drawSpec(t, drawGeometry(t, 20_000), tensor.Float64)
		s.Reduction = kernel.LP
		s.Power = rapid.SampledFrom([]float64{1, 2, 3, 0.5, 2.5, math.Inf(1)}).Draw(t, "p")
		random := rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "seed"), 0))
		p := rapid.SampledFrom([]palette{ties, specials, spread}).Draw(t, "palette")
		data := fill[float64](random, p, s.Geometry.N*inputOrder(&s.Geometry, false).cells()*s.Geometry.C)
		y, _ := runPool[float64, float64](t, random, &s, data)
		eachWindow(&s.Geometry, s.ChannelsFirst, func(w *window) {
			want, numbers := 0.0, 0
			for _, at := range w.offsets {
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
			if got := y[w.out]; !same(got, want) && !(math.Abs(got-want) <= 1e-12*want) {
				t.Fatalf("%s p %v: output %d is %v, want %v", text(&s), s.Power, w.out, got, want)
			}
		})
	})
}

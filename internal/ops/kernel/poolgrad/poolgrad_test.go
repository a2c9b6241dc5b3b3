package poolgrad_test

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/poolctl/poolctl/internal/geom"
	"github.com/poolctl/poolctl/internal/ops/kernel"
	"github.com/poolctl/poolctl/internal/ops/kernel/kerneltest"
	"github.com/poolctl/poolctl/internal/ops/kernel/pool"
	"github.com/poolctl/poolctl/internal/ops/kernel/poolgrad"
	"github.com/poolctl/poolctl/internal/tensor"
	"pgregory.net/rapid"
)

// gradientTest is a gradient of pooling with its data.
type gradientTest[F tensor.Floating] struct {
	pool.Spec
	x, upstream []F
}

// drawGradient draws a gradient whose windows have few cells in common, with
// numbers of cells up to 67 and more channels than a vector has lanes.
func drawGradient[F tensor.Floating](t *rapid.T) *gradientTest[F] {
	g := kerneltest.DrawGeometry(t, 40_000)
	if rapid.Bool().Draw(t, "many channels") {
		g.C = rapid.IntRange(1, 67).Draw(t, "channels")
		g = kerneltest.Within(g, 40_000)
	}
	s := &gradientTest[F]{Spec: kerneltest.DrawSpec(t, g, tensor.TypeOf[F]())}
	random := rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "seed"), 0))
	x, dy := kerneltest.InputOrder(&g, false).Cells()*g.N*g.C, kerneltest.OutputOrder(&g, g.C, false).Cells()*g.N*g.C
	shift := random.IntN(16) // anywhere in memory
	s.x = kerneltest.Fill[F](random, rapid.SampledFrom(kerneltest.Palettes).Draw(t, "palette"), shift+x)[shift:]
	s.upstream = kerneltest.Fill[F](random, rapid.SampledFrom(kerneltest.Palettes).Draw(t, "upstream palette"), shift+dy)[shift:]
	return s
}

// check runs a gradient's units in any order and compares with what is wanted.
func (s *gradientTest[F]) check(t *rapid.T, name string, want []F, scratch int, units int, run func(s *kernel.Scratch, dst *tensor.Tensor, lo, hi int)) {
	t.Helper()
	dst, intact := kerneltest.Guarded[F](len(want))
	memory, memoryIntact := kerneltest.GuardedScratch(scratch)
	for _, unit := range rand.Perm(units) {
		run(&memory, tensor.From(dst, len(dst)), unit, unit+1)
	}
	if !intact() || !memoryIntact() {
		t.Fatalf("%s of %s at %v: wrote past its output (%v) or scratch (%v)", name, kerneltest.Text(&s.Spec), s.Level, !intact(), !memoryIntact())
	}
	for i := range want {
		if !kerneltest.Same(dst[i], want[i]) {
			t.Fatalf("%s of %s at %v: cell %d is %v, want %v", name, kerneltest.Text(&s.Spec), s.Level, i, dst[i], want[i])
		}
	}
}

// codesOf returns the taps that won, each as its number within a whole window.
func codesOf[F tensor.Floating](s *gradientTest[F], last bool) []uint8 {
	codes := make([]uint8, len(s.upstream))
	out := kerneltest.OutputOrder(&s.Geometry, s.Geometry.C, s.ChannelsFirst)
	axes := &s.Geometry.Axes
	for oz := range axes[0].Out {
		for oy := range axes[1].Out {
			for ox := range axes[2].Out {
				numbers := tapNumbers(axes, oz, oy, ox)
				for n := range s.Geometry.N {
					for c := range s.Geometry.C {
						at := out.At(n, c, oz, oy, ox)
						codes[at] = uint8(numbers[winnerOf(s, n, c, [3]int{oz, oy, ox}, last)])
					}
				}
			}
		}
	}
	return codes
}

func tapNumbers(axes *[3]geom.Axis, oz, oy, ox int) (numbers []int) {
	_, zs := kerneltest.CellsOf(axes[0], oz)
	_, ys := kerneltest.CellsOf(axes[1], oy)
	_, xs := kerneltest.CellsOf(axes[2], ox)
	for _, z := range zs {
		for _, y := range ys {
			for _, x := range xs {
				numbers = append(numbers, (z*axes[1].Size+y)*axes[2].Size+x)
			}
		}
	}
	return numbers
}

// winnerOf returns which of a window's cells wins; the last one is the first
// seen from the other end.
func winnerOf[F tensor.Floating](s *gradientTest[F], n, c int, o [3]int, last bool) int {
	w := &kerneltest.Window{}
	in := kerneltest.InputOrder(&s.Geometry, s.ChannelsFirst)
	zs, _ := kerneltest.CellsOf(s.Geometry.Axes[0], o[0])
	ys, _ := kerneltest.CellsOf(s.Geometry.Axes[1], o[1])
	xs, _ := kerneltest.CellsOf(s.Geometry.Axes[2], o[2])
	for _, z := range zs {
		for _, y := range ys {
			for _, x := range xs {
				w.Offsets = append(w.Offsets, in.At(n, c, z, y, x))
			}
		}
	}
	if last {
		for i, j := 0, len(w.Offsets)-1; i < j; i, j = i+1, j-1 {
			w.Offsets[i], w.Offsets[j] = w.Offsets[j], w.Offsets[i]
		}
		return len(w.Offsets) - 1 - kerneltest.Winner(s.x, w, s.Reduction == pool.Min, s.IgnoreNaN)
	}
	return kerneltest.Winner(s.x, w, s.Reduction == pool.Min, s.IgnoreNaN)
}

// TestMaximumGradients: codes of the winners, and what is routed by them, as the
// definition has it, at every level to the bit.
func TestMaximumGradients(t *testing.T) {
	t.Run("float32", func(t *testing.T) { rapid.Check(t, checkMaximumGradient[float32]) })
	t.Run("float64", func(t *testing.T) { rapid.Check(t, checkMaximumGradient[float64]) })
}

func checkMaximumGradient[F tensor.Floating](t *rapid.T) {
	s := drawGradient[F](t)
	s.Reduction = rapid.SampledFrom([]pool.Reduction{pool.Max, pool.Min}).Draw(t, "reduction")
	last := rapid.Bool().Draw(t, "last")
	if k, _ := poolgrad.NewWinners(s.Spec, last); k == nil {
		return
	}
	codes := codesOf(s, last)
	want, matched, top := make([]F, len(s.x)), make([]F, len(s.x)), make([]F, len(s.upstream))
	out := kerneltest.OutputOrder(&s.Geometry, s.Geometry.C, s.ChannelsFirst)
	at := 0
	kerneltest.EachWindow(&s.Geometry, s.ChannelsFirst, func(w *kerneltest.Window) {
		won := kerneltest.Winner(s.x, w, s.Reduction == pool.Min, s.IgnoreNaN)
		top[w.Out] = s.x[w.Offsets[won]]
		for _, cell := range w.Offsets {
			if v := s.x[cell]; v == top[w.Out] || v != v && top[w.Out] != top[w.Out] {
				matched[cell] += s.upstream[w.Out]
			}
		}
		if last {
			o := [3]int{at / (s.Geometry.N * s.Geometry.C)}
			o[0], o[1], o[2] = o[0]/(out.Size[1]*out.Size[2]), o[0]/out.Size[2]%out.Size[1], o[0]%out.Size[2]
			won = winnerOf(s, w.N, w.C, o, true)
		}
		want[w.Offsets[won]] += s.upstream[w.Out]
		at++
	})
	x, upstream := tensor.From(s.x, len(s.x)), tensor.From(s.upstream, len(s.upstream))
	for _, s.Level = range kerneltest.EveryLevel() {
		k, _ := poolgrad.NewWinners(s.Spec, last)
		got, intact := kerneltest.Guarded[uint8](len(codes))
		memory, memoryIntact := kerneltest.GuardedScratch(k.Scratch())
		for _, unit := range rand.Perm(k.Units) {
			k.Run(&memory, tensor.From(got, len(got)), x, unit, unit+1)
		}
		if !intact() || !memoryIntact() {
			t.Fatalf("codes of %s at %v: wrote past the output (%v) or scratch (%v)", kerneltest.Text(&s.Spec), s.Level, !intact(), !memoryIntact())
		}
		for i := range codes {
			if got[i] != codes[i] {
				t.Fatalf("%s at %v, last %v: output %d has code %d, want %d", kerneltest.Text(&s.Spec), s.Level, last, i, got[i], codes[i])
			}
		}
		g := poolgrad.NewCellGradient(s.Spec)
		s.check(t, "route", want, g.Scratch(), g.Units, func(m *kernel.Scratch, dst *tensor.Tensor, lo, hi int) {
			g.Route(m, dst, upstream, tensor.From(codes, len(codes)), lo, hi)
		})
		s.check(t, "match", matched, g.Scratch(), g.Units, func(m *kernel.Scratch, dst *tensor.Tensor, lo, hi int) {
			g.Match(m, dst, upstream, x, tensor.From(top, len(top)), lo, hi)
		})
	}
}

// TestAverageGradients: shares of the windows that see a cell, added in float64
// and rounded once, at every level to the bit.
func TestAverageGradients(t *testing.T) {
	t.Run("float32", func(t *testing.T) { rapid.Check(t, checkAverageGradient[float32]) })
	t.Run("float64", func(t *testing.T) { rapid.Check(t, checkAverageGradient[float64]) })
}

func checkAverageGradient[F tensor.Floating](t *rapid.T) {
	s := drawGradient[F](t)
	s.Reduction = rapid.SampledFrom([]pool.Reduction{pool.Average, pool.Average, pool.Sum}).Draw(t, "reduction")
	s.CountPadding = rapid.Bool().Draw(t, "count padding")
	s.Divisor = rapid.SampledFrom([]int{0, 0, 7, -3, 1<<24 + 1}).Draw(t, "divisor")
	sums, seen := make([]float64, len(s.x)), make([]bool, len(s.x))
	kerneltest.EachWindow(&s.Geometry, s.ChannelsFirst, func(w *kerneltest.Window) {
		divisor := len(w.Offsets)
		switch {
		case s.Reduction == pool.Sum:
			divisor = 1
		case s.Divisor != 0:
			divisor = s.Divisor
		case s.CountPadding:
			divisor = w.Counted
		}
		share := float64(F(float64(s.upstream[w.Out]) / float64(divisor)))
		for _, cell := range w.Offsets {
			if !seen[cell] {
				sums[cell], seen[cell] = share, true
			} else {
				sums[cell] += share
			}
		}
	})
	want := make([]F, len(sums))
	for i, sum := range sums {
		want[i] = F(sum)
	}
	upstream := tensor.From(s.upstream, len(s.upstream))
	for _, s.Level = range kerneltest.EveryLevel() {
		g := poolgrad.NewCellGradient(s.Spec)
		s.check(t, "spread", want, g.Scratch(), g.Units, func(m *kernel.Scratch, dst *tensor.Tensor, lo, hi int) {
			g.Spread(m, dst, upstream, lo, hi)
		})
	}
}

// TestLargeAverageGradients: sums of windows over the outputs, and passes along
// the axes, are the gradient of a sum within their roundings, and the same at
// every level.
func TestLargeAverageGradients(t *testing.T) {
	t.Run("float32", func(t *testing.T) { rapid.Check(t, checkLargeGradient[float32]) })
	t.Run("float64", func(t *testing.T) { rapid.Check(t, checkLargeGradient[float64]) })
}

func checkLargeGradient[F tensor.Floating](t *rapid.T) {
	s := drawGradient[F](t)
	for i := range s.upstream {
		s.upstream[i] = F(1+i%7) / 8
	}
	s.Reduction = pool.Sum
	want := make([]float64, len(s.x))
	kerneltest.EachWindow(&s.Geometry, s.ChannelsFirst, func(w *kerneltest.Window) {
		for _, cell := range w.Offsets {
			want[cell] += float64(s.upstream[w.Out])
		}
	})
	unit := 1.0 / (1 << 24)
	if s.DType == tensor.Float64 {
		unit = 1.0 / (1 << 53)
	}
	var plain []F
	for _, s.Level = range kerneltest.EveryLevel() {
		for i, got := range [][]F{adjointOf(s), passesOf(s)} {
			for cell := range got { // one rounding an axis; numbers are positive
				if math.Abs(float64(got[cell])-want[cell]) > 4*unit*want[cell] {
					t.Fatalf("%s at %v, way %d: cell %d is %v, want %v", kerneltest.Text(&s.Spec), s.Level, i, cell, got[cell], want[cell])
				}
			}
			if i == 1 && s.Level == kernel.Generic {
				plain = got
			}
			if i == 1 && !slices.Equal(got, plain) {
				t.Fatalf("%s at %v: not what plain Go gives", kerneltest.Text(&s.Spec), s.Level)
			}
		}
	}
}

// adjointOf sums windows over the outputs; nil where that is not the gradient.
func adjointOf[F tensor.Floating](s *gradientTest[F]) []F {
	spec, ok := poolgrad.Adjoint(s.Spec)
	if !ok {
		return nil
	}
	got := make([]F, len(s.x))
	k, err := pool.New(spec)
	if err != nil {
		panic(err) // no gradient to compare with
	}
	m := kernel.NewScratch(k.Scratch)
	k.Run(&m, tensor.From(got, len(got)), nil, tensor.From(s.upstream, len(s.upstream)), 0, k.Units)
	return got
}

func passesOf[F tensor.Floating](s *gradientTest[F]) []F {
	src := s.upstream
	for _, k := range poolgrad.SpreadPasses(s.Spec) {
		n, err := k.Numbers()
		if err != nil {
			return nil
		}
		got, m := make([]F, n), kernel.NewScratch(k.Scratch())
		k.Spread(&m, tensor.From(got, n), tensor.From(src, len(src)), 0, k.Units)
		src = got
	}
	return src
}

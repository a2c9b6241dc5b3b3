package kernel_test

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/poolctl/poolctl/internal/geom"
	"github.com/poolctl/poolctl/internal/ops/kernel"
	"github.com/poolctl/poolctl/internal/tensor"
	"pgregory.net/rapid"
)

// allLevels lists the CPU levels that this machine has, plain Go first.
func allLevels() []kernel.Level { return append([]kernel.Level{kernel.Generic}, levels()...) }

// gradientTest is a gradient of pooling with its data.
type gradientTest[F tensor.Floating] struct {
	kernel.PoolSpec
	x, upstream []F
}

// drawGradient draws a gradient whose windows have few cells in common, with
// numbers of cells up to 67 and more channels than a vector has lanes.
func drawGradient[F tensor.Floating](t *rapid.T) *gradientTest[F] {
	g := drawGeometry(t, 40_000)
	if rapid.Bool().Draw(t, "many channels") {
		g.C = rapid.IntRange(1, 67).Draw(t, "channels")
		g = within(g, 40_000)
	}
	s := &gradientTest[F]{PoolSpec: drawSpec(t, g, tensor.TypeOf[F]())}
	random := rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "seed"), 0))
	x, dy := inputOrder(&g, false).cells()*g.N*g.C, outputOrder(&g, g.C, false).cells()*g.N*g.C
	shift := random.IntN(16) // anywhere in memory
	s.x = fill[F](random, rapid.SampledFrom(palettes).Draw(t, "palette"), shift+x)[shift:]
	s.upstream = fill[F](random, rapid.SampledFrom(palettes).Draw(t, "upstream palette"), shift+dy)[shift:]
	return s
}

// check runs a gradient's units in any order and compares with what is wanted.
func (s *gradientTest[F]) check(t *rapid.T, name string, want []F, scratch int, units int, run func(s *kernel.Scratch, dst *tensor.Tensor, lo, hi int)) {
	t.Helper()
	dst, intact := guarded[F](len(want))
	memory, memoryIntact := kernel.GuardedScratch(scratch)
	for _, unit := range rand.Perm(units) {
		run(&memory, tensor.From(dst, len(dst)), unit, unit+1)
	}
	if !intact() || !memoryIntact() {
		t.Fatalf("%s of %s at %v: wrote past its output (%v) or scratch (%v)", name, text(&s.PoolSpec), s.Level, !intact(), !memoryIntact())
	}
	for i := range want {
		if !same(dst[i], want[i]) {
			t.Fatalf("%s of %s at %v: cell %d is %v, want %v", name, text(&s.PoolSpec), s.Level, i, dst[i], want[i])
		}
	}
}

// codesOf returns the taps that won, each as its number within a whole window.
func codesOf[F tensor.Floating](s *gradientTest[F], last bool) []uint8 {
	codes := make([]uint8, len(s.upstream))
	out := outputOrder(&s.Geometry, s.Geometry.C, s.ChannelsFirst)
	axes := &s.Geometry.Axes
	for oz := range axes[0].Out {
		for oy := range axes[1].Out {
			for ox := range axes[2].Out {
				numbers := tapNumbers(axes, oz, oy, ox)
				for n := range s.Geometry.N {
					for c := range s.Geometry.C {
						at := out.at(n, c, oz, oy, ox)
						codes[at] = uint8(numbers[winnerOf(s, n, c, [3]int{oz, oy, ox}, last)])
					}
				}
			}
		}
	}
	return codes
}

func tapNumbers(axes *[3]geom.Axis, oz, oy, ox int) (numbers []int) {
	_, zs := cellsOf(axes[0], oz)
	_, ys := cellsOf(axes[1], oy)
	_, xs := cellsOf(axes[2], ox)
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
	w := &window{}
	in := inputOrder(&s.Geometry, s.ChannelsFirst)
	zs, _ := cellsOf(s.Geometry.Axes[0], o[0])
	ys, _ := cellsOf(s.Geometry.Axes[1], o[1])
	xs, _ := cellsOf(s.Geometry.Axes[2], o[2])
	for _, z := range zs {
		for _, y := range ys {
			for _, x := range xs {
				w.offsets = append(w.offsets, in.at(n, c, z, y, x))
			}
		}
	}
	if last {
		for i, j := 0, len(w.offsets)-1; i < j; i, j = i+1, j-1 {
			w.offsets[i], w.offsets[j] = w.offsets[j], w.offsets[i]
		}
		return len(w.offsets) - 1 - winner(s.x, w, s.Reduction == kernel.Min, s.IgnoreNaN)
	}
	return winner(s.x, w, s.Reduction == kernel.Min, s.IgnoreNaN)
}

// TestMaximumGradients: codes of the winners, and what is routed by them, as the
// definition has it, at every level to the bit.
func TestMaximumGradients(t *testing.T) {
	t.Run("float32", func(t *testing.T) { rapid.Check(t, checkMaximumGradient[float32]) })
	t.Run("float64", func(t *testing.T) { rapid.Check(t, checkMaximumGradient[float64]) })
}

func checkMaximumGradient[F tensor.Floating](t *rapid.T) {
	s := drawGradient[F](t)
	s.Reduction = rapid.SampledFrom([]kernel.Reduction{kernel.Max, kernel.Min}).Draw(t, "reduction")
	last := rapid.Bool().Draw(t, "last")
	if k, _ := kernel.NewWinners(s.PoolSpec, last); k == nil {
		return
	}
	codes := codesOf(s, last)
	want, matched, top := make([]F, len(s.x)), make([]F, len(s.x)), make([]F, len(s.upstream))
	out := outputOrder(&s.Geometry, s.Geometry.C, s.ChannelsFirst)
	at := 0
	eachWindow(&s.Geometry, s.ChannelsFirst, func(w *window) {
		won := winner(s.x, w, s.Reduction == kernel.Min, s.IgnoreNaN)
		top[w.out] = s.x[w.offsets[won]]
		for _, cell := range w.offsets {
			if v := s.x[cell]; v == top[w.out] || v != v && top[w.out] != top[w.out] {
				matched[cell] += s.upstream[w.out]
			}
		}
		if last {
			o := [3]int{at / (s.Geometry.N * s.Geometry.C)}
			o[0], o[1], o[2] = o[0]/(out.size[1]*out.size[2]), o[0]/out.size[2]%out.size[1], o[0]%out.size[2]
			won = winnerOf(s, w.n, w.c, o, true)
		}
		want[w.offsets[won]] += s.upstream[w.out]
		at++
	})
	x, upstream := tensor.From(s.x, len(s.x)), tensor.From(s.upstream, len(s.upstream))
	for _, s.Level = range allLevels() {
		k, _ := kernel.NewWinners(s.PoolSpec, last)
		got, intact := guarded[uint8](len(codes))
		memory, memoryIntact := kernel.GuardedScratch(k.Scratch())
		for _, unit := range rand.Perm(k.Units) {
			k.Run(&memory, tensor.From(got, len(got)), x, unit, unit+1)
		}
		if !intact() || !memoryIntact() {
			t.Fatalf("codes of %s at %v: wrote past the output (%v) or scratch (%v)", text(&s.PoolSpec), s.Level, !intact(), !memoryIntact())
		}
		for i := range codes {
			if got[i] != codes[i] {
				t.Fatalf("%s at %v, last %v: output %d has code %d, want %d", text(&s.PoolSpec), s.Level, last, i, got[i], codes[i])
			}
		}
		g := kernel.NewCellGradient(s.PoolSpec)
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
	s.Reduction = rapid.SampledFrom([]kernel.Reduction{kernel.Average, kernel.Average, kernel.Sum}).Draw(t, "reduction")
	s.CountPadding = rapid.Bool().Draw(t, "count padding")
	s.Divisor = rapid.SampledFrom([]int{0, 0, 7, -3, 1<<24 + 1}).Draw(t, "divisor")
	sums, seen := make([]float64, len(s.x)), make([]bool, len(s.x))
	eachWindow(&s.Geometry, s.ChannelsFirst, func(w *window) {
		divisor := len(w.offsets)
		switch {
		case s.Reduction == kernel.Sum:
			divisor = 1
		case s.Divisor != 0:
			divisor = s.Divisor
		case s.CountPadding:
			divisor = w.counted
		}
		share := float64(F(float64(s.upstream[w.out]) / float64(divisor)))
		for _, cell := range w.offsets {
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
	for _, s.Level = range allLevels() {
		g := kernel.NewCellGradient(s.PoolSpec)
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
	s.Reduction = kernel.Sum
	want := make([]float64, len(s.x))
	eachWindow(&s.Geometry, s.ChannelsFirst, func(w *window) {
		for _, cell := range w.offsets {
			want[cell] += float64(s.upstream[w.out])
		}
	})
	unit := 1.0 / (1 << 24)
	if s.DType == tensor.Float64 {
		unit = 1.0 / (1 << 53)
	}
	var plain []F
	for _, s.Level = range allLevels() {
		for i, got := range [][]F{adjointOf(s), passesOf(s)} {
			for cell := range got { // one rounding an axis; numbers are positive
				if math.Abs(float64(got[cell])-want[cell]) > 4*unit*want[cell] {
					t.Fatalf("%s at %v, way %d: cell %d is %v, want %v", text(&s.PoolSpec), s.Level, i, cell, got[cell], want[cell])
				}
			}
			if i == 1 && s.Level == kernel.Generic {
				plain = got
			}
			if i == 1 && !slices.Equal(got, plain) {
				t.Fatalf("%s at %v: not what plain Go gives", text(&s.PoolSpec), s.Level)
			}
		}
	}
}

// adjointOf sums windows over the outputs; nil where that is not the gradient.
func adjointOf[F tensor.Floating](s *gradientTest[F]) []F {
	spec, ok := kernel.Adjoint(s.PoolSpec)
	if !ok {
		return nil
	}
	got := make([]F, len(s.x))
	k := kernel.NewPool(spec)
	m := kernel.NewScratch(k.Scratch)
	k.Run(&m, tensor.From(got, len(got)), nil, tensor.From(s.upstream, len(s.upstream)), 0, k.Units)
	return got
}

func passesOf[F tensor.Floating](s *gradientTest[F]) []F {
	src := s.upstream
	for _, k := range kernel.SpreadPasses(s.PoolSpec) {
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

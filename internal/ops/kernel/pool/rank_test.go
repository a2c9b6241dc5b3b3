package pool_test

import (
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/poolctl/poolctl/internal/geom"
	"github.com/poolctl/poolctl/internal/ops/kernel/kerneltest"
	"github.com/poolctl/poolctl/internal/ops/kernel/pool"
	"github.com/poolctl/poolctl/internal/tensor"
	"pgregory.net/rapid"
)

// TestRanksAndMediansAgreeWithTheDefinition: by selection and by sliding, for every
// type, layout and NaN rule, values to the bit and places.
func TestRanksAndMediansAgreeWithTheDefinition(t *testing.T) {
	for _, d := range realTypes {
		t.Run(d.String(), func(t *testing.T) {
			rapid.Check(t, func(t *rapid.T) {
				g := kerneltest.DrawGeometry(t, 4_000)
				if rapid.IntRange(0, 3).Draw(t, "far") == 0 {
					g, _ = kerneltest.DrawFarGeometry(t)
				}
				s := kerneltest.DrawSpec(t, g, d)
				s.Reduction = rapid.SampledFrom([]pool.Reduction{pool.Rank, pool.Median, pool.LowerMedian, pool.UpperMedian}).Draw(t, "reduction")
				s.Rank = rapid.IntRange(0, leastCells(&g)-1).Draw(t, "rank")
				s.Argmax = s.Reduction.HasArgmax() && rapid.Bool().Draw(t, "argmax")
				random := rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "seed"), 0))
				p := rapid.SampledFrom(kerneltest.Palettes).Draw(t, "palette")
				list := planned(t, s).Impls
				s.Want = list[rapid.IntRange(0, len(list)-1).Draw(t, "implementation")]
				switch d {
				case tensor.Uint8:
					checkRank[uint8, float32](t, random, &s, p)
				case tensor.Int8:
					checkRank[int8, float32](t, random, &s, p)
				case tensor.Uint16:
					checkRank[uint16, float32](t, random, &s, p)
				case tensor.Int16:
					checkRank[int16, float32](t, random, &s, p)
				case tensor.Uint32:
					checkRank[uint32, float64](t, random, &s, p)
				case tensor.Int32:
					checkRank[int32, float64](t, random, &s, p)
				case tensor.Uint64:
					checkRank[uint64, float64](t, random, &s, p)
				case tensor.Int64:
					checkRank[int64, float64](t, random, &s, p)
				case tensor.Float32:
					checkRank[float32, float32](t, random, &s, p)
				case tensor.Float64:
					checkRank[float64, float64](t, random, &s, p)
				default:
					t.Fatalf("no test for %s", d)
				}
			})
		})
	}
}

// leastCells returns the real cells of the smallest window.
func leastCells(g *geom.Geometry) int {
	cells := 1
	for _, a := range g.Axes {
		least := a.Size
		for o := range a.Out {
			list, _ := kerneltest.CellsOf(a, o)
			least = min(least, len(list))
		}
		cells *= least
	}
	return cells
}

func checkRank[T tensor.Real, O tensor.Floating](t kerneltest.Failer, random *rand.Rand, s *pool.Spec, p kerneltest.Palette) {
	t.Helper()
	data := kerneltest.Fill[T](random, p, s.Geometry.N*kerneltest.InputOrder(&s.Geometry, false).Cells()*s.Geometry.C)
	var cells []T
	var means []O
	var argmax []int64
	if s.Reduction == pool.Median {
		means, _ = runPool[T, O](t, random, s, data)
	} else {
		cells, argmax = runPool[T, T](t, random, s, data)
	}
	kerneltest.EachWindow(&s.Geometry, s.ChannelsFirst, func(w *kerneltest.Window) {
		lo, hi := wantedCells(data, w, s)
		a, b := data[w.Offsets[lo]], data[w.Offsets[hi]]
		if means != nil {
			// Halves are exact but for the smallest numbers, whose sum is.
			want := (float64(a) + float64(b)) / 2
			if math.IsInf(want, 0) {
				want = float64(a)/2 + float64(b)/2
			}
			if got := means[w.Out]; !kerneltest.Same(got, O(want)) {
				t.Fatalf("%s (%s): output %d is %v, want the mean of %v and %v", kerneltest.Text(s), s.Want, w.Out, got, a, b)
			}
			return
		}
		if !kerneltest.Same(cells[w.Out], a) {
			t.Fatalf("%s (%s): rank %d: output %d is %v, want %v", kerneltest.Text(s), s.Want, s.Rank, w.Out, cells[w.Out], a)
		}
		if s.Argmax {
			if index := kerneltest.IndexOf(s.Index, w.N, w.C, w.Places[lo]); argmax[w.Out] != int64(index) {
				t.Fatalf("%s (%s): argmax %d is %d, want %d", kerneltest.Text(s), s.Want, w.Out, argmax[w.Out], index)
			}
		}
	})
}

// wantedCells returns which two cells of a window the result is made of: of equal
// ones the first; the first NaN where there is one, or no cell of that place.
func wantedCells[T tensor.Real](data []T, w *kerneltest.Window, s *pool.Spec) (lo, hi int) {
	var numbers []T
	nan := -1
	for k, at := range w.Offsets {
		if v := data[at]; v == v {
			numbers = append(numbers, v)
		} else if nan < 0 {
			nan = k
		}
	}
	slices.Sort(numbers)
	n := len(numbers)
	lo, hi = (n-1)/2, n/2
	if s.Reduction == pool.Rank {
		lo, hi = s.Rank, s.Rank
	}
	if s.Reduction == pool.LowerMedian {
		hi = lo
	}
	if s.Reduction == pool.UpperMedian {
		lo = hi
	}
	if nan >= 0 && !s.IgnoreNaN || hi >= n {
		return nan, nan
	}
	first := func(v T) int { return slices.IndexFunc(w.Offsets, func(at int) bool { return data[at] == v }) }
	return first(numbers[lo]), first(numbers[hi])
}

// TestRanksOfExtremesAreMaximaAndMinima: rank 0 is the minimum, the last rank the
// maximum, to the bit and with the same places.
func TestRanksOfExtremesAreMaximaAndMinima(t *testing.T) {
	random := rand.New(rand.NewPCG(35, 36))
	g, err := geom.Resolve(2, []int{9, 10}, 3, geom.Window{Size: []int{3, 4}, Stride: []int{2, 1}, Pooling: true})
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range kerneltest.Palettes {
		data := kerneltest.Fill[float32](random, p, 2*9*10*3)
		for _, c := range []struct {
			reduction pool.Reduction
			rank      int
		}{{pool.Min, 0}, {pool.Max, 11}} {
			s := pool.Spec{Geometry: g, DType: tensor.Float32, Reduction: c.reduction, Argmax: true, Index: planeIndex(&g)}
			want, wantAt := runPool[float32, float32](t, random, &s, data)
			s.Reduction, s.Rank = pool.Rank, c.rank
			got, gotAt := runPool[float32, float32](t, random, &s, data)
			for i := range want {
				if !kerneltest.Same(got[i], want[i]) || gotAt[i] != wantAt[i] {
					t.Fatalf("rank %d of %s: output %d is %v at %d, want %v at %d", c.rank, p, i, got[i], gotAt[i], want[i], wantAt[i])
				}
			}
		}
	}
}

// TestLargeWindowsSlide, small ones are selected.
func TestLargeWindowsSlide(t *testing.T) {
	for size, want := range map[int]string{3: "selection", 15: "sliding"} {
		g, err := geom.Resolve(1, []int{60, 60}, 3, geom.Window{Size: []int{size, size}, Stride: []int{1, 1}, Padding: geom.Same, Pooling: true})
		if err != nil {
			t.Fatal(err)
		}
		k := planned(t, pool.Spec{Geometry: g, DType: tensor.Float32, Reduction: pool.Median})
		if !strings.HasPrefix(k.Impl, want) || len(k.Impls) != 2 {
			t.Errorf("%d: runs %q of %q, want %s", size, k.Impl, k.Impls, want)
		}
	}
}

// TestSelectionTakesNoQuadraticTime: numbers in an order that is bad for pivots, or
// all equal, take as long as others.
func TestSelectionTakesNoQuadraticTime(t *testing.T) {
	const n = 1 << 20
	g, err := geom.Resolve(1, []int{n}, 1, geom.Window{Size: []int{n}, Pooling: true})
	if err != nil {
		t.Fatal(err)
	}
	random := rand.New(rand.NewPCG(37, 38))
	organ := make([]float64, n)
	for i := range organ {
		organ[i] = float64(min(i, n-i))
	}
	for name, data := range map[string][]float64{"equal": make([]float64, n), "organ pipes": organ} {
		s := pool.Spec{Geometry: g, DType: tensor.Float64, Reduction: pool.UpperMedian}
		y, _ := runPool[float64, float64](t, random, &s, data)
		sorted := slices.Sorted(slices.Values(data))
		if y[0] != sorted[n/2] {
			t.Errorf("%s: got %v, want %v", name, y[0], sorted[n/2])
		}
	}
}

package poolgrad_test

import (
	"math/big"
	"math/rand/v2"
	"testing"

	"github.com/poolctl/poolctl/internal/ops/kernel/kerneltest"
	"github.com/poolctl/poolctl/internal/ops/kernel/pool"
	"github.com/poolctl/poolctl/internal/ops/kernel/poolgrad"
	"github.com/poolctl/poolctl/internal/tensor"
	"pgregory.net/rapid"
)

// TestIndicesDecodeBack: Encode numbers cells as the conventions say, below
// Limit; Decode returns the cell.
func TestIndicesDecodeBack(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		x := drawIndex(t)
		seen := map[int]bool{}
		for n := range x.N {
			for c := range x.Channels {
				for cell := range x.Extent[0] * x.Extent[1] * x.Extent[2] {
					p := [3]int{cell / (x.Extent[1] * x.Extent[2]), cell / x.Extent[2] % x.Extent[1], cell % x.Extent[2]}
					want := kerneltest.IndexOf(x, n, c, p)
					if got := x.Encode(n, c, cell); got != int64(want) || want >= x.Limit() {
						t.Fatalf("%+v: image %d, channel %d, cell %v is %d, want %d, below %d", x, n, c, p, got, want, x.Limit())
					}
					gotN, gotC, gotCell := x.Decode(int64(want), n, c)
					if gotN != n || gotC != c || gotCell != cell {
						t.Fatalf("%+v: index %d decodes to %d %d %d, want %d %d %d", x, want, gotN, gotC, gotCell, n, c, cell)
					}
					seen[want] = true
				}
			}
		}
		if len(seen) != x.Limit() {
			t.Fatalf("%+v: %d indices in use, the limit is %d", x, len(seen), x.Limit())
		}
	})
}

func drawIndex(t *rapid.T) pool.Index {
	x := pool.Index{
		Convention: rapid.SampledFrom([]pool.Convention{pool.TensorFlow, pool.PyTorch, pool.ONNX, pool.ONNXColumnMajor}).Draw(t, "convention"),
		N:          rapid.IntRange(1, 3).Draw(t, "n"), Channels: rapid.IntRange(1, 3).Draw(t, "c"),
	}
	x.Batch = x.Convention == pool.TensorFlow && rapid.Bool().Draw(t, "batch")
	for i := range x.Extent {
		x.Extent[i] = rapid.IntRange(1, 4).Draw(t, "extent")
	}
	return x
}

// TestUnpoolPlacesEveryValue: random indices, many of them twice, for every
// rule about duplicates; cells without a value are 0.
func TestUnpoolPlacesEveryValue(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		u := &poolgrad.Unpool{Index: drawIndex(t), Values: rapid.IntRange(1, 6).Draw(t, "values")}
		u.Duplicates = rapid.SampledFrom([]poolgrad.Duplicates{poolgrad.LastWins, poolgrad.AddUp, poolgrad.LargestWins}).Draw(t, "duplicates")
		random := rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "seed"), 0))
		checkUnpool[uint8](t, random, u)
		checkUnpool[int8](t, random, u)
		checkUnpool[uint16](t, random, u)
		checkUnpool[int16](t, random, u)
		checkUnpool[uint32](t, random, u)
		checkUnpool[int32](t, random, u)
		checkUnpool[uint64](t, random, u)
		checkUnpool[int64](t, random, u)
		checkUnpool[float32](t, random, u)
		checkUnpool[float64](t, random, u)
	})
}

// TestUnpoolInBands: targets enough for several bands, and values for many lists.
func TestUnpoolInBands(t *testing.T) {
	random := rand.New(rand.NewPCG(3, 4))
	for _, convention := range []pool.Convention{pool.TensorFlow, pool.PyTorch, pool.ONNX, pool.ONNXColumnMajor} {
		for _, duplicates := range []poolgrad.Duplicates{poolgrad.LastWins, poolgrad.AddUp, poolgrad.LargestWins} {
			u := &poolgrad.Unpool{Index: pool.Index{Convention: convention, Batch: duplicates == poolgrad.AddUp && convention == pool.TensorFlow, N: 2, Channels: 37, Extent: [3]int{3, 40, 41}}, Values: 150, Duplicates: duplicates}
			if u.Units() < 4 || u.Lists() < 8 {
				t.Errorf("%+v: %d bands, %d lists", u, u.Units(), u.Lists())
			}
			checkUnpool[float32](t, random, u)
			checkUnpool[int8](t, random, u)
		}
	}
}

func checkUnpool[T tensor.Real](t kerneltest.Failer, random *rand.Rand, u *poolgrad.Unpool) {
	x := &u.Index
	u.DType = tensor.TypeOf[T]()
	cells := x.Extent[0] * x.Extent[1] * x.Extent[2]
	count := x.N * u.Values * x.Channels
	values, index := make([]T, count), make([]int64, count)
	want, filled := make([]T, x.N*cells*x.Channels), make([]bool, x.N*cells*x.Channels)
	first, second := 0, -1
	sums := newSums[T](len(want))
	sent := map[int]int{}
	for i := range index {
		n, c := i/(u.Values*x.Channels), i%x.Channels // where the value stands
		to := [3]int{random.IntN(x.Extent[0]), random.IntN(x.Extent[1]), random.IntN(x.Extent[2])}
		toN, toC := n, c // where it goes: as far as the convention reaches
		switch {
		case x.Convention == pool.ONNX || x.Convention == pool.ONNXColumnMajor || x.Batch:
			toN, toC = random.IntN(x.N), random.IntN(x.Channels)
		case x.Convention == pool.TensorFlow:
			toC = random.IntN(x.Channels)
		}
		index[i] = int64(kerneltest.IndexOf(*x, toN, toC, to))
		values[i] = T(random.IntN(9)) - T(random.IntN(3))
		if random.IntN(8) == 0 {
			values[i] = kerneltest.Value[T](random, []kerneltest.Palette{kerneltest.Extremes, kerneltest.Specials}[random.IntN(2)])
		}
		at := ((toN*x.Extent[0]+to[0])*x.Extent[1]+to[1])*x.Extent[2]*x.Channels + to[2]*x.Channels + toC
		switch {
		case u.Duplicates == poolgrad.AddUp:
			sums.add(at, values[i])
		case u.Duplicates == poolgrad.LargestWins && filled[at]:
			want[at] = max(want[at], values[i])
		default:
			want[at] = values[i]
		}
		filled[at] = true
		if j, twice := sent[at]; twice && second < 0 {
			first, second = j, i
		} else if !twice {
			sent[at] = i
		}
	}
	if u.Duplicates == poolgrad.AddUp {
		for at := range want {
			want[at] = sums.of(at)
		}
	}
	y, intact := kerneltest.Guarded[T](len(want))
	scratch, scratchIntact := kerneltest.GuardedScratch(u.Scratch(false))
	ranges := tensor.From(make([]int64, 2*u.Lists()), 2*u.Lists())
	for _, list := range random.Perm(u.Lists()) {
		u.Range(&scratch, ranges, tensor.From(index, count), list, list+1)
	}
	for _, unit := range random.Perm(u.Units()) {
		u.Place(&scratch, tensor.From(y, len(y)), tensor.From(values, count), tensor.From(index, count), ranges, unit, unit+1)
	}
	if !intact() || !scratchIntact() {
		t.Fatalf("%+v: wrote past its output (%v) or scratch (%v)", u, !intact(), !scratchIntact())
	}
	for i := range want {
		if !kerneltest.Same(y[i]+0, want[i]+0) { // any zero will do
			t.Fatalf("%+v: values %v to %v: cell %d is %v, want %v", u, values, index, i, y[i], want[i])
		}
	}
	i, j, ok := u.FirstDuplicate(tensor.From(index, count))
	if ok != (second >= 0) || ok && (i != first || j != second) {
		t.Fatalf("%+v: %v: first duplicate %d %d %v, want %d %d", u, index, i, j, ok, first, second)
	}
}

// sums are exact sums of integers, clipped at their end, and sums of floats as
// they come.
type sums[T tensor.Real] struct {
	floats []T
	whole  []*big.Int // nil for floats
}

func newSums[T tensor.Real](n int) *sums[T] {
	s := &sums[T]{floats: make([]T, n)}
	if _, _, ok := integerRange(tensor.TypeOf[T]()); ok {
		s.whole = make([]*big.Int, n)
		for i := range s.whole {
			s.whole[i] = new(big.Int)
		}
	}
	return s
}

func (s *sums[T]) add(at int, v T) {
	switch {
	case s.whole == nil:
		s.floats[at] += v
	case v > 0:
		s.whole[at].Add(s.whole[at], new(big.Int).SetUint64(uint64(v)))
	default:
		s.whole[at].Add(s.whole[at], big.NewInt(int64(v)))
	}
}

func (s *sums[T]) of(at int) T {
	if s.whole == nil {
		return s.floats[at]
	}
	lo, hi, _ := integerRange(tensor.TypeOf[T]())
	sum := s.whole[at]
	if sum.Cmp(lo) < 0 {
		sum = lo
	} else if sum.Cmp(hi) > 0 {
		sum = hi
	}
	if sum.IsInt64() {
		return T(sum.Int64())
	}
	return T(sum.Uint64())
}

// integerRange returns the least and the largest number of an integer type.
func integerRange(d tensor.DType) (lo, hi *big.Int, ok bool) {
	bits, one := uint(8*d.Size()), big.NewInt(1)
	switch d {
	case tensor.Uint8, tensor.Uint16, tensor.Uint32, tensor.Uint64:
		return big.NewInt(0), new(big.Int).Sub(new(big.Int).Lsh(one, bits), one), true
	case tensor.Int8, tensor.Int16, tensor.Int32, tensor.Int64:
		half := new(big.Int).Lsh(one, bits-1)
		return new(big.Int).Neg(half), new(big.Int).Sub(half, one), true
	default:
		return nil, nil, false
	}
}

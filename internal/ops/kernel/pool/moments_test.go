package pool_test

import (
	"math"
	"math/big"
	"math/rand/v2"
	"testing"

	"github.com/poolctl/poolctl/internal/geom"
	"github.com/poolctl/poolctl/internal/ops/kernel/kerneltest"
	"github.com/poolctl/poolctl/internal/ops/kernel/pool"
	"github.com/poolctl/poolctl/internal/tensor"
	"pgregory.net/rapid"
)

// TestMomentsAgreeWithTheDefinition, computed exactly, for every type, layout, NaN rule
// and kernel, from extremes to cells that are all equal.
func TestMomentsAgreeWithTheDefinition(t *testing.T) {
	for _, d := range realTypes {
		t.Run(d.String(), func(t *testing.T) {
			rapid.Check(t, func(t *rapid.T) {
				s := kerneltest.DrawSpec(t, kerneltest.DrawGeometry(t, 2_000), d)
				s.Argmax = false
				s.Reduction = rapid.SampledFrom([]pool.Reduction{pool.Variance, pool.Deviation}).Draw(t, "reduction")
				s.CountPadding = rapid.Bool().Draw(t, "count padding")
				random := rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "seed"), 0))
				p := rapid.SampledFrom(kerneltest.Palettes).Draw(t, "palette")
				list := planned(t, s).Impls
				s.Want = list[rapid.IntRange(0, len(list)-1).Draw(t, "implementation")]
				checkMoments.For(d)(t, random, &s, p)
			})
		})
	}
}

var checkMoments = tensor.PerReal(checkFilled[uint8, float32], checkFilled[int8, float32], checkFilled[uint16, float32], checkFilled[int16, float32],
	checkFilled[uint32, float64], checkFilled[int32, float64], checkFilled[uint64, float64], checkFilled[int64, float64],
	checkFilled[float32, float32], checkFilled[float64, float64])

func checkFilled[T tensor.Real, O tensor.Floating](t kerneltest.Failer, random *rand.Rand, s *pool.Spec, p kerneltest.Palette) {
	t.Helper()
	checkMoment[T, O](t, random, s, kerneltest.Fill[T](random, p, inputLen(s)))
}

func inputLen(s *pool.Spec) int {
	return s.Geometry.N * kerneltest.InputOrder(&s.Geometry, false).Cells() * s.Geometry.C
}

func checkMoment[T tensor.Real, O tensor.Floating](t kerneltest.Failer, random *rand.Rand, s *pool.Spec, data []T) {
	t.Helper()
	y, _ := runPool[T, O](t, random, s, data)
	kerneltest.EachWindow(&s.Geometry, s.ChannelsFirst, func(w *kerneltest.Window) {
		var cells []T
		for _, at := range w.Offsets {
			if v := data[at]; v == v || !s.IgnoreNaN {
				cells = append(cells, v)
			}
		}
		zeros := 0
		if s.CountPadding {
			zeros = w.Counted - len(w.Offsets)
		}
		if text := wrongMoment(cells, zeros, s.Reduction == pool.Deviation, y[w.Out]); text != "" {
			t.Fatalf("%s (%s): output %d of %v and %d zeros: %s", kerneltest.Text(s), s.Want, w.Out, cells, zeros, text)
		}
	})
}

// wrongMoment says what is wrong with the variance, or its root, of cells and zeros.
func wrongMoment[T tensor.Real, O tensor.Floating](cells []T, zeros int, root bool, got O) string {
	const prec = 4500 // holds sums of squares of all float64
	float := func() *big.Float { return new(big.Float).SetPrec(prec) }
	sum, squares, largest := float(), float(), float()
	finite := len(cells) > 0
	for _, v := range cells {
		if float64(v)-float64(v) != 0 {
			finite = false
			break
		}
		x := exactly(v)
		sum.Add(sum, x)
		squares.Add(squares, float().Mul(x, x))
		if size := float().Abs(x); size.Cmp(largest) > 0 {
			largest = size
		}
	}
	if !finite {
		if got == got {
			return "got a number, want NaN"
		}
		return ""
	}
	n := float().SetInt64(int64(len(cells) + zeros))
	want := float().Sub(float().Mul(n, squares), float().Mul(sum, sum)) // n² times the variance
	if want.Sign() == 0 {
		if got != 0 {
			return "got " + big.NewFloat(float64(got)).String() + " of equal cells, want 0"
		}
		return ""
	}
	want.Quo(want, float().Mul(n, n))
	deviation := new(big.Float).SetPrec(200).Sqrt(new(big.Float).SetPrec(400).Set(want))

	// Results are rounded, and means by a fraction of the largest cell.
	unit, mean, least, most := 0x1p-23, 0x1p-46, 0x1p-148, math.MaxFloat32
	if tensor.SizeOf[O]() == 8 {
		unit, mean, least, most = 0x1p-47, 0x1p-92, 0x1p-1073, math.MaxFloat64
	}
	slack := float().Mul(largest, big.NewFloat(mean))
	allowed := float().Add(float().Mul(deviation, big.NewFloat(unit)), slack)
	if root {
		want = deviation
	} else {
		// (deviation + slack)² - deviation²
		allowed.Add(float().Mul(want, big.NewFloat(unit)), float().Mul(slack, float().Add(slack, float().Add(deviation, deviation))))
	}
	allowed.Add(allowed, big.NewFloat(least))
	if got != got {
		return "got NaN, want " + want.Text('g', 20)
	}
	value := big.NewFloat(math.Min(float64(got), most)) // what overflows is nearest to the largest number
	wanted := want
	if want.Cmp(big.NewFloat(most)) > 0 {
		wanted = big.NewFloat(most)
	}
	if diff := float().Sub(value, wanted); diff.Abs(diff).Cmp(allowed) > 0 {
		return "got " + value.Text('g', 20) + ", want " + want.Text('g', 20)
	}
	return ""
}

func exactly[T tensor.Real](v T) *big.Float {
	switch f := new(big.Float).SetPrec(4500); {
	case tensor.TypeOf[T]().IsFloat():
		return f.SetFloat64(float64(v))
	case v < 0:
		return f.SetInt64(int64(v))
	default:
		return f.SetUint64(uint64(v))
	}
}

// TestMomentsOfHardCells: equal cells, whose variance is 0 to the bit, means far above
// the deviation, and numbers whose squares overflow or vanish, beside zeros of padding
// too, in small and in large windows.
func TestMomentsOfHardCells(t *testing.T) {
	random := rand.New(rand.NewPCG(41, 42))
	fills := map[string]func() float64{
		"equal":      func() float64 { return 0.1 },
		"equal1e200": func() float64 { return 1e200 },
		"largest":    func() float64 { return math.MaxFloat64 },
		"smallest":   func() float64 { return 5e-324 },
		"opposite":   func() float64 { return math.MaxFloat64 * float64(1-2*random.IntN(2)) },
		"neighbours": func() float64 { return 1 + 0x1p-52*float64(random.IntN(2)) },
		"high":       func() float64 { return 1e15 + random.Float64() },
		"highest":    func() float64 { return 1e300 * (1 + 0x1p-50*float64(random.IntN(4))) },
		"tiny":       func() float64 { return 1e-170 * random.NormFloat64() },
		"subnormal":  func() float64 { return 5e-324 * float64(random.IntN(5)) },
		"mixed":      func() float64 { return math.Ldexp(random.NormFloat64(), random.IntN(2000)-1000) },
	}
	for name, fill := range fills {
		t.Run(name, func(t *testing.T) {
			for _, size := range []int{2, 3, 11} {
				g, err := geom.Resolve(1, []int{13, 14}, 2, geom.Window{Size: []int{size, size}, Stride: []int{1, 1}, Padding: geom.Same, Pooling: true})
				if err != nil {
					t.Fatal(err)
				}
				s := pool.Spec{Geometry: g, DType: tensor.Float64}
				doubles := make([]float64, inputLen(&s))
				singles := make([]float32, len(doubles))
				for i := range doubles {
					doubles[i] = fill()
					singles[i] = float32(doubles[i])
				}
				for _, s.Reduction = range []pool.Reduction{pool.Variance, pool.Deviation} {
					for _, s.CountPadding = range []bool{false, true} {
						s.DType = tensor.Float64
						checkMoment[float64, float64](t, random, &s, doubles)
						s.DType = tensor.Float32
						checkMoment[float32, float32](t, random, &s, singles)
					}
				}
			}
		})
	}
}

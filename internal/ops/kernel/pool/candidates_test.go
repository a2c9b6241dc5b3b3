package pool_test

import (
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/poolctl/poolctl/internal/ops/kernel"
	"github.com/poolctl/poolctl/internal/ops/kernel/kerneltest"
	"github.com/poolctl/poolctl/internal/ops/kernel/pool"
	"github.com/poolctl/poolctl/internal/tensor"
	"pgregory.net/rapid"
)

// TestEveryCandidateAgreesWithTheDefinition: each kernel that can run does so when
// it is asked for by name. Maxima, minima and their places are those of the
// definition to the bit, sums within one rounding.
func TestEveryCandidateAgreesWithTheDefinition(t *testing.T) {
	ran := map[string]bool{}
	for _, d := range realTypes {
		t.Run(d.String(), func(t *testing.T) {
			rapid.Check(t, func(t *rapid.T) {
				s := kerneltest.DrawSpec(t, kerneltest.DrawGeometry(t, 2_000), d)
				s.Reduction = rapid.SampledFrom([]pool.Reduction{pool.Max, pool.Min, pool.Average, pool.Sum}).Draw(t, "reduction")
				s.Level = kernel.Detected()
				random := rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "seed"), 0))
				p := rapid.SampledFrom(kerneltest.Palettes).Draw(t, "palette")
				for _, impl := range planned(t, s).Impls {
					s.Want = impl
					if k := planned(t, s); k.Impl != impl {
						t.Fatalf("%s: asked for %q, got %q", kerneltest.Text(&s), impl, k.Impl)
					}
					family, _, _ := strings.Cut(impl, " ")
					ran[family] = true
					checkReduction(t, random, &s, p)
				}
			})
		})
	}
	families := []string{"rows", "strips", "separable"}
	if kerneltest.HasAssembly && kernel.Detected() > kernel.Generic {
		families = append(families, "direct")
	}
	for _, family := range families {
		if !ran[family] {
			t.Errorf("no %s among the kernels that ran: %v", family, ran)
		}
	}
}

// TestFarStridesAndLargeCells: the same over strides, windows, dilations and
// channels of up to 100,000, of which one output or a few result.
func TestFarStridesAndLargeCells(t *testing.T) {
	for _, d := range []tensor.DType{tensor.Uint8, tensor.Int16, tensor.Int64, tensor.Float32, tensor.Float64} {
		t.Run(d.String(), func(t *testing.T) {
			rapid.Check(t, func(t *rapid.T) {
				g, _ := kerneltest.DrawFarGeometry(t)
				s := kerneltest.DrawSpec(t, g, d)
				s.Reduction = rapid.SampledFrom([]pool.Reduction{pool.Max, pool.Min, pool.Average, pool.Sum}).Draw(t, "reduction")
				if kerneltest.OutputOrder(&g, g.C, false).Cells()*g.Taps()*g.C > 10_000 { // exact sums of so many take seconds
					s.Reduction = pool.Max
				}
				s.Level = rapid.SampledFrom(kerneltest.EveryLevel()).Draw(t, "level")
				random := rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "seed"), 0))
				p := rapid.SampledFrom(kerneltest.Palettes).Draw(t, "palette")
				list := planned(t, s).Impls
				s.Want = list[rapid.IntRange(0, len(list)-1).Draw(t, "implementation")]
				checkReduction(t, random, &s, p)
			})
		})
	}
}

func checkReduction(t kerneltest.Failer, random *rand.Rand, s *pool.Spec, p kerneltest.Palette) {
	t.Helper()
	checkReductions.For(s.DType)(t, random, s, p)
}

var checkReductions = tensor.PerReal(checkReductionOf[uint8, float32], checkReductionOf[int8, float32], checkReductionOf[uint16, float32], checkReductionOf[int16, float32],
	checkReductionOf[uint32, float64], checkReductionOf[int32, float64], checkReductionOf[uint64, float64], checkReductionOf[int64, float64],
	checkReductionOf[float32, float32], checkReductionOf[float64, float64])

func checkReductionOf[T tensor.Real, O tensor.Floating](t kerneltest.Failer, random *rand.Rand, s *pool.Spec, p kerneltest.Palette) {
	t.Helper()
	if s.Reduction.IsExtremum() {
		checkExtremum[T](t, random, s, p)
		s.Argmax = false
		return
	}
	checkSum[T, O](t, random, s, p)
}

// TestUnknownReductionsAreRefused: a reduction that has no kernel is refused by
// every candidate, and planning fails.
func TestUnknownReductionsAreRefused(t *testing.T) {
	g := kerneltest.UnitGeometries(t)[0]
	for _, d := range realTypes {
		for _, level := range kerneltest.EveryLevel() {
			for _, argmax := range []bool{false, true} {
				s := pool.Spec{Geometry: g, Reduction: 200, DType: d, Level: level, Argmax: argmax, Index: planeIndex(&g)}
				k, err := pool.New(s)
				if err == nil {
					t.Fatalf("%s: runs %q", kerneltest.Text(&s), k.Impl)
				}
				if !strings.Contains(err.Error(), "reduction 200") || !strings.Contains(err.Error(), d.String()) {
					t.Errorf("%s: %v", kerneltest.Text(&s), err)
				}
				for _, r := range pool.Refusals(s) {
					if r.Reason == "" {
						t.Errorf("%s: %q would run", kerneltest.Text(&s), r.Impl)
					}
				}
			}
		}
	}
}

// TestTypesAndArgmaxWithoutAKernelAreRefused: no kernel takes the element type for
// another, or gives an argmax of what has none.
func TestTypesAndArgmaxWithoutAKernelAreRefused(t *testing.T) {
	g := kerneltest.UnitGeometries(t)[0]
	for _, level := range kerneltest.EveryLevel() {
		for _, s := range []pool.Spec{
			{Reduction: pool.Max, DType: tensor.Float16},
			{Reduction: pool.Average, DType: tensor.Float16},
			{Reduction: pool.Average, DType: tensor.Float32, Argmax: true},
			{Reduction: pool.Sum, DType: tensor.Uint8, Argmax: true},
			{Reduction: pool.LP, Power: 2, DType: tensor.Float64, Argmax: true},
		} {
			s.Geometry, s.Level, s.Index = g, level, planeIndex(&g)
			if k, err := pool.New(s); err == nil {
				t.Errorf("%s, argmax %v: runs %q", kerneltest.Text(&s), s.Argmax, k.Impl)
			}
		}
	}
}

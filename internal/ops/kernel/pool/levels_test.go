package pool_test

import (
	"math"
	"math/rand/v2"
	"os"
	"strings"
	"testing"

	"github.com/poolctl/poolctl/internal/ops/kernel"
	"github.com/poolctl/poolctl/internal/ops/kernel/kerneltest"
	"github.com/poolctl/poolctl/internal/ops/kernel/pool"
	"github.com/poolctl/poolctl/internal/tensor"
	"pgregory.net/rapid"
)

// TestRequiredISARuns: where POOLCTL_REQUIRE_ISA names a level, kernels planned
// for it must run its assembly, so that no machine passes by skipping.
func TestRequiredISARuns(t *testing.T) {
	name := os.Getenv("POOLCTL_REQUIRE_ISA")
	if name == "" {
		return
	}
	level := kernel.AVX512
	for level > kernel.Generic && level.String() != name {
		level--
	}
	if level.String() != name {
		t.Fatalf("POOLCTL_REQUIRE_ISA: got %q, want generic, avx2 or avx512", name)
	}
	if kernel.Detected() < level {
		t.Fatalf("this machine has %v, POOLCTL_REQUIRE_ISA wants %s", kernel.Detected(), name)
	}
	rapid.Check(t, func(t *rapid.T) {
		for _, reduction := range []pool.Reduction{pool.Max, pool.Min, pool.Average, pool.Sum} {
			s := kerneltest.DrawSpec(t, kerneltest.DrawGeometry(t, 1000), tensor.Float32)
			s.Level, s.Reduction, s.IgnoreNaN = level, reduction, false
			want := ", " + name
			if level == kernel.Generic {
				want = ", go"
			}
			if k := planned(t, s); !strings.HasSuffix(k.Impl, want) {
				t.Fatalf("%s runs %q, POOLCTL_REQUIRE_ISA wants %s", kerneltest.Text(&s), k.Impl, name)
			}
		}
	})
}

// TestPoolingIsTheSameAtEveryLevel, to the bit but for the payload of NaN that
// sums make.
func TestPoolingIsTheSameAtEveryLevel(t *testing.T) {
	for _, d := range []tensor.DType{tensor.Uint8, tensor.Int16, tensor.Float32, tensor.Float64} {
		t.Run(d.String(), func(t *testing.T) {
			rapid.Check(t, func(t *rapid.T) {
				s := kerneltest.DrawSpec(t, kerneltest.DrawGeometry(t, 100_000), d)
				s.Reduction = rapid.SampledFrom([]pool.Reduction{pool.Max, pool.Max, pool.Min, pool.Average, pool.Sum, pool.LP}).Draw(t, "reduction")
				s.Argmax = s.Reduction.IsExtremum() && rapid.Bool().Draw(t, "argmax")
				s.CountPadding = rapid.Bool().Draw(t, "count padding")
				s.Divisor = rapid.SampledFrom([]int{0, 0, 7, -3}).Draw(t, "divisor")
				s.Power = rapid.SampledFrom([]float64{1, 2, 3, math.Inf(1)}).Draw(t, "p")
				random := rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "seed"), 0))
				p := rapid.SampledFrom(kerneltest.Palettes).Draw(t, "palette")
				switch {
				case d == tensor.Uint8 && s.Reduction.IsExtremum():
					checkPoolLevels[uint8, uint8](t, random, s, p)
				case d == tensor.Uint8:
					checkPoolLevels[uint8, float32](t, random, s, p)
				case d == tensor.Int16 && s.Reduction.IsExtremum():
					checkPoolLevels[int16, int16](t, random, s, p)
				case d == tensor.Int16:
					checkPoolLevels[int16, float32](t, random, s, p)
				case d == tensor.Float32:
					checkPoolLevels[float32, float32](t, random, s, p)
				default:
					checkPoolLevels[float64, float64](t, random, s, p)
				}
			})
		})
	}
}

// checkPoolLevels compares every level with plain Go on the same data, which starts
// anywhere in memory.
func checkPoolLevels[T, O tensor.Real](t kerneltest.Failer, random *rand.Rand, s pool.Spec, p kerneltest.Palette) {
	t.Helper()
	n := s.Geometry.N * kerneltest.InputOrder(&s.Geometry, false).Cells() * s.Geometry.C
	shift := random.IntN(16)
	data := kerneltest.Fill[T](random, p, shift+n)[shift:]
	s.Level = kernel.Generic
	want, wantAt := runPool[T, O](t, random, &s, data)
	for _, s.Level = range kerneltest.Levels() {
		got, at := runPool[T, O](t, random, &s, data)
		for i := range want {
			exact := s.Reduction.IsExtremum()
			if !kerneltest.Same(got[i], want[i]) || exact && bitsOf(got[i]) != bitsOf(want[i]) {
				t.Fatalf("%s at %v (%s): output %d is %v (%#x), plain Go gives %v (%#x)", kerneltest.Text(&s), s.Level, planned(t, s).Impl, i, got[i], bitsOf(got[i]), want[i], bitsOf(want[i]))
			}
			if s.Argmax && at[i] != wantAt[i] {
				t.Fatalf("%s at %v (%s): argmax %d is %d, plain Go gives %d", kerneltest.Text(&s), s.Level, planned(t, s).Impl, i, at[i], wantAt[i])
			}
		}
	}
}

func bitsOf[T tensor.Real](v T) uint64 {
	switch v := any(v).(type) {
	case float32:
		return uint64(math.Float32bits(v))
	case float64:
		return math.Float64bits(v)
	default:
		return 0
	}
}

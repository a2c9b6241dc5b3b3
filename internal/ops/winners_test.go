package ops

import (
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/poolctl/poolctl/internal/ops/kernel"
	"github.com/poolctl/poolctl/internal/tensor"
)

// TestNotedWinners: a forward pass that notes the winners pools the same numbers to
// the bit, and the gradient that takes them is the one that finds them itself; for
// every kind of cell, with ties and NaN, at every level.
func TestNotedWinners(t *testing.T) {
	random := rand.New(rand.NewPCG(41, 42))
	for _, d := range []tensor.DType{tensor.Float32, tensor.Float64, tensor.Uint8} {
		for _, channels := range []int{1, 2, 3, 5, 8, 19, 40} {
			for _, flags := range []string{
				"type=max window=3 strides=2 padding=SAME",
				"type=min window=2 strides=1",
				"type=max window=3 strides=1 dilations=2 padding=SAME nan=ignore",
				"type=max window=3,1 strides=2 data-format=NCHW",
			} {
				op := poolSpec.New()
				for _, f := range strings.Fields(flags) {
					name, value, _ := strings.Cut(f, "=")
					if err := Set(op, name, value); err != nil {
						t.Fatal(err)
					}
				}
				shape := tensor.Shape{2, 7, 9, channels}
				if strings.Contains(flags, "NCHW") {
					shape = tensor.Shape{2, channels, 7, 9}
				}
				x := coarse(random, tensor.Spec{DType: d, Shape: shape})
				for level := kernel.Generic; level <= kernel.Detected(); level++ {
					t.Setenv(kernel.Variable, level.String())
					checkNoted(t, op.(*Pool), x, random)
				}
			}
		}
	}
}

// coarse draws numbers of which many are equal and some are NaN.
func coarse(random *rand.Rand, spec tensor.Spec) *tensor.Tensor {
	list := make([]float64, tensor.New(spec).Len())
	for i := range list {
		list[i] = float64(random.IntN(6))
		if spec.DType.IsFloat() && random.IntN(40) == 0 {
			list[i] = []float64{math.NaN(), math.Copysign(0, -1), math.Inf(-1)}[random.IntN(3)]
		}
	}
	x, _ := tensor.Converted(tensor.From(list, spec.Shape...), spec.DType)
	return x
}

func checkNoted(t *testing.T, o *Pool, x *tensor.Tensor, random *rand.Rand) {
	t.Helper()
	in := []tensor.Spec{x.Spec}
	run := func(plan *Plan, err error) func(in ...*tensor.Tensor) []*tensor.Tensor {
		if err != nil {
			t.Fatal(err)
		}
		return func(in ...*tensor.Tensor) []*tensor.Tensor {
			out, _, err := Run(plan, 2, in...)
			if err != nil {
				t.Fatal(err)
			}
			return out
		}
	}
	y, noted := run(o.Plan(in, Want{}))(x), run(o.Plan(in, Want{Winners: true}))(x)
	if !slices.Equal(bitsOf(y[0]), bitsOf(noted[0])) {
		t.Fatalf("%+v of %v: noting the winners changes what is pooled", o, x.Spec)
	}
	if want := map[bool]int{false: 1, true: 2}[x.DType.IsFloat()]; len(noted) != want {
		t.Fatalf("%+v of %v: %d outputs, want %d", o, x.Spec, len(noted), want)
	}
	if len(noted) == 1 {
		return
	}
	dy := coarse(random, y[0].Spec)
	in = append(in, dy.Spec)
	want := run(o.PlanGrad(in, WantGrad{Input: true}))(x, dy)
	plan, err := o.PlanGrad(append(in, noted[1].Spec), WantGrad{Input: true, Winners: true})
	got := run(plan, err)(x, dy, noted[1])
	if !slices.Contains(plan.Unread, 0) {
		t.Errorf("%+v reads x again", o)
	}
	if !slices.Equal(bitsOf(got[0]), bitsOf(want[0])) {
		t.Fatalf("%+v of %v: the gradient by noted winners is another", o, x.Spec)
	}
}

// bitsOf returns numbers as bits, all NaN being one.
func bitsOf(x *tensor.Tensor) []uint64 {
	wide, _ := tensor.Converted(x, tensor.Float64)
	var list []uint64
	for _, v := range tensor.Of[float64](wide) {
		if v != v {
			v = math.NaN()
		}
		list = append(list, math.Float64bits(v))
	}
	return list
}

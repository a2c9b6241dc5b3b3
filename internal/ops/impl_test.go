package ops_test

import (
	"errors"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/poolctl/poolctl/internal/ops"
	"github.com/poolctl/poolctl/internal/tensor"
)

// TestImplementationsCanBeForced: every implementation that a plan lists runs
// when it is asked for by name, with the reason why no better one did, and gives
// what the best one gives; others are refused.
func TestImplementationsCanBeForced(t *testing.T) {
	for _, c := range []struct{ name, params string }{
		{"conv2d", "filter=f padding=SAME"},
		{"conv2d", "filter=f padding=SAME allow-winograd=true"},
		{"conv2d", "filter=f padding=SAME groups=3 filter-format=HWIO"},
		{"conv2d-transpose", "filter=f strides=2"},
	} {
		op := differentiable(t, c.name, c.params)
		x, f := uneven(tensor.Shape{1, 6, 5, 3}, 1), uneven(tensor.Shape{3, 3, 3, 3}, 2)
		if strings.Contains(c.params, "groups") {
			f = uneven(tensor.Shape{3, 3, 1, 3}, 2)
		}
		specs := specsOf([]*tensor.Tensor{x, f})
		best, err := op.Plan(specs, ops.Want{})
		if err != nil {
			t.Fatal(err)
		}
		first := slices.IndexFunc(best.Impls, func(impl string) bool { return !strings.HasPrefix(impl, "Winograd") })
		if first < 0 || best.Impls[first] != best.Impl {
			t.Errorf("%s %s: runs %q of %q", c.name, c.params, best.Impl, best.Impls)
		}
		want := runPlan(t, best, x, f)
		for i, impl := range best.Impls {
			plan, err := op.Plan(specs, ops.Want{Impl: impl})
			if err != nil || plan.Impl != impl || !slices.Equal(plan.Impls, best.Impls) || len(plan.Why) != len(best.Why)+i-first {
				t.Fatalf("%s %s: asked for %q, got %+v, %v", c.name, c.params, impl, plan, err)
			}
			checkReasons(t, plan, c.name+" "+c.params, i > 0)
			for k, v := range runPlan(t, plan, x, f) {
				if math.Abs(v-want[k]) > 1e-4 {
					t.Errorf("%s %s: %s: number %d is %v, the best implementation gives %v", c.name, c.params, impl, k, v, want[k])
				}
			}
		}
		_, err = op.Plan(specs, ops.Want{Impl: "abacus"})
		checkImplRefused(t, err)
		upstream := append(slices.Clone(specs), tensor.Spec{DType: tensor.Float64, Shape: best.Outputs[0].Shape})
		for _, want := range []ops.WantGrad{{Input: true}, {Filter: true}} {
			best, err := op.PlanGrad(upstream, want)
			if err != nil {
				t.Fatal(err)
			}
			for _, want.Impl = range best.Impls {
				if plan, err := op.PlanGrad(upstream, want); err != nil || plan.Impl != want.Impl {
					t.Errorf("%s %s: gradient: asked for %q, got %+v, %v", c.name, c.params, want.Impl, plan, err)
				}
			}
			want.Impl = "abacus"
			_, err = op.PlanGrad(upstream, want)
			checkImplRefused(t, err)
		}
	}
}

// TestPoolingCanBeForced: each kernel of pooling runs when it is asked for by name,
// with a reason for each that would be better, and gives what the best one gives.
func TestPoolingCanBeForced(t *testing.T) {
	for _, c := range []struct {
		params string
		dtype  tensor.DType
		least  int // kernels in plain Go
	}{
		{"type=max window=3 strides=1 padding=SAME", tensor.Float32, 2},
		{"type=avg window=2", tensor.Float32, 2},
		{"type=max window=2 data-format=NCHW", tensor.Float32, 2},
		{"type=avg window=5 strides=1 data-format=NCHW", tensor.Float32, 2},
		{"type=max window=2", tensor.Uint8, 3},
		{"type=min window=2", tensor.Float16, 2},
		{"type=lp window=3", tensor.Float64, 2},
		{"type=max output-size=2", tensor.Float32, 1},
	} {
		op := differentiable(t, "pool", c.params)
		x, _ := tensor.Converted(uneven(tensor.Shape{2, 8, 8, 8}, 1), c.dtype)
		specs := specsOf([]*tensor.Tensor{x})
		best, err := op.Plan(specs, ops.Want{})
		if err != nil {
			t.Fatal(err)
		}
		if len(best.Impls) < c.least {
			t.Errorf("%s: offers %q, want %d at least", c.params, best.Impls, c.least)
		}
		want := runPlan(t, best, x)
		for i, impl := range best.Impls {
			plan, err := op.Plan(specs, ops.Want{Impl: impl})
			if err != nil || plan.Impl != impl || !slices.Equal(plan.Impls, best.Impls) || len(plan.Why) < i {
				t.Fatalf("%s: asked for %q, got %+v, %v", c.params, impl, plan, err)
			}
			checkReasons(t, plan, c.params, i > 0)
			for k, v := range runPlan(t, plan, x) {
				if math.Abs(v-want[k]) > 1e-6*math.Abs(want[k]) {
					t.Errorf("%s: %s: number %d is %v, the best kernel gives %v", c.params, impl, k, v, want[k])
				}
			}
		}
		_, err = op.Plan(specs, ops.Want{Impl: "abacus"})
		checkImplRefused(t, err)
	}
}

// checkReasons wants a reason for every kernel that a plan does not run though it
// would be better: for those that could run, that another was asked for.
func checkReasons(t *testing.T, plan *ops.Plan, call string, able bool) {
	t.Helper()
	asked := 0
	for _, why := range plan.Why {
		if why.Reason == "" {
			t.Errorf("%s: no reason why %s does not run", call, why.Impl)
		}
		if slices.Contains(plan.Impls, why.Impl) {
			if want := plan.Impl + " was asked for"; why.Reason != want {
				t.Errorf("%s: %s does not run because %q, want %q", call, why.Impl, why.Reason, want)
			}
			asked++
		}
	}
	if able && asked == 0 {
		t.Errorf("%s: nothing says that %s was asked for", call, plan.Impl)
	}
}

func runPlan(t *testing.T, plan *ops.Plan, in ...*tensor.Tensor) []float64 {
	t.Helper()
	out, _, err := ops.Run(plan, 1, in...)
	if err != nil {
		t.Fatal(err)
	}
	wide, _ := tensor.Converted(out[0], tensor.Float64)
	return tensor.Of[float64](wide)
}

func checkImplRefused(t *testing.T, err error) {
	t.Helper()
	var wrong *ops.UsageError
	if !errors.As(err, &wrong) || ops.Field(err) != "impl" {
		t.Errorf("an unknown implementation gives %v", err)
	}
}

// TestAlgorithmsThatWereNotAskedForSaySo: with --algorithm direct every kernel of
// another algorithm is refused for that reason.
func TestAlgorithmsThatWereNotAskedForSaySo(t *testing.T) {
	op := differentiable(t, "conv2d", "filter=f padding=SAME algorithm=direct")
	plan, err := op.Plan(specsOf([]*tensor.Tensor{uneven(tensor.Shape{1, 6, 5, 3}, 1), uneven(tensor.Shape{3, 3, 3, 3}, 2)}), ops.Want{})
	if err != nil {
		t.Fatal(err)
	}
	others := 0
	for _, why := range plan.Why {
		if !strings.HasPrefix(why.Impl, "implicit GEMM") && !isWinograd(why.Impl) {
			continue
		}
		if others++; why.Reason != "the algorithm direct was asked for" {
			t.Errorf("%s does not run because %q, want the algorithm for a reason", why.Impl, why.Reason)
		}
	}
	if others == 0 {
		t.Errorf("%q runs, and no other algorithm would be better: %+v", plan.Impl, plan.Why)
	}
}

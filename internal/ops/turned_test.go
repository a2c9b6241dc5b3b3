package ops_test

import (
	"math/rand/v2"
	"testing"

	"github.com/poolctl/poolctl/internal/ops"
	"github.com/poolctl/poolctl/internal/tensor"
	"github.com/poolctl/poolctl/internal/testutil"
)

// TestTurnedPooling: pooling and its gradients give to the bit what they give for
// channels-last data, with as many channels as data is transposed for and with
// less.
func TestTurnedPooling(t *testing.T) {
	random := rand.New(rand.NewPCG(31, 32))
	for _, params := range []map[string]string{
		{"type": "max", "window": "2"},
		{"type": "max", "window": "3", "strides": "2", "padding": "SAME", "ties": "last"},
		{"type": "min", "window": "3", "strides": "1", "padding": "SAME", "ties": "split"},
		{"type": "max", "window": "global"},
		{"type": "avg", "window": "7", "strides": "1", "padding": "SAME"},
		{"type": "avg", "window": "3", "strides": "2", "nan": "ignore"},
		{"type": "sum", "window": "9", "strides": "2", "padding": "SAME"},
		{"type": "lp", "window": "3", "strides": "2"},
		{"type": "lp", "p": "inf", "window": "2"},
	} {
		for _, channels := range []int{3, 8, 11} {
			for _, dtype := range []tensor.DType{tensor.Float32, tensor.Float64, tensor.Float16, tensor.BFloat16} {
				last := tensor.New(tensor.Spec{DType: dtype, Shape: tensor.Shape{2, 33, 35, channels}})
				numbers := tensor.New(tensor.Spec{DType: tensor.Float64, Shape: last.Shape})
				for i, list := 0, tensor.Of[float64](numbers); i < len(list); i++ {
					list[i] = float64(random.IntN(40)-20) / 8
				}
				tensor.Convert(last, numbers)
				y, dx := pooled(t, params, "NHWC", last)
				firstY, firstDx := pooled(t, params, "NCHW", tensor.Permuted(last, tensor.Permutation("NHWC", "NCHW")))
				back := tensor.Permutation("NCHW", "NHWC")
				if err := testutil.Equal(tensor.Permuted(firstY, back), y, 0); err != nil {
					t.Errorf("%v of %s: %v", params, last.Spec, err)
				}
				if err := testutil.Equal(tensor.Permuted(firstDx, back), dx, 0); err != nil {
					t.Errorf("gradient of %v of %s: %v", params, last.Spec, err)
				}
			}
		}
	}
}

// pooled returns what pooling gives, and its gradient for what it gives.
func pooled(t *testing.T, params map[string]string, layout string, x *tensor.Tensor) (y, dx *tensor.Tensor) {
	t.Helper()
	spec, err := ops.Lookup("pool")
	if err != nil {
		t.Fatal(err)
	}
	op := spec.New()
	set := func(name, value string) {
		if err := ops.Set(op, name, value); err != nil {
			t.Fatal(err)
		}
	}
	set("data-format", layout)
	for name, value := range params {
		if name != "ties" {
			set(name, value)
		}
	}
	run := func(plan *ops.Plan, err error, in ...*tensor.Tensor) *tensor.Tensor {
		t.Helper()
		if err != nil {
			t.Fatalf("%v: %v", params, err)
		}
		out, _, err := ops.Run(plan, 2, in...)
		if err != nil {
			t.Fatal(err)
		}
		return out[0]
	}
	plan, err := op.Plan([]tensor.Spec{x.Spec}, ops.Want{})
	y = run(plan, err, x)
	if ties := params["ties"]; ties != "" {
		op.(*ops.Pool).Ties = ties
	}
	plan, err = op.(ops.Differentiable).PlanGrad([]tensor.Spec{x.Spec, y.Spec}, ops.WantGrad{Input: true})
	return y, run(plan, err, x, y)
}

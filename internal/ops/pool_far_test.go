package ops_test

import (
	"fmt"
	"math"
	"slices"
	"testing"

	"github.com/poolctl/poolctl/internal/ops"
	"github.com/poolctl/poolctl/internal/ops/kernel/kerneltest"
	"github.com/poolctl/poolctl/internal/tensor"
	"pgregory.net/rapid"
)

// TestFarPooling: windows, strides, dilations and channels of up to 100,000, of
// which one output or a few result, are pooled and differentiated. What an upstream
// gradient is shared out into adds up to it.
func TestFarPooling(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		g, w := kerneltest.DrawFarGeometry(r)
		kind := rapid.SampledFrom([]string{"max", "min", "avg", "sum", "lp"}).Draw(r, "type")
		params := fmt.Sprintf("type=%s window=%s strides=%s dilations=%s padding=%s", kind, tensor.Join(w.Size, ","), tensor.Join(w.Stride, ","), tensor.Join(w.Dilation, ","), w.Padding)
		layout := tensor.ChannelsLast(len(w.Size))
		if rapid.Bool().Draw(r, "channels first") {
			layout = [...]tensor.Layout{tensor.NCW, tensor.NCHW, tensor.NCDHW}[len(w.Size)-1]
		}
		var spatial []int
		for _, a := range g.Spatial() {
			spatial = append(spatial, a.In)
		}
		op := differentiable(t, "pool", params+" data-format="+string(layout))
		x := uneven(layout.Join(tensor.Extents{N: g.N, C: g.C, Spatial: spatial}), 1)
		if d := rapid.SampledFrom([]tensor.DType{tensor.Uint8, tensor.Float16, tensor.Float32, tensor.Float64}).Draw(r, "dtype"); d != x.DType {
			x, _ = tensor.Converted(x, d)
		}
		plan, err := op.Plan(specsOf([]*tensor.Tensor{x}), ops.Want{})
		if err != nil {
			r.Fatalf("%s: %v", params, err)
		}
		y := runPlan(t, plan, x)
		if n, _ := plan.Outputs[0].Shape.Elements(); len(y) != n {
			r.Fatalf("%s: %d outputs, want %d", params, len(y), n)
		}
		dy := uneven(plan.Outputs[0].Shape, 2)
		for i := range dy.Len() {
			tensor.Of[float64](dy)[i] = math.Abs(dy.At(i)) // so that nothing cancels
		}
		grad, err := op.PlanGrad(specsOf([]*tensor.Tensor{x, dy}), ops.WantGrad{Input: true})
		if err != nil {
			r.Fatalf("gradient of %s: %v", params, err)
		}
		dx := 0.0
		for _, v := range runPlan(t, grad, x, dy) {
			dx += v
		}
		if shared := kind == "max" || kind == "min" || kind == "avg"; shared && !near(dx, total(dy), 1e-2) {
			r.Fatalf("%s of %s: the gradient sums to %g, the upstream gradient to %g", params, x.Spec, dx, total(dy))
		}
	})
}

// TestStrideFarBeyondTheWindow divided by zero when it planned strips.
func TestStrideFarBeyondTheWindow(t *testing.T) {
	x := tensor.New(tensor.Spec{DType: tensor.Float64, Shape: tensor.Shape{1, 5000, 1}})
	for i := range x.Len() {
		tensor.Of[float64](x)[i] = float64(i)
	}
	for kind, want := range map[string][]float64{"max": {1, 2001, 4001}, "avg": {0.5, 2000.5, 4000.5}, "sum": {1, 4001, 8001}} {
		op := differentiable(t, "pool", "window=2 strides=2000 type="+kind)
		plan, err := op.Plan(specsOf([]*tensor.Tensor{x}), ops.Want{})
		if err != nil {
			t.Fatal(err)
		}
		if got := runPlan(t, plan, x); !slices.Equal(got, want) {
			t.Errorf("%s: got %v, want %v", kind, got, want)
		}
	}
}

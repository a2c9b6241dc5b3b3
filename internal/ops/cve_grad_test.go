package ops_test

import (
	"strings"
	"testing"

	"github.com/poolctl/poolctl/internal/ops"
	"github.com/poolctl/poolctl/internal/tensor"
)

// TestGradientCVEs gives gradients the arguments that crashed TensorFlow's, or
// made it read or write outside its tensors, as far as poolctl has such an
// argument: each is an error, or an empty batch's empty result. Rows are named
// by advisory (github.com/pypa/advisory-database). Indices out of range, the
// subject of CVE-2021-29569 and -29571, are in TestGradientRefusesArgmax.
func TestGradientCVEs(t *testing.T) {
	const huge = 1879048192
	for _, c := range []struct {
		name, op, params string
		in               []tensor.Shape // x, filter, upstream (or what stands in its place), argmax
		want             string         // of the error; "" for a result in x's shape
	}{
		{"CVE-2022-35968 AvgPoolGrad of a negative shape", "pool", "type=avg window=2", []tensor.Shape{{-536870912, -536870912, -536870912, -536870912}, {1, 2, 2, 1}}, "pool: "},
		{"CVE-2022-35959 AvgPool3DGrad of a shape that overflows", "pool", "type=avg window=2", []tensor.Shape{{huge, huge, huge, huge, huge}, {1, 1, 1, 1, 1}}, "pool: "},
		{"CVE-2021-29577 AvgPool3DGrad with other channels", "pool", "type=avg window=2", []tensor.Shape{{1, 2, 2, 2, 7}, {1, 1, 1, 1, 8}}, "pool: upstream: got shape (1,1,1,1,8), want the output's (1,1,1,1,7)"},
		{"AvgPoolGrad of 3x3 for 2x2", "pool", "type=avg window=2", []tensor.Shape{{1, 4, 4, 1}, {1, 3, 3, 1}}, "pool: upstream: got shape (1,3,3,1), want the output's (1,2,2,1)"},
		{"AvgPoolGrad of 3 channels for 1", "pool", "type=avg window=2", []tensor.Shape{{1, 4, 4, 1}, {1, 2, 2, 3}}, "pool: upstream: got shape (1,2,2,3), want the output's (1,2,2,1)"},
		{"CVE-2021-29579 MaxPoolGrad of an empty gradient", "pool", "type=max window=2", []tensor.Shape{{1, 4, 4, 1}, {0, 0, 0, 0}}, "pool: upstream: got shape (0,0,0,0), want the output's (1,2,2,1)"},
		{"CVE-2021-29570 MaxPoolGradWithArgmax of another argmax", "pool", "type=max window=2 from-argmax=a.npy", []tensor.Shape{{1, 4, 4, 1}, {1, 2, 2, 1}, {1, 1, 1, 1}}, "pool: from-argmax: got int64 (1,1,1,1), want integers in the output's shape (1,2,2,1)"},
		{"CVE-2021-29570 MaxPoolGradWithArgmax of another gradient", "pool", "type=max window=2 from-argmax=a.npy", []tensor.Shape{{1, 4, 4, 1}, {1, 1, 1, 1}, {1, 2, 2, 1}}, "pool: upstream: got shape (1,1,1,1), want the output's (1,2,2,1)"},
		{"CVE-2021-29573 MaxPoolGradWithArgmax of an empty batch", "pool", "type=max window=2 from-argmax=a.npy", []tensor.Shape{{0, 4, 4, 1}, {0, 2, 2, 1}, {0, 2, 2, 1}}, ""},
		{"CVE-2021-29574 MaxPool3DGradGrad of an empty input", "pool", "type=max window=2 second=g.npy", []tensor.Shape{{0, 0, 0, 0, 0}, {1, 2, 2, 2, 1}}, "pool: window: got 2 cells"},
		{"CVE-2021-29574 MaxPool3DGradGrad of an empty gradient", "pool", "type=max window=2 second=g.npy", []tensor.Shape{{1, 2, 2, 2, 1}, {0, 0, 0, 0, 0}}, "pool: second: got shape (0,0,0,0,0), want the input's (1,2,2,2,1)"},
		{"CVE-2021-29580 FractionalMaxPoolGrad of another rank", "pool", "type=max fractional=1.5 seed=1", []tensor.Shape{{1, 6, 6, 1}, {4, 4}}, "pool: upstream: got shape (4,4), want the output's (1,4,4,1)"},
		{"CVE-2022-35981 FractionalMaxPoolGrad of an empty output", "pool", "type=max fractional=1.5 seed=1", []tensor.Shape{{1, 6, 6, 1}, {0, 0, 0, 0}}, "pool: upstream: got shape (0,0,0,0), want the output's (1,4,4,1)"},
		{"CVE-2022-35963 FractionalAvgPoolGrad of a negative shape", "pool", "type=avg fractional=1.5 seed=1", []tensor.Shape{{1, huge - 1<<32, 6, 1}, {1, 4, 4, 1}}, "pool: "},
		{"CVE-2021-29578 FractionalAvgPoolGrad of too large a gradient", "pool", "type=avg fractional=1.5 seed=1", []tensor.Shape{{1, 6, 6, 1}, {1, 5, 4, 1}}, "pool: upstream: got shape (1,5,4,1), want the output's (1,4,4,1)"},
		{"CVE-2021-37651 FractionalAvgPoolGrad of an empty batch", "pool", "type=avg fractional=1.5 seed=1", []tensor.Shape{{0, 6, 6, 1}, {0, 4, 4, 1}}, ""},
		{"CVE-2021-29525 Conv2DBackpropInput without output channels", "conv2d", "filter=f.npy", []tensor.Shape{{1, 4, 4, 1}, {2, 2, 1, 0}, {1, 3, 3, 0}}, "conv2d: filter: got shape (2,2,1,0), want no extent of 0"},
		{"CVE-2022-35969 Conv2DBackpropInput of rank 2", "conv2d", "filter=f.npy data-format=NHWC", []tensor.Shape{{4, 4}, {2, 2, 1, 1}, {3, 3}}, "conv2d: "},
		{"CVE-2021-29524 Conv2DBackpropFilter of a filter without inputs", "conv2d", "filter=f.npy", []tensor.Shape{{1, 4, 4, 1}, {2, 2, 0, 1}, {1, 3, 3, 1}}, "conv2d: filter: got shape (2,2,0,1), want no extent of 0"},
		{"CVE-2021-29538 Conv2DBackpropFilter of nothing", "conv2d", "filter=f.npy", []tensor.Shape{{0, 0, 0, 0}, {0, 0, 0, 0}, {0, 0, 0, 0}}, "conv2d: "},
		{"CVE-2021-29540 Conv2DBackpropFilter with other output channels", "conv2d", "filter=f.npy", []tensor.Shape{{1, 4, 4, 1}, {2, 2, 1, 2}, {1, 3, 3, 3}}, "conv2d: upstream: got shape (1,3,3,3), want the output's (1,3,3,2)"},
		{"CVE-2021-29540 Conv2DBackpropFilter of another size", "conv2d", "filter=f.npy", []tensor.Shape{{1, 4, 4, 1}, {2, 2, 1, 2}, {1, 4, 4, 2}}, "conv2d: upstream: got shape (1,4,4,2), want the output's (1,3,3,2)"},
		{"CVE-2021-29522 Conv3DBackprop with a filter extent of 0", "conv3d", "filter=f.npy", []tensor.Shape{{1, 2, 2, 2, 1}, {1, 0, 1, 1, 1}, {1, 2, 2, 2, 1}}, "conv3d: filter: got shape (1,0,1,1,1), want no extent of 0"},
		{"CVE-2021-29520 Conv3DBackprop of another shape", "conv3d", "filter=f.npy", []tensor.Shape{{1, 2, 2, 2, 1}, {1, 1, 1, 1, 2}, {1, 2, 2, 2, 1}}, "conv3d: upstream: got shape (1,2,2,2,1), want the output's (1,2,2,2,2)"},
		{"CVE-2022-29196 Conv3DBackpropFilter of a scalar", "conv3d", "filter=f.npy", []tensor.Shape{{1, 2, 2, 2, 1}, {}, {1, 2, 2, 2, 1}}, "conv3d: filter: got shape () of rank 0, want rank 5"},
		{"CVE-2021-29566 Dilation2DBackpropInput of too large a gradient", "dilation2d", "filter=f.npy", []tensor.Shape{{1, 4, 4, 1}, {2, 2, 1}, {1, 9, 9, 1}}, "dilation2d: upstream: got shape (1,9,9,1), want the output's (1,3,3,1)"},
		{"CVE-2021-29566 Dilation2DBackpropFilter of too large a gradient", "erosion2d", "filter=f.npy", []tensor.Shape{{1, 4, 4, 1}, {2, 2, 1}, {1, 3, 3, 2}}, "erosion2d: upstream: got shape (1,3,3,2), want the output's (1,3,3,1)"},
	} {
		t.Run(c.name, func(t *testing.T) {
			op := differentiable(t, c.op, c.params)
			var specs []tensor.Spec
			for i, shape := range c.in {
				d := tensor.Float32
				if i == 2 && c.op == "pool" {
					d = tensor.Int64
				}
				specs = append(specs, tensor.Spec{DType: d, Shape: shape})
			}
			plan, err := op.PlanGrad(specs, ops.WantGrad{Input: true, Filter: hasFilter(op)})
			if c.want == "" {
				if err != nil || !plan.Outputs[0].Shape.Equal(c.in[0]) {
					t.Errorf("got error %v, want a gradient of shape %s", err, c.in[0])
				}
				return
			}
			if err == nil || !strings.HasPrefix(err.Error(), c.want) {
				t.Errorf("got error %v, want %s", err, c.want)
			}
		})
	}
	t.Run("CVE-2021-29576 MaxPool3DGradGrad with a negative stride", func(t *testing.T) {
		op := differentiable(t, "pool", "type=max window=2 strides=-5,1,1 second=g.npy")
		x := tensor.Spec{DType: tensor.Float32, Shape: tensor.Shape{1, 4, 4, 4, 1}}
		if _, err := op.PlanGrad([]tensor.Spec{x, x}, ops.WantGrad{Input: true}); err == nil || err.Error() != "pool: strides: got -5, want >= 1" {
			t.Errorf("got error %v", err)
		}
	})
}

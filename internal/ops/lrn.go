package ops

import (
	"github.com/poolctl/poolctl/internal/geom"
	"github.com/poolctl/poolctl/internal/ops/kernel/layer"
	"github.com/poolctl/poolctl/internal/tensor"
)

var lrnSpec = Spec{
	Name:    "lrn",
	Alias:   "local-response-normalization",
	TF:      "tf.nn.local_response_normalization (tf.nn.lrn)",
	Summary: "local response normalisation across channels",
	Doc: `Divides every number by a power of the squares of its neighbours across the channels (AlexNet's normalisation). The shape has two to five axes. --data-format says which one holds the channels; in (N, C) it is the last. Integers are computed as floating-point numbers. Channels beyond the first and the last count as 0.

    n[c] = bias + alpha * sum over |j - c| <= depth_radius of x[j]^2
    y[c] = x[c] / n[c]^beta

The defaults are TensorFlow's. --size N, instead of --depth-radius, is the number of channels in the sum: size/2 before c and (size-1)/2 after it, both rounded down, so that an even size has one more before, as in PyTorch (torch.nn.LocalResponseNorm). An odd size is a depth_radius of (size-1)/2. alpha is not divided by the size; PyTorch and ONNX (LRN) do so: size 5, alpha 0.0001, beta 0.75, bias (k) 1 is --size 5 --alpha 0.00002 --beta 0.75 --bias 1. (ONNX has the one more after c.)

The result is computed in float64 and rounded once; the work does not depend on the radius. The gradient is dy[c] / n[c]^beta - 2 * alpha * beta * x[c] * sum over all j whose sum holds c of dy[j] * x[j] / n[j]^(beta + 1).`,
	Rank: oneTensor,
	Examples: []Example{
		{"AlexNet's", "poolctl lrn samples/input_10x9x9x3.npy --depth-radius 2 --alpha 0.00002 --beta 0.75 --bias 1 -o y.npy"},
		{"torch.nn.LocalResponseNorm(2), whose alpha of 0.0001 is divided by 2", "poolctl lrn samples/input_10x9x9x3.npy --size 2 --alpha 0.00005 --beta 0.75 -o y.npy"},
	},
	New: func() Op { return defaults(new(LRN)) },
}

// LRN is local response normalisation.
type LRN struct {
	format
	Radius, Size      number
	Bias, Alpha, Beta number
}

// Params implements Op.
func (o *LRN) Params() []Param {
	return withNeeds(append([]Param{
		optionalCountParam("depth-radius", &o.Radius, 5, "number of neighbouring channels on each side"),
		optionalCountParam("size", &o.Size, -1, "number of channels in the sum, instead of --depth-radius; an even one has one more before than after"),
		realParam("bias", &o.Bias, 1, "constant that is added to the sum of squares", finite),
		realParam("alpha", &o.Alpha, 1, "factor of the sum of squares", finite),
		realParam("beta", &o.Beta, 0.5, "exponent", finite),
	}, o.format.params()...), o.needs)
}

// needs says that a size stands for the radius.
func (o *LRN) needs(name string, _ Want) (flags string, holds bool) {
	return "without --size", name != "depth-radius" || !o.Size.given
}

// Check implements Op.
func (o *LRN) Check() error {
	switch {
	case o.Size.given && o.Radius.given:
		return usage("lrn", "depth-radius", "cannot be used with --size")
	case o.Size.given && o.Size.value < 1:
		return usage("lrn", "size", "got %g, want >= 1", o.Size.value)
	}
	return nil
}

// sides returns the numbers of channels before and after each that its sum holds.
func (o *LRN) sides() (before, after int) {
	if o.Size.given {
		size := int(o.Size.value)
		return size / 2, (size - 1) / 2
	}
	return int(o.Radius.value), int(o.Radius.value)
}

// Inputs implements Op.
func (o *LRN) Inputs(tensor.Spec) ([]Input, error) { return nil, nil }

// lay returns the layout and the kernel.
func (o *LRN) lay(x tensor.Spec) (tensor.Layout, *layer.LRN, error) {
	if err := o.Check(); err != nil {
		return "", nil, err
	}
	layout, err := o.layer("lrn", x)
	if err != nil {
		return "", nil, err
	}
	before, after := o.sides()
	return layout, &layer.LRN{Lanes: channels(layout, x.Shape), Before: before, After: after,
		Bias: o.Bias.value, Alpha: o.Alpha.value, Beta: o.Beta.value}, nil
}

// Plan implements Op.
func (o *LRN) Plan(in []tensor.Spec, _ Want) (*Plan, error) {
	layout, k, err := o.lay(in[0])
	if err != nil {
		return nil, err
	}
	return o.planLanes("lrn", in, layout, k)
}

// ReceptiveField implements Receptive.
func (o *LRN) ReceptiveField(p *Plan) []geom.Field { return cellwise(p.Layout) }

// GradParams implements Differentiable.
func (o *LRN) GradParams() []Param { return nil }

// PlanGrad implements Differentiable.
func (o *LRN) PlanGrad(in []tensor.Spec, _ WantGrad) (*Plan, error) {
	layout, k, err := o.lay(in[0])
	if err != nil {
		return nil, err
	}
	return o.planLanesGrad("lrn", in, layout, k)
}

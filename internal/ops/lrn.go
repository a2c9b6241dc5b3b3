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

The defaults are TensorFlow's. PyTorch (torch.nn.LocalResponseNorm) and ONNX (LRN) have a size, 2 * depth_radius + 1 where it is odd, and divide alpha by it: size 5, alpha 0.0001, beta 0.75, bias (k) 1 is --depth-radius 2 --alpha 0.00002 --beta 0.75 --bias 1.

The result is computed in float64 and rounded once; the work does not depend on the radius. The gradient is dy[c] / n[c]^beta - 2 * alpha * beta * x[c] * sum over |j - c| <= depth_radius of dy[j] * x[j] / n[j]^(beta + 1).`,
	Rank: oneTensor,
	Examples: []Example{
		{"AlexNet's", "poolctl lrn samples/input_10x9x9x3.npy --depth-radius 2 --alpha 0.00002 --beta 0.75 --bias 1 -o y.npy"},
	},
	New: func() Op { return defaults(new(LRN)) },
}

// LRN is local response normalisation.
type LRN struct {
	format
	Radius            number
	Bias, Alpha, Beta number
}

// Params implements Op.
func (o *LRN) Params() []Param {
	return append([]Param{
		countParam("depth-radius", &o.Radius, 5, "number of neighbouring channels on each side"),
		realParam("bias", &o.Bias, 1, "constant that is added to the sum of squares", finite),
		realParam("alpha", &o.Alpha, 1, "factor of the sum of squares", finite),
		realParam("beta", &o.Beta, 0.5, "exponent", finite),
	}, o.format.params()...)
}

// Check implements Op.
func (o *LRN) Check() error { return nil }

// Inputs implements Op.
func (o *LRN) Inputs(tensor.Spec) ([]Input, error) { return nil, nil }

// lay returns the layout and the kernel.
func (o *LRN) lay(x tensor.Spec) (tensor.Layout, *layer.LRN, error) {
	layout, err := o.layer("lrn", x)
	if err != nil {
		return "", nil, err
	}
	return layout, &layer.LRN{Lanes: channels(layout, x.Shape), Radius: int(o.Radius.value),
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

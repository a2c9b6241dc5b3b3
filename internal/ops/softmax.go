package ops

import (
	"github.com/poolctl/poolctl/internal/geom"
	"github.com/poolctl/poolctl/internal/ops/kernel/layer"
	"github.com/poolctl/poolctl/internal/tensor"
)

var softmaxSpec = Spec{
	Name:    "softmax",
	TF:      "tf.nn.softmax",
	Summary: "exponentials divided by their sum, along an axis",
	Doc: `Takes the exponential of every number and divides it by the sum along an axis: the channels, or the axis of --axis, in memory order as in TensorFlow (-1 is the last). Any shape of two to five axes; integers are computed as floating-point numbers. The result is computed in float64 and rounded once. The largest number is subtracted first, so that nothing overflows.

    y[c] = exp(x[c]) / sum over j of exp(x[j])

A line that holds a NaN or +infinity gives NaN. The gradient is y[c] * (dy[c] - sum over j of dy[j] * y[j]).`,
	Rank: oneTensor,
	Examples: []Example{
		{"which colour a pixel is most", "poolctl softmax samples/input_10x9x9x3.npy -o y.npy"},
		{"along the first axis of a matrix", "poolctl softmax samples/ramp_6x6.npy --axis 0 -o y.npy"},
	},
	New: func() Op { return defaults(new(Softmax)) },
}

// Softmax divides exponentials by their sum along an axis.
type Softmax struct {
	format
	Axis axisValue
}

// Params implements Op.
func (o *Softmax) Params() []Param {
	return append([]Param{axisParam(&o.Axis, "axis to sum along, from 0, or from the end by -1, -2, …")}, o.format.params()...)
}

// Check implements Op.
func (o *Softmax) Check() error { return nil }

// Inputs implements Op.
func (o *Softmax) Inputs(tensor.Spec) ([]Input, error) { return nil, nil }

// lay returns the layout and the kernel.
func (o *Softmax) lay(x tensor.Spec) (tensor.Layout, layer.Softmax, error) {
	layout, err := o.layer("softmax", x)
	if err != nil {
		return "", layer.Softmax{}, err
	}
	axis, err := o.Axis.in("softmax", layout)
	if err != nil {
		return "", layer.Softmax{}, err
	}
	return layout, layer.Softmax{Lanes: layer.LanesAlong(x.Shape, axis)}, nil
}

// Plan implements Op.
func (o *Softmax) Plan(in []tensor.Spec, _ Want) (*Plan, error) {
	layout, k, err := o.lay(in[0])
	if err != nil {
		return nil, err
	}
	return o.planLanes("softmax", in, layout, k)
}

// ReceptiveField implements Receptive.
func (o *Softmax) ReceptiveField(p *Plan) []geom.Field { return o.Axis.cellwise(p) }

// GradParams implements Differentiable.
func (o *Softmax) GradParams() []Param { return nil }

// PlanGrad implements Differentiable.
func (o *Softmax) PlanGrad(in []tensor.Spec, _ WantGrad) (*Plan, error) {
	layout, k, err := o.lay(in[0])
	if err != nil {
		return nil, err
	}
	return o.planLanesGrad("softmax", in, layout, k)
}

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
	Doc: `Takes the exponential of every number and divides by the sum along an axis: the channels, or that of --axis, which counts the axes as they lie in memory, as TensorFlow's does (-1 is the last). Any shape of two to five axes; integers are computed as floating-point numbers. It is computed in float64 and rounded once; the largest number is taken off first, so that nothing overflows.

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

// lay finds the lanes.
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
	given := o.input(in[0])
	b := newBuilder("softmax", in)
	b.plan.Layout, b.plan.Impl = layout, "lanes, go"
	y := b.output("y", tensor.Spec{DType: given.Averaged(), Shape: in[0].Shape}, layout)
	b.computed(y, b.converted(0, given), given.Arithmetic(), func(dst, src buf) {
		b.stage(Stage{Name: "softmax", Units: k.Units(), Scratch: k.Scratch(), Work: multiplyAdds(append([]int{16}, in[0].Shape...)...),
			Exec: func(w *Worker, bufs []*tensor.Tensor, lo, hi int) {
				k.Run(&w.Scratch, bufs[dst], bufs[src], lo, hi)
			}})
	})
	return b.finish()
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
	if err := checkUpstream("softmax", in[1], in[0].Shape); err != nil {
		return nil, err
	}
	g := newGradient("softmax", in, &o.format, layout)
	g.plan.Layout, g.plan.Impl = layout, "lanes, go"
	dx := g.output("dx", in[0].Shape, layout)
	dy := g.converted(1, g.dtype)
	g.computed(dx, g.converted(0, o.input(in[0])), g.dtype, func(dst, src buf) {
		g.stage(Stage{Name: "gradient", Units: k.Units(), Scratch: k.Scratch(), Work: multiplyAdds(append([]int{16}, in[0].Shape...)...),
			Exec: func(w *Worker, bufs []*tensor.Tensor, lo, hi int) {
				k.Gradient(&w.Scratch, bufs[dst], bufs[src], bufs[dy], lo, hi)
			}})
	})
	return g.finish()
}

package ops

import (
	"github.com/poolctl/poolctl/internal/geom"
	"github.com/poolctl/poolctl/internal/ops/kernel/layer"
	"github.com/poolctl/poolctl/internal/tensor"
)

var biasAddSpec = Spec{
	Name:    "bias-add",
	TF:      "tf.nn.bias_add",
	Summary: "add a number to every channel",
	Doc: `Adds a number to every channel. The shape has two to five axes. --data-format says which one holds the channels; in (N, C) it is the last. Integers are computed as floating-point numbers. The bias is a file, or made: zeros:SHAPE, ones:SHAPE, or random as a filter is (uniform:SHAPE:SEED).

    y[n, o, c] = x[n, o, c] + bias[c]

The gradient with respect to the bias is the sum of the upstream gradient over each channel.`,
	Rank: oneTensor, Linear: true,
	Examples: []Example{
		{"a bias after a transposed convolution's worth of channels", "poolctl bias-add samples/sequence_1x64x2.npy --bias samples/bias_2.npy -o y.npy"},
	},
	New: func() Op { return defaults(new(BiasAdd)) },
}

// BiasAdd adds a number to every channel.
type BiasAdd struct {
	format
	Bias string
}

// Params implements Op.
func (o *BiasAdd) Params() []Param {
	bias := tensorParam("bias", &o.Bias, "a number for each channel")
	bias.Required = true
	return append([]Param{bias}, o.format.params()...)
}

// Check implements Op.
func (o *BiasAdd) Check() error {
	if o.Bias == "" {
		return usage("bias-add", "bias", "missing, want a file")
	}
	return nil
}

// Inputs implements Op.
func (o *BiasAdd) Inputs(x tensor.Spec) ([]Input, error) {
	return o.perChannelInputs("bias-add", x, []string{"bias"}, []string{o.Bias})
}

// lay checks the inputs against each other.
func (o *BiasAdd) lay(in []tensor.Spec) (tensor.Layout, layer.Lanes, error) {
	if err := o.Check(); err != nil {
		return "", layer.Lanes{}, err
	}
	layout, err := o.layer("bias-add", in[0])
	if err != nil {
		return "", layer.Lanes{}, err
	}
	lanes := channels(layout, in[0].Shape)
	return layout, lanes, checkPerChannel("bias-add", "bias", in[1], lanes.Extent)
}

// Plan implements Op.
func (o *BiasAdd) Plan(in []tensor.Spec, _ Want) (*Plan, error) {
	layout, lanes, err := o.lay(in)
	if err != nil {
		return nil, err
	}
	given := o.input(in[0])
	b := newBuilder("bias-add", in)
	b.plan.Layout, b.plan.Impl, b.plan.Parameters = layout, "elements, go", lanes.Extent
	y := b.output("y", tensor.Spec{DType: given.Averaged(), Shape: in[0].Shape}, layout)
	k := layer.NewAffine(lanes)
	bias, pattern := b.converted(1, given.Arithmetic()), b.temp(given.Arithmetic(), k.Pattern)
	b.stage(Stage{Name: "repeat the bias", Units: 1, Exec: func(_ *Worker, bufs []*tensor.Tensor, _, _ int) {
		tensor.ConvertRange(bufs[pattern], bufs[bias], 0, lanes.Extent)
		k.Fill(bufs[pattern])
	}})
	b.makes([]buf{pattern}, bias)
	b.computed(y, b.converted(0, given), given.Arithmetic(), func(dst, src buf) {
		b.stage(Stage{Name: "bias-add", Units: k.Units(), Work: multiplyAdds(in[0].Shape...),
			Exec: func(_ *Worker, bufs []*tensor.Tensor, lo, hi int) {
				k.AddBias(bufs[dst], bufs[src], bufs[pattern], lo, hi)
			}})
	})
	return b.finish()
}

// ReceptiveField implements Receptive.
func (o *BiasAdd) ReceptiveField(p *Plan) []geom.Field { return cellwise(p.Layout) }

// GradParams implements Differentiable.
func (o *BiasAdd) GradParams() []Param { return nil }

// PlanGrad implements Differentiable. The inputs are x, the bias and the
// upstream gradient, which is also the gradient with respect to x.
func (o *BiasAdd) PlanGrad(in []tensor.Spec, want WantGrad) (*Plan, error) {
	layout, lanes, err := o.lay(in)
	if err != nil {
		return nil, err
	}
	if err := checkUpstream("bias-add", in[2], in[0].Shape); err != nil {
		return nil, err
	}
	g := newGradient("bias-add", in, &o.format, layout)
	g.plan.Layout, g.plan.Impl, g.plan.Parameters = layout, "elements, go", lanes.Extent
	var dx, db buf
	if want.Input {
		dx = g.output("dx", in[0].Shape, layout)
	}
	if want.Bias {
		db = g.output("dbias", tensor.Shape{lanes.Extent}, "")
	}
	g.unread(0, 2)
	dy := g.converted(2, g.dtype)
	if want.Input {
		g.convert(dx, dy)
	}
	if want.Bias {
		g.perChannel("bias gradient", db, lanes, func(dst *tensor.Tensor, bufs []*tensor.Tensor, lo, hi int) {
			lanes.SumLanes(dst, bufs[dy], nil, nil, nil, lo, hi)
		})
	}
	return g.finish()
}

// perChannel adds the stages of a gradient with a number for each channel. sum
// computes some of them.
func (g *gradient) perChannel(name string, out buf, lanes layer.Lanes, sum func(dst *tensor.Tensor, bufs []*tensor.Tensor, lo, hi int)) {
	dst := out
	if g.result != g.dtype {
		dst = g.temp(g.dtype, lanes.Extent)
	}
	g.stage(Stage{Name: name, Units: lanes.SumUnits(), Work: multiplyAdds(lanes.Outer, lanes.Extent, lanes.Inner),
		Exec: func(_ *Worker, bufs []*tensor.Tensor, lo, hi int) { sum(bufs[dst], bufs, lo, hi) }})
	g.deliver(out, dst, "", "")
}

package ops

import (
	"github.com/poolctl/poolctl/internal/tensor"
)

var flattenSpec = Spec{
	Name:    "flatten",
	TF:      "tf.keras.layers.Flatten, tf.reshape",
	Summary: "every image of a batch as one vector",
	Doc:     `Returns (N, features): the numbers of each image in memory order. That order depends on the data format, so the weights of a dense layer after it are in another order for channels-last data than for channels-first data, such as PyTorch's. One picture without a batch becomes (1, features). Any type, which is kept.`,
	Rank:    oneTensor, Linear: true,
	Examples: []Example{
		{"a vector for each of ten images", "poolctl flatten samples/input_10x9x9x3.npy -o y.npy"},
	},
	New: func() Op { return defaults(new(Flatten)) },
}

// Flatten turns images into vectors.
type Flatten struct{ format }

// Params implements Op.
func (o *Flatten) Params() []Param { return o.format.params() }

// Check implements Op.
func (o *Flatten) Check() error { return nil }

// Inputs implements Op.
func (o *Flatten) Inputs(tensor.Spec) ([]Input, error) { return nil, nil }

// lay returns the input's layout and the output's shape.
func (o *Flatten) lay(x tensor.Spec) (tensor.Layout, tensor.Shape, error) {
	layout, err := o.layer("flatten", x)
	if err != nil {
		return "", nil, err
	}
	e, err := layout.Split(x.Shape)
	if err != nil {
		return "", nil, &DataError{"flatten", err}
	}
	features, err := tensor.Product(append([]int{e.C}, e.Spatial...)...)
	if err != nil {
		return "", nil, &DataError{"flatten", err}
	}
	return layout, tensor.Shape{e.N, features}, nil
}

// Plan implements Op.
func (o *Flatten) Plan(in []tensor.Spec, _ Want) (*Plan, error) {
	layout, shape, err := o.lay(in[0])
	if err != nil {
		return nil, err
	}
	b := newBuilder("flatten", in)
	b.plan.Layout, b.plan.Impl = layout, "copy, go"
	b.convert(b.output("y", tensor.Spec{DType: o.input(in[0]), Shape: shape}, tensor.NC), 0)
	return b.finish()
}

// GradParams implements Differentiable.
func (o *Flatten) GradParams() []Param { return nil }

// PlanGrad implements Differentiable. The gradient is the upstream gradient in
// the shape of the input.
func (o *Flatten) PlanGrad(in []tensor.Spec, _ WantGrad) (*Plan, error) {
	layout, shape, err := o.lay(in[0])
	if err != nil {
		return nil, err
	}
	if err := checkUpstream("flatten", in[1], shape); err != nil {
		return nil, err
	}
	g := newGradient("flatten", in, &o.format, layout)
	g.plan.Layout, g.plan.Impl = layout, "copy, go"
	g.unread(0, 1)
	dx := g.output("dx", in[0].Shape, layout)
	g.convert(dx, g.converted(1, g.dtype))
	return g.finish()
}

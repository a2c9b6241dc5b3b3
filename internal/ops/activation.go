package ops

import (
	"github.com/poolctl/poolctl/internal/geom"
	"github.com/poolctl/poolctl/internal/ops/kernel/layer"
	"github.com/poolctl/poolctl/internal/tensor"
)

func activationSpec(name, tf, summary, doc string, f layer.Activation, examples ...Example) Spec {
	return Spec{Name: name, TF: tf, Summary: summary, Doc: doc, Rank: oneTensor, Examples: examples,
		New: func() Op { return defaults(&Activation{op: name, function: f}) }}
}

var reluSpec = activationSpec("relu", "tf.nn.relu", "rectified linear unit: negative numbers become 0",
	`Applies max(x, 0) to every number; NaN stays NaN. Any shape of two to five axes; integers stay integers of their type.

    y = max(x, 0)

The gradient is the upstream gradient where x > 0, and 0 elsewhere, also where x is NaN. (An infinite upstream gradient becomes 0 there too; TensorFlow multiplies it by 0, which gives NaN.) With --relu-gradient guided (guided backpropagation) the upstream gradient must be greater than 0 as well.`,
	layer.Relu,
	Example{"the positive half of an edge filter", "poolctl conv2d samples/camera.png --filter sobel-x --padding SAME -o - | poolctl relu - -o edges.npy"})

var relu6Spec = activationSpec("relu6", "tf.nn.relu6", "rectified linear unit, at most 6",
	`Applies min(max(x, 0), 6) to every number; NaN stays NaN. Any shape of two to five axes; integers stay integers of their type.

    y = min(max(x, 0), 6)

The gradient is the upstream gradient where 0 < x < 6, and 0 elsewhere, also where x is NaN. With --relu-gradient guided (guided backpropagation) the upstream gradient must be greater than 0 as well.`,
	layer.Relu6,
	Example{"clip a ramp", "poolctl relu6 samples/ramp_6x6.npy -o y.npy"})

var leakyReluSpec = activationSpec("leaky-relu", "tf.nn.leaky_relu", "rectified linear unit with a slope for negative numbers",
	`Multiplies numbers that are not greater than 0 by --alpha. Any shape of two to five axes; integers are computed as floating-point numbers.

    y = x where x > 0, else alpha * x

TensorFlow's alpha is 0.2 by default, PyTorch's and ONNX's 0.01. The gradient is the upstream gradient where x > 0, and alpha times it elsewhere.`,
	layer.LeakyRelu,
	Example{"with PyTorch's slope", "poolctl leaky-relu samples/input_10x9x9x3.npy --alpha 0.01 -o y.npy"})

var sigmoidSpec = activationSpec("sigmoid", "tf.math.sigmoid", "logistic function of every number",
	`Applies the logistic function to every number. Any shape of two to five axes; integers are computed as floating-point numbers. The function is computed in float64 and rounded once.

    y = 1 / (1 + exp(-x))

The gradient is the upstream gradient times y * (1 - y).`,
	layer.Sigmoid,
	Example{"squash to 0..1", "poolctl sigmoid samples/input_10x9x9x3.npy -o y.npy"})

var tanhSpec = activationSpec("tanh", "tf.math.tanh", "hyperbolic tangent of every number",
	`Applies the hyperbolic tangent to every number. Any shape of two to five axes; integers are computed as floating-point numbers. The function is computed in float64 and rounded once.

    y = tanh(x)

The gradient is the upstream gradient times 1 - y * y.`,
	layer.Tanh,
	Example{"squash to -1..1", "poolctl tanh samples/input_10x9x9x3.npy -o y.npy"})

// Activation applies a function to every number.
type Activation struct {
	op       string
	function layer.Activation
	format
	Alpha        number // of leaky-relu
	ReluGradient string // of relu and relu6
}

// Params implements Op.
func (o *Activation) Params() []Param {
	if o.function != layer.LeakyRelu {
		return o.format.params()
	}
	alpha := realParam("alpha", &o.Alpha, 0.2, "slope for numbers that are not greater than 0", finite)
	return append([]Param{alpha}, o.format.params()...)
}

// Check implements Op.
func (o *Activation) Check() error { return nil }

// Inputs implements Op.
func (o *Activation) Inputs(tensor.Spec) ([]Input, error) { return nil, nil }

// rectifies reports whether integers keep their type in the function.
func (o *Activation) rectifies() bool {
	return o.function == layer.Relu || o.function == layer.Relu6
}

// Plan implements Op.
func (o *Activation) Plan(in []tensor.Spec, _ Want) (*Plan, error) {
	layout, err := o.layer(o.op, in[0])
	if err != nil {
		return nil, err
	}
	given := o.input(in[0])
	result, compute := given.Averaged(), given.Arithmetic()
	if o.rectifies() && given.IsInteger() {
		result, compute = given, given
	}
	b := newBuilder(o.op, in)
	b.plan.Layout, b.plan.Impl = layout, "elements, go"
	y := b.output("y", tensor.Spec{DType: result, Shape: in[0].Shape}, layout)
	b.computed(y, b.converted(0, given), compute, func(dst, src buf) {
		b.elementwise(o.op, dst, o.steps(), func(_ *Worker, bufs []*tensor.Tensor, lo, hi int) {
			o.function.Activate(bufs[dst], bufs[src], lo, hi, o.Alpha.value)
		})
	})
	return b.finish()
}

// ReceptiveField implements Receptive.
func (o *Activation) ReceptiveField(p *Plan) []geom.Field { return cellwise(p.Layout) }

// steps returns roughly the elementary steps for each number.
func (o *Activation) steps() int {
	if o.function == layer.Sigmoid || o.function == layer.Tanh {
		return 16
	}
	return 1
}

// GradParams implements Differentiable.
func (o *Activation) GradParams() []Param {
	if !o.rectifies() {
		return nil
	}
	return []Param{choiceParam("relu-gradient", &o.ReluGradient, []string{"plain", "guided"}, "plain",
		"which upstream gradients pass where x > 0: all, or only those greater than 0 (guided backpropagation)")}
}

// PlanGrad implements Differentiable.
func (o *Activation) PlanGrad(in []tensor.Spec, _ WantGrad) (*Plan, error) {
	layout, err := o.layer(o.op, in[0])
	if err != nil {
		return nil, err
	}
	if err := checkUpstream(o.op, in[1], in[0].Shape); err != nil {
		return nil, err
	}
	g := newGradient(o.op, in, &o.format, layout)
	g.plan.Layout, g.plan.Impl = layout, "elements, go"
	dx := g.output("dx", in[0].Shape, layout)
	dy := g.converted(1, g.dtype)
	guided := o.ReluGradient == "guided"
	g.computed(dx, g.converted(0, o.input(in[0])), g.dtype, func(dst, src buf) {
		g.elementwise("gradient", dst, o.steps(), func(_ *Worker, bufs []*tensor.Tensor, lo, hi int) {
			o.function.Gradient(bufs[dst], bufs[src], bufs[dy], lo, hi, o.Alpha.value, guided)
		})
	})
	return g.finish()
}

package ops

import (
	"fmt"
	"slices"

	"github.com/poolctl/poolctl/internal/geom"
	"github.com/poolctl/poolctl/internal/ops/kernel/layer"
	"github.com/poolctl/poolctl/internal/tensor"
)

var addSpec = Spec{
	Name:    "add",
	TF:      "tf.add, tf.math.add_n, tf.keras.layers.Add",
	Summary: "add tensors of one shape",
	Doc: `Adds two or more tensors of equal shape and type, floating-point numbers in the order given. Nothing is broadcast: bias-add adds a number to every channel. Any shape of two to five axes; tensors of different types need --dtype, to which all are converted first. Sums of integers are exact and keep their type, clipped to its range where TensorFlow wraps around.

    y = a + b + …

The gradient with respect to every input is the upstream gradient.`,
	Rank: oneTensor, Several: true,
	Examples: []Example{
		{"a tensor added to itself", "poolctl add samples/input_10x9x9x3.npy samples/input_10x9x9x3.npy -o y.npy"},
	},
	New: func() Op { return defaults(new(Add)) },
}

var concatSpec = Spec{
	Name:    "concat",
	TF:      "tf.concat, tf.keras.layers.Concatenate",
	Summary: "join tensors along an axis",
	Doc: `Joins two or more tensors of equal type one after another along an axis: the channels, or the axis of --axis, in memory order as in TensorFlow (-1 is the last). Their shapes must be equal except along that axis. Any shape of two to five axes and any type, which is kept; tensors of different types need --dtype, to which all are converted first.

The gradient with respect to every input is its part of the upstream gradient.`,
	Rank: oneTensor, Several: true,
	Examples: []Example{
		{"six channels of three and three", "poolctl concat samples/input_10x9x9x3.npy samples/input_10x9x9x3.npy -o y.npy"},
		{"two pictures side by side", "poolctl concat samples/chelsea.png samples/chelsea.png --axis 2 -o wide.png"},
	},
	New: func() Op { return defaults(new(Concat)) },
}

// same checks that the main inputs have one type, or are converted to one, and
// returns their layout.
func (f *format) same(op string, in []tensor.Spec) (tensor.Layout, error) {
	if len(in) < 2 {
		return "", &UsageError{op, fmt.Errorf("got %d inputs, want at least 2", len(in))}
	}
	layout, err := f.layer(op, in[0])
	if err != nil {
		return "", err
	}
	for i, x := range in {
		if f.DType == tensor.Invalid && x.DType != in[0].DType {
			return "", unfit(op, "dtype", "missing, want a type for all: input %d is %s, the first %s", i+1, x.DType, in[0].DType)
		}
	}
	return layout, nil
}

// gradientName returns the name of the gradient with respect to main input i.
func gradientName(i int) string {
	if i == 0 {
		return "dx"
	}
	return fmt.Sprintf("dx%d", i)
}

// Add adds tensors.
type Add struct{ format }

// Params implements Op.
func (o *Add) Params() []Param { return o.format.params() }

// Check implements Op.
func (o *Add) Check() error { return nil }

// Inputs implements Op.
func (o *Add) Inputs(tensor.Spec) ([]Input, error) { return nil, nil }

// lay checks the inputs against each other.
func (o *Add) lay(in []tensor.Spec) (tensor.Layout, error) {
	layout, err := o.same("add", in)
	if err != nil {
		return "", err
	}
	for i, x := range in {
		if !x.Shape.Equal(in[0].Shape) {
			return "", unfit("add", "input", "got shape %s for input %d, want the first's %s", x.Shape, i+1, in[0].Shape)
		}
	}
	return layout, nil
}

// Plan implements Op.
func (o *Add) Plan(in []tensor.Spec, _ Want) (*Plan, error) {
	layout, err := o.lay(in)
	if err != nil {
		return nil, err
	}
	given := o.input(in[0])
	compute := given.Real()
	b := newBuilder("add", in)
	b.plan.Layout, b.plan.Impl = layout, "elements, go"
	y := b.output("y", tensor.Spec{DType: given, Shape: in[0].Shape}, layout)
	rest := make([]int, len(in))
	for i := range in {
		rest[i] = int(b.converted(b.converted(buf(i), given), compute))
	}
	b.computed(y, buf(rest[0]), compute, func(dst, _ buf) {
		b.elementwise("add", dst, len(in), func(w *Worker, bufs []*tensor.Tensor, lo, hi int) {
			w.Clipped += layer.Add(bufs[dst], bufs, rest, lo, hi)
		})
	})
	return b.finish()
}

// ReceptiveField implements Receptive.
func (o *Add) ReceptiveField(p *Plan) []geom.Field { return cellwise(p.Layout) }

// GradParams implements Differentiable.
func (o *Add) GradParams() []Param { return nil }

// PlanGrad implements Differentiable. The inputs are those of Plan and the upstream
// gradient.
func (o *Add) PlanGrad(in []tensor.Spec, _ WantGrad) (*Plan, error) {
	last := len(in) - 1
	layout, err := o.lay(in[:last])
	if err != nil {
		return nil, err
	}
	if err := checkUpstream("add", in[last], in[0].Shape); err != nil {
		return nil, err
	}
	g := newGradient("add", in, &o.format, layout)
	g.plan.Layout, g.plan.Impl = layout, "copy, go"
	var outputs []buf
	for i := range in[:last] {
		outputs = append(outputs, g.output(gradientName(i), in[i].Shape, layout))
	}
	g.unread(0, last)
	dy := g.converted(buf(last), g.dtype)
	for _, out := range outputs {
		g.convert(out, dy)
	}
	return g.finish()
}

// Concat joins tensors along an axis.
type Concat struct {
	format
	Axis axisValue
}

// Params implements Op.
func (o *Concat) Params() []Param {
	return append([]Param{axisParam(&o.Axis, "axis to join along, from 0, or from the end by -1, -2, …")}, o.format.params()...)
}

// Check implements Op.
func (o *Concat) Check() error { return nil }

// Inputs implements Op.
func (o *Concat) Inputs(tensor.Spec) ([]Input, error) { return nil, nil }

// concatLayout is the operation for given inputs.
type concatLayout struct {
	layout tensor.Layout
	out    tensor.Shape
	outer  int   // runs of each input
	runs   []int // elements of a run, for each input
	step   int   // elements of a run of the output
}

// lay checks the inputs against each other.
func (o *Concat) lay(in []tensor.Spec) (*concatLayout, error) {
	layout, err := o.same("concat", in)
	if err != nil {
		return nil, err
	}
	axis, err := o.Axis.in("concat", layout)
	if err != nil {
		return nil, err
	}
	l := &concatLayout{layout: layout, out: slices.Clone(in[0].Shape)}
	l.out[axis] = 0
	for i, x := range in {
		if _, err := x.Bytes(); err != nil {
			return nil, &DataError{"concat", fmt.Errorf("input %d: %w", i+1, err)}
		}
		other := slices.Clone(in[0].Shape)
		if len(x.Shape) == len(other) {
			other[axis] = x.Shape[axis]
		}
		if !x.Shape.Equal(other) {
			return nil, unfit("concat", "input", "got shape %s for input %d, want the first's %s but for axis %d", x.Shape, i+1, in[0].Shape, axis)
		}
		lanes := layer.LanesAlong(x.Shape, axis)
		l.outer, l.runs = lanes.Outer, append(l.runs, lanes.Extent*lanes.Inner)
		l.step += lanes.Extent * lanes.Inner
		if l.out[axis] += x.Shape[axis]; l.out[axis] < 0 {
			return nil, &DataError{"concat", fmt.Errorf("axis %d does not fit in 63 bits", axis)}
		}
	}
	return l, nil
}

// runs adds the stage that copies the runs of every part to the whole or, with
// split, back.
func (b *builder) runs(l *concatLayout, whole buf, parts []buf, split bool) {
	copyPart := func(bufs []*tensor.Tensor, i, at, lo, hi int) {
		if split {
			tensor.CopyRuns(bufs[parts[i]], bufs[whole], l.runs[i], l.runs[i], 0, l.step, at, lo, hi)
		} else {
			tensor.CopyRuns(bufs[whole], bufs[parts[i]], l.runs[i], l.step, at, l.runs[i], 0, lo, hi)
		}
	}
	stage := Stage{Name: "copy", Units: l.outer, Work: multiplyAdds(l.outer, l.step),
		Exec: func(_ *Worker, bufs []*tensor.Tensor, lo, hi int) {
			at := 0
			for i := range parts {
				copyPart(bufs, i, at, lo, hi)
				at += l.runs[i]
			}
		}}
	if l.outer == 1 { // whole tensors, one after another
		stage.Units = len(parts)
		stage.Exec = func(_ *Worker, bufs []*tensor.Tensor, lo, hi int) {
			at := 0
			for i := range hi {
				if i >= lo {
					copyPart(bufs, i, at, 0, 1)
				}
				at += l.runs[i]
			}
		}
	}
	b.stage(stage)
}

// Plan implements Op.
func (o *Concat) Plan(in []tensor.Spec, _ Want) (*Plan, error) {
	l, err := o.lay(in)
	if err != nil {
		return nil, err
	}
	b := newBuilder("concat", in)
	b.plan.Layout, b.plan.Impl = l.layout, "copy, go"
	y := b.output("y", tensor.Spec{DType: o.input(in[0]), Shape: l.out}, l.layout)
	var parts []buf
	for i := range in {
		parts = append(parts, b.converted(buf(i), o.input(in[0])))
	}
	b.runs(l, y, parts, false)
	return b.finish()
}

// ReceptiveField implements Receptive.
func (o *Concat) ReceptiveField(p *Plan) []geom.Field { return o.Axis.cellwise(p) }

// GradParams implements Differentiable.
func (o *Concat) GradParams() []Param { return nil }

// PlanGrad implements Differentiable. The inputs are those of Plan and the upstream
// gradient.
func (o *Concat) PlanGrad(in []tensor.Spec, _ WantGrad) (*Plan, error) {
	last := len(in) - 1
	l, err := o.lay(in[:last])
	if err != nil {
		return nil, err
	}
	if err := checkUpstream("concat", in[last], l.out); err != nil {
		return nil, err
	}
	g := newGradient("concat", in, &o.format, l.layout)
	g.plan.Layout, g.plan.Impl = l.layout, "copy, go"
	var parts []buf
	for i, x := range in[:last] {
		parts = append(parts, g.output(gradientName(i), x.Shape, l.layout))
	}
	g.unread(0, last)
	dy := g.converted(g.converted(buf(last), g.dtype), g.result)
	g.runs(l, dy, parts, true)
	return g.finish()
}

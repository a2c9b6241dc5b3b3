package ops

import (
	"github.com/poolctl/poolctl/internal/geom"
	"github.com/poolctl/poolctl/internal/ops/kernel"
	"github.com/poolctl/poolctl/internal/ops/kernel/conv"
	"github.com/poolctl/poolctl/internal/tensor"
)

var denseSpec = Spec{
	Name:    "dense",
	TF:      "tf.keras.layers.Dense, tf.linalg.matmul, tf.nn.bias_add",
	Summary: "fully connected layer: a matrix product over the channels, with bias",
	Doc: `Multiplies the channels of every vector by a matrix. The input is (N, I), as flatten returns it, or has more axes: then the channels of every cell are multiplied, as tf.keras.layers.Dense does with the last axis.

    y[n, o] = bias[o] + sum over i of x[n, i] * filter[i, o]

The filter is (I, O) as TensorFlow has it, or with --filter-format OI (O, I) as PyTorch and ONNX's Gemm with transB have it: a file, or random numbers as uniform:SHAPE:SEED or normal:SHAPE:SEED. The kernels of convolution compute it, as a window of one cell. Integers are computed as floating-point numbers.`,
	Rank: oneTensor, Linear: true,
	Examples: []Example{
		{"three channels to five at every pixel", "poolctl dense samples/input_10x9x9x3.npy --filter uniform:3x5:1 -o y.npy"},
		{"ten scores from a flattened image", "poolctl flatten samples/input_10x9x9x3.npy -o - | poolctl dense - --filter normal:243x10:1 -o scores.npy"},
	},
	New: func() Op { return defaults(new(Dense)) },
}

// Dense is a matrix product over the channels.
type Dense struct {
	format
	weights
}

// randomForms are the names of filters that a matrix can have.
const randomForms = "uniform:SHAPE:SEED, normal:SHAPE:SEED"

// Params implements Op.
func (o *Dense) Params() []Param {
	params := o.weights.params([]string{"IO", "OI"})
	params[0].Doc = "weights: a file, or " + randomForms
	return append(params, o.format.params()...)
}

// Check implements Op.
func (o *Dense) Check() error {
	switch {
	case o.Filter == "":
		return usage("dense", "filter", "missing, want a file or one of %s", randomForms)
	case o.perChannel():
		return usage("dense", "filter", "got %q, want a file or one of %s", o.Filter, randomForms)
	}
	return nil
}

// Inputs implements Op.
func (o *Dense) Inputs(x tensor.Spec) ([]Input, error) {
	if _, err := o.layer("dense", x); err != nil {
		return nil, err
	}
	return o.inputs("dense", 0)
}

// dense is the operation for given inputs: the convolution of a line of cells
// with a window of one cell.
type dense struct {
	layout, last tensor.Layout
	out          tensor.Extents
	filter       filterShape
	g            geom.Geometry
}

// lay checks the inputs against each other.
func (o *Dense) lay(in []tensor.Spec) (*dense, error) {
	if err := o.Check(); err != nil {
		return nil, err
	}
	layout, err := o.layer("dense", in[0])
	if err != nil {
		return nil, err
	}
	e, err := layout.Split(in[0].Shape)
	if err != nil {
		return nil, &DataError{"dense", err}
	}
	if e.C == 0 {
		return nil, unfit("dense", "input", "got shape %s with 0 channels, want at least 1", in[0].Shape)
	}
	f, err := splitFilter("dense", in[1], o.FilterFormat)
	if err != nil {
		return nil, err
	}
	if f.I != e.C {
		return nil, advise(unfit("dense", "filter", "got %d input channels in shape %s (%s), want the input's %d", f.I, in[1].Shape, o.FilterFormat, e.C),
			"--filter-format names the filter's axes")
	}
	if o.Bias != "" && !in[2].Shape.Equal(tensor.Shape{f.O}) {
		return nil, unfit("dense", "bias", "got shape %s, want (%d), a number for each output channel", in[2].Shape, f.O)
	}
	l := &dense{layout: layout, last: layout, filter: f, out: tensor.Extents{N: e.N, C: f.O, Spatial: e.Spatial}}
	if layout.ChannelsFirst() {
		l.last = tensor.ChannelsLast(layout.Spatial())
	}
	cells, err := tensor.Product(append([]int{e.N}, e.Spatial...)...)
	if err != nil {
		return nil, &DataError{"dense", err}
	}
	images := min(1, cells)
	if l.g, err = geom.Resolve(images, []int{max(1, cells)}, e.C, geom.Window{Size: []int{1}}); err != nil {
		return nil, &DataError{"dense", err}
	}
	return l, nil
}

// spec returns the convolution that computes the operation or, with back, its
// gradient.
func (l *dense) spec(d tensor.DType, level kernel.Level, back bool) conv.Spec {
	s := conv.Spec{N: l.g.N, Src: l.filter.I, Dst: l.filter.O, Groups: 1, Filter: l.filter.strides, DType: d, Level: level}
	for i, a := range l.g.Axes {
		s.Gather[i] = a.Forward()
	}
	if back {
		s.Src, s.Dst = s.Dst, s.Src
		s.Filter.Src, s.Filter.Dst = s.Filter.Dst, s.Filter.Src
	}
	return s
}

// multiplyAdds counts those of the matrix product.
func (l *dense) multiplyAdds() int {
	return multiplyAdds(append([]int{l.filter.I, l.filter.O, l.out.N}, l.out.Spatial...)...)
}

// describe sets what reports say. There are no windows.
func (l *dense) describe(p *Plan, bias bool) {
	p.Layout, p.Parameters = l.layout, multiplyAdds(l.filter.I, l.filter.O)
	if bias {
		p.Parameters += l.filter.O
	}
}

// Plan implements Op.
func (o *Dense) Plan(in []tensor.Spec, _ Want) (*Plan, error) {
	l, err := o.lay(in)
	if err != nil {
		return nil, err
	}
	given := o.input(in[0])
	b := newBuilder("dense", in)
	spec := l.spec(given.Arithmetic(), b.plan.Level, false)
	spec.Bias = o.Bias != ""
	l.describe(b.plan, spec.Bias)
	y := b.output("y", tensor.Spec{DType: given.Averaged(), Shape: l.layout.Join(l.out)}, l.layout.With(l.out.C))
	x := b.permuted(b.converted(b.converted(0, given), spec.DType), l.layout, l.last)
	filter := b.converted(1, spec.DType)
	bias := filter // unused without a bias
	if spec.Bias {
		bias = b.converted(2, spec.DType)
	}
	k, err := conv.New(spec)
	if err != nil {
		return nil, &DataError{"dense", err}
	}
	b.plan.Impl, b.plan.Why, b.plan.MultiplyAdds = k.Impl, k.Why, l.multiplyAdds()
	packed, dst := b.temp(spec.DType, k.Packed), y
	if l.layout != l.last || b.spec(y).DType != spec.DType {
		dst = b.temp(spec.DType, l.last.Join(l.out)...)
	}
	b.pack(k, packed, filter)
	b.stage(Stage{Name: "multiply", Units: k.Units, Scratch: k.Scratch, Work: b.plan.MultiplyAdds,
		Exec: func(w *Worker, bufs []*tensor.Tensor, lo, hi int) {
			k.Run(&w.Scratch, bufs[dst], bufs[x], bufs[packed], bufs[bias], lo, hi)
		}})
	b.deliver(y, dst, l.last, l.layout)
	return b.finish()
}

// ReceptiveField implements Receptive.
func (o *Dense) ReceptiveField(p *Plan) []geom.Field { return cellwise(p.Layout) }

// GradParams implements Differentiable.
func (o *Dense) GradParams() []Param { return nil }

// PlanGrad implements Differentiable. The inputs are x, the filter, the bias if
// there is one, and the upstream gradient.
func (o *Dense) PlanGrad(in []tensor.Spec, want WantGrad) (*Plan, error) {
	l, err := o.lay(in)
	if err != nil {
		return nil, err
	}
	g := newGradient("dense", in, &o.format, l.layout)
	dx, dw, db, dy, err := g.book(in, want, o.Bias != "", geom.Geometry{}, l.out)
	if err != nil {
		return nil, err
	}
	l.describe(g.plan, o.Bias != "")
	if want.Input {
		e := l.out
		e.C = l.filter.I
		if err := g.convolve(dx, dy, e, l.spec(g.dtype, g.plan.Level, true)); err != nil {
			return nil, err
		}
		g.plan.MultiplyAdds += l.multiplyAdds()
	}
	if want.Filter {
		x := g.permuted(g.converted(g.converted(0, o.input(in[0])), g.dtype), g.layout, g.last)
		spec := conv.FilterGradientSpec{Geometry: l.g, Groups: 1, Large: l.filter.I, Small: l.filter.O, Filter: l.filter.strides, DType: g.dtype}
		g.filterGradient(dw, x, dy, spec, in[1].Shape)
		g.plan.MultiplyAdds += l.multiplyAdds()
	}
	if !want.Filter {
		g.unread(0, 1)
	}
	if want.Bias {
		g.biasGradient(db, dy, l.out.C)
	}
	return g.finish()
}

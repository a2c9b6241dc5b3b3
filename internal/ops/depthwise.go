package ops

import (
	"github.com/poolctl/poolctl/internal/geom"
	"github.com/poolctl/poolctl/internal/ops/kernel/conv"
	"github.com/poolctl/poolctl/internal/tensor"
)

var depthwiseSpec = Spec{
	Name:    "depthwise-conv2d",
	TF:      "tf.nn.depthwise_conv2d",
	Summary: "2-D convolution of each channel with its own filters",
	Doc: `Convolves channel i with its own M filters, over their taps t; the filter is HWIM, and output channel i*M + m is input channel i with filter m.

    y[n, o, i*M + m] = bias[i*M + m] + sum over t of x[n, o*stride - lo + t*dilation, i] * filter[t, i, m]

Sizes and padding are those of pool; padding counts as zeros.`,
	Rank: [2]int{2, 2}, Linear: true,
	Examples: []Example{
		{"a filter for each colour", "poolctl depthwise-conv2d samples/chelsea.png --filter samples/depthwise_3x3x3x1.npy --padding SAME --normalize minmax -o y.png"},
		{"a named filter", "poolctl depthwise-conv2d samples/chelsea.png --filter box:5 --padding SAME -o y.png"},
	},
	New: func() Op { return defaults(new(Depthwise)) },
}

var dilation2dSpec = Spec{
	Name:    "dilation2d",
	TF:      "tf.nn.dilation2d",
	Summary: "grey dilation: the maximum of cells plus a structuring element",
	Doc: `Grey-value morphology, channel by channel, with a structuring element (H, W, C). Sizes and padding are those of pool; padding is skipped. If input and element are integers, the output has the type of the input, clipped to its range.

    y[n, o, c] = max over taps t of x[n, o*stride - lo + t*dilation, c] + filter[t, c]`,
	Rank: [2]int{2, 2},
	Examples: []Example{
		{"grow what is bright", "poolctl dilation2d samples/chelsea.png --filter samples/element_3x3x3.npy --padding SAME -o y.png"},
	},
	New: func() Op { return defaults(&Morphology{op: "dilation2d", kind: conv.Dilate}) },
}

var erosion2dSpec = Spec{
	Name:    "erosion2d",
	TF:      "tf.nn.erosion2d",
	Summary: "grey erosion: the minimum of cells minus a structuring element",
	Doc: `Grey-value morphology, channel by channel, with a structuring element (H, W, C), whose taps are taken in reverse order. Sizes and padding are those of pool; padding is skipped. If input and element are integers, the output has the type of the input, clipped to its range.

    y[n, o, c] = min over taps t of x[n, o*stride - lo + t*dilation, c] - filter[last - t, c]`,
	Rank: [2]int{2, 2},
	Examples: []Example{
		{"shrink what is bright", "poolctl erosion2d samples/chelsea.png --filter samples/element_3x3x3.npy --padding SAME -o y.png"},
	},
	New: func() Op { return defaults(&Morphology{op: "erosion2d", kind: conv.Erode}) },
}

// Depthwise is depthwise convolution.
type Depthwise struct {
	format
	windows
	weights
}

// Params implements Op.
func (o *Depthwise) Params() []Param {
	params := append(o.weights.params([]string{"HWIM"}), o.windows.params("1")...)
	return append(params, o.format.params()...)
}

// Check implements Op.
func (o *Depthwise) Check() error { return checkFiltered("depthwise-conv2d", &o.weights, &o.windows) }

// checkFiltered checks what operations with a filter share.
func checkFiltered(op string, f *weights, w *windows) error {
	if f.Filter == "" {
		return usage(op, "filter", "missing, want a file or one of %s", filterForms)
	}
	if err := w.window(nil).Check(); err != nil {
		return &UsageError{op, err}
	}
	return nil
}

// Inputs implements Op.
func (o *Depthwise) Inputs(x tensor.Spec) ([]Input, error) {
	_, e, err := o.layout("depthwise-conv2d", x)
	if err != nil {
		return nil, err
	}
	return o.inputs("depthwise-conv2d", 2, e.C, 1)
}

// Plan implements Op.
func (o *Depthwise) Plan(in []tensor.Spec, want Want) (*Plan, error) {
	l, err := o.lay(in)
	if err != nil {
		return nil, err
	}
	return l.plan(&o.format, o.Bias != "", in, want)
}

// ReceptiveField implements Receptive.
func (o *Depthwise) ReceptiveField(p *Plan) []geom.Field {
	return windowed(&p.Geometry, geom.Axis.Field)
}

// lay checks the inputs against each other and resolves the windows over x.
func (o *Depthwise) lay(in []tensor.Spec) (*depthwiseLayout, error) {
	const op = "depthwise-conv2d"
	if err := o.Check(); err != nil {
		return nil, err
	}
	layout, e, err := spatialInput(op, &o.format, in[0], 2)
	if err != nil {
		return nil, err
	}
	shape := in[1].Shape
	if len(shape) != 4 || shape[2] != e.C {
		return nil, unfit(op, "filter", "got shape %s, want (height,width,%d,multiplier) (HWIM, the input has %d channels)", shape, e.C, e.C)
	}
	if n, err := shape.Elements(); err != nil || n == 0 {
		return nil, unfit(op, "filter", "got shape %s, want no extent of 0", shape)
	}
	channels, err := tensor.Product(e.C, shape[3])
	if err != nil {
		return nil, &DataError{op, err}
	}
	g, err := o.resolve(op, e, o.window(shape[:2]))
	if err != nil {
		return nil, err
	}
	out := tensor.Extents{N: e.N, C: channels, Spatial: g.Out()}
	return &depthwiseLayout{op: op, layout: layout, in: e, out: out, g: g, multiplier: shape[3]}, nil
}

// depthwiseLayout is an operation with weights for each channel, for given
// inputs.
type depthwiseLayout struct {
	op         string
	layout     tensor.Layout
	in, out    tensor.Extents
	g          geom.Geometry
	multiplier int
	kind       conv.Morphology
	ignoreNaN  bool
}

// filter returns the strides of the weights: [tap][channel][multiplier].
func (l *depthwiseLayout) filter() conv.FilterStrides {
	return conv.FilterStrides{Tap: l.in.C * l.multiplier, Group: l.multiplier, Src: 1, Dst: 1}
}

// plan plans depthwise convolution and morphology.
func (l *depthwiseLayout) plan(f *format, bias bool, in []tensor.Spec, want Want) (*Plan, error) {
	b := newBuilder(l.op, in)
	b.plan.describe(l.g, l.layout)
	b.plan.Parameters, _ = in[1].Shape.Elements()
	if bias {
		if !in[2].Shape.Equal(tensor.Shape{l.out.C}) {
			return nil, unfit(l.op, "bias", "got shape %s, want (%d), a number for each output channel", in[2].Shape, l.out.C)
		}
		b.plan.Parameters += l.out.C
	}
	spec := conv.DepthwiseSpec{N: l.in.N, C: l.in.C, Multiplier: l.multiplier, Bias: bias,
		Filter: l.filter(), DType: f.input(in[0]).Arithmetic(), Morphology: l.kind, IgnoreNaN: l.ignoreNaN, Level: b.plan.Level, Want: want.Impl}
	for i, a := range l.g.Axes {
		spec.Gather[i] = a.Forward()
	}
	last := l.layout
	if last.ChannelsFirst() {
		last = tensor.ChannelsLast(last.Spatial())
	}
	result := f.averaged(in[0])
	if l.kind != conv.Convolve && in[1].DType.IsInteger() {
		result = f.input(in[0]) // integers stay integers
	}
	y := b.output("y", tensor.Spec{DType: result, Shape: l.layout.Join(l.out)}, l.layout.With(l.out.C))
	x := b.permuted(b.converted(b.converted(0, f.input(in[0])), spec.DType), l.layout, last)
	filter := b.converted(1, spec.DType)
	biasBuf := filter // unused without a bias
	if bias {
		biasBuf = b.converted(2, spec.DType)
	}
	k := conv.NewDepthwise(spec)
	b.plan.chose(k.Choice)
	if err := b.plan.Force(want.Impl); err != nil {
		return nil, err
	}
	work := multiplyAdds(append([]int{l.out.N, l.out.C, l.g.Taps()}, l.out.Spatial...)...)
	if l.kind == conv.Convolve {
		b.plan.MultiplyAdds = work
	}
	packed := b.temp(spec.DType, k.Packed)
	dst := y
	if l.layout != last || result != spec.DType {
		dst = b.temp(spec.DType, last.Join(l.out)...)
	}
	b.stage(Stage{Name: "pack the filter", Units: 1, Exec: func(_ *Worker, bufs []*tensor.Tensor, _, _ int) {
		k.Pack(bufs[packed], bufs[filter])
	}})
	b.makes([]buf{packed}, filter)
	b.stage(Stage{Name: l.op, Units: k.Units, Scratch: k.Scratch, Work: work,
		Exec: func(w *Worker, bufs []*tensor.Tensor, lo, hi int) {
			k.Run(&w.Scratch, bufs[dst], bufs[x], bufs[packed], bufs[biasBuf], lo, hi)
		}})
	b.deliver(y, dst, last, l.layout)
	return b.finish()
}

// Morphology is grey dilation or erosion.
type Morphology struct {
	op   string
	kind conv.Morphology
	format
	windows
	Filter string
	NaN    string
}

// Params implements Op.
func (o *Morphology) Params() []Param {
	filter := filterParam(&o.Filter, "structuring element: a file (H,W,C)")
	params := append([]Param{filter}, o.windows.params("1")...)
	return append(append(params, nanParam(&o.NaN)), o.format.params()...)
}

// Check implements Op.
func (o *Morphology) Check() error {
	return checkFiltered(o.op, &weights{Filter: o.Filter}, &o.windows)
}

// Inputs implements Op.
func (o *Morphology) Inputs(x tensor.Spec) ([]Input, error) {
	_, e, err := o.layout(o.op, x)
	if err != nil {
		return nil, err
	}
	w := weights{Filter: o.Filter}
	return w.inputs(o.op, 2, e.C)
}

// Plan implements Op.
func (o *Morphology) Plan(in []tensor.Spec, want Want) (*Plan, error) {
	l, err := o.lay(in)
	if err != nil {
		return nil, err
	}
	return l.plan(&o.format, false, in, want)
}

// ReceptiveField implements Receptive.
func (o *Morphology) ReceptiveField(p *Plan) []geom.Field {
	return windowed(&p.Geometry, geom.Axis.Field)
}

// lay checks the inputs against each other and resolves the windows over x.
func (o *Morphology) lay(in []tensor.Spec) (*depthwiseLayout, error) {
	if err := o.Check(); err != nil {
		return nil, err
	}
	layout, e, err := spatialInput(o.op, &o.format, in[0], 2)
	if err != nil {
		return nil, err
	}
	shape := in[1].Shape
	if len(shape) != 3 || shape[2] != e.C {
		return nil, unfit(o.op, "filter", "got shape %s, want (height,width,%d) (the input has %d channels)", shape, e.C, e.C)
	}
	if n, err := shape.Elements(); err != nil || n == 0 {
		return nil, unfit(o.op, "filter", "got shape %s, want no extent of 0", shape)
	}
	w := o.window(shape[:2])
	w.Pooling = true
	g, err := o.resolve(o.op, e, w)
	if err != nil {
		return nil, err
	}
	out := tensor.Extents{N: e.N, C: e.C, Spatial: g.Out()}
	return &depthwiseLayout{o.op, layout, e, out, g, 1, o.kind, o.NaN == "ignore"}, nil
}

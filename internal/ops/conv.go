package ops

import (
	"fmt"
	"math"
	"slices"

	"github.com/poolctl/poolctl/internal/geom"
	"github.com/poolctl/poolctl/internal/ops/kernel"
	"github.com/poolctl/poolctl/internal/ops/kernel/conv"
	"github.com/poolctl/poolctl/internal/tensor"
)

// spatialAxes are the letters of the spatial axes, by the number of dimensions.
var spatialAxes = map[int]string{1: "W", 2: "HW", 3: "DHW"}

func convSpec(rank int, examples ...Example) Spec {
	axes := spatialAxes[rank]
	return Spec{
		Name:    fmt.Sprintf("conv%dd", rank),
		TF:      fmt.Sprintf("tf.nn.conv%dd, tf.nn.convolution", rank),
		Summary: fmt.Sprintf("%d-D convolution with bias and groups", rank),
		Doc: fmt.Sprintf(`Sums the products of a filter with the cells under it, over its taps t and all input channels i of its group (cross-correlation: the filter is not flipped).

    y[n, o, c] = bias[c] + sum over t, i of x[n, o*stride - lo + t*dilation, i] * filter[t, i, c]

Sizes and padding are those of pool. Padding is a real zero: an infinite or NaN weight over padding gives NaN. The filter is laid out as --filter-format says, %sIO by default; with groups its I is the number per group, and output channel c belongs to group c / (O/groups).

The filter is a file, or a name: %s. A named filter without channels applies to every channel separately.`, axes, filterForms),
		Rank: [2]int{rank, rank}, Linear: true, Examples: examples,
		New: func() Op {
			return defaults(&Conv{convolving{op: fmt.Sprintf("conv%dd", rank), rank: rank, channels: "IO"}})
		},
	}
}

var conv1dSpec = convSpec(1,
	Example{"smooth a signal", "poolctl conv1d samples/sequence_1x64x2.npy --filter gaussian:5:1 --padding SAME -o smooth.npy"},
	Example{"a filter from a file", "poolctl conv1d samples/sequence_1x64x2.npy --filter samples/filter1d_5x2x2.npy --strides 2 -o y.npy"})

var conv2dSpec = convSpec(2,
	Example{"edges of a photograph, stretched to the whole range", "poolctl conv2d samples/camera.png --filter sobel-x --padding SAME --normalize symmetric -o edges.png"},
	Example{"blur", "poolctl conv2d samples/chelsea.png --filter gaussian:9:2 --padding SAME -o blur.png"},
	Example{"a filter and a bias from files", "poolctl conv2d samples/input_10x9x9x3.npy --filter samples/filter_2x2x3x2.npy --bias samples/bias_2.npy --padding SAME -o y.npy"},
	Example{"random weights, shapes only", "poolctl conv2d samples/chelsea.png --filter uniform:7x7x3x64:1 --strides 2 --padding SAME --dry-run"})

var conv3dSpec = convSpec(3,
	Example{"a volume", "poolctl conv3d samples/volume_1x2x5x5x1.npy --filter samples/filter3d_2x3x3x1x3.npy --strides 2,2,1 --padding SAME -o y.npy"},
	Example{"the mean of each 3x3x3 block", "poolctl conv3d samples/volume_1x16x32x32x1.npy --filter box:3 --padding SAME -o y.npy"})

// Conv is convolution in one, two or three dimensions.
type Conv struct{ convolving }

// convolving is what convolution and its transpose share.
type convolving struct {
	op       string
	rank     int
	channels string // default order of the filter's channel axes: IO or OI
	format
	windows
	weights
	Groups        int
	Algorithm     string
	AllowWinograd bool
}

// weights are the parameters of operations with a filter.
type weights struct {
	Filter       string
	FilterFormat string
	Bias         string
}

// params declares them. formats are the filter layouts, the default first.
func (w *weights) params(formats []string) []Param {
	list := []Param{filterParam(&w.Filter, "weights: a file")}
	if len(formats) > 1 {
		list = append(list, choiceParam("filter-format", &w.FilterFormat, formats, formats[0], "order of the filter's axes").shown("FORMAT"))
	} else {
		w.FilterFormat = formats[0]
	}
	return append(list, tensorParam("bias", &w.Bias, "a number for each output channel"))
}

// inputs returns the filter and, if one was given, the bias.
func (w *weights) inputs(op string, rank int, channels ...int) ([]Input, error) {
	filter, err := filterInput(w.Filter, w.FilterFormat, rank, channels...)
	if err != nil {
		return nil, &UsageError{op, &geom.Error{Field: "filter", Problem: err.Error()}}
	}
	list := []Input{filter}
	if w.Bias != "" {
		bias, err := initialised("bias", w.Bias, "")
		if err != nil {
			return nil, usage(op, "bias", "%v", err)
		}
		list = append(list, bias)
	}
	return list, nil
}

// filterFormats returns the layouts of a filter with that many spatial
// dimensions, TensorFlow's first.
func filterFormats(rank int, channels string) []string {
	axes := spatialAxes[rank]
	list := []string{axes + channels}
	for _, other := range []string{axes + "IO", axes + "OI", "OI" + axes, "IO" + axes} {
		if !slices.Contains(list, other) {
			list = append(list, other)
		}
	}
	return list
}

// perChannel reports whether the filter is a named one without channels.
func (w *weights) perChannel() bool { return isSpatialFilter(w.Filter) }

// filterShape is the shape of a filter by meaning.
type filterShape struct {
	Spatial []int
	I, O    int
	strides conv.FilterStrides // Src is the stride of I, Dst that of O; Group is unset
}

// splitFilter splits the shape of a filter by its format.
func splitFilter(op string, spec tensor.Spec, format string) (filterShape, error) {
	if len(spec.Shape) != len(format) {
		return filterShape{}, unfit(op, "filter", "got shape %s of rank %d, want rank %d (%s)", spec.Shape, len(spec.Shape), len(format), format)
	}
	if _, err := spec.Bytes(); err != nil { // negative, or too large
		return filterShape{}, unfit(op, "filter", "got shape %s: %v", spec.Shape, err)
	}
	f := filterShape{}
	step := 1
	for axis := len(format) - 1; axis >= 0; axis-- {
		n := spec.Shape[axis]
		if n == 0 {
			return filterShape{}, unfit(op, "filter", "got shape %s, want no extent of 0", spec.Shape)
		}
		switch format[axis] {
		case 'I':
			f.I, f.strides.Src = n, step
		case 'O':
			f.O, f.strides.Dst = n, step
		default:
			if f.Spatial == nil {
				f.strides.Tap = step
			}
			f.Spatial = append([]int{n}, f.Spatial...)
		}
		step *= n
	}
	return f, nil
}

// Params implements Op.
func (o *Conv) Params() []Param {
	params := o.weights.params(filterFormats(o.rank, o.channels))
	params = append(params, groupsParam(&o.Groups))
	params = append(params, o.windows.params("1")...)
	params = append(params, o.algorithms()...)
	return withNeeds(append(params, o.format.params()...), o.needs)
}

// algorithms are the parameters that choose how to compute it. Only two
// dimensions have Winograd's algorithms.
func (o *convolving) algorithms() []Param {
	choices, doc := kernel.Algorithms, "how to compute it; winograd rounds differently, and is the faster of winograd-2x2 and winograd-4x4"
	if o.rank != 2 {
		choices, doc = choices[:3], "how to compute it"
	}
	list := []Param{choiceParam("algorithm", &o.Algorithm, choices, string(kernel.Auto), doc)}
	if o.rank == 2 {
		list = append(list, boolParam("allow-winograd", &o.AllowWinograd, "let auto use Winograd's algorithms where they are faster"))
	}
	return list
}

// needs says that a named filter has no format and no groups: it applies to
// every channel separately.
func (o *convolving) needs(name string, _ Want) (flags string, holds bool) {
	if name == "allow-winograd" {
		return "--algorithm auto", kernel.Algorithm(o.Algorithm) == kernel.Auto
	}
	return "a filter with channels", name != "filter-format" && name != "groups" || !o.perChannel()
}

func groupsParam(field *int) Param {
	if *field == 0 {
		*field = 1
	}
	return intParam("groups", field, "1", "number of groups that the input and output channels are split into and convolved separately", func(v int) error {
		if v < 1 {
			return fmt.Errorf("got %d, want >= 1", v)
		}
		return nil
	})
}

// Check implements Op.
func (o *convolving) Check() error {
	if o.perChannel() && o.Groups != 1 {
		return usage(o.op, "groups", "got %d with the filter %s, want none: a named filter applies to every channel separately", o.Groups, o.Filter)
	}
	return checkFiltered(o.op, &o.weights, &o.windows)
}

// Inputs implements Op. A named filter gets a group a channel.
func (o *convolving) Inputs(x tensor.Spec) ([]Input, error) {
	_, e, err := o.layout(o.op, x)
	if err != nil {
		return nil, err
	}
	return o.inputs(o.op, o.rank, 1, e.C)
}

// lay reads the shapes of the input and the filter, but does not resolve the
// windows yet.
func (o *convolving) lay(in []tensor.Spec) (*convLayout, error) {
	layout, e, err := spatialInput(o.op, &o.format, in[0], o.rank)
	if err != nil {
		return nil, err
	}
	groups, format := o.Groups, o.FilterFormat
	if o.perChannel() {
		groups, format = e.C, spatialAxes[o.rank]+o.channels
	}
	f, err := splitFilter(o.op, in[1], format)
	if err != nil {
		return nil, err
	}
	return &convLayout{op: o.op, layout: layout, in: e, filter: f, format: format, groups: groups, algorithm: kernel.Algorithm(o.Algorithm), winograd: o.AllowWinograd}, nil
}

// convLayout is a convolution, or a transposed one, for given inputs.
type convLayout struct {
	op      string
	layout  tensor.Layout
	in, out tensor.Extents
	g       geom.Geometry // of the convolution, transposed or not
	filter  filterShape
	format  string // of the filter
	groups  int

	algorithm kernel.Algorithm
	winograd  bool // allowed
}

// Plan implements Op.
func (o *Conv) Plan(in []tensor.Spec, want Want) (*Plan, error) {
	l, err := o.lay(in)
	if err != nil {
		return nil, err
	}
	spec := conv.Spec{Src: l.in.C, Dst: l.out.C, Filter: l.filter.strides, Want: want.Impl}
	spec.Filter.Group = l.filter.O / l.groups * l.filter.strides.Dst
	for i, a := range l.g.Axes {
		spec.Gather[i] = a.Forward()
	}
	return l.plan(&o.format, o.Bias != "", in, spec)
}

// ReceptiveField implements Receptive.
func (o *Conv) ReceptiveField(p *Plan) []geom.Field { return windowed(&p.Geometry, geom.Axis.Field) }

// lay checks the inputs against each other and resolves the windows over x.
func (o *Conv) lay(in []tensor.Spec) (*convLayout, error) {
	if err := o.Check(); err != nil {
		return nil, err
	}
	l, err := o.convolving.lay(in)
	if err != nil {
		return nil, err
	}
	e, f := l.in, l.filter
	if e.C%l.groups != 0 || f.I != e.C/l.groups {
		return nil, advise(unfit(o.op, "filter", "got %d input channels in shape %s (%s), want %d (the input's %d channels in %d groups)", f.I, in[1].Shape, l.format, e.C/l.groups, e.C, l.groups), channelAdvice)
	}
	if f.O%l.groups != 0 {
		return nil, unfit(o.op, "groups", "got %d, want a divisor of the filter's %d output channels", l.groups, f.O)
	}
	if l.g, err = o.resolve(o.op, e, o.window(f.Spatial)); err != nil {
		return nil, err
	}
	l.out = tensor.Extents{N: e.N, C: f.O, Spatial: l.g.Out()}
	return l, nil
}

// channelAdvice is the hint for a filter with another number of input channels.
const channelAdvice = "--groups cuts the channels into groups; --filter-format names the filter's axes"

// spatialInput returns the layout of the main input and checks its number of
// dimensions.
func spatialInput(op string, f *format, x tensor.Spec, rank int) (tensor.Layout, tensor.Extents, error) {
	layout, e, err := f.layout(op, x)
	if err != nil {
		return "", e, err
	}
	if n := layout.Spatial(); n != rank {
		err := unfit(op, "input", "got %s of layout %s with %d spatial dimensions, want %d", x.Shape, layout, n, rank)
		return "", e, advise(err, "--data-format names the axes of an array, such as HWC for one picture")
	}
	if e.C == 0 {
		return "", e, unfit(op, "input", "got shape %s with 0 channels, want at least 1", x.Shape)
	}
	return layout, e, nil
}

// plan plans a convolution or a transposed one: pack the filter, transpose the
// input to channels last if the kernel needs that, convolve, transpose the
// output back.
func (l *convLayout) plan(f *format, bias bool, in []tensor.Spec, spec conv.Spec) (*Plan, error) {
	b := newBuilder(l.op, in)
	b.plan.describe(l.g, l.layout)
	b.plan.Parameters, _ = in[1].Shape.Elements()
	if bias {
		if !in[2].Shape.Equal(tensor.Shape{l.out.C}) {
			return nil, unfit(l.op, "bias", "got shape %s, want (%d), a number for each output channel", in[2].Shape, l.out.C)
		}
		b.plan.Parameters += l.out.C
	}
	spec.N, spec.Groups, spec.Bias = l.in.N, l.groups, bias
	spec.Algorithm, spec.AllowWinograd = l.algorithm, l.winograd
	spec.DType = f.input(in[0]).Arithmetic()

	spec.ChannelsFirst, spec.Level = l.layout.ChannelsFirst(), b.plan.Level
	k, err := conv.New(spec)
	if err != nil {
		return nil, &DataError{l.op, err}
	}
	within := l.layout // of the kernel's input and output
	if within.ChannelsFirst() && !k.ChannelsFirst {
		within = tensor.ChannelsLast(within.Spatial())
	}
	y := b.output("y", tensor.Spec{DType: f.averaged(in[0]), Shape: l.layout.Join(l.out)}, l.layout.With(l.out.C))
	x := b.permuted(b.converted(b.converted(0, f.input(in[0])), spec.DType), l.layout, within)
	filter := b.converted(1, spec.DType)
	biasBuf := filter // unused without a bias
	if bias {
		biasBuf = b.converted(2, spec.DType)
	}
	b.plan.chose(k.Choice)
	if err := b.plan.Force(spec.Want); err != nil {
		return nil, err
	}
	b.plan.MultiplyAdds = l.multiplyAdds()
	packed := b.temp(spec.DType, k.Packed)
	dst := y
	if l.layout != within || b.spec(y).DType != spec.DType {
		dst = b.temp(spec.DType, within.Join(l.out)...)
	}
	b.pack(k, packed, filter)
	b.stage(Stage{Name: "convolve", Units: k.Units, Scratch: k.Scratch, Work: b.plan.MultiplyAdds,
		Exec: func(w *Worker, bufs []*tensor.Tensor, lo, hi int) {
			k.Run(&w.Scratch, bufs[dst], bufs[x], bufs[packed], bufs[biasBuf], lo, hi)
		}})
	b.deliver(y, dst, within, l.layout)
	return b.finish()
}

// pack adds the stage that packs a filter.
func (b *builder) pack(k *conv.Kernel, packed, filter buf) {
	b.stage(Stage{Name: "pack the filter", Units: k.PackUnits, Work: k.Packed,
		Exec: func(_ *Worker, bufs []*tensor.Tensor, lo, hi int) {
			k.Pack(bufs[packed], bufs[filter], lo, hi)
		}})
	b.makes([]buf{packed}, filter)
}

// multiplyAdds counts those of whole windows, borders included, as is usual. A
// transposed convolution counts those of the convolution whose gradient it is.
func (l *convLayout) multiplyAdds() int {
	return multiplyAdds(append([]int{l.in.N, l.in.C / l.groups, l.out.C, l.g.Taps()}, l.g.Out()...)...)
}

// multiplyAdds returns a product, at most the largest int.
func multiplyAdds(factors ...int) int {
	n, err := tensor.Product(factors...)
	if err != nil {
		return math.MaxInt
	}
	return n
}

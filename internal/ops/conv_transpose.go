package ops

import (
	"fmt"

	"github.com/poolctl/poolctl/internal/geom"
	"github.com/poolctl/poolctl/internal/ops/kernel/conv"
	"github.com/poolctl/poolctl/internal/tensor"
)

func convTransposeSpec(rank int, examples ...Example) Spec {
	axes := spatialAxes[rank]
	return Spec{
		Name:    fmt.Sprintf("conv%dd-transpose", rank),
		TF:      fmt.Sprintf("tf.nn.conv%dd_transpose, tf.nn.conv_transpose", rank),
		Summary: fmt.Sprintf("transposed %d-D convolution, with bias and groups", rank),
		Doc: fmt.Sprintf(`The gradient of a convolution with respect to its input, used for upsampling: every input cell adds the filter, times its value, to the output.

    y[n, o*stride - lo + t*dilation, c] += x[n, o, i] * filter[t, c, i]

Padding is that of the convolution whose gradient it is. Explicit padding and VALID give (in-1)*stride + eff - lo - hi cells, and --output-shape may ask for a surplus at the end of less than one stride or dilation; SAME gives in*stride, or any size whose ceil(size / stride) is the input's. The filter is laid out as --filter-format says, %sOI by default (O are the channels of the output; with groups their number per group).`, axes),
		Rank: [2]int{rank, rank}, Linear: true, Examples: examples,
		New: func() Op {
			return defaults(&ConvTranspose{convolving: convolving{op: fmt.Sprintf("conv%dd-transpose", rank), rank: rank, channels: "OI"}})
		},
	}
}

var conv1dTransposeSpec = convTransposeSpec(1,
	Example{"twice as long", "poolctl conv1d-transpose samples/sequence_1x64x2.npy --filter samples/filter1d_5x2x2.npy --strides 2 --padding SAME -o y.npy"})

var conv2dTransposeSpec = convTransposeSpec(2,
	Example{"enlarge a photograph four times in area", "poolctl conv2d-transpose samples/chelsea.png --filter samples/upsample_4x4x3x3.npy --strides 2 --padding SAME -o large.png"},
	Example{"with the whole output shape", "poolctl conv2d-transpose samples/chelsea.png --filter samples/upsample_4x4x3x3.npy --strides 2 --padding SAME --output-shape 1,599,901,3 -o y.npy"})

var conv3dTransposeSpec = convTransposeSpec(3,
	Example{"enlarge a volume", "poolctl conv3d-transpose samples/volume_1x2x5x5x1.npy --filter samples/filter3d_transpose_2x2x2x3x1.npy --strides 2 -o y.npy"})

// ConvTranspose is transposed convolution in one, two or three dimensions.
type ConvTranspose struct {
	convolving
	OutputShape tensor.Shape
}

// Params implements Op.
func (o *ConvTranspose) Params() []Param {
	params := o.weights.params(filterFormats(o.rank, o.channels))
	params = append(params, groupsParam(&o.Groups),
		shapeParam("output-shape", &o.OutputShape, "whole shape of the output, in the data format"))
	for _, p := range o.windows.params("1") {
		if p.Name != "empty" { // every window of a transposed convolution fits
			params = append(params, p)
		}
	}
	params = append(params, o.algorithms()...)
	return withNeeds(append(params, o.format.params()...), o.needs)
}

// Check implements Op.
func (o *ConvTranspose) Check() error {
	if _, err := o.OutputShape.Elements(); err != nil {
		return usage(o.op, "output-shape", "%v", err)
	}
	return o.convolving.Check()
}

// Plan implements Op.
func (o *ConvTranspose) Plan(in []tensor.Spec, want Want) (*Plan, error) {
	l, err := o.lay(in)
	if err != nil {
		return nil, err
	}
	spec := conv.Spec{Src: l.in.C, Dst: l.out.C, Filter: l.filter.strides, SkipPadding: true, Want: want.Impl}
	spec.Filter.Group = l.in.C / l.groups * l.filter.strides.Src
	for i, a := range l.g.Axes {
		spec.Gather[i] = a.Backward()
	}
	return l.plan(&o.format, o.Bias != "", in, spec)
}

// ReceptiveField implements Receptive.
func (o *ConvTranspose) ReceptiveField(p *Plan) []geom.Field {
	return windowed(&p.Geometry, geom.Axis.TransposedField)
}

// lay checks the inputs against each other and computes the size of the output.
func (o *ConvTranspose) lay(in []tensor.Spec) (*convLayout, error) {
	if err := o.Check(); err != nil {
		return nil, err
	}
	l, err := o.convolving.lay(in)
	if err != nil {
		return nil, err
	}
	e, f := l.in, l.filter
	if f.I != e.C {
		return nil, advise(unfit(o.op, "filter", "got %d input channels in shape %s (%s), want the input's %d", f.I, in[1].Shape, l.format, e.C), channelAdvice)
	}
	if e.C%l.groups != 0 {
		return nil, unfit(o.op, "groups", "got %d, want a divisor of the input's %d channels", l.groups, e.C)
	}
	channels, err := tensor.Product(f.O, l.groups)
	if err != nil {
		return nil, &DataError{o.op, err}
	}
	out := tensor.Extents{N: e.N, C: channels}
	var size []int
	if o.OutputShape != nil {
		wanted, err := l.layout.Split(o.OutputShape)
		if err != nil {
			return nil, unfit(o.op, "output-shape", "%v", err)
		}
		if wanted.N != out.N || wanted.C != out.C {
			return nil, unfit(o.op, "output-shape", "got batch %d and %d channels, want the input's %d and the filter's %d", wanted.N, wanted.C, out.N, out.C)
		}
		size = wanted.Spatial
	}
	if l.g, err = geom.ResolveTranspose(e.N, e.Spatial, channels, o.window(f.Spatial), size); err != nil {
		return nil, &DataError{o.op, err}
	}
	out.Spatial = l.g.In()
	l.out = out
	return l, nil
}

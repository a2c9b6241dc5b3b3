package ops

import (
	"maps"
	"math"
	"slices"

	"github.com/poolctl/poolctl/internal/geom"
	"github.com/poolctl/poolctl/internal/ops/kernel/layer"
	"github.com/poolctl/poolctl/internal/tensor"
)

var batchNormSpec = Spec{
	Name:    "batch-norm",
	TF:      "tf.nn.batch_normalization, tf.compat.v1.nn.fused_batch_norm with is_training=False",
	Summary: "batch normalisation with given statistics, as in inference",
	Doc: `Normalises every channel by a given mean and variance (inference), then scales and shifts it. The shape has two to five axes. --data-format says which one holds the channels; in (N, C) it is the last. Integers are computed as floating-point numbers. The scale is 1 and the offset 0 unless they are given. Each tensor is a file, or made: zeros:SHAPE, ones:SHAPE, or random as a filter is (uniform:SHAPE:SEED).

    y[n, o, c] = (x[n, o, c] - mean[c]) / sqrt(variance[c] + epsilon) * scale[c] + offset[c]

TensorFlow's and Keras' epsilon is 0.001, PyTorch's and ONNX's 0.00001. PyTorch calls scale weight and offset bias. Mean and variance are constants: the gradients are those with respect to the input, the scale and the offset.`,
	Rank: oneTensor,
	Examples: []Example{
		{"normalise two channels", "poolctl batch-norm samples/sequence_1x64x2.npy --mean samples/mean_2.npy --variance samples/variance_2.npy -o y.npy"},
	},
	New: func() Op { return defaults(new(BatchNorm)) },
}

// BatchNorm normalises channels with given statistics.
type BatchNorm struct {
	format
	Mean, Variance, Scale, Offset string
	Epsilon                       number
}

// Params implements Op.
func (o *BatchNorm) Params() []Param {
	mean := tensorParam("mean", &o.Mean, "mean of each channel")
	variance := tensorParam("variance", &o.Variance, "variance of each channel")
	mean.Required, variance.Required = true, true
	return append([]Param{mean, variance,
		tensorParam("scale", &o.Scale, "factor for each channel, gamma (default 1)"),
		tensorParam("offset", &o.Offset, "offset of each channel, beta (default 0)"),
		realParam("epsilon", &o.Epsilon, 0.001, "added to the variance", notNegative),
	}, o.format.params()...)
}

// Check implements Op.
func (o *BatchNorm) Check() error {
	switch {
	case o.Mean == "":
		return usage("batch-norm", "mean", "missing, want a file")
	case o.Variance == "":
		return usage("batch-norm", "variance", "missing, want a file")
	}
	return nil
}

// tensors returns the tensors that were given: their names and files, in order.
func (o *BatchNorm) tensors() (names, files []string) {
	for _, t := range [][2]string{{"mean", o.Mean}, {"variance", o.Variance}, {"scale", o.Scale}, {"offset", o.Offset}} {
		if t[1] != "" {
			names, files = append(names, t[0]), append(files, t[1])
		}
	}
	return names, files
}

// Inputs implements Op.
func (o *BatchNorm) Inputs(x tensor.Spec) ([]Input, error) {
	names, files := o.tensors()
	return o.perChannelInputs("batch-norm", x, names, files)
}

// batchNorm is the operation for given inputs.
type batchNorm struct {
	layout  tensor.Layout
	k       layer.Affine
	at      map[string]buf // of the given tensors
	epsilon float64
}

// lay checks the inputs against each other.
func (o *BatchNorm) lay(in []tensor.Spec) (*batchNorm, error) {
	if err := o.Check(); err != nil {
		return nil, err
	}
	layout, err := o.layer("batch-norm", in[0])
	if err != nil {
		return nil, err
	}
	l := &batchNorm{layout, layer.NewAffine(channels(layout, in[0].Shape)), map[string]buf{}, o.Epsilon.value}
	names, _ := o.tensors()
	for i, name := range names {
		if err := checkPerChannel("batch-norm", name, in[i+1], l.k.Extent); err != nil {
			return nil, err
		}
		l.at[name] = buf(i + 1)
	}
	return l, nil
}

// coefficients adds the stage that computes the factors of y = x·scale + shift
// and, for gradients, the mean and 1/sqrt(variance + epsilon). All are float64.
func (l *batchNorm) coefficients(b *builder, d tensor.DType) (scale, shift, mean, inverse buf) {
	n := l.k.Extent
	wide := map[string]buf{}
	for _, name := range []string{"mean", "variance", "scale", "offset"} {
		if at, ok := l.at[name]; ok {
			wide[name] = b.converted(b.converted(at, d), tensor.Float64)
		}
	}
	mean, inverse = wide["mean"], b.temp(tensor.Float64, n)
	scale, shift = b.temp(tensor.Float64, l.k.Pattern), b.temp(tensor.Float64, l.k.Pattern)
	gamma, scaled := wide["scale"]
	beta, shifted := wide["offset"]
	b.stage(Stage{Name: "coefficients", Units: 1, Exec: func(_ *Worker, bufs []*tensor.Tensor, _, _ int) {
		m, v := tensor.Of[float64](bufs[mean]), tensor.Of[float64](bufs[wide["variance"]])
		s, t, r := tensor.Of[float64](bufs[scale]), tensor.Of[float64](bufs[shift]), tensor.Of[float64](bufs[inverse])
		for c := range n {
			r[c] = 1 / math.Sqrt(v[c]+l.epsilon)
			s[c] = r[c]
			if scaled {
				s[c] *= tensor.Of[float64](bufs[gamma])[c]
			}
			t[c] = -m[c] * s[c]
			if shifted {
				t[c] += tensor.Of[float64](bufs[beta])[c]
			}
		}
		l.k.Fill(bufs[scale], bufs[shift])
	}})
	b.makes([]buf{scale, shift, inverse}, slices.Collect(maps.Values(wide))...)
	return scale, shift, mean, inverse
}

// Plan implements Op.
func (o *BatchNorm) Plan(in []tensor.Spec, _ Want) (*Plan, error) {
	l, err := o.lay(in)
	if err != nil {
		return nil, err
	}
	given := o.input(in[0])
	b := newBuilder("batch-norm", in)
	b.plan.Layout, b.plan.Impl, b.plan.Parameters = l.layout, "elements, go", len(l.at)*l.k.Extent
	y := b.output("y", tensor.Spec{DType: given.Averaged(), Shape: in[0].Shape}, l.layout)
	scale, shift, _, _ := l.coefficients(b, given.Arithmetic())
	b.computed(y, b.converted(0, given), given.Arithmetic(), func(dst, src buf) {
		b.stage(Stage{Name: "batch-norm", Units: l.k.Units(), Work: multiplyAdds(in[0].Shape...),
			Exec: func(_ *Worker, bufs []*tensor.Tensor, lo, hi int) {
				l.k.Scale(bufs[dst], bufs[src], bufs[scale], bufs[shift], lo, hi)
			}})
	})
	return b.finish()
}

// ReceptiveField implements Receptive.
func (o *BatchNorm) ReceptiveField(p *Plan) []geom.Field { return cellwise(p.Layout) }

// GradParams implements Differentiable.
func (o *BatchNorm) GradParams() []Param { return nil }

// PlanGrad implements Differentiable. The inputs are x, the given tensors and
// the upstream gradient.
func (o *BatchNorm) PlanGrad(in []tensor.Spec, want WantGrad) (*Plan, error) {
	l, err := o.lay(in)
	if err != nil {
		return nil, err
	}
	last := len(in) - 1
	if err := checkUpstream("batch-norm", in[last], in[0].Shape); err != nil {
		return nil, err
	}
	for _, name := range []string{"scale", "offset"} {
		if _, given := l.at[name]; *want.Of(name) && !given {
			return nil, usage("batch-norm", name+"-grad", "only applies with --%s", name)
		}
	}
	g := newGradient("batch-norm", in, &o.format, l.layout)
	g.plan.Layout, g.plan.Impl, g.plan.Parameters = l.layout, "elements, go", len(l.at)*l.k.Extent
	var dx, dscale, doffset buf
	if want.Input {
		dx = g.output("dx", in[0].Shape, l.layout)
	}
	if want.Scale {
		dscale = g.output("dscale", tensor.Shape{l.k.Extent}, "")
	}
	if want.Offset {
		doffset = g.output("doffset", tensor.Shape{l.k.Extent}, "")
	}
	scale, _, mean, inverse := l.coefficients(g.builder, g.dtype)
	dy := g.converted(buf(last), g.dtype)
	if want.Input {
		g.computed(dx, dy, g.dtype, func(dst, src buf) {
			g.stage(Stage{Name: "input gradient", Units: l.k.Units(), Work: multiplyAdds(in[0].Shape...),
				Exec: func(_ *Worker, bufs []*tensor.Tensor, lo, hi int) {
					l.k.Scale(bufs[dst], bufs[src], bufs[scale], nil, lo, hi)
				}})
		})
	}
	if !want.Scale {
		g.unread(0, 1)
	}
	if want.Scale {
		x := g.converted(g.converted(0, o.input(in[0])), g.dtype)
		g.perChannel("scale gradient", dscale, l.k.Lanes, func(dst *tensor.Tensor, bufs []*tensor.Tensor, lo, hi int) {
			l.k.SumLanes(dst, bufs[dy], bufs[x], tensor.Of[float64](bufs[mean]), tensor.Of[float64](bufs[inverse]), lo, hi)
		})
	}
	if want.Offset {
		g.perChannel("offset gradient", doffset, l.k.Lanes, func(dst *tensor.Tensor, bufs []*tensor.Tensor, lo, hi int) {
			l.k.SumLanes(dst, bufs[dy], nil, nil, nil, lo, hi)
		})
	}
	return g.finish()
}

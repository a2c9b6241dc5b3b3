package ops

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/poolctl/poolctl/internal/geom"
	"github.com/poolctl/poolctl/internal/ops/kernel/pool"
	"github.com/poolctl/poolctl/internal/ops/kernel/poolgrad"
	"github.com/poolctl/poolctl/internal/tensor"
)

var poolSpec = Spec{
	Name:    "pool",
	TF:      "tf.nn.max_pool, avg_pool, max_pool3d, avg_pool3d, pool, max_pool_with_argmax, fractional_max_pool, fractional_avg_pool",
	Summary: "max, average, min, sum, Lp, median, rank, standard deviation and variance pooling in 1-D, 2-D and 3-D",
	Doc: `Slides a window over the input and reduces the cells under it, channel by channel.

    eff = (window - 1) * dilation + 1
    VALID         out = floor((in - eff) / stride) + 1
    lo:hi         out = floor((in + lo + hi - eff) / stride) + 1
    SAME          out = ceil(in / stride); padding max(0, (out-1) * stride + eff - in), the odd one at the end
    SAME_LOWER    the same, the odd one at the start
    --ceil-mode   VALID and lo:hi round up; a window that would start past input and padding is dropped

Padding never enters the reduction: a maximum is that of the real cells, and an average divides by how many there are (TensorFlow's rule). --count-include-pad counts the padding too (PyTorch's default), --divisor replaces the count. Strides default to the window.

A median is the middle cell of a window, or the mean of the two middle ones where it has an even number of real cells; integers give the type that their average has. --type rank --rank R takes the cell of place R in the order of values: 0 is the minimum, and the result is a cell. A rank that some window does not have, at a border for example, is refused. (TensorFlow has neither; values inside are those of scipy.ndimage.median_filter for odd windows and rank_filter.)

--linear-light averages samples of 8 or 16 bits as light: they are decoded from sRGB, averaged and encoded again. The result keeps the type of the input. Alpha, the last of 2 or 4 channels, is averaged as it is. (Maximum, minimum, median of an odd number and rank need none of it: decoding does not change which sample is larger.)

std and var are the standard deviation and the variance of a window's cells: divided by their number, as numpy.std, numpy.var and torch.var(unbiased=False) do. Padding does not count; with --count-include-pad its cells count as zeros, as in an average. Squared deviations from the mean are added in float64 or better, so that a window of equal cells gives exactly 0. Where a standard deviation is 0 its gradient is 0 (PyTorch gives NaN). Results have the type of averages; a picture of them is rounded to whole levels.

--argmax writes where each maximum (or minimum) was; the first in row-major order wins a tie. --argmax-index names the convention: tensorflow (y*W + x)*C + c, with --include-batch-in-index ((b*H + y)*W + x)*C + c; pytorch y*W + x; onnx ((b*C + c)*H + y)*W + x; onnx-column-major with H and W swapped. Indices count cells of the unpadded input whatever --data-format is.

--output-size makes the windows adaptive (PyTorch's rule): output i covers the cells from floor(i*in/out) to ceil((i+1)*in/out). --fractional takes one ratio for each spatial dimension, out = floor(in / ratio), and draws the window borders by --seed as tf.nn.fractional_max_pool does for the same seed; the report prints them.`,
	Rank:   [2]int{1, 3},
	Argmax: true,
	Examples: []Example{
		{"halve a photograph by its brightest pixels", "poolctl pool samples/chelsea.png --type max --window 2 -o max.png"},
		{"average 3x3 windows at every pixel, borders included", "poolctl pool samples/chelsea.png --type avg --window 3 --strides 1 --padding SAME -o smooth.png"},
		{"max_pool_with_argmax of an array, and a picture of where the maxima were", "poolctl pool samples/input_10x9x9x3.npy --type max --window 2 --strides 1 --padding SAME -o max.npy --argmax where.png"},
		{"one number for each channel", "poolctl pool samples/chelsea.png --type avg --window global -o means.npy"},
		{"take out specks by the median of 5x5 pixels", "poolctl pool samples/chelsea.png --type median --window 5 --strides 1 --padding SAME -o clean.png"},
		{"the second smallest of each 2x2 pixels", "poolctl pool samples/chelsea.png --type rank --rank 1 --window 2 -o second.png"},
		{"halve a photograph as bright as it was", "poolctl pool samples/chelsea.png --type avg --window 2 --linear-light -o half.png"},
		{"where a photograph has texture: the standard deviation of 7x7 pixels", "poolctl pool samples/chelsea.png --type std --window 7 --strides 1 --padding SAME -o texture.png"},
		{"adaptive pooling to 7x7", "poolctl pool samples/chelsea.png --type avg --output-size 7,7 -o seven.npy"},
		{"the shapes only", "poolctl pool samples/chelsea.png --type max --window 3 --strides 2 --padding SAME --dry-run"},
	},
	New: func() Op { return defaults(new(Pool)) },
}

// Pool is regular, adaptive and fractional pooling.
type Pool struct {
	format
	windows
	Type         string
	Window       windowValue
	CeilMode     bool
	CountPadding bool
	Divisor      int // 0 if not given
	LinearLight  bool
	P            float64
	Rank         number
	NaN          string
	OutputSize   []int
	Fractional   []float64
	Seed         int
	PseudoRandom bool
	Overlapping  bool
	IndexRule    string
	Batch        bool

	// Parameters of the gradient.
	Ties       string
	FromArgmax string
	Second     string
}

var conventions = []string{"tensorflow", "pytorch", "onnx", "onnx-column-major"}

// Params implements Op.
func (o *Pool) Params() []Param {
	kind := choiceParam("type", &o.Type, poolTypes(anyPoolKind), "", "how a window is reduced").shown("TYPE")
	kind.Required = true
	params := []Param{kind, windowParam(&o.Window)}
	params = append(params, o.windows.params("the window")...)
	params = append(params, boolParam("ceil-mode", &o.CeilMode, "keep a last window that hangs over the end"))
	kinds, _ := o.kindParams()
	params = append(params, kinds...)
	params = append(params,
		nanParam(&o.NaN),
		intsParam("output-size", &o.OutputSize, "", "adaptive pooling to this size"),
		numbersParam("fractional", &o.Fractional, "fractional pooling by this ratio, at least 1"),
		intParam("seed", &o.Seed, "random", "seed of fractional pooling, as tf.nn.fractional_max_pool takes it", func(v int) error {
			if v == 0 {
				return errors.New("got 0, want any other whole number (TensorFlow takes 0 for a random seed)")
			}
			return nil
		}),
		boolParam("pseudo-random", &o.PseudoRandom, "fractional windows of nearly even size"),
		boolParam("overlapping", &o.Overlapping, "fractional windows share their border cell"),
		choiceParam("argmax-index", &o.IndexRule, conventions, conventions[0], "how argmax numbers cells"),
		boolParam("include-batch-in-index", &o.Batch, "argmax counts through the batch (tensorflow only)"),
	)
	return withNeeds(append(params, o.format.params()...), o.needs)
}

// needs returns the flags that a parameter needs to be meaningful, and whether
// they are given.
func (o *Pool) needs(name string, want Want) (flags string, holds bool) {
	switch name {
	case "strides", "dilations", "padding", "ceil-mode", "empty":
		return "--window", o.Window.given()
	case "seed", "pseudo-random", "overlapping":
		return "--fractional", o.Fractional != nil
	case "argmax-index":
		return "--argmax", want.Argmax || o.FromArgmax != ""
	case "include-batch-in-index":
		return "--argmax-index tensorflow", o.IndexRule == "tensorflow" && (want.Argmax || o.FromArgmax != "")
	}
	if _, kindsOf := o.kindParams(); kindsOf[name] != nil {
		return "--type " + either(kindsOf[name]), slices.Contains(kindsOf[name], o.Type)
	}
	return "", true
}

// Check implements Op.
func (o *Pool) Check() error {
	if o.Type == "" {
		return usage("pool", "type", "missing, want one of %s", strings.Join(poolTypes(anyPoolKind), ", "))
	}
	var ways []string
	for _, p := range o.Params() {
		switch p.Name {
		case "window", "output-size", "fractional":
			if text := p.String(); text != "" {
				ways = append(ways, "--"+p.Name+" "+text)
			}
		}
	}
	switch len(ways) {
	case 0:
		return usage("pool", "window", "missing, want one of --window, --output-size and --fractional")
	case 1:
	default:
		return usage("pool", "window", "got %s, want only one of them", strings.Join(ways, " and "))
	}
	if err := o.checkMeaning(); err != nil {
		return err
	}
	for _, v := range o.OutputSize {
		if v < 1 || v > geom.MaxBounds {
			return usage("pool", "output-size", "got %d, want 1 to %d", v, geom.MaxBounds)
		}
	}
	for _, v := range o.Fractional {
		if v < 1 || math.IsInf(v, 0) {
			return usage("pool", "fractional", "got %s, want a finite ratio >= 1", formatNumber(v))
		}
	}
	for name, n := range map[string]int{"output-size": len(o.OutputSize), "fractional": len(o.Fractional)} {
		if n > 3 {
			return usage("pool", name, "got %d numbers, want one for each spatial dimension (1 to 3)", n)
		}
	}
	if err := o.window(o.Window.Size).Check(); err != nil {
		return &UsageError{"pool", err}
	}
	return nil
}

// checkMeaning refuses parameters that have no effect with the others.
func (o *Pool) checkMeaning() error {
	for _, c := range []struct {
		name  string
		given bool
	}{
		{"strides", o.Strides != nil},
		{"dilations", o.Dilations != nil},
		{"padding", o.Padding.given},
		{"ceil-mode", o.CeilMode},
		{"seed", o.Seed != 0},
		{"pseudo-random", o.PseudoRandom},
		{"overlapping", o.Overlapping},
		{"include-batch-in-index", o.Batch},
	} {
		if flags, holds := o.needs(c.name, Want{Argmax: true}); c.given && !holds {
			return usage("pool", c.name, "only applies with %s", flags)
		}
	}
	params, _ := o.kindParams()
	for _, p := range params {
		given := p.String() != p.Default && p.String() != ""
		if flags, holds := o.needs(p.Name, Want{}); given && !holds {
			return usage("pool", p.Name, "only applies with %s", flags)
		}
	}
	if !o.Window.given() && !o.is((*poolKind).isIrregular) {
		return usage("pool", "type", "got %s, want --window (adaptive and fractional pooling are %s)", o.Type, either(poolTypes((*poolKind).isIrregular)))
	}
	if k := o.kind(); k != nil && k.check != nil {
		return k.check(o)
	}
	return nil
}

// Inputs implements Op. Pooling has no secondary inputs.
func (o *Pool) Inputs(tensor.Spec) ([]Input, error) { return nil, nil }

// Plan implements Op.
func (o *Pool) Plan(in []tensor.Spec, want Want) (*Plan, error) {
	if err := o.Check(); err != nil {
		return nil, err
	}
	kind := o.kind()
	if want.Argmax && !kind.winner {
		return nil, usage("pool", "argmax", "only applies with --type %s, got %s", either(poolTypes((*poolKind).isWinner)), o.Type)
	}
	layout, e, err := o.layout("pool", in[0])
	if err != nil {
		return nil, err
	}
	if o.LinearLight {
		if err := checkLight("pool", o.input(in[0])); err != nil {
			return nil, err
		}
	}
	b := newBuilder("pool", in)
	g, err := o.geometry(e, b.plan)
	if err != nil {
		return nil, err
	}
	b.plan.describe(g, layout)
	b.plan.Index = pool.Index{Convention: conventionOf(o.IndexRule), Batch: o.Batch, N: e.N, Channels: e.C}
	for i, a := range g.Axes {
		b.plan.Index.Extent[i] = a.In
	}

	spec := o.spec(kind, g, layout)
	spec.Argmax, spec.Index, spec.Want = want.Argmax, b.plan.Index, want.Impl
	spec.Picture = !o.LinearLight && o.picture(in[0], want)
	result := o.averaged(in[0])
	if spec.Reduction.KeepsType() || spec.Picture || o.LinearLight {
		result = o.input(in[0])
	}
	shape := layout.Join(tensor.Extents{N: e.N, C: e.C, Spatial: g.Out()})
	y := b.output("y", tensor.Spec{DType: result, Shape: shape}, layout)
	argmax := y // unused unless wanted
	if want.Argmax {
		argmax = b.output("argmax", tensor.Spec{DType: tensor.Int64, Shape: shape}, layout)
	}
	reduce := func(y, x buf) {
		x = b.converted(x, b.spec(x).DType.Real())
		spec.DType = b.spec(x).DType
		computed := y
		if r := spec.Result(); r != b.spec(y).DType {
			computed = b.temp(r, shape...)
		}
		switch n, err := shape.Elements(); {
		case err != nil || n == 0:
		case want.Winners && !want.Argmax && computed == y && o.notes(b, spec, y, x, layout):
		default:
			b.pool(spec, computed, argmax, x, want.Argmax)
		}
		if computed != y {
			b.convert(y, computed)
		}
	}
	if x := b.converted(0, o.input(in[0])); o.LinearLight {
		b.inLinearLight(y, x, layout, reduce)
	} else {
		reduce(y, x)
	}
	plan, err := b.finish()
	if err == nil {
		err = plan.Force(want.Impl)
	}
	return plan, err
}

// ReceptiveField implements Receptive.
func (o *Pool) ReceptiveField(p *Plan) []geom.Field { return windowed(&p.Geometry, geom.Axis.Field) }

// notes adds the stage that pools and also notes the winners, or reports that
// no kernel can. The winners are in the layout of the gradient.
func (o *Pool) notes(b *builder, spec pool.Spec, y, x buf, layout tensor.Layout) bool {
	if x != 0 || !spec.DType.IsFloat() || !spec.Reduction.IsExtremum() || o.Ties != "first" {
		return false
	}
	within := b.computedIn(layout, spec.DType, spec.Geometry.C)
	spec.Level, spec.ChannelsFirst = b.plan.Level, within.ChannelsFirst()
	k, _ := poolgrad.NewWinners(spec, false)
	if k == nil {
		return false
	}
	shape := tensor.PermutedShape(b.spec(y).Shape, tensor.Permutation(string(layout), string(within)))
	codes := b.output("winners", tensor.Spec{DType: tensor.Uint8, Shape: shape}, within)
	dst := y
	if within != layout {
		dst = b.temp(spec.DType, shape...)
	}
	x = b.permuted(x, layout, within)
	b.plan.Impl = k.Impl
	b.stage(Stage{Name: "pool", Units: k.Units, Scratch: k.Scratch(), Work: math.MaxInt,
		Exec: func(w *Worker, bufs []*tensor.Tensor, lo, hi int) {
			k.RunValues(&w.Scratch, bufs[codes], bufs[dst], bufs[x], lo, hi)
		}})
	b.deliver(y, dst, within, layout)
	return true
}

// picture reports whether results are rounded as in pictures: averages of
// samples, which stay in their range, keep their type.
func (o *Pool) picture(x tensor.Spec, want Want) bool {
	asked := o.DType == x.DType || o.DType == tensor.Invalid && want.Picture
	return asked && o.kind().samples && o.Divisor == 0 && (x.DType == tensor.Uint8 || x.DType == tensor.Uint16)
}

// pool adds the stage of a pooling kernel.
func (b *builder) pool(spec pool.Spec, dst, argmax, src buf, wantArgmax bool) {
	spec.Level = b.plan.Level
	if spec.Turns() {
		spec.ChannelsFirst = false
		layout, last := b.plan.Layout, tensor.ChannelsLast(b.plan.Layout.Spatial())
		to := b.temp(b.spec(dst).DType, tensor.PermutedShape(b.spec(dst).Shape, tensor.Permutation(string(layout), string(last)))...)
		b.pool(spec, to, argmax, b.permuted(src, layout, last), false)
		b.deliver(dst, to, last, layout)
		return
	}
	k, err := pool.New(spec)
	if err != nil {
		b.fail(err)
		return
	}
	b.plan.chose(k.Choice)
	b.stage(Stage{Name: "pool", Units: k.Units, Scratch: k.Scratch, Work: math.MaxInt, Reach: k.Reach,
		Exec: func(w *Worker, bufs []*tensor.Tensor, lo, hi int) {
			var at *tensor.Tensor
			if wantArgmax {
				at = bufs[argmax]
			}
			k.Run(&w.Scratch, bufs[dst], at, bufs[src], lo, hi)
		}})
}

// spec says what a kernel computes of the input, but for its type.
func (o *Pool) spec(k *poolKind, g geom.Geometry, layout tensor.Layout) pool.Spec {
	return pool.Spec{
		Geometry: g, Reduction: k.reduction, ChannelsFirst: layout.ChannelsFirst(), IgnoreNaN: o.NaN == "ignore",
		Power: o.P, Rank: int(o.Rank.value), CountPadding: o.CountPadding, Divisor: o.Divisor,
	}
}

// geometry resolves the windows over the input.
func (o *Pool) geometry(e tensor.Extents, p *Plan) (geom.Geometry, error) {
	g, err := o.lay(e, p)
	if fits := o.kind().fits; err == nil && fits != nil {
		err = fits(o, &g)
	}
	return g, err
}

func (o *Pool) lay(e tensor.Extents, p *Plan) (geom.Geometry, error) {
	if o.Window.given() {
		size := o.Window.Size
		if o.Window.Global {
			size = slices.Clone(e.Spatial)
			for i := range size {
				size[i] = max(size[i], 1)
			}
		}
		w := o.window(size)
		if w.Stride == nil {
			w.Stride = size
		}
		w.Ceil, w.Pooling = o.CeilMode, true
		return o.resolve("pool", e, w)
	}
	axes := make([]geom.Axis, len(e.Spatial))
	for i, in := range e.Spatial {
		if in == 0 {
			return geom.Geometry{}, unfit("pool", "input", "got extent 0 in spatial dimension %d, want >= 1", i)
		}
	}
	if o.OutputSize != nil {
		if n := len(o.OutputSize); n != 1 && n != len(axes) {
			return geom.Geometry{}, unfit("pool", "output-size", "got %d numbers, want 1 or %d (one for each spatial dimension of the input)", n, len(axes))
		}
		for i, in := range e.Spatial {
			axes[i] = geom.Adaptive(in, o.OutputSize[i%len(o.OutputSize)])
		}
		return geom.New(e.N, e.C, axes), nil
	}
	sequences, err := o.sequences(e.Spatial)
	if err != nil {
		return geom.Geometry{}, err
	}
	for i, s := range sequences {
		axes[i] = geom.Fractional(s, o.Overlapping)
		p.Details = append(p.Details, Detail{fmt.Sprintf("sequence%d", i), tensor.Join(s, ",")})
	}
	p.Sequences = sequences
	return geom.New(e.N, e.C, axes), nil
}

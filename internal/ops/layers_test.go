package ops_test

import (
	"cmp"
	"strings"
	"testing"

	"github.com/poolctl/poolctl/internal/ops"
	"github.com/poolctl/poolctl/internal/tensor"
	"github.com/poolctl/poolctl/internal/testutil"
)

func init() {
	badValues["real"] = []string{"", "nan", "true", "many", "1,2"}
	badValues["count"] = []string{"", "-1", "2.5", "1e3", "true", "many", "1,2", "2147483648"}
	badValues["axis"] = []string{"", "2.5", "true", "many", "1,2", "5", "-6", "9223372036854775808"}
	badValues["pairs"] = []string{"", "0", "1", "true", "1:", ":1", "1:2:3", "1.5:0", "-24:0", "0:-2147483648", "2147483648:0", "0:4611686018427387904", "0:0,0:0,0:0", "0:0,0:0,0:0,0:0,0:0,0:0"}
}

// TestNamesMayBeSpeltWithUnderscores, of operations and of parameters; local
// response normalisation has a second one.
func TestNamesMayBeSpeltWithUnderscores(t *testing.T) {
	for name, want := range map[string]string{
		"bias_add": "bias-add", "leaky_relu": "leaky-relu", "batch_norm": "batch-norm", "conv2d_transpose": "conv2d-transpose",
		"local_response_normalization": "lrn", "local-response-normalization": "lrn",
	} {
		if spec, err := ops.Lookup(name); err != nil || spec.Name != want {
			t.Errorf("%s: got %s (%v), want %s", name, spec.Name, err, want)
		}
	}
	op := fixture{}.op(t, lookup(t, "lrn"))
	if err := ops.Set(op, "depth_radius", "3"); err != nil || paramText(op, "depth-radius") != "3" {
		t.Errorf("got %s (%v), want 3", paramText(op, "depth-radius"), err)
	}
}

func lookup(t *testing.T, name string) ops.Spec {
	t.Helper()
	spec, err := ops.Lookup(name)
	if err != nil {
		t.Fatal(err)
	}
	return spec
}

// TestNumbersMayBeZero: a parameter whose default is not 0 takes 0, and keeps
// it however often parameters are listed.
func TestNumbersMayBeZero(t *testing.T) {
	x := tensor.From([]float64{-2, 3}, 1, 2)
	op := fixture{params: "alpha=0"}.op(t, lookup(t, "leaky-relu"))
	op.Params()
	want := tensor.From([]float64{0, 3}, 1, 2)
	if err := testutil.Equal(run(t, op, x)[0], want, 1e-300); err != nil {
		t.Error(err)
	}
}

// TestNumbersOfChannelsMayBeMade instead of read: statistics of 0 and 1 change
// nothing, and a scale of 0 leaves the offset.
func TestNumbersOfChannelsMayBeMade(t *testing.T) {
	x := uneven(tensor.Shape{2, 3, 4, 5}, 1)
	for params, want := range map[string]*tensor.Tensor{
		"mean=zeros:5 variance=ones:5 epsilon=0":                        x,
		"mean=ones:5 variance=ones:5 epsilon=0 offset=ones:5":           x,
		"mean=uniform:5:7 variance=ones:5 scale=zeros:5 offset=zeros:5": tensor.New(x.Spec),
		"mean=zeros:3 variance=ones:3 epsilon=0 data-format=NCHW":       x,
	} {
		list, op := []*tensor.Tensor{x}, fixture{params: params}.op(t, lookup(t, "batch-norm"))
		inputs, err := op.Inputs(x.Spec)
		if err != nil {
			t.Fatal(err)
		}
		for _, in := range inputs {
			list = append(list, in.Make())
		}
		if err := testutil.Equal(run(t, op, list...)[0], want, 1e-6); err != nil {
			t.Errorf("%s: %v", params, err)
		}
	}
	op := fixture{params: "bias=zeros:"}.op(t, lookup(t, "bias-add"))
	if _, err := op.Inputs(x.Spec); err == nil || !strings.HasPrefix(err.Error(), `bias-add: bias: got "zeros:", want NAME:SHAPE:SEED`) {
		t.Errorf("got %v", err)
	}
}

// TestFlattenKeepsTheOrderOfMemory whatever the layout is called.
func TestFlattenKeepsTheOrderOfMemory(t *testing.T) {
	x := uneven(tensor.Shape{2, 3, 4, 5}, 1)
	for _, layout := range []string{"NHWC", "NCHW"} {
		y := run(t, fixture{params: "data-format=" + layout}.op(t, lookup(t, "flatten")), x)[0]
		if err := testutil.Equal(y, x.Reshaped(tensor.Shape{2, 60}), 0); err != nil {
			t.Errorf("%s: %v", layout, err)
		}
	}
	picture := uneven(tensor.Shape{3, 4, 2}, 1)
	y := run(t, fixture{params: "data-format=HWC"}.op(t, lookup(t, "flatten")), picture)[0]
	if err := testutil.Equal(y, picture.Reshaped(tensor.Shape{1, 24}), 0); err != nil {
		t.Error(err)
	}
}

// TestSumsOfIntegersAreClipped, and counted.
func TestSumsOfIntegersAreClipped(t *testing.T) {
	for _, c := range []struct{ a, b, want *tensor.Tensor }{
		{tensor.From([]uint8{250, 1, 255}, 1, 3), tensor.From([]uint8{10, 2, 255}, 1, 3), tensor.From([]uint8{255, 3, 255}, 1, 3)},
		{tensor.From([]int8{-100, 100, -1}, 1, 3), tensor.From([]int8{-100, 100, 1}, 1, 3), tensor.From([]int8{-128, 127, 0}, 1, 3)},
		{tensor.From([]int64{-1 << 63, 1<<63 - 1, 5}, 1, 3), tensor.From([]int64{-1, 1, -7}, 1, 3), tensor.From([]int64{-1 << 63, 1<<63 - 1, -2}, 1, 3)},
		{tensor.From([]uint64{1<<64 - 1, 1 << 63, 5}, 1, 3), tensor.From([]uint64{1, 1 << 63, 7}, 1, 3), tensor.From([]uint64{1<<64 - 1, 1<<64 - 1, 12}, 1, 3)},
	} {
		out, clipped, err := ops.Run(plan(t, lookup(t, "add").New(), []*tensor.Tensor{c.a, c.b}), 1, c.a, c.b)
		if err != nil || clipped != 2 {
			t.Errorf("%s: %d clipped (%v), want 2", c.a.DType, clipped, err)
			continue
		}
		if err := testutil.Equal(out[0], c.want, 0); err != nil {
			t.Errorf("%s: %v", c.a.DType, err)
		}
	}
}

// TestPadOfTwoAxes: an array from a file is one grey picture (H, W), and what a
// step of a pipeline made vectors of stays vectors.
func TestPadOfTwoAxes(t *testing.T) {
	x := tensor.From([]float32{1, 2, 3, 4}, 2, 2)
	for _, c := range []struct {
		params string
		layout tensor.Layout
		want   *tensor.Tensor
	}{
		{"paddings=1:0", "", tensor.From([]float32{0, 0, 0, 0, 1, 2, 0, 3, 4}, 3, 3)},
		{"paddings=0:0,1:0", "", tensor.From([]float32{0, 1, 2, 0, 3, 4}, 2, 3)},
		{"paddings=0:0,1:0", tensor.NC, tensor.From([]float32{0, 1, 2, 0, 3, 4}, 2, 3)},
	} {
		op := fixture{params: c.params}.op(t, lookup(t, "pad"))
		if c.layout != "" {
			op.(*ops.Pad).Layout = c.layout
		}
		p := plan(t, op, []*tensor.Tensor{x})
		out, _, err := ops.Run(p, 1, x)
		if err != nil {
			t.Fatal(err)
		}
		if err := testutil.Equal(out[0], c.want, 0); err != nil {
			t.Errorf("%s %s: %v", c.params, c.layout, err)
		}
		if want := cmp.Or(c.layout, tensor.HW); p.Layout != want {
			t.Errorf("%s: layout %s, want %s", c.params, p.Layout, want)
		}
	}
	one := fixture{params: "paddings=1:0"}.op(t, lookup(t, "pad"))
	one.(*ops.Pad).Layout = tensor.NC
	if _, err := one.Plan([]tensor.Spec{x.Spec}, ops.Want{}); err == nil {
		t.Error("one pair for vectors, which have no spatial axes, was taken")
	}
}

// TestSumsOfIntegersAreExact: of three terms, no sum on the way is clipped.
func TestSumsOfIntegersAreExact(t *testing.T) {
	terms := []*tensor.Tensor{tensor.From([]int8{127, -128, 100}, 1, 3), tensor.From([]int8{1, -1, 100}, 1, 3), tensor.From([]int8{-5, 3, 100}, 1, 3)}
	out, clipped, err := ops.Run(plan(t, lookup(t, "add").New(), terms), 1, terms...)
	if err != nil || clipped != 1 {
		t.Errorf("%d clipped (%v), want 1", clipped, err)
	}
	if err := testutil.Equal(out[0], tensor.From([]int8{123, -126, 127}, 1, 3), 0); err != nil {
		t.Error(err)
	}
	values, index := tensor.From([]int64{1<<63 - 1, 1, -5, -1 << 63, -1}, 1, 5, 1), tensor.From([]int64{0, 0, 0, 1, 1}, 1, 5, 1)
	unpool := lookup(t, "unpool").New()
	for name, text := range map[string]string{"argmax": "index.npy", "output-shape": "1,5,1", "duplicates": "sum"} {
		if err := ops.Set(unpool, name, text); err != nil {
			t.Fatal(err)
		}
	}
	out, clipped, err = ops.Run(plan(t, unpool, []*tensor.Tensor{values, index}), 1, values, index)
	if err != nil || clipped != 1 {
		t.Errorf("unpool: %d clipped (%v), want 1", clipped, err)
	}
	if err := testutil.Equal(out[0], tensor.From([]int64{1<<63 - 5, -1 << 63, 0, 0, 0}, 1, 5, 1), 0); err != nil {
		t.Errorf("unpool: %v", err)
	}
}

// TestLayerRefusalsInFull holds whole messages of what only these operations
// refuse.
func TestLayerRefusalsInFull(t *testing.T) {
	spec := func(d tensor.DType, shape ...int) tensor.Spec { return tensor.Spec{DType: d, Shape: shape} }
	x, other := spec(tensor.Float32, 2, 4, 5, 3), spec(tensor.Float32, 2, 4, 5, 1)
	for _, c := range []struct {
		op, params, want string
		in               []tensor.Spec
	}{
		{"add", "", "add: got 1 inputs, want at least 2", []tensor.Spec{x}},
		{"add", "", "add: input: got shape (2,4,5,1) for input 2, want the first's (2,4,5,3)", []tensor.Spec{x, other}},
		{"add", "", "add: dtype: missing, want a type for all: input 2 is uint8, the first float32", []tensor.Spec{x, spec(tensor.Uint8, 2, 4, 5, 3)}},
		{"concat", "axis=1", "concat: input: got shape (2,4,5,1) for input 2, want the first's (2,4,5,3) but for axis 1", []tensor.Spec{x, other}},
		{"concat", "axis=4", "concat: axis: got 4, want -4 to 3 (NHWC)", []tensor.Spec{x, x}},
		{"concat", "data-format=HW", "concat: axis: missing, want -2 to 1: HW has no channels", []tensor.Spec{spec(tensor.Float32, 4, 5), spec(tensor.Float32, 4, 5)}},
		{"softmax", "axis=-5", "softmax: axis: got -5, want -4 to 3 (NHWC)", []tensor.Spec{x}},
		{"bias-add", "", "bias-add: bias: missing, want a file", []tensor.Spec{x}},
		{"bias-add", "bias=b", "bias-add: bias: got shape (4), want (3), a number for each channel", []tensor.Spec{x, spec(tensor.Float32, 4)}},
		{"batch-norm", "mean=m", "batch-norm: variance: missing, want a file", []tensor.Spec{x}},
		{"batch-norm", "mean=m variance=v", "batch-norm: variance: got shape (1), want (3), a number for each channel", []tensor.Spec{x, spec(tensor.Float32, 3), spec(tensor.Float32, 1)}},
		{"lrn", "size=0", "lrn: size: got 0, want >= 1", []tensor.Spec{x}},
		{"lrn", "size=4 depth-radius=2", "lrn: depth-radius: cannot be used with --size", []tensor.Spec{x}},
		{"pad", "", "pad: paddings: missing, want pairs lo:hi", []tensor.Spec{x}},
		{"pad", "paddings=1:1 mode=edge value=2", "pad: value: only applies with --mode constant", []tensor.Spec{x}},
		{"pad", "paddings=1:1 value=0.5", "pad: value: got 0.5, want a whole number that uint8 holds", []tensor.Spec{spec(tensor.Uint8, 2, 4, 5, 3)}},
		{"pad", "paddings=1:1 value=256", "pad: value: got 256, want a whole number that uint8 holds", []tensor.Spec{spec(tensor.Uint8, 2, 4, 5, 3)}},
		{"pad", "paddings=-2:-3", "pad: paddings: got -2:-3 along axis 1 of 4 cells, want at most 4 taken away", []tensor.Spec{x}},
		{"pad", "paddings=-4:1 mode=wrap", "pad: paddings: got -4:1 along axis 1 of 4 cells, want a cell left to copy with --mode wrap", []tensor.Spec{x}},
		{"pad", "paddings=1:1,1:1,1:1", "pad: paddings: got 3 pairs in 1:1,1:1,1:1, want 1, 2 (the spatial dimensions) or 4 (NHWC)", []tensor.Spec{x}},
		{"pad", "paddings=1:1,1:1,1:1", "pad: paddings: got 3 pairs in 1:1,1:1,1:1, want 1, 2 (the spatial dimensions) or 2 (HW)", []tensor.Spec{spec(tensor.Float32, 4, 5)}},
		{"roll", "axis=1", "roll: shift: missing, want a whole number or a list of them", []tensor.Spec{x}},
		{"roll", "shift=1,2", "roll: shift: got 2 numbers in 1,2, want 1, or --axis with as many", []tensor.Spec{x}},
		{"roll", "shift=1,2 axis=1", "roll: shift: got 2 numbers in 1,2, want 1, one for each axis in 1", []tensor.Spec{x}},
		{"roll", "shift=1,2 axis=1,2,3", "roll: shift: got 2 numbers in 1,2, want 1 or 3, one for each axis in 1,2,3", []tensor.Spec{x}},
		{"roll", "shift=1 axis=1,-5", "roll: axis: got -5, want -4 to 3 (NHWC)", []tensor.Spec{x}},
		{"dense", "", "dense: filter: missing, want a file or one of " + matrices, []tensor.Spec{x}},
		{"dense", "filter=box:3", `dense: filter: got "box:3", want a file or one of ` + matrices, []tensor.Spec{x}},
		{"dense", "filter=f", "dense: filter: got 4 input channels in shape (4,7) (IO), want the input's 3", []tensor.Spec{x, spec(tensor.Float32, 4, 7)}},
		{"dense", "filter=f bias=b", "dense: bias: got shape (3), want (7), a number for each output channel", []tensor.Spec{x, spec(tensor.Float32, 3, 7), spec(tensor.Float32, 3)}},
		{"relu", "", "relu: input: got rank 1, want 2 (NC), 3 (NWC), 4 (NHWC) or 5 (NDHWC)", []tensor.Spec{spec(tensor.Float32, 4)}},
	} {
		op := fixture{params: c.params}.op(t, lookup(t, c.op))
		if _, err := op.Plan(c.in, ops.Want{}); err == nil || err.Error() != c.want {
			t.Errorf("%s %s:\ngot  %v\nwant %s", c.op, c.params, err, c.want)
		}
	}
}

// matrices are the names of filters that dense takes.
const matrices = "uniform:SHAPE:SEED, normal:SHAPE:SEED"

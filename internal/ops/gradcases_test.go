package ops_test

import (
	"math"
	"math/rand/v2"
	"strconv"
	"strings"
	"testing"

	"github.com/poolctl/poolctl/internal/ops"
	"github.com/poolctl/poolctl/internal/tensor"
)

// gradCase is a small call of an operation whose gradient the conformance suite
// holds to rules. The filter and the bias follow from their shapes.
type gradCase struct {
	params       string // name=value words
	x            tensor.Shape
	filter, bias tensor.Shape
	argmax       []int64        // of unpool, in x's shape
	more         []tensor.Shape // of the main inputs beside x
	rest         []tensor.Shape // of mean, variance, scale and offset
	memory       bool           // see fixture
}

// gradCases are the calls by operation. An operation that is not here has its
// fixtures called, which must be small then.
var gradCases = map[string][]gradCase{
	"pool": {
		{params: "type=max window=2", x: tensor.Shape{2, 4, 5, 3}},
		{params: "type=max window=3 strides=2 padding=SAME", x: tensor.Shape{1, 5, 6, 2}},
		{params: "type=max window=2 strides=1 dilations=2 padding=SAME_LOWER", x: tensor.Shape{1, 5, 5, 2}},
		{params: "type=max window=3 strides=2 padding=1:1 ceil-mode=true", x: tensor.Shape{1, 6, 5, 2}},
		{params: "type=max window=2,3 strides=3,1", x: tensor.Shape{1, 7, 5, 1}},
		{params: "type=max window=2 strides=1", x: tensor.Shape{4, 5}},
		{params: "type=max window=3 strides=2", x: tensor.Shape{2, 9, 3}},
		{params: "type=max window=2 strides=1 padding=SAME", x: tensor.Shape{1, 3, 4, 3, 2}},
		{params: "type=max window=global", x: tensor.Shape{2, 3, 4, 40}},
		{params: "type=max output-size=3,2", x: tensor.Shape{1, 5, 5, 2}},
		{params: "type=max fractional=1.44,1.73 seed=1", x: tensor.Shape{2, 6, 6, 2}},
		{params: "type=median window=3 strides=1 padding=SAME", x: tensor.Shape{2, 4, 5, 3}},
		{params: "type=median window=2 strides=1", x: tensor.Shape{1, 3, 4, 3, 2}},
		{params: "type=median window=9 strides=1 padding=SAME data-format=NCHW", x: tensor.Shape{1, 2, 12, 11}},
		{params: "type=median fractional=1.44,1.73 seed=1", x: tensor.Shape{2, 6, 6, 2}},
		{params: "type=rank rank=2 window=3 strides=2", x: tensor.Shape{2, 9, 3}},
		{params: "type=rank rank=1 window=2 strides=1 dilations=2", x: tensor.Shape{1, 5, 5, 2}},
		{params: "type=std window=3 strides=1 padding=SAME", x: tensor.Shape{2, 4, 5, 3}},
		{params: "type=std window=2 strides=2 padding=1:1 count-include-pad=true data-format=NCHW", x: tensor.Shape{1, 2, 4, 4}},
		{params: "type=std fractional=1.44,1.73 seed=1 overlapping=true", x: tensor.Shape{1, 6, 6, 2}},
		{params: "type=var window=3 strides=2 dilations=2 padding=SAME count-include-pad=true", x: tensor.Shape{2, 9, 3}},
		{params: "type=var window=global", x: tensor.Shape{1, 3, 4, 3, 2}},
		{params: "type=var window=9 strides=1 padding=SAME", x: tensor.Shape{1, 12, 11, 2}},
		{params: "type=var output-size=3,2", x: tensor.Shape{1, 5, 5, 2}},
		{params: "type=min window=3 strides=1 padding=1:0,0:2", x: tensor.Shape{2, 4, 5, 2}},
		{params: "type=min window=2 data-format=HWC", x: tensor.Shape{4, 4, 3}},
		{params: "type=avg window=3 strides=2 padding=SAME", x: tensor.Shape{2, 4, 5, 3}},
		{params: "type=avg window=2 strides=1 dilations=2,3 padding=1:1 ceil-mode=true", x: tensor.Shape{1, 6, 7, 2}},
		{params: "type=avg window=2 strides=3", x: tensor.Shape{1, 7, 8, 1}},
		{params: "type=avg window=2 strides=2 padding=SAME", x: tensor.Shape{1, 3, 3, 3, 2}},
		{params: "type=avg window=3 strides=1 padding=2:0", x: tensor.Shape{2, 5, 2}},
		{params: "type=avg window=global", x: tensor.Shape{2, 3, 4, 40}},
		{params: "type=avg output-size=5,2", x: tensor.Shape{1, 3, 5, 2}},
		{params: "type=avg fractional=1.5 seed=3 overlapping=true pseudo-random=true", x: tensor.Shape{1, 6, 7, 2}},
		{params: "type=avg window=3 strides=1 padding=1:1 count-include-pad=true", x: tensor.Shape{1, 4, 4, 2}},
		{params: "type=avg window=2 divisor=-3", x: tensor.Shape{1, 4, 4, 2}},
		{params: "type=sum window=3 strides=2 padding=SAME", x: tensor.Shape{1, 5, 4, 2}},
		{params: "type=lp window=3 strides=2 padding=SAME", x: tensor.Shape{1, 5, 4, 2}},
		{params: "type=lp p=3 window=2 strides=1", x: tensor.Shape{2, 5, 2}},
		{params: "type=lp p=1 window=2", x: tensor.Shape{1, 4, 4, 1}},
		{params: "type=lp p=inf window=2 strides=1", x: tensor.Shape{1, 4, 4, 2}},
	},
	"unpool": {
		{params: "output-shape=1,4,4,2", x: tensor.Shape{1, 2, 2, 2}, argmax: []int64{4, 3, 8, 15, 0, 31, 22, 9}},
		{params: "output-shape=2,6,1 duplicates=sum", x: tensor.Shape{2, 3, 1}, argmax: []int64{1, 1, 5, 0, 2, 2}},
		{params: "output-shape=2,6,1 duplicates=last", x: tensor.Shape{2, 3, 1}, argmax: []int64{1, 1, 5, 0, 2, 2}},
		{params: "output-shape=2,6,1 duplicates=max", x: tensor.Shape{2, 3, 1}, argmax: []int64{1, 1, 5, 0, 2, 2}},
		{params: "output-shape=1,1,2,4,1 duplicates=error argmax-index=pytorch", x: tensor.Shape{1, 1, 1, 3, 1}, argmax: []int64{6, 0, 3}},
	},
	"conv1d": {
		{params: "strides=2 padding=SAME", x: tensor.Shape{2, 7, 3}, filter: tensor.Shape{3, 3, 2}, bias: tensor.Shape{2}},
		{params: "dilations=2 padding=3:1 groups=2", x: tensor.Shape{1, 6, 4}, filter: tensor.Shape{2, 2, 6}},
	},
	"conv2d": {
		{params: "padding=SAME", x: tensor.Shape{2, 4, 5, 3}, filter: tensor.Shape{2, 3, 3, 2}, bias: tensor.Shape{2}},
		{params: "strides=2,3 dilations=2,1 padding=1:2,0:1 groups=2", x: tensor.Shape{1, 6, 7, 4}, filter: tensor.Shape{2, 2, 2, 6}, bias: tensor.Shape{6}},
		{params: "strides=3", x: tensor.Shape{1, 7, 8, 1}, filter: tensor.Shape{2, 2, 1, 9}},
		{params: "filter-format=OIHW padding=1:1", x: tensor.Shape{1, 3, 4, 5}, filter: tensor.Shape{3, 5, 3, 3}, bias: tensor.Shape{3}},
		{params: "", x: tensor.Shape{4, 5}, filter: tensor.Shape{2, 2, 1, 3}, bias: tensor.Shape{3}},
	},
	"conv3d": {
		{params: "strides=2,1,1 padding=SAME", x: tensor.Shape{1, 3, 4, 3, 2}, filter: tensor.Shape{2, 2, 3, 2, 2}, bias: tensor.Shape{2}},
	},
	"conv1d-transpose": {
		{params: "strides=2", x: tensor.Shape{2, 4, 3}, filter: tensor.Shape{3, 2, 3}, bias: tensor.Shape{2}},
	},
	"conv2d-transpose": {
		{params: "strides=2,3 padding=SAME", x: tensor.Shape{1, 3, 3, 2}, filter: tensor.Shape{3, 3, 3, 2}, bias: tensor.Shape{3}},
		{params: "strides=2 dilations=1,2 padding=1:0 groups=2 output-shape=1,6,7,6", x: tensor.Shape{1, 3, 3, 4}, filter: tensor.Shape{3, 2, 3, 4}},
	},
	"conv3d-transpose": {
		{params: "strides=1,2,1", x: tensor.Shape{1, 2, 2, 3, 2}, filter: tensor.Shape{2, 2, 1, 1, 2}, bias: tensor.Shape{1}},
	},
	"depthwise-conv2d": {
		{params: "strides=2 padding=SAME", x: tensor.Shape{2, 4, 5, 3}, filter: tensor.Shape{3, 2, 3, 2}, bias: tensor.Shape{6}},
		{params: "dilations=2 padding=1:1", x: tensor.Shape{1, 5, 5, 9}, filter: tensor.Shape{2, 2, 9, 1}},
	},
	"dilation2d": {
		{params: "strides=2 padding=SAME", x: tensor.Shape{2, 5, 4, 3}, filter: tensor.Shape{3, 2, 3}},
		{params: "dilations=2 padding=1:1", x: tensor.Shape{1, 5, 5, 9}, filter: tensor.Shape{2, 2, 9}},
	},
	"erosion2d": {
		{params: "strides=1,2 padding=SAME", x: tensor.Shape{2, 5, 4, 3}, filter: tensor.Shape{3, 2, 3}},
		{params: "dilations=2 padding=1:1", x: tensor.Shape{1, 5, 5, 9}, filter: tensor.Shape{2, 2, 9}},
	},
	"bias-add": {
		{x: tensor.Shape{2, 3, 4, 3}, bias: tensor.Shape{3}},
		{x: tensor.Shape{3, 40}, bias: tensor.Shape{40}},
	},
	"relu":       {{x: tensor.Shape{2, 3, 4, 3}}, {x: tensor.Shape{3, 5}}},
	"relu6":      {{x: tensor.Shape{2, 3, 4, 3}}},
	"leaky-relu": {{params: "alpha=-0.5", x: tensor.Shape{2, 3, 4, 3}}, {x: tensor.Shape{2, 7, 3}}},
	"sigmoid":    {{x: tensor.Shape{2, 3, 4, 3}}},
	"tanh":       {{x: tensor.Shape{2, 3, 4, 3}}},
	"softmax": {
		{x: tensor.Shape{2, 3, 4, 5}},
		{params: "axis=1", x: tensor.Shape{2, 3, 4, 2, 2}},
		{params: "axis=0", x: tensor.Shape{3, 5}},
	},
	"batch-norm": {
		{x: tensor.Shape{2, 3, 4, 3}, rest: []tensor.Shape{{3}, {3}, {3}, {3}}},
		{params: "epsilon=0.25", x: tensor.Shape{3, 20}, rest: []tensor.Shape{{20}, {20}}},
	},
	"lrn": {
		{x: tensor.Shape{1, 2, 3, 7}},
		{params: "depth-radius=1 bias=2 alpha=0.5 beta=0.75", x: tensor.Shape{2, 3, 8}},
		{params: "depth-radius=2 beta=1.5", x: tensor.Shape{2, 13}},
		{params: "size=2 beta=1.5", x: tensor.Shape{2, 5}},
		{params: "size=6 alpha=0.5", x: tensor.Shape{2, 3, 8}},
	},
	"pad": {
		{params: "paddings=1:2", x: tensor.Shape{2, 3, 4, 2}},
		{params: "paddings=2:1,0:3 mode=reflect", x: tensor.Shape{1, 3, 4, 2}},
		{params: "paddings=3:1,0:4 mode=symmetric", x: tensor.Shape{1, 3, 4, 2}},
		{params: "paddings=2:3 mode=edge", x: tensor.Shape{2, 3, 2}},
		{params: "paddings=0:0,2:2,0:1,1:1 mode=edge", x: tensor.Shape{2, 3, 2, 3}},
		{params: "paddings=0:0,1:1 value=3", x: tensor.Shape{2, 3}},
		{params: "paddings=7:-1,-2:9 mode=wrap", x: tensor.Shape{2, 3, 4, 2}},
		{params: "paddings=0:0,9:5,-1:14,3:0 mode=reflect", x: tensor.Shape{2, 1, 4, 2}},
		{params: "paddings=8:0,-1:9 mode=symmetric", x: tensor.Shape{2, 3, 4, 2}},
		{params: "paddings=-1:-1,-2:3", x: tensor.Shape{2, 3, 4, 2}},
	},
	"resize": {
		{params: "size=7,3", x: tensor.Shape{2, 4, 5, 2}},
		{params: "size=3,7 method=bilinear coordinates=align-corners", x: tensor.Shape{1, 5, 4, 2}},
		{params: "size=9 method=bilinear coordinates=asymmetric", x: tensor.Shape{2, 4, 3}},
		{params: "size=5,2 method=nearest", x: tensor.Shape{2, 3, 4, 2}},
		{params: "size=3,4 method=area", x: tensor.Shape{2, 7, 3, 2}},
		{params: "size=2,3,4 method=area", x: tensor.Shape{1, 3, 4, 3, 2}},
		{params: "size=7,3 method=bicubic", x: tensor.Shape{1, 4, 5, 2}},
		{params: "size=3,5,4 method=bicubic coordinates=align-corners", x: tensor.Shape{1, 4, 3, 5, 1}},
		{params: "size=4,5", x: tensor.Shape{1, 4, 5, 2}},
	},
	"flatten": {{x: tensor.Shape{2, 3, 4, 3}, memory: true}, {x: tensor.Shape{3, 5}, memory: true}},
	"dense": {
		{x: tensor.Shape{3, 7}, filter: tensor.Shape{7, 4}, bias: tensor.Shape{4}},
		{params: "filter-format=OI", x: tensor.Shape{2, 3, 4, 5}, filter: tensor.Shape{6, 5}, bias: tensor.Shape{6}},
	},
	"add": {
		{x: tensor.Shape{2, 3, 4, 3}, more: []tensor.Shape{{2, 3, 4, 3}}},
		{x: tensor.Shape{3, 5}, more: []tensor.Shape{{3, 5}, {3, 5}}},
	},
	"concat": {
		{x: tensor.Shape{2, 3, 4, 3}, more: []tensor.Shape{{2, 3, 4, 1}, {2, 3, 4, 2}}},
		{params: "axis=1", x: tensor.Shape{2, 4, 3}, more: []tensor.Shape{{2, 2, 3}}},
		{params: "axis=0", x: tensor.Shape{3, 5}, more: []tensor.Shape{{1, 5}}},
	},
}

// eachGradCase runs a test for every call of every differentiable operation.
func eachGradCase(t *testing.T, do func(t *testing.T, c *gradCall)) {
	for _, spec := range ops.Table {
		if _, ok := spec.New().(ops.Differentiable); !ok {
			continue
		}
		cases := gradCases[spec.Name]
		if cases == nil {
			for _, f := range fixtures[spec.Name] {
				cases = append(cases, gradCase{params: f.params, x: f.x, filter: f.filter, bias: f.bias, more: f.more, rest: f.rest, memory: f.memory})
			}
		}
		if len(cases) == 0 {
			t.Errorf("%s has no fixture", spec.Name)
		}
		for _, c := range cases {
			t.Run(strings.TrimSpace(spec.Name+" "+c.params), func(t *testing.T) { do(t, newGradCall(t, spec, c)) })
		}
	}
}

// gradCall is a case with values: an operation that is set, its inputs in
// float64 and an upstream gradient. No two sums of two values are equal, and no
// value is 0.
type gradCall struct {
	spec   ops.Spec
	op     ops.Differentiable
	in     []*tensor.Tensor // x and the other main inputs, then those of parameters
	dy     *tensor.Tensor
	main   int            // how many main inputs there are
	at     map[string]int // which input a gradient belongs to
	memory bool           // see fixture
}

func newGradCall(t *testing.T, spec ops.Spec, c gradCase) *gradCall {
	t.Helper()
	call := &gradCall{spec: spec, op: differentiable(t, spec.Name, c.params), in: []*tensor.Tensor{uneven(c.x, 1)}, main: 1 + len(c.more), at: map[string]int{"dx": 0}, memory: c.memory}
	for i, shape := range c.more {
		call.at["dx"+strconv.Itoa(i+1)] = len(call.in)
		call.in = append(call.in, uneven(shape, 10+uint64(i)))
	}
	give := func(name string, value *tensor.Tensor) {
		if err := ops.Set(call.op, name, name+".npy"); err != nil {
			t.Fatal(err)
		}
		call.at["d"+name] = len(call.in)
		call.in = append(call.in, value)
	}
	if c.filter != nil {
		give("filter", uneven(c.filter, 2))
	}
	if c.bias != nil {
		give("bias", uneven(c.bias, 3))
	}
	for i, shape := range c.rest {
		name := []string{"mean", "variance", "scale", "offset"}[i]
		value := uneven(shape, 20+uint64(i))
		if name == "variance" {
			data := tensor.Of[float64](value)
			for i, v := range data {
				data[i] = math.Abs(v)
			}
		}
		give(name, value)
	}
	if c.argmax != nil {
		give("argmax", tensor.From(c.argmax, c.x...))
	}
	plan, err := call.op.Plan(specsOf(call.in), ops.Want{})
	if err != nil {
		t.Fatal(err)
	}
	call.dy = uneven(plan.Outputs[0].Shape, 4)
	return call
}

// differentiable returns the operation with parameters set by words name=value,
// those of its gradient too.
func differentiable(t testing.TB, name, params string) ops.Differentiable {
	t.Helper()
	spec, err := ops.Lookup(name)
	if err != nil {
		t.Fatal(err)
	}
	op := spec.New().(ops.Differentiable)
	all := append(op.Params(), op.GradParams()...)
	for _, word := range strings.Fields(params) {
		key, value, _ := strings.Cut(word, "=")
		if err := ops.SetParam(all, key, value); err != nil {
			t.Fatal(err)
		}
	}
	return op
}

// want asks for every gradient that the call has.
func (c *gradCall) want() ops.WantGrad { return wantGradients(c.op) }

// wantGradients asks for every gradient of an operation as it was called.
func wantGradients(op ops.Op) ops.WantGrad {
	want := ops.WantGrad{Input: true}
	for _, name := range ops.Gradients(op) {
		*want.Of(name) = paramText(op, name) != ""
	}
	return want
}

func hasFilter(op ops.Op) bool { return hasParam(op, "filter") }

func hasParam(op ops.Op, name string) bool {
	for _, p := range op.Params() {
		if p.Name == name {
			return true
		}
	}
	return false
}

// withUpstream returns the inputs of the gradient.
func (c *gradCall) withUpstream() []*tensor.Tensor {
	return append(append([]*tensor.Tensor{}, c.in...), c.dy)
}

// uneven returns a tensor of irregular numbers in about [-1, 1].
func uneven(shape tensor.Shape, seed uint64) *tensor.Tensor {
	t := tensor.New(tensor.Spec{DType: tensor.Float64, Shape: shape})
	random := rand.New(rand.NewPCG(seed, 7))
	data := tensor.Of[float64](t)
	for i := range data {
		data[i] = math.Copysign(0.01+random.Float64(), random.Float64()-0.5)
	}
	return t
}

func specsOf(in []*tensor.Tensor) []tensor.Spec {
	var list []tensor.Spec
	for _, t := range in {
		list = append(list, t.Spec)
	}
	return list
}

// forward runs an operation once and returns its first output.
func forward(t testing.TB, op ops.Op, in ...*tensor.Tensor) *tensor.Tensor {
	t.Helper()
	plan, err := op.Plan(specsOf(in), ops.Want{})
	if err != nil {
		t.Fatal(err)
	}
	out, _, err := ops.Run(plan, 1, in...)
	if err != nil {
		t.Fatal(err)
	}
	return out[0]
}

// backward runs an operation's gradient. The outputs hold other numbers before,
// and it runs twice, so that nothing that is left from before can go unseen.
func backward(t testing.TB, op ops.Differentiable, want ops.WantGrad, threads int, in ...*tensor.Tensor) map[string]*tensor.Tensor {
	t.Helper()
	plan, err := op.PlanGrad(specsOf(in), want)
	if err != nil {
		t.Fatal(err)
	}
	runner := ops.NewRunner(plan, threads)
	defer runner.Close()
	byName := map[string]*tensor.Tensor{}
	var out []*tensor.Tensor
	for _, o := range plan.Outputs {
		next := tensor.New(o.Spec)
		tensor.Convert(next, uneven(o.Shape, 9))
		byName[o.Name], out = next, append(out, next)
	}
	for range 2 {
		if err := runner.Run(in, out); err != nil {
			t.Fatal(err)
		}
	}
	return byName
}

// dx is backward for the gradient with respect to the input alone.
func dx(t testing.TB, op ops.Differentiable, in ...*tensor.Tensor) *tensor.Tensor {
	t.Helper()
	return backward(t, op, ops.WantGrad{Input: true}, 2, in...)["dx"]
}

// array makes a float64 tensor of text: whole numbers, fractions, nan and inf.
func array(t testing.TB, shape tensor.Shape, text string) *tensor.Tensor {
	t.Helper()
	var data []float64
	for _, word := range strings.Fields(text) {
		over, under, fraction := strings.Cut(word, "/")
		v, err := strconv.ParseFloat(over, 64)
		if err != nil {
			t.Fatal(err)
		}
		if fraction {
			d, err := strconv.ParseFloat(under, 64)
			if err != nil {
				t.Fatal(err)
			}
			v /= d
		}
		data = append(data, v)
	}
	return tensor.From(data, shape...)
}

func dot(a, b *tensor.Tensor) float64 {
	sum := 0.0
	for i := range a.Len() {
		sum += a.At(i) * b.At(i)
	}
	return sum
}

func total(a *tensor.Tensor) float64 {
	sum := 0.0
	for i := range a.Len() {
		sum += a.At(i)
	}
	return sum
}

// near reports whether two numbers are equal but for rounding.
func near(a, b, tolerance float64) bool {
	return math.Abs(a-b) <= tolerance*max(1, math.Abs(a), math.Abs(b))
}

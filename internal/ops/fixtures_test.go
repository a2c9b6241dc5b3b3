package ops_test

import (
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/poolctl/poolctl/internal/ops"
	"github.com/poolctl/poolctl/internal/tensor"
)

// fixture is a call of an operation: parameters, the channels-last shape of its
// main input, and those of the others by name. An argmax has the input's shape.
type fixture struct {
	params string // "name=value name=value"
	x      tensor.Shape
	filter tensor.Shape
	bias   tensor.Shape
	more   []tensor.Shape // of the main inputs beside x
	rest   []tensor.Shape // of the tensors after the bias
	memory bool           // the result follows the order of memory: channels-first data gives another one
}

// fixtures are calls of each operation that together use every parameter. The
// tests loop over ops.Table and know of operations by these alone.
var fixtures = map[string][]fixture{
	"pool": {
		{params: "type=max window=3,2 strides=2,1 padding=SAME", x: tensor.Shape{2, 23, 31, 3}},
		{params: "type=min window=3 strides=2 padding=1:1 ceil-mode=true dilations=2 nan=ignore argmax-index=onnx", x: tensor.Shape{3, 200, 2}},
		{params: "type=avg window=2,3,2 padding=1:0,0:2,1:1 count-include-pad=true", x: tensor.Shape{2, 6, 9, 8, 3}},
		{params: "type=avg window=4,4 strides=1 divisor=3 empty=allow", x: tensor.Shape{1, 19, 17, 2}},
		{params: "type=sum window=global", x: tensor.Shape{2, 9, 8, 3}},
		{params: "type=lp window=2,2 p=3", x: tensor.Shape{2, 9, 8, 3}},
		{params: "type=median window=3,2 strides=2,1 padding=SAME", x: tensor.Shape{2, 9, 8, 3}},
		{params: "type=rank rank=1 window=3,2 strides=2,1 padding=SAME", x: tensor.Shape{2, 9, 8, 3}},
		{params: "type=std window=3,2 strides=2,1 padding=SAME", x: tensor.Shape{2, 9, 8, 3}},
		{params: "type=var window=2,3,2 padding=1:0,0:2,1:1 count-include-pad=true", x: tensor.Shape{2, 6, 9, 8, 3}},
		{params: "type=avg output-size=4,5", x: tensor.Shape{2, 9, 8, 3}},
		{params: "type=max fractional=1.5,1.25 seed=7 overlapping=true pseudo-random=true", x: tensor.Shape{2, 19, 18, 3}},
		{params: "type=max window=2,2 include-batch-in-index=true", x: tensor.Shape{2, 9, 8, 3}},
	},
	"unpool": {
		{params: "argmax=a.npy output-shape=2,9,8,3 argmax-index=tensorflow", x: tensor.Shape{2, 4, 4, 3}},
		{params: "argmax=a.npy output-shape=2,40,3 argmax-index=pytorch duplicates=sum", x: tensor.Shape{2, 20, 3}},
		{params: "argmax=a.npy output-shape=2,3,4,5,3 argmax-index=onnx duplicates=max", x: tensor.Shape{2, 2, 2, 2, 3}},
		{params: "argmax=a.npy output-shape=2,4,5,3 include-batch-in-index=true", x: tensor.Shape{2, 2, 2, 3}},
	},
	"conv1d": {
		{params: "filter=f.npy bias=b.npy strides=2 padding=SAME", x: tensor.Shape{2, 300, 4}, filter: tensor.Shape{5, 4, 6}, bias: tensor.Shape{6}},
		{params: "filter=f.npy groups=2 dilations=3 padding=4:1 filter-format=WOI empty=allow algorithm=direct", x: tensor.Shape{2, 300, 4}, filter: tensor.Shape{5, 6, 2}},
	},
	"conv2d": {
		{params: "filter=f.npy bias=b.npy strides=2,1 padding=SAME_LOWER", x: tensor.Shape{2, 23, 31, 4}, filter: tensor.Shape{3, 2, 4, 6}, bias: tensor.Shape{6}},
		{params: "filter=f.npy groups=2 dilations=1,2 padding=1:1,0:3 filter-format=OIHW empty=allow", x: tensor.Shape{2, 23, 31, 4}, filter: tensor.Shape{6, 2, 3, 3}},
		{params: "filter=f.npy bias=b.npy padding=SAME algorithm=winograd-2x2", x: tensor.Shape{2, 13, 11, 4}, filter: tensor.Shape{3, 3, 4, 6}, bias: tensor.Shape{6}},
		{params: "filter=f.npy padding=SAME allow-winograd=true", x: tensor.Shape{2, 5, 6, 4}, filter: tensor.Shape{3, 3, 4, 3}},
	},
	"conv3d": {
		{params: "filter=f.npy strides=1,2,1 padding=SAME bias=b.npy", x: tensor.Shape{2, 5, 9, 8, 4}, filter: tensor.Shape{2, 3, 2, 4, 5}, bias: tensor.Shape{5}},
		{params: "filter=f.npy groups=4 dilations=2 filter-format=OIDHW empty=error algorithm=auto", x: tensor.Shape{2, 5, 9, 8, 4}, filter: tensor.Shape{8, 1, 2, 2, 2}},
	},
	"conv1d-transpose": {
		{params: "filter=f.npy bias=b.npy strides=2 padding=SAME", x: tensor.Shape{2, 150, 4}, filter: tensor.Shape{5, 6, 4}, bias: tensor.Shape{6}},
		{params: "filter=f.npy groups=2 dilations=2 output-shape=2,159,6 filter-format=IOW algorithm=direct", x: tensor.Shape{2, 150, 4}, filter: tensor.Shape{4, 3, 5}},
	},
	"conv2d-transpose": {
		{params: "filter=f.npy bias=b.npy strides=2,1 padding=1:0,1:1", x: tensor.Shape{2, 9, 8, 4}, filter: tensor.Shape{3, 4, 6, 4}, bias: tensor.Shape{6}},
		{params: "filter=f.npy groups=2 strides=3 dilations=2,1 padding=SAME output-shape=2,26,22,6 filter-format=HWIO", x: tensor.Shape{2, 9, 8, 4}, filter: tensor.Shape{3, 3, 4, 3}},
		{params: "filter=f.npy padding=SAME algorithm=winograd-2x2", x: tensor.Shape{2, 9, 8, 4}, filter: tensor.Shape{3, 3, 6, 4}},
		{params: "filter=f.npy padding=1:1 allow-winograd=true", x: tensor.Shape{2, 9, 8, 4}, filter: tensor.Shape{3, 3, 6, 4}},
	},
	"conv3d-transpose": {
		{params: "filter=f.npy strides=2 padding=1:0 output-shape=1,6,11,12,3 filter-format=DHWOI", x: tensor.Shape{1, 3, 5, 6, 4}, filter: tensor.Shape{2, 3, 2, 3, 4}},
		{params: "filter=f.npy bias=b.npy groups=4 dilations=1,2,1 algorithm=direct", x: tensor.Shape{1, 3, 5, 6, 4}, filter: tensor.Shape{2, 2, 2, 1, 4}, bias: tensor.Shape{4}},
	},
	"depthwise-conv2d": {
		{params: "filter=f.npy bias=b.npy strides=2 padding=SAME", x: tensor.Shape{2, 23, 31, 3}, filter: tensor.Shape{3, 3, 3, 2}, bias: tensor.Shape{6}},
		{params: "filter=f.npy dilations=2,1 padding=2:2,0:1 empty=allow", x: tensor.Shape{2, 23, 31, 3}, filter: tensor.Shape{3, 2, 3, 1}},
	},
	"dilation2d": {
		{params: "filter=f.npy padding=SAME strides=2", x: tensor.Shape{2, 23, 31, 3}, filter: tensor.Shape{3, 3, 3}},
		{params: "filter=f.npy dilations=2 nan=ignore empty=allow", x: tensor.Shape{2, 23, 31, 3}, filter: tensor.Shape{2, 3, 3}},
	},
	"erosion2d": {
		{params: "filter=f.npy padding=SAME strides=2", x: tensor.Shape{2, 23, 31, 3}, filter: tensor.Shape{3, 3, 3}},
		{params: "filter=f.npy dilations=2 nan=ignore empty=allow", x: tensor.Shape{2, 23, 31, 3}, filter: tensor.Shape{2, 3, 3}},
	},
	"bias-add": {
		{params: "bias=b.npy", x: tensor.Shape{2, 23, 31, 3}, bias: tensor.Shape{3}},
		{params: "bias=b.npy", x: tensor.Shape{3, 7}, bias: tensor.Shape{7}},
		{params: "bias=b.npy", x: tensor.Shape{2, 5, 9, 8, 200}, bias: tensor.Shape{200}},
	},
	"relu":    {{x: tensor.Shape{2, 23, 31, 3}}, {x: tensor.Shape{3, 7}}, {x: tensor.Shape{2, 50, 3}}},
	"relu6":   {{x: tensor.Shape{2, 23, 31, 3}}, {x: tensor.Shape{3, 7}}},
	"sigmoid": {{x: tensor.Shape{2, 23, 31, 3}}, {x: tensor.Shape{3, 7}}},
	"tanh":    {{x: tensor.Shape{2, 23, 31, 3}}, {x: tensor.Shape{3, 7}}},
	"leaky-relu": {
		{params: "alpha=0.25", x: tensor.Shape{2, 23, 31, 3}},
		{params: "alpha=-1", x: tensor.Shape{3, 7}},
	},
	"softmax": {
		{x: tensor.Shape{2, 23, 31, 7}},
		{params: "axis=-2", x: tensor.Shape{2, 9, 8, 3}},
		{params: "axis=2", x: tensor.Shape{2, 4, 300, 6, 3}},
		{params: "axis=1", x: tensor.Shape{3, 7}},
	},
	"batch-norm": {
		{params: "mean=m.npy variance=v.npy", x: tensor.Shape{2, 23, 31, 3}, rest: []tensor.Shape{{3}, {3}}},
		{params: "mean=m.npy variance=v.npy scale=s.npy offset=o.npy epsilon=0.5", x: tensor.Shape{3, 7}, rest: []tensor.Shape{{7}, {7}, {7}, {7}}},
		{params: "mean=m.npy variance=v.npy offset=o.npy", x: tensor.Shape{2, 50, 3}, rest: []tensor.Shape{{3}, {3}, {3}}},
	},
	"lrn": {
		{x: tensor.Shape{2, 9, 8, 16}},
		{params: "depth-radius=2 bias=2 alpha=0.1 beta=0.75", x: tensor.Shape{2, 23, 31, 13}},
		{params: "depth-radius=0 beta=1.5", x: tensor.Shape{3, 7}},
		{params: "size=4 alpha=0.25", x: tensor.Shape{2, 9, 8, 7}},
		{params: "size=20", x: tensor.Shape{2, 9, 5}},
	},
	"pad": {
		{params: "paddings=1:2 value=5", x: tensor.Shape{2, 23, 31, 3}},
		{params: "paddings=2:1,0:3 mode=reflect", x: tensor.Shape{2, 9, 8, 3}},
		{params: "paddings=0:0,1:2,3:4,0:1 mode=symmetric", x: tensor.Shape{2, 9, 8, 3}},
		{params: "paddings=2:3 mode=edge", x: tensor.Shape{2, 5, 4, 3, 2}},
		{params: "paddings=0:0,2:1", x: tensor.Shape{3, 7}},
		{params: "paddings=7:-1,-2:9 mode=wrap", x: tensor.Shape{2, 5, 4, 3}},
		{params: "paddings=0:0,9:23,-1:14,5:0 mode=reflect", x: tensor.Shape{2, 1, 4, 3}},
		{params: "paddings=17:0,-1:22 mode=symmetric", x: tensor.Shape{2, 5, 4, 3}},
		{params: "paddings=-1:-2,-2:3 value=2", x: tensor.Shape{2, 5, 4, 3}},
	},
	"flatten": {{x: tensor.Shape{2, 23, 31, 3}, memory: true}, {x: tensor.Shape{3, 7}, memory: true}, {x: tensor.Shape{2, 3, 2, 4, 5}, memory: true}},
	"dense": {
		{params: "filter=f.npy bias=b.npy", x: tensor.Shape{5, 70}, filter: tensor.Shape{70, 6}, bias: tensor.Shape{6}},
		{params: "filter=f.npy filter-format=OI", x: tensor.Shape{2, 50, 7}, filter: tensor.Shape{5, 7}},
		{params: "filter=f.npy bias=b.npy filter-format=OI", x: tensor.Shape{2, 3, 2, 4, 5}, filter: tensor.Shape{9, 5}, bias: tensor.Shape{9}},
	},
	"add": {
		{x: tensor.Shape{2, 23, 31, 3}, more: []tensor.Shape{{2, 23, 31, 3}}},
		{x: tensor.Shape{3, 7}, more: []tensor.Shape{{3, 7}, {3, 7}, {3, 7}}},
	},
	"concat": {
		{x: tensor.Shape{2, 23, 31, 3}, more: []tensor.Shape{{2, 23, 31, 5}, {2, 23, 31, 1}}},
		{params: "axis=-2", x: tensor.Shape{2, 9, 8, 3}, more: []tensor.Shape{{2, 9, 2, 3}}},
		{params: "axis=0", x: tensor.Shape{3, 7}, more: []tensor.Shape{{1, 7}, {2, 7}}},
	},
}

// conform adds an operation to the conformance tests: calls that together take
// every choice of its parameters, and a reference that computes it. They are
// differentiated too, so they must be small.
func conform(name string, reference func(c *call) []grid, calls ...fixture) bool {
	for _, f := range calls {
		list := fixtures
		if f.values()["data-format"] != "" { // which the other tests set themselves
			list = choices
		}
		list[name] = append(list[name], f)
	}
	references[name] = reference
	return true
}

// eachFixture runs a test for every fixture of every operation.
func eachFixture(t *testing.T, test func(t *testing.T, spec ops.Spec, f fixture)) {
	t.Helper()
	for _, spec := range ops.Table {
		list := fixtures[spec.Name]
		if len(list) == 0 {
			t.Errorf("%s has no fixture", spec.Name)
		}
		for _, f := range list {
			t.Run(spec.Name+" "+f.params, func(t *testing.T) { test(t, spec, f) })
		}
	}
}

// op returns the operation with the fixture's parameters.
func (f fixture) op(t *testing.T, spec ops.Spec) ops.Op {
	t.Helper()
	op := spec.New()
	for name, value := range f.values() {
		if err := ops.Set(op, name, value); err != nil {
			t.Fatal(err)
		}
	}
	return op
}

// values are the fixture's parameters by name.
func (f fixture) values() map[string]string {
	m := map[string]string{}
	for word := range strings.FieldsSeq(f.params) {
		name, value, _ := strings.Cut(word, "=")
		m[name] = value
	}
	return m
}

// specs are the types and shapes of all inputs, the main one in type d.
func (f fixture) specs(d tensor.DType) []tensor.Spec {
	list := []tensor.Spec{{DType: d, Shape: f.x}}
	for _, shape := range f.more {
		list = append(list, tensor.Spec{DType: d, Shape: shape})
	}
	if f.filter != nil {
		list = append(list, tensor.Spec{DType: tensor.Float32, Shape: f.filter})
	}
	if f.bias != nil {
		list = append(list, tensor.Spec{DType: tensor.Float32, Shape: f.bias})
	}
	for _, shape := range f.rest {
		list = append(list, tensor.Spec{DType: tensor.Float32, Shape: shape})
	}
	if _, ok := f.values()["argmax"]; ok {
		list = append(list, tensor.Spec{DType: tensor.Int64, Shape: f.x})
	}
	return list
}

// tensors fills the specs with small whole numbers, which every type holds and
// whose sums are exact; an argmax with indices below the least limit of all
// conventions, many of them twice.
func (f fixture) tensors(d tensor.DType) []*tensor.Tensor {
	random := rand.New(rand.NewPCG(1, 2))
	var list []*tensor.Tensor
	for i, spec := range f.specs(d) {
		n, _ := spec.Shape.Elements()
		small := make([]int64, n)
		for j := range small {
			small[j] = int64(random.IntN(8))
			if i > 0 {
				small[j] %= 4
			}
		}
		if i > len(f.more) && spec.DType == tensor.Int64 {
			for j := range small {
				small[j] = int64(random.IntN(40))
			}
		}
		x, _ := tensor.Converted(tensor.From(small, spec.Shape...), spec.DType)
		list = append(list, x)
	}
	return list
}

// batch returns the fixture for another number of images.
func (f fixture) batch(n int) fixture {
	f.x = slices.Clone(f.x)
	f.x[0] = n
	f.more = slices.Clone(f.more)
	for i, shape := range f.more {
		f.more[i] = slices.Concat(tensor.Shape{n}, shape[1:])
	}
	f.params = mapShapes(f.params, func(shape []int) []int { shape[0] = n; return shape })
	return f
}

// mapShapes changes the shapes among parameters.
func mapShapes(params string, change func([]int) []int) string {
	words := strings.Fields(params)
	for i, word := range words {
		if text, ok := strings.CutPrefix(word, "output-shape="); ok {
			shape, _ := ops.ParseInts(text)
			words[i] = "output-shape=" + tensor.Join(change(shape), ",")
		}
	}
	return strings.Join(words, " ")
}

// transposed changes what parameters say about axes to a tensor whose axes are in
// another order: its axis i is axis perm[i].
func transposed(params string, perm []int) string {
	words := strings.Fields(mapShapes(params, func(shape []int) []int { return tensor.PermutedShape(shape, perm) }))
	for i, word := range words {
		if text, ok := strings.CutPrefix(word, "axis="); ok {
			axes, _ := ops.ParseInts(text)
			for j, axis := range axes {
				axes[j] = slices.Index(perm, (axis+len(perm))%len(perm))
			}
			words[i] = "axis=" + tensor.Join(axes, ",")
		}
		if text, ok := strings.CutPrefix(word, "paddings="); ok && strings.Count(text, ",")+1 == len(perm) {
			pairs := strings.Split(text, ",")
			turned := make([]string, len(perm))
			for j, axis := range perm {
				turned[j] = pairs[axis]
			}
			words[i] = "paddings=" + strings.Join(turned, ",")
		}
	}
	return strings.Join(words, " ")
}

// plan lays the operation out, with an argmax where it has one.
func plan(t *testing.T, op ops.Op, in []*tensor.Tensor) *ops.Plan {
	t.Helper()
	specs := make([]tensor.Spec, len(in))
	for i, x := range in {
		specs[i] = x.Spec
	}
	p, err := op.Plan(specs, wantAll(op))
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// wantAll asks for an argmax where the operation as it stands has one.
func wantAll(op ops.Op) ops.Want {
	for _, p := range op.Params() {
		if p.Name == "type" && (p.String() == "max" || p.String() == "min") {
			return ops.Want{Argmax: true}
		}
	}
	return ops.Want{}
}

// run plans and runs on one thread.
func run(t *testing.T, op ops.Op, in ...*tensor.Tensor) []*tensor.Tensor {
	t.Helper()
	out, _, err := ops.Run(plan(t, op, in), 1, in...)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

package ops_test

import (
	"fmt"
	"slices"
	"testing"

	"github.com/poolctl/poolctl/internal/ops"
	"github.com/poolctl/poolctl/internal/tensor"
	"github.com/poolctl/poolctl/internal/testutil"
)

// gradChoices are calls that together take every choice of every parameter that
// only gradients have. Their inputs are small whole numbers, many of them equal.
var gradChoices = map[string][]fixture{
	"pool": {
		{params: "type=max window=3 strides=2 padding=SAME ties=first", x: tensor.Shape{2, 9, 8, 3}},
		{params: "type=max window=3 strides=2 padding=SAME ties=last", x: tensor.Shape{2, 9, 8, 3}},
		{params: "type=max window=3 strides=2 padding=SAME ties=all", x: tensor.Shape{2, 9, 8, 3}},
		{params: "type=max window=3 strides=2 padding=SAME ties=split", x: tensor.Shape{2, 9, 8, 3}},
		{params: "type=min window=4 strides=1 ties=first", x: tensor.Shape{2, 30, 3}},
		{params: "type=min window=4 strides=1 ties=last", x: tensor.Shape{2, 30, 3}},
		{params: "type=min window=2 strides=1 ties=all", x: tensor.Shape{1, 3, 4, 3, 2}},
		{params: "type=min window=2 strides=1 ties=split", x: tensor.Shape{1, 3, 4, 3, 2}},
	},
	"relu":  {{params: "relu-gradient=plain", x: tensor.Shape{2, 9, 8, 3}}, {params: "relu-gradient=guided", x: tensor.Shape{2, 9, 8, 3}}},
	"relu6": {{params: "relu-gradient=plain", x: tensor.Shape{2, 9, 8, 3}}, {params: "relu-gradient=guided", x: tensor.Shape{2, 9, 8, 3}}},
}

// gradReferences compute the gradient of the input for an upstream gradient.
var gradReferences = map[string]func(c *call, upstream grid) grid{
	"pool":  poolGradReference,
	"relu":  rectifiedReference(func(v float64) bool { return v > 0 }),
	"relu6": rectifiedReference(func(v float64) bool { return v > 0 && v < 6 }),
}

// poolGradReference hands each window's gradient to the cells that hold its
// maximum or minimum, as --ties says.
func poolGradReference(c *call, upstream grid) grid {
	x, windows := c.in[0], c.poolWindows()
	dx := newGrid(x.shape...)
	each(upstream.shape, func(o []int) {
		var values []float64
		var cells []int
		eachTap(windows, o[1:len(o)-1], func(_, cell []int, where int) {
			if where >= 0 {
				at := x.offset(within(o[0], cell, o[len(o)-1]))
				values, cells = append(values, x.data[at]), append(cells, at)
			}
		})
		best, _ := c.reduce(values, 0)
		var winners []int
		for i, v := range values {
			if v == best {
				winners = append(winners, cells[i])
			}
		}
		share := upstream.at(o...)
		switch rule := c.values["ties"]; rule {
		case "first":
			winners = winners[:1]
		case "last":
			winners = winners[len(winners)-1:]
		case "all":
		case "split":
			share /= float64(len(winners))
		default:
			panic("the reference has no --ties " + rule)
		}
		for _, at := range winners {
			dx.data[at] += share
		}
	})
	return dx
}

// rectifiedReference passes the gradient where the input is within a range, and
// in guided backpropagation only what is positive.
func rectifiedReference(passes func(v float64) bool) func(c *call, upstream grid) grid {
	return func(c *call, upstream grid) grid {
		return fill(upstream.shape, func(o []int) float64 {
			g := upstream.at(o...)
			if !passes(c.in[0].at(o...)) || c.values["relu-gradient"] == "guided" && g < 0 {
				return 0
			}
			return g
		})
	}
}

// TestEveryGradientChoiceIsAsTheReferenceSays is TestEveryChoiceIsAsTheReferenceSays
// for the parameters that only gradients have.
func TestEveryGradientChoiceIsAsTheReferenceSays(t *testing.T) {
	for _, spec := range ops.Table {
		op, ok := spec.New().(ops.Differentiable)
		if !ok {
			continue
		}
		taken := taken{}
		for _, f := range gradChoices[spec.Name] {
			for _, d := range tensor.DTypes() {
				for _, by := range []string{"input", "dtype"} {
					checkGradChoice(t, spec, f, d, by, taken)
				}
			}
		}
		taken.check(t, spec, op.GradParams())
	}
}

func checkGradChoice(t *testing.T, spec ops.Spec, f fixture, d tensor.DType, by string, taken taken) {
	t.Helper()
	op, from := differentiable(t, spec.Name, f.params), d
	if by == "dtype" {
		from = tensor.Float32
		if err := ops.Set(op, "dtype", d.String()); err != nil {
			t.Fatal(err)
		}
	}
	in := (fixture{x: f.x}).tensors(from)
	call := &call{values: map[string]string{}}
	for _, p := range slices.Concat(op.Params(), op.GradParams()) {
		call.values[p.Name] = p.String()
	}
	for _, p := range op.GradParams() {
		taken.add(p.Name, p.String())
	}
	x, _ := tensor.Converted(in[0], tensor.Float64)
	call.in = []grid{{x.Shape, tensor.Of[float64](x)}}
	shape := plan(t, op, in).Outputs[0].Shape
	upstream, next := newGrid(shape...), 0
	for i := range upstream.data {
		next = (next*5 + 3) % 64
		upstream.data[i] = float64(next%8) - 3
	}
	dy, _ := tensor.Converted(tensor.From(upstream.data, shape...), tensor.Float32)
	p, err := op.PlanGrad([]tensor.Spec{in[0].Spec, dy.Spec}, ops.WantGrad{Input: true})
	if err != nil {
		t.Fatal(err)
	}
	got, _, err := ops.Run(p, 2, in[0], dy)
	if err != nil {
		t.Fatal(err)
	}
	what := fmt.Sprintf("%s %s by %s %s", spec.Name, f.params, by, d)
	if gradReferences[spec.Name] == nil {
		t.Fatalf("%s: no reference", what)
	}
	want, _ := tensor.Converted(tensor.From(gradReferences[spec.Name](call, upstream).data, f.x...), got[0].DType)
	if err := testutil.Equal(got[0], want, tolerance(p, want.DType)); err != nil {
		t.Errorf("%s: %v", what, err)
	}
}

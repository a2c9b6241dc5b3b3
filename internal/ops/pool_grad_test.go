package ops_test

import (
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/poolctl/poolctl/internal/ops"
	"github.com/poolctl/poolctl/internal/tensor"
	"github.com/poolctl/poolctl/internal/testutil"
)

// eachPoolGradCase runs a test for every call of pooling whose type is one of
// those given, with an input of few values, so that most windows hold ties.
func eachPoolGradCase(t *testing.T, types string, do func(t *testing.T, c *gradCall)) {
	spec, err := ops.Lookup("pool")
	if err != nil {
		t.Fatal(err)
	}
	tested := 0
	for _, each := range gradCases["pool"] {
		c := newGradCall(t, spec, each)
		if !strings.Contains(types, paramText(c.op, "type")) {
			continue
		}
		tested++
		random := rand.New(rand.NewPCG(5, 5))
		data := tensor.Of[float64](c.in[0])
		for i := range data {
			data[i] = float64(random.IntN(2))
		}
		t.Run(each.params, func(t *testing.T) { do(t, c) })
	}
	if tested < 3 {
		t.Errorf("only %d cases of type %s", tested, types)
	}
}

// set gives a parameter of the gradient a value.
func (c *gradCall) set(t testing.TB, name, value string) {
	t.Helper()
	if err := ops.SetParam(append(c.op.Params(), c.op.GradParams()...), name, value); err != nil {
		t.Fatal(err)
	}
}

// TestGradientMass: where every output cell's gradient is handed on whole, to
// one cell or in shares, the sum of the gradient is that of the upstream one.
func TestGradientMass(t *testing.T) {
	eachPoolGradCase(t, "max min", func(t *testing.T, c *gradCall) {
		for i := range c.dy.Len() {
			tensor.Of[float64](c.dy)[i] = math.Abs(c.dy.At(i)) // so that nothing cancels
		}
		for _, ties := range []string{"first", "last", "split", "all"} {
			c.set(t, "ties", ties)
			got, want := total(dx(t, c.op, c.in[0], c.dy)), total(c.dy)
			if conserved := near(got, want, 1e-12); conserved != (ties != "all") {
				t.Errorf("--ties %s: the gradient sums to %g, the upstream gradient to %g", ties, got, want)
			}
		}
	})
	eachPoolGradCase(t, "avg", func(t *testing.T, c *gradCall) {
		divided := paramText(c.op, "divisor") != "" || paramText(c.op, "count-include-pad") == "true"
		got, want := total(dx(t, c.op, c.in[0], c.dy)), total(c.dy)
		if conserved := near(got, want, 1e-12); conserved == divided {
			t.Errorf("the gradient sums to %g, the upstream gradient to %g", got, want)
		}
	})
}

// TestGradientTies compares each rule for ties with one that needs no winners.
func TestGradientTies(t *testing.T) {
	asType := func(t *testing.T, c *gradCall, kind string) *tensor.Tensor {
		op := ops.Clone(c.op)
		if err := ops.Set(op, "type", kind); err != nil {
			t.Fatal(err)
		}
		return dx(t, op, c.in[0], c.dy)
	}
	eachPoolGradCase(t, "max min", func(t *testing.T, c *gradCall) {
		for i := range c.in[0].Len() { // all cells equal: every one wins
			tensor.Of[float64](c.in[0])[i] = 4
		}
		rules := map[string]string{"split": "avg"}
		if paramText(c.op, "window") != "" { // adaptive and fractional sums do not exist
			rules["all"] = "sum"
		}
		for ties, kind := range rules {
			c.set(t, "ties", "first")
			want := asType(t, c, kind)
			c.set(t, "ties", ties)
			if err := testutil.Equal(dx(t, c.op, c.in[0], c.dy), want, 1e-14); err != nil {
				t.Errorf("--ties %s of equal cells is the gradient of %s: %v", ties, kind, err)
			}
		}
	})
	// The last winner is the first one seen from the other end.
	for _, c := range []struct {
		params, mirrored string
		x                tensor.Shape
	}{
		{"type=max window=3 strides=1 padding=2:0,0:1", "type=max window=3 strides=1 padding=0:2,1:0", tensor.Shape{1, 5, 6, 1}},
		{"type=min window=2 strides=2 dilations=2", "type=min window=2 strides=2 dilations=2", tensor.Shape{1, 5, 7, 1}},
		{"type=max window=2 strides=1", "type=max window=2 strides=1", tensor.Shape{1, 3, 3, 3, 1}},
	} {
		x := uneven(c.x, 1)
		for i, v := range tensor.Of[float64](x) {
			tensor.Of[float64](x)[i] = math.Round(v)
		}
		last := differentiable(t, "pool", c.params+" ties=last")
		dy := uneven(forward(t, last, x).Shape, 2)
		want := mirror(dx(t, differentiable(t, "pool", c.mirrored), mirror(x), mirror(dy)))
		if err := testutil.Equal(dx(t, last, x, dy), want, 1e-14); err != nil {
			t.Errorf("%s: --ties last: %v", c.params, err)
		}
	}
}

// mirror reverses the order of a tensor's elements: of one picture with one
// channel, all of its spatial axes.
func mirror(t *tensor.Tensor) *tensor.Tensor {
	out := tensor.New(t.Spec)
	data := tensor.Of[float64](out)
	for i := range data {
		data[i] = t.At(len(data) - 1 - i)
	}
	return out
}

// TestGradientOfGivenArgmax: routing by the argmax of the input itself is the
// gradient of the input, in every convention and layout.
func TestGradientOfGivenArgmax(t *testing.T) {
	eachPoolGradCase(t, "max min", func(t *testing.T, c *gradCall) {
		want := dx(t, c.op, c.in[0], c.dy)
		for _, index := range []string{"tensorflow", "tensorflow batch", "pytorch", "onnx", "onnx-column-major"} {
			rule, batch, _ := strings.Cut(index, " ")
			c.set(t, "argmax-index", rule)
			c.set(t, "include-batch-in-index", map[string]string{"": "false", "batch": "true"}[batch])
			plan, err := c.op.Plan(specsOf(c.in), ops.Want{Argmax: true})
			if err != nil {
				t.Fatal(err)
			}
			out, _, err := ops.Run(plan, 1, c.in...)
			if err != nil {
				t.Fatal(err)
			}
			given := ops.Clone(c.op)
			if err := ops.SetParam(given.GradParams(), "from-argmax", "argmax.npy"); err != nil {
				t.Fatal(err)
			}
			if err := testutil.Equal(dx(t, given, c.in[0], c.dy, out[1]), want, 1e-15); err != nil {
				t.Errorf("%s: %v", index, err)
			}
		}
	})
}

// TestGradientRefusesArgmax: an argmax that is no argmax of this output is
// refused, and the first bad index is named with its place.
func TestGradientRefusesArgmax(t *testing.T) {
	op := differentiable(t, "pool", "type=max window=2 from-argmax=argmax.npy")
	x, dy := uneven(tensor.Shape{2, 4, 4, 1}, 1), uneven(tensor.Shape{2, 2, 2, 1}, 2)
	shape := "want integers in the output's shape (2,2,2,1)"
	for _, c := range []struct {
		argmax *tensor.Tensor
		want   string
	}{
		{tensor.New(tensor.Spec{DType: tensor.Int64, Shape: tensor.Shape{2, 2, 2, 2}}), "got int64 (2,2,2,2), " + shape},
		{tensor.New(tensor.Spec{DType: tensor.Int64, Shape: tensor.Shape{8}}), "got int64 (8), " + shape},
		{tensor.New(tensor.Spec{DType: tensor.Int64, Shape: tensor.Shape{0, 2, 2, 1}}), "got int64 (0,2,2,1), " + shape},
		{tensor.New(tensor.Spec{DType: tensor.Float64, Shape: tensor.Shape{2, 2, 2, 1}}), "got float64 (2,2,2,1), " + shape},
		{tensor.From([]int64{0, 1, 2, 3, 4, 16, -1, 7}, 2, 2, 2, 1), "index 16 at [1,0,1,0], want 0 <= index < 16"},
		{tensor.From([]int64{0, 1, 2, -1, 4, 16, 6, 7}, 2, 2, 2, 1), "index -1 at [0,1,1,0], want 0 <= index < 16"},
		{tensor.From([]int64{1 << 62, 1, 2, -1, 4, 16, 6, 7}, 2, 2, 2, 1), "index 4611686018427387904 at [0,0,0,0], want 0 <= index < 16"},
		{tensor.From([]uint64{0, 1, 2, 3, 4, 5, 6, math.MaxUint64}, 2, 2, 2, 1), "index 18446744073709551615 at [1,1,1,0], want 0 <= index < 16"},
	} {
		in := []*tensor.Tensor{x, dy, c.argmax}
		plan, err := op.PlanGrad(specsOf(in), ops.WantGrad{Input: true})
		if err == nil {
			_, _, err = ops.Run(plan, 1, in...)
		}
		if err == nil || !strings.HasPrefix(err.Error(), "pool: from-argmax: "+c.want) {
			t.Errorf("got %v, want pool: from-argmax: %s", err, c.want)
		}
	}
}

// TestSecondDerivative: the gradient of the gradient gathers at the maxima, and
// is its adjoint.
func TestSecondDerivative(t *testing.T) {
	eachPoolGradCase(t, "max min", func(t *testing.T, c *gradCall) {
		g := uneven(c.in[0].Shape, 6)
		second := ops.Clone(c.op)
		if err := ops.SetParam(second.GradParams(), "second", "g.npy"); err != nil {
			t.Fatal(err)
		}
		got := backward(t, second, ops.WantGrad{Input: true}, 3, c.in[0], g)["dsecond"]
		if !got.Shape.Equal(c.dy.Shape) {
			t.Fatalf("got shape %s, want the output's %s", got.Shape, c.dy.Shape)
		}
		data := tensor.Of[float64](c.dy)
		for i := range data { // what output i alone sends back lies on one cell
			for j := range data {
				data[j] = 0
			}
			data[i] = 1
			if want := dot(dx(t, c.op, c.in[0], c.dy), g); got.At(i) != want {
				t.Fatalf("at %v: got %g, want the cell of the maximum, %g", got.Shape.Index(i), got.At(i), want)
			}
		}
		other := tensor.Spec{DType: tensor.Float64, Shape: append(tensor.Shape{3}, g.Shape...)}
		_, err := second.PlanGrad([]tensor.Spec{c.in[0].Spec, other}, ops.WantGrad{Input: true})
		if want := "pool: second: got shape " + other.Shape.String() + ", want the input's " + g.Shape.String(); err == nil || err.Error() != want {
			t.Errorf("got error %v, want %s", err, want)
		}
	})
}

// TestPoolGradientByHand holds the policies to results written by hand.
func TestPoolGradientByHand(t *testing.T) {
	row := func(n int) tensor.Shape { return tensor.Shape{1, n, 1} }
	for _, c := range []struct {
		params, x, dy, want string
	}{
		// NaN: the gradient goes to the first one, whatever the value's rule.
		{"type=max window=4", "1 nan 2 nan", "1", "0 1 0 0"},
		{"type=min window=4", "1 nan 2 nan", "1", "0 1 0 0"},
		{"type=max window=4 nan=ignore", "1 nan 2 nan", "1", "0 0 1 0"},
		{"type=min window=4 nan=ignore", "nan 3 2 nan", "1", "0 0 1 0"},
		{"type=max window=2 nan=ignore", "nan nan -inf nan", "1 2", "1 0 2 0"},
		{"type=max window=4 ties=last", "1 nan 2 nan", "1", "0 0 0 1"},
		{"type=max window=4 ties=all", "1 nan 2 nan", "1", "0 1 0 1"},
		{"type=max window=4 ties=split", "1 nan 2 nan", "1", "0 1/2 0 1/2"},
		{"type=max window=4 ties=split nan=ignore", "2 nan 2 nan", "1", "1/2 0 1/2 0"},
		{"type=max window=4 ties=last nan=ignore", "nan nan nan nan", "1", "0 0 0 1"},
		{"type=max window=4 ties=last nan=ignore", "2 nan 2 1", "1", "0 0 1 0"},
		{"type=min window=4 ties=last nan=ignore", "nan 2 2 nan", "1", "0 0 1 0"},
		{"type=max window=4", "-inf -inf -inf -inf", "1", "1 0 0 0"},
		{"type=avg window=4", "1 nan 2 3", "1", "1/4 1/4 1/4 1/4"},
		{"type=avg window=4 nan=ignore", "1 nan 2 3", "1", "1/3 0 1/3 1/3"},
		{"type=avg window=2 nan=ignore", "nan nan 2 3", "1 1", "0 0 1/2 1/2"},
		{"type=avg window=2 strides=1 nan=ignore", "1 nan nan 3", "1 1 1", "1 0 0 1"},
		{"type=sum window=4 nan=ignore", "1 nan 2 3", "2", "2 0 2 2"},
		{"type=avg window=4 divisor=4 nan=ignore", "1 nan 2 3", "1", "1/4 0 1/4 1/4"},
		{"type=std window=2", "1 3 5 5", "1 1", "-1/2 1/2 0 0"}, // PyTorch gives NaN where the deviation is 0
		{"type=var window=2", "1 3 5 5", "1 1", "-1 1 0 0"},
		{"type=var window=4 nan=ignore", "1 nan 3 nan", "1", "-1 0 1 0"},
		{"type=lp window=2 nan=ignore", "-3 nan 3 4", "1 5", "-1 0 3 4"},
		// Lp: the sign of x, and 0 where x is 0 or the window is nothing but 0.
		{"type=lp window=2", "3 -4 0 0", "5 1", "3 -4 0 0"},
		{"type=lp p=1 window=2", "3 -4 0 -2", "1 1", "1 -1 0 -1"},
		{"type=lp p=0.5 window=2", "4 9 0 4", "1 1", "5/2 5/3 0 1"},
		{"type=lp p=inf window=2", "3 -4 2 2", "1 1", "0 -1 1 0"},
		{"type=lp p=inf window=4", "0 0 0 0", "1", "0 0 0 0"},
		// Strides and gaps, padding, overlap.
		{"type=max window=1 strides=3 padding=SAME", "0 1 2 3 4", "1 1", "1 0 0 1 0"},
		{"type=avg window=1 strides=3 padding=SAME", "0 1 2 3 4", "1 1", "1 0 0 1 0"},
		{"type=max window=3 strides=1 padding=SAME", "1 1 1 1 1", "1 1 1 1 1", "2 1 1 1 0"},
		{"type=avg window=3 strides=1 padding=SAME", "0 0 0 0", "1 1 1 1", "5/6 7/6 7/6 5/6"},
		{"type=avg window=3 strides=1 padding=SAME count-include-pad=true", "0 0 0 0", "1 1 1 1", "2/3 1 1 2/3"},
		{"type=avg window=3 strides=2 padding=1:1 ceil-mode=true", "0 0 0 0", "1 1 1", "1/2 5/6 1/3 4/3"},
		{"type=max window=2 strides=1 dilations=2", "0 1 2 3 4", "1 1 1", "0 0 1 1 1"},
		{"type=max output-size=3", "0 1 2 3 4", "1 1 1", "0 1 0 1 1"},
		{"type=avg output-size=5", "0 1 2", "1 1 1 1 1", "3/2 2 3/2"},
	} {
		op := differentiable(t, "pool", c.params)
		x := array(t, row(len(strings.Fields(c.x))), c.x)
		dy := array(t, row(len(strings.Fields(c.dy))), c.dy)
		want := array(t, x.Shape, c.want)
		if err := testutil.Equal(dx(t, op, x, dy), want, 1e-14); err != nil {
			t.Errorf("%s of %s: %v", c.params, c.x, err)
		}
	}
}

// TestMorphologyGradientByHand: the gradient goes to the winning cell and the
// winning weight; of NaN to the first, or past it.
func TestMorphologyGradientByHand(t *testing.T) {
	for _, c := range []struct{ op, params, x, filter, dx, dfilter string }{
		{"dilation2d", "", "1 5 2", "0 0 0", "0 1 0", "0 1 0"},
		{"dilation2d", "", "1 5 2", "0 0 4", "0 0 1", "0 0 1"},
		{"dilation2d", "", "1 nan 2", "0 0 4", "0 1 0", "0 1 0"},
		{"dilation2d", "nan=ignore", "1 nan 2", "0 0 0", "0 0 1", "0 0 1"},
		{"dilation2d", "nan=ignore", "nan nan nan", "0 0 0", "1 0 0", "1 0 0"},
		{"dilation2d", "", "7 7 7", "0 0 0", "1 0 0", "1 0 0"},
		{"erosion2d", "", "1 5 2", "0 0 0", "1 0 0", "0 0 -1"},
		{"erosion2d", "", "1 5 2", "3 0 0", "0 0 1", "-1 0 0"},
		{"erosion2d", "", "1 nan nan", "0 0 0", "0 1 0", "0 -1 0"},
		{"erosion2d", "nan=ignore", "nan 5 2", "0 0 0", "0 0 1", "-1 0 0"},
		{"erosion2d", "", "7 7 7", "0 0 0", "1 0 0", "0 0 -1"},
	} {
		op := differentiable(t, c.op, c.params+" filter=f.npy")
		x, filter := array(t, tensor.Shape{1, 1, 3, 1}, c.x), array(t, tensor.Shape{1, 3, 1}, c.filter)
		got := backward(t, op, ops.WantGrad{Input: true, Filter: true}, 1, x, filter, array(t, tensor.Shape{1, 1, 1, 1}, "1"))
		for name, want := range map[string]*tensor.Tensor{"dx": array(t, x.Shape, c.dx), "dfilter": array(t, filter.Shape, c.dfilter)} {
			if err := testutil.Equal(got[name], want, 1e-15); err != nil {
				t.Errorf("%s %s of %s by %s: %s: %v", c.op, c.params, c.x, c.filter, name, err)
			}
		}
	}
}

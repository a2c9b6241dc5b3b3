package ops_test

import (
	"errors"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/poolctl/poolctl/internal/ops"
	"github.com/poolctl/poolctl/internal/tensor"
	"github.com/poolctl/poolctl/internal/testutil"
)

// TestGradientIsTheDerivative compares every number of every gradient with the
// central difference of <dy, f(x)>.
func TestGradientIsTheDerivative(t *testing.T) {
	eachGradCase(t, func(t *testing.T, c *gradCall) {
		plan, err := c.op.Plan(specsOf(c.in), ops.Want{})
		if err != nil {
			t.Fatal(err)
		}
		runner := ops.NewRunner(plan, 1)
		defer runner.Close()
		y := tensor.New(plan.Outputs[0].Spec)
		loss := func(in []*tensor.Tensor) float64 {
			if err := runner.Run(in, []*tensor.Tensor{y}); err != nil {
				t.Fatal(err)
			}
			return dot(c.dy, y)
		}
		for name, got := range backward(t, c.op, c.want(), 1, c.withUpstream()...) {
			data := tensor.Of[float64](c.in[c.at[name]])
			if got.Len() != len(data) {
				t.Fatalf("%s: got shape %s for an input of %d numbers", name, got.Shape, len(data))
			}
			// Small enough to stay on one side of every kink, large enough for
			// the difference to keep ten digits.
			const step = 1e-5
			for i, x := range data {
				data[i] = x + step
				ahead := loss(c.in)
				data[i] = x - step
				behind := loss(c.in)
				data[i] = x
				if want := (ahead - behind) / (2 * step); !near(got.At(i), want, 1e-7) {
					t.Fatalf("%s at %v: got %.10g, numerical differentiation gives %.10g", name, got.Shape.Index(i), got.At(i), want)
				}
			}
		}
	})
}

// TestGradientOfLinearIsAdjoint checks <dy, f(x)> = <f*(dy), x>; a convolution
// is linear in its filter and its bias too.
func TestGradientOfLinearIsAdjoint(t *testing.T) {
	tested := 0
	eachGradCase(t, func(t *testing.T, c *gradCall) {
		if !ops.IsLinear(c.spec, c.op) {
			return
		}
		tested++
		y := forward(t, c.op, c.in...)
		left := dot(c.dy, y)
		for name, gradient := range backward(t, c.op, c.want(), 1, c.withUpstream()...) {
			zeroed := append([]*tensor.Tensor{}, c.in...)
			at := c.at[name]
			zeroed[at] = tensor.New(c.in[at].Spec)
			constant := dot(c.dy, forward(t, c.op, zeroed...)) // what does not depend on this input
			if right := dot(gradient, c.in[at]); !near(left-constant, right, 1e-12) {
				t.Errorf("%s: <dy, f(x)> is %.15g, <f*(dy), x> is %.15g", name, left-constant, right)
			}
		}
	})
	if tested < 10 {
		t.Errorf("only %d linear cases, want at least 10", tested)
	}
}

// TestIsLinearIsMeasured: an operation says that it is linear in its input where
// f(ax + by) = a f(x) + b f(y), without its bias, and nowhere else.
func TestIsLinearIsMeasured(t *testing.T) {
	linear := map[bool]int{}
	eachGradCase(t, func(t *testing.T, c *gradCall) {
		in := slices.Clone(c.in)
		if at, ok := c.at["dbias"]; ok && at >= c.main {
			in[at] = tensor.New(in[at].Spec)
		}
		x, y := in[0], uneven(in[0].Shape, 31)
		mixed := tensor.New(x.Spec)
		for i := range mixed.Len() {
			tensor.Of[float64](mixed)[i] = -2*x.At(i) + 0.5*y.At(i)
		}
		apply := func(x *tensor.Tensor) *tensor.Tensor {
			in[0] = x
			return forward(t, c.op, in...)
		}
		fx, fy, got := apply(x), apply(y), apply(mixed)
		measured := true
		for i := range got.Len() {
			measured = measured && near(got.At(i), -2*fx.At(i)+0.5*fy.At(i), 1e-12)
		}
		if said := ops.IsLinear(c.spec, c.op); said != measured {
			t.Errorf("says linear: %v, measured: %v", said, measured)
		}
		linear[measured]++
	})
	if linear[true] < 10 || linear[false] < 10 {
		t.Errorf("%d linear cases and %d others, want 10 of each", linear[true], linear[false])
	}
}

// TestUnreadInputsAreNotRead runs every gradient, and that of the input alone,
// with nothing behind the inputs that its plan calls unread.
func TestUnreadInputsAreNotRead(t *testing.T) {
	unread := 0
	eachGradCase(t, func(t *testing.T, c *gradCall) {
		for _, want := range []ops.WantGrad{c.want(), {Input: true}} {
			in := c.withUpstream()
			plan, err := c.op.PlanGrad(specsOf(in), want)
			if err != nil {
				t.Fatal(err)
			}
			full, _, err := ops.Run(plan, 1, in...)
			if err != nil {
				t.Fatal(err)
			}
			for _, i := range plan.Unread {
				in[i] = &tensor.Tensor{Spec: in[i].Spec}
				unread++
			}
			got, _, err := ops.Run(plan, 1, in...)
			if err != nil {
				t.Fatal(err)
			}
			for i := range got {
				if err := testutil.Equal(got[i], full[i], 0); err != nil {
					t.Errorf("%s: %v", plan.Outputs[i].Name, err)
				}
			}
		}
	})
	if unread < 20 {
		t.Errorf("%d inputs were unread, want more", unread)
	}
}

// TestGradientDoesNotDependOnThreads runs every gradient on 1, 2, 3 and 7
// threads, in float32, and wants the same bits.
func TestGradientDoesNotDependOnThreads(t *testing.T) {
	eachGradCase(t, func(t *testing.T, c *gradCall) {
		in := c.withUpstream()
		for i, each := range in {
			if each.DType.IsFloat() {
				in[i], _ = tensor.Converted(each, tensor.Float32)
			}
		}
		want := backward(t, c.op, c.want(), 1, in...)
		for _, threads := range []int{2, 3, 7} {
			for name, got := range backward(t, c.op, c.want(), threads, in...) {
				if err := testutil.Equal(got, want[name], 0); err != nil {
					t.Errorf("%s on %d threads: %v", name, threads, err)
				}
			}
		}
	})
}

// TestGradientChannelsFirst: gradients of channels-first tensors are those of
// channels-last ones, transposed.
func TestGradientChannelsFirst(t *testing.T) {
	first := map[tensor.Layout]tensor.Layout{tensor.NWC: tensor.NCW, tensor.NHWC: tensor.NCHW, tensor.NDHWC: tensor.NCDHW}
	tested := 0
	eachGradCase(t, func(t *testing.T, c *gradCall) {
		last, err := tensor.DefaultLayout(len(c.in[0].Shape))
		if err != nil || first[last] == "" || ops.DataFormat(c.op) != "" || c.memory {
			return // one picture without a batch, a batch of vectors, or an order that decides
		}
		tested++
		perm := tensor.Permutation(string(last), string(first[last]))
		in := c.withUpstream()
		for i := range in {
			if len(in[i].Shape) == len(last) && (i != 1 || !hasFilter(c.op)) {
				in[i] = tensor.Permuted(in[i], perm)
			}
		}
		op := ops.Clone(c.op)
		if err := ops.Set(op, "data-format", string(first[last])); err != nil {
			t.Fatal(err)
		}
		for _, p := range op.Params() {
			if p.String() == "" {
				continue
			}
			if _, turned, _ := strings.Cut(transposed(p.Name+"="+p.String(), perm), "="); turned != p.String() {
				if err := p.Set(turned); err != nil {
					t.Fatal(err)
				}
			}
		}
		want := backward(t, c.op, c.want(), 1, c.withUpstream()...)
		for name, gradient := range want {
			if c.at[name] < c.main {
				want[name] = tensor.Permuted(gradient, perm)
			}
		}
		for name, got := range backward(t, op, c.want(), 2, in...) {
			if err := testutil.Equal(got, want[name], 0); err != nil {
				t.Errorf("%s: %v", name, err)
			}
		}
	})
	if tested < 30 {
		t.Errorf("only %d cases, want at least 30", tested)
	}
}

// TestGradientOfNothing: an empty batch, and an empty output, give zeros in the
// shapes of the inputs.
func TestGradientOfNothing(t *testing.T) {
	zeros := func(t *testing.T, c *gradCall, op ops.Differentiable, in []*tensor.Tensor) {
		t.Helper()
		for name, got := range backward(t, op, c.want(), 2, in...) {
			if shape := in[c.at[name]].Shape; !got.Shape.Equal(shape) {
				t.Errorf("%s: got shape %s, want %s", name, got.Shape, shape)
			}
			for i := range got.Len() {
				if got.At(i) != 0 {
					t.Fatalf("%s at %v: got %g, want 0", name, got.Shape.Index(i), got.At(i))
				}
			}
		}
	}
	empty := 0
	eachGradCase(t, func(t *testing.T, c *gradCall) {
		if rank := len(c.in[0].Shape); rank > 2 && ops.DataFormat(c.op) != tensor.HWC { // not one picture
			in := c.withUpstream()
			for i := range in {
				if in[i].DType == tensor.Int64 || i < c.main || i == len(in)-1 {
					shape := append(tensor.Shape{0}, in[i].Shape[1:]...)
					in[i] = tensor.New(tensor.Spec{DType: in[i].DType, Shape: shape})
				}
			}
			op := ops.Clone(c.op)
			if hasParam(op, "output-shape") && paramText(op, "output-shape") != "" {
				if err := ops.Set(op, "output-shape", tensor.Join(append([]int{0}, c.dy.Shape[1:]...), ",")); err != nil {
					t.Fatal(err)
				}
			}
			zeros(t, c, op, in)
		}
		if !hasParam(c.op, "empty") || hasParam(c.op, "output-size") && paramText(c.op, "window") == "" || paramText(c.op, "window") == "global" {
			return
		}
		// The same windows with a gap of 1000 between their taps.
		op := ops.Clone(c.op)
		for name, value := range map[string]string{"empty": "allow", "dilations": "1000", "padding": "VALID"} {
			if err := ops.Set(op, name, value); err != nil {
				t.Fatal(err)
			}
		}
		if hasParam(op, "ceil-mode") {
			if err := ops.Set(op, "ceil-mode", "false"); err != nil {
				t.Fatal(err)
			}
		}
		y := forward(t, op, c.in...)
		if y.Len() != 0 {
			t.Fatalf("the output is %s, want an empty one", y.Shape)
		}
		empty++
		zeros(t, c, op, append(append([]*tensor.Tensor{}, c.in...), y))
	})
	if empty < 15 {
		t.Errorf("only %d cases with an empty output, want at least 15", empty)
	}
}

func paramText(op ops.Op, name string) string {
	for _, p := range op.Params() {
		if p.Name == name {
			return p.String()
		}
	}
	return ""
}

// TestGradientRefusesOtherUpstream: an upstream gradient of any other shape than
// the output's is an error with both shapes.
func TestGradientRefusesOtherUpstream(t *testing.T) {
	eachGradCase(t, func(t *testing.T, c *gradCall) {
		shape := c.dy.Shape
		last := len(shape) - 1
		var others []tensor.Shape
		for i := range shape {
			more, none := append(tensor.Shape{}, shape...), append(tensor.Shape{}, shape...)
			more[i], none[i] = shape[i]+1, 0
			others = append(others, more, none)
		}
		others = append(others, shape[:last], append(tensor.Shape{1}, shape...), tensor.Shape{})
		for _, other := range others {
			in := append(specsOf(c.in), tensor.Spec{DType: tensor.Float64, Shape: other})
			_, err := c.op.PlanGrad(in, c.want())
			var data *ops.DataError
			if !errors.As(err, &data) {
				t.Errorf("%s for %s: got error %v, want a DataError", other, shape, err)
				continue
			}
			if want := c.spec.Name + ": upstream: got shape " + other.String() + ", want the output's " + shape.String(); err.Error() != want {
				t.Errorf("got %q, want %q", err, want)
			}
		}
	})
}

// TestGradientAllocatesNothing: once planned, a gradient takes no memory.
func TestGradientAllocatesNothing(t *testing.T) {
	eachGradCase(t, func(t *testing.T, c *gradCall) {
		in := c.withUpstream()
		plan, err := c.op.PlanGrad(specsOf(in), c.want())
		if err != nil {
			t.Fatal(err)
		}
		if paramText(c.op, "duplicates") == "error" {
			return // its check of the indices takes a bit a cell
		}
		var out []*tensor.Tensor
		for _, o := range plan.Outputs {
			out = append(out, tensor.New(o.Spec))
		}
		for _, threads := range []int{1, 2} {
			runner := ops.NewRunner(plan, threads)
			n := testing.AllocsPerRun(5, func() {
				if err := runner.Run(in, out); err != nil {
					t.Fatal(err)
				}
			})
			runner.Close()
			if n > 0 {
				t.Errorf("%g allocations on %d threads, want 0", n, threads)
			}
		}
	})
}

// TestGradientTypes: a gradient is written in the type that an average of the
// input would be, or in --dtype, and is that of the converted input.
func TestGradientTypes(t *testing.T) {
	type types struct {
		input, result tensor.DType
		set           string
		arithmetic    tensor.DType
	}
	list := []types{
		{tensor.Float32, tensor.Float64, "float64", tensor.Float64},
		{tensor.Float64, tensor.Float16, "float16", tensor.Float32},
		{tensor.Float64, tensor.BFloat16, "bfloat16", tensor.Float32},
		{tensor.Uint8, tensor.Float64, "float64", tensor.Float64},
	}
	for _, d := range tensor.DTypes() {
		list = append(list, types{d, d.Averaged(), "", d.Arithmetic()})
	}
	for _, d := range list {
		t.Run(strings.TrimSpace(d.input.String()+" "+d.set), func(t *testing.T) {
			eachGradCase(t, func(t *testing.T, c *gradCall) {
				c.quantize()
				op := ops.Clone(c.op)
				if d.set != "" {
					if err := ops.Set(op, "dtype", d.set); err != nil {
						t.Fatal(err)
					}
				}
				in, wide := c.withUpstream(), c.withUpstream()
				for i := range c.main {
					in[i], _ = tensor.Converted(in[i], d.input)
					wide[i], _ = tensor.Converted(in[i], d.arithmetic)
				}
				for i := c.main; i < len(in); i++ {
					if in[i].DType.IsFloat() {
						wide[i], _ = tensor.Converted(in[i], d.arithmetic)
					}
				}
				want := backward(t, c.op, c.want(), 1, wide...)
				for name, got := range backward(t, op, c.want(), 2, in...) {
					rounded, _ := tensor.Converted(want[name], d.result)
					if err := testutil.Equal(got, rounded, 0); err != nil {
						t.Errorf("%s: %v", name, err)
					}
				}
			})
		})
	}
}

// quantize makes the input whole numbers from 1 to 200, which every type holds.
func (c *gradCall) quantize() {
	data := tensor.Of[float64](c.in[0])
	for i, v := range data {
		data[i] = 1 + math.Mod(math.Floor(math.Abs(v)*4096), 200)
	}
}

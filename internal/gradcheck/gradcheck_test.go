package gradcheck

import (
	"errors"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/poolctl/poolctl/internal/ops"
	"github.com/poolctl/poolctl/internal/tensor"
)

// check is a check of an operation with its default parameters but for those
// given as name, value, name, value.
func check(t *testing.T, name string, values ...string) *Check {
	t.Helper()
	spec, err := ops.Lookup(name)
	if err != nil {
		t.Fatal(err)
	}
	op := spec.New().(ops.Differentiable)
	for i := 0; i < len(values); i += 2 {
		if err := ops.Set(op, values[i], values[i+1]); err != nil {
			t.Fatal(err)
		}
	}
	return &Check{Spec: spec, Op: op, Tolerance: 1e-5, Samples: 64, Threads: 1}
}

// run checks the gradients of the operation as its own plan computes them.
func run(t *testing.T, c *Check, in ...*tensor.Tensor) (*Result, error) {
	t.Helper()
	return c.Run(in, gradients(t, c, in...))
}

// gradients are those that the operation writes.
func gradients(t *testing.T, c *Check, in ...*tensor.Tensor) []*tensor.Tensor {
	t.Helper()
	specs := make([]tensor.Spec, len(in))
	for i := range in {
		specs[i] = in[i].Spec
	}
	want := ops.WantGrad{Input: true}
	for _, name := range ops.Gradients(c.Op) {
		*want.Of(name) = ops.Get(c.Op, name) != ""
	}
	plan, err := c.Op.PlanGrad(specs, want)
	if err != nil {
		t.Fatal(err)
	}
	out, _, err := ops.Run(plan, 1, in...)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// signal is n different numbers as NHWC.
func signal(height, width, channels int) *tensor.Tensor {
	data := make([]float32, height*width*channels)
	for i := range data {
		data[i] = float32(math.Sin(float64(3*i + 1)))
	}
	return tensor.From(data, 1, height, width, channels)
}

// wrong is pooling whose gradient is that of another type.
type wrong struct {
	*ops.Pool
	grad string
}

func (w *wrong) PlanGrad(in []tensor.Spec, want ops.WantGrad) (*ops.Plan, error) {
	p := *w.Pool
	p.Type = w.grad
	return p.PlanGrad(in, want)
}

func TestGradientsAgreeAndWrongOnesDoNot(t *testing.T) {
	x, dy := signal(6, 6, 2), signal(3, 3, 2)
	for _, kind := range []string{"max", "min", "avg", "sum"} {
		c := check(t, "pool", "type", kind, "window", "2")
		r, err := run(t, c, []*tensor.Tensor{x, dy}...)
		if err != nil {
			t.Fatal(err)
		}
		if !r.Equal || len(r.Tensors) != 1 || r.Tensors[0].Checked != 64 || r.Tensors[0].Of != 72 {
			t.Errorf("%s: %+v", kind, r)
		}
		if linear := kind == "avg" || kind == "sum"; (r.Adjoint != nil) != linear {
			t.Errorf("%s: adjoint %v, want one: %v", kind, r.Adjoint, linear)
		}
		other := map[string]string{"max": "min", "min": "max", "avg": "max", "sum": "avg"}[kind]
		c.Op = &wrong{c.Op.(*ops.Pool), other}
		if r, err = run(t, c, []*tensor.Tensor{x, dy}...); err != nil {
			t.Fatal(err)
		}
		if r.Equal || r.Tensors[0].Error < 0.1 {
			t.Errorf("%s with the gradient of %s: %+v", kind, other, r)
		}
	}
}

func TestEveryTensorIsChecked(t *testing.T) {
	c := check(t, "conv2d", "filter", "f.npy", "bias", "b.npy")
	filter := signal(3, 3, 2).Reshaped(tensor.Shape{3, 3, 2, 1})
	r, err := run(t, c, []*tensor.Tensor{signal(5, 5, 2), filter, tensor.From([]float32{0.5}, 1), signal(3, 3, 1)}...)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, checked := range r.Tensors {
		names = append(names, checked.Name)
	}
	if !slices.Equal(names, []string{"dx", "dfilter", "dbias"}) || !r.Equal || r.Adjoint == nil {
		t.Errorf("%v: %+v", names, r)
	}
	var text strings.Builder
	if err := r.WriteText(&text); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"check dx ", "check dfilter", "(18 of 18 numbers)", "check adjoint", "the gradient agrees with numerical differentiation (tolerance 1e-05)\n"} {
		if !strings.Contains(text.String(), want) {
			t.Errorf("no %q in\n%s", want, text.String())
		}
	}
}

func TestWhatCannotBeCheckedIsRefused(t *testing.T) {
	c := check(t, "pool", "type", "max", "window", "2")
	ties := tensor.From([]float32{1, 1, 1, 1}, 1, 2, 2, 1)
	one := tensor.From([]float32{1}, 1, 1, 1, 1)
	if _, err := run(t, c, []*tensor.Tensor{ties, one}...); !errors.Is(err, ErrTies) || !strings.HasPrefix(err.Error(), "pool: check: dx: all 4 numbers that were tried are at ties") {
		t.Errorf("ties: %v", err)
	}
	nan := tensor.From([]float32{1, float32(math.NaN()), 3, 4}, 1, 2, 2, 1)
	if _, err := run(t, c, []*tensor.Tensor{nan, one}...); err == nil || err.Error() != "pool: check: the input holds NaN or infinities, want finite numbers" {
		t.Errorf("NaN: %v", err)
	}
	if nan.DType != tensor.Float32 {
		t.Error("the caller's tensor was converted")
	}
	huge := tensor.Spec{DType: tensor.Float32, Shape: tensor.Shape{1, 1 << 30, 1 << 29, 1}}
	out := tensor.Spec{DType: tensor.Float32, Shape: tensor.Shape{1, 1 << 29, 1 << 28, 1}}
	var tooLarge *TooLargeError
	if _, err := c.Bytes([]tensor.Spec{huge, out}); !errors.As(err, &tooLarge) {
		t.Errorf("2^59 numbers in float64, twice: %v", err)
	}
	n, err := c.Bytes([]tensor.Spec{ties.Spec, one.Spec})
	if err != nil || n < 8*(4+1)*2 {
		t.Errorf("%d bytes, %v; want both plans' tensors", n, err)
	}
}

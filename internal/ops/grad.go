package ops

import (
	"fmt"
	"reflect"

	"github.com/poolctl/poolctl/internal/ops/kernel/pool"
	"github.com/poolctl/poolctl/internal/ops/kernel/poolgrad"
	"github.com/poolctl/poolctl/internal/tensor"
)

// Differentiable is an operation that has a gradient.
type Differentiable interface {
	Op
	// GradParams returns the parameters of the gradient only, bound to this
	// value's fields.
	GradParams() []Param
	// PlanGrad plans the gradient. The inputs are those of the operation and,
	// last, the upstream gradient in the shape of the output; parameters of
	// pool add other tensors or replace it. The outputs are the gradients of
	// the main inputs if want.Input (dx, dx1, dx2, …), then those of the wanted
	// parameters in the order of Gradients (dfilter, dbias, …).
	PlanGrad(in []tensor.Spec, want WantGrad) (*Plan, error)
}

// WantGrad says which gradients are wanted, and which implementation (see
// Want). With Winners the last input, after the upstream gradient, is what the
// forward pass noted.
type WantGrad struct {
	Input, Filter, Bias, Scale, Offset bool
	Winners                            bool
	Impl                               string
}

// Of returns the field for the gradient of the named parameter, nil if it has
// no gradient.
func (w *WantGrad) Of(name string) *bool {
	switch name {
	case "filter":
		return &w.Filter
	case "bias":
		return &w.Bias
	case "scale":
		return &w.Scale
	case "offset":
		return &w.Offset
	default:
		return nil
	}
}

// Gradients returns the names of the tensor parameters that have a gradient.
// The gradient of name is the output "d" + name.
func Gradients(op Op) []string {
	var list []string
	for _, p := range op.Params() {
		if p.Kind.File() && new(WantGrad).Of(p.Name) != nil {
			list = append(list, p.Name)
		}
	}
	return list
}

// Clone returns a copy of an operation with the same parameters.
func Clone(op Differentiable) Differentiable {
	value := reflect.New(reflect.TypeOf(op).Elem())
	value.Elem().Set(reflect.ValueOf(op).Elem())
	return value.Interface().(Differentiable)
}

// IsLinear reports whether an operation, as it was called, is linear in its
// input, a bias left out.
func IsLinear(spec Spec, op Op) bool {
	if o, ok := op.(interface{ linear() bool }); ok { // depends on its parameters
		return o.linear()
	}
	return spec.Linear
}

// checkUpstream checks that the upstream gradient has the output's shape.
func checkUpstream(op string, upstream tensor.Spec, output tensor.Shape) error {
	if !upstream.Shape.Equal(output) {
		return unfit(op, "upstream", "got shape %s, want the output's %s", upstream.Shape, output)
	}
	return nil
}

// gradient is the plan of a gradient under construction.
type gradient struct {
	*builder
	op     string
	dtype  tensor.DType  // of the computation
	result tensor.DType  // of the outputs
	layout tensor.Layout // of input and output
	last   tensor.Layout // the same, with channels last
}

func newGradient(op string, in []tensor.Spec, f *format, layout tensor.Layout) *gradient {
	g := &gradient{builder: newBuilder("grad "+op, in), op: op, layout: layout, last: layout}
	g.dtype = f.input(in[0]).Arithmetic()
	g.result = f.averaged(in[0])
	if layout.ChannelsFirst() {
		g.last = tensor.ChannelsLast(layout.Spatial())
	}
	return g
}

// output books a gradient of the given shape in the plan's layout.
func (g *gradient) output(name string, shape tensor.Shape, layout tensor.Layout) buf {
	return g.builder.output(name, tensor.Spec{DType: g.result, Shape: shape}, layout)
}

// unread marks inputs that no stage reads.
func (g *gradient) unread(first, end int) {
	for i := first; i < end; i++ {
		g.plan.Unread = append(g.plan.Unread, i)
	}
}

// zero adds a stage that zeroes a buffer.
func (b *builder) zero(dst buf) {
	b.stage(Stage{Name: "zero", Units: 1, Exec: func(_ *Worker, bufs []*tensor.Tensor, _, _ int) {
		tensor.Zero(bufs[dst])
	}})
}

// combine adds a stage that computes dst[i] = f(a[i], c[i]).
func (b *builder) combine(name string, dst, a, c buf, f func(a, c float64) float64) {
	n, err := b.spec(dst).Shape.Elements()
	if err != nil {
		return
	}
	b.stage(Stage{Name: name, Units: (n + blockOf - 1) / blockOf, Work: n,
		Exec: func(_ *Worker, bufs []*tensor.Tensor, lo, hi int) {
			poolgrad.Combine(bufs[dst], bufs[a], bufs[c], lo*blockOf, min(hi*blockOf, n), f)
		}})
}

// conventionOf returns the index convention of that name.
func conventionOf(name string) pool.Convention {
	for i, c := range conventions {
		if c == name {
			return pool.Convention(i)
		}
	}
	panic(fmt.Sprintf("ops: no index convention %q", name))
}

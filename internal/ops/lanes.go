package ops

import (
	"github.com/poolctl/poolctl/internal/ops/kernel"
	"github.com/poolctl/poolctl/internal/tensor"
)

// lanes is a kernel that computes each line of cells along an axis from the
// same line of the input.
type lanes interface {
	Units() int
	Scratch() int
	Run(s *kernel.Scratch, dst, src *tensor.Tensor, lo, hi int)
	Gradient(s *kernel.Scratch, dst, src, upstream *tensor.Tensor, lo, hi int)
}

// lanesWork is roughly the elementary steps for each cell.
const lanesWork = 16

// planLanes plans an operation with a lanes kernel. The output has the shape of
// the input.
func (f *format) planLanes(op string, in []tensor.Spec, layout tensor.Layout, k lanes) (*Plan, error) {
	given := f.input(in[0])
	b := newBuilder(op, in)
	b.plan.Layout, b.plan.Impl = layout, "lanes, go"
	y := b.output("y", tensor.Spec{DType: given.Averaged(), Shape: in[0].Shape}, layout)
	b.computed(y, b.converted(0, given), given.Arithmetic(), func(dst, src buf) {
		b.stage(Stage{Name: op, Units: k.Units(), Scratch: k.Scratch(), Work: multiplyAdds(append([]int{lanesWork}, in[0].Shape...)...),
			Exec: func(w *Worker, bufs []*tensor.Tensor, lo, hi int) {
				k.Run(&w.Scratch, bufs[dst], bufs[src], lo, hi)
			}})
	})
	return b.finish()
}

// planLanesGrad plans its gradient, for the input and the upstream gradient.
func (f *format) planLanesGrad(op string, in []tensor.Spec, layout tensor.Layout, k lanes) (*Plan, error) {
	if err := checkUpstream(op, in[1], in[0].Shape); err != nil {
		return nil, err
	}
	g := newGradient(op, in, f, layout)
	g.plan.Layout, g.plan.Impl = layout, "lanes, go"
	dx := g.output("dx", in[0].Shape, layout)
	dy := g.converted(1, g.dtype)
	g.computed(dx, g.converted(0, f.input(in[0])), g.dtype, func(dst, src buf) {
		g.stage(Stage{Name: "gradient", Units: k.Units(), Scratch: k.Scratch(), Work: multiplyAdds(append([]int{lanesWork}, in[0].Shape...)...),
			Exec: func(w *Worker, bufs []*tensor.Tensor, lo, hi int) {
				k.Gradient(&w.Scratch, bufs[dst], bufs[src], bufs[dy], lo, hi)
			}})
	})
	return g.finish()
}

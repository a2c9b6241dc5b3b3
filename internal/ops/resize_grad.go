package ops

import (
	"slices"

	"github.com/poolctl/poolctl/internal/tensor"
)

// GradParams implements Differentiable.
func (o *Resize) GradParams() []Param { return nil }

// PlanGrad implements Differentiable.
func (o *Resize) PlanGrad(in []tensor.Spec, _ WantGrad) (*Plan, error) {
	if o.LinearLight {
		return nil, lightGradient("resize")
	}
	r, err := o.lay(in[0])
	if err != nil {
		return nil, err
	}
	if err := checkUpstream("resize", in[1], r.out); err != nil {
		return nil, err
	}
	g := newGradient("resize", in, &o.format, r.layout)
	g.plan.Layout, g.plan.Impl = r.layout, "axis by axis, go"
	g.unread(0, 1)
	for i := range r.axes {
		r.axes[i].Wide = g.dtype == tensor.Float64
	}
	g.resized(g.output("dx", in[0].Shape, r.layout), g.converted(1, g.dtype), r)
	return g.finish()
}

// resized adds the adjoint of every axis, the last one first.
func (g *gradient) resized(dx, dy buf, r *resizing) {
	tables := g.resizeTables(r.axes, func(int) bool { return false })
	now := make([]int, len(r.axes))
	for i := range r.axes {
		now[i] = r.axes[i].Kept
	}
	factor := r.factor()
	for i, axis := range slices.Backward(r.order()) {
		next := slices.Clone(now)
		next[axis] = r.axes[axis].In
		k := r.pass(axis, next, now)
		k.Factor, factor = factor, 1
		to := dx
		if i > 0 || g.result != g.dtype {
			to = g.temp(g.dtype, k.N, k.A, k.B, k.In, k.Inner)
		}
		from, t := dy, tables[axis]
		g.stage(Stage{Name: "gradient", Units: k.GradientUnits(), Work: multiplyAdds(k.N, k.A, k.B, k.Out, k.Inner, t.taps),
			Exec: func(_ *Worker, bufs []*tensor.Tensor, lo, hi int) {
				k.Gradient(bufs[to], bufs[from], bufs[t.cells], optional(bufs, t.weights), lo, hi)
			}})
		dy, now = to, next
	}
	g.deliver(dx, dy, "", "")
}

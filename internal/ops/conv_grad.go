package ops

import (
	"math"

	"github.com/poolctl/poolctl/internal/geom"
	"github.com/poolctl/poolctl/internal/ops/kernel/conv"
	"github.com/poolctl/poolctl/internal/tensor"
)

// GradParams implements Differentiable.
func (o *Conv) GradParams() []Param { return nil }

// GradParams implements Differentiable.
func (o *ConvTranspose) GradParams() []Param { return nil }

// PlanGrad implements Differentiable. The inputs are x, the filter, the bias if
// there is one, and the upstream gradient. The gradient with respect to x is a
// transposed convolution of the upstream gradient.
func (o *Conv) PlanGrad(in []tensor.Spec, want WantGrad) (*Plan, error) {
	l, err := o.lay(in)
	if err != nil {
		return nil, err
	}
	l.filter.strides.Group = l.filter.O / l.groups * l.filter.strides.Dst
	s := l.filter.strides
	input := conv.Spec{Src: l.filter.O, Dst: l.in.C, Filter: conv.FilterStrides{Tap: s.Tap, Src: s.Dst, Dst: s.Src, Group: s.Group}}
	for i, a := range l.g.Axes {
		input.Gather[i] = a.Backward()
	}
	filter := conv.FilterGradientSpec{Large: l.in.C, Small: l.filter.O, Filter: s}
	return l.gradient(&o.format, in, want, o.Bias != "", input, filter, false)
}

// PlanGrad implements Differentiable. The inputs are x, the filter, the bias if
// there is one, and the upstream gradient. The gradient with respect to x is a
// convolution of the upstream gradient.
func (o *ConvTranspose) PlanGrad(in []tensor.Spec, want WantGrad) (*Plan, error) {
	l, err := o.lay(in)
	if err != nil {
		return nil, err
	}
	l.filter.strides.Group = l.in.C / l.groups * l.filter.strides.Src
	s := l.filter.strides
	swapped := conv.FilterStrides{Tap: s.Tap, Src: s.Dst, Dst: s.Src, Group: s.Group}
	input := conv.Spec{Src: l.out.C, Dst: l.in.C, Filter: swapped}
	for i, a := range l.g.Axes {
		input.Gather[i] = a.Forward()
	}
	filter := conv.FilterGradientSpec{Large: l.out.C, Small: l.in.C, Filter: swapped}
	return l.gradient(&o.format, in, want, o.Bias != "", input, filter, true)
}

// gradient plans the gradients of a convolution. transposed means that, in the
// gradient with respect to the filter, the upstream gradient is the larger
// tensor.
func (l *convLayout) gradient(f *format, in []tensor.Spec, want WantGrad, bias bool, input conv.Spec, filter conv.FilterGradientSpec, transposed bool) (*Plan, error) {
	g := newGradient(l.op, in, f, l.layout)
	dx, dw, db, dy, err := g.book(in, want, bias, l.g, l.out)
	if err != nil {
		return nil, err
	}
	if want.Input {
		input.N, input.Groups, input.DType, input.SkipPadding, input.Want = l.in.N, l.groups, g.dtype, true, want.Impl
		input.Algorithm, input.AllowWinograd = l.algorithm, l.winograd
		if err := g.convolve(dx, dy, l.in, input); err != nil {
			return nil, err
		}
		g.plan.MultiplyAdds += l.multiplyAdds()
	}
	if want.Filter {
		x := g.permuted(g.converted(g.converted(0, f.input(in[0])), g.dtype), g.layout, g.last)
		filter.Geometry, filter.Groups, filter.DType = l.g, l.groups, g.dtype
		filter.Geometry.N = l.in.N
		if !want.Input {
			filter.Want = want.Impl
		}
		large, small := x, dy
		if transposed {
			large, small = dy, x
		}
		g.filterGradient(dw, large, small, filter, in[1].Shape)
		g.plan.MultiplyAdds += l.multiplyAdds()
	}
	if !want.Filter {
		g.unread(0, 1)
	}
	if want.Bias {
		g.biasGradient(db, dy, l.out.C)
	}
	if err := g.plan.Force(want.Impl); err != nil {
		return nil, err
	}
	return g.finish()
}

// book checks the upstream gradient, which is the last input, and adds the
// gradients of an operation with a filter as outputs. dy is the upstream
// gradient in the order and type of the kernels.
func (g *gradient) book(in []tensor.Spec, want WantGrad, bias bool, geometry geom.Geometry, out tensor.Extents) (dx, dw, db, dy buf, err error) {
	last := len(in) - 1
	if err := checkUpstream(g.op, in[last], g.layout.Join(out)); err != nil {
		return 0, 0, 0, 0, err
	}
	if want.Bias && !bias {
		return 0, 0, 0, 0, usage(g.op, "bias-grad", "only applies with --bias")
	}
	g.plan.describe(geometry, g.layout)
	g.plan.Parameters, _ = in[1].Shape.Elements()
	if want.Input {
		dx = g.output("dx", in[0].Shape, g.layout)
	}
	if want.Filter {
		dw = g.output("dfilter", in[1].Shape, "")
	}
	if want.Bias {
		db = g.output("dbias", tensor.Shape{out.C}, "")
	}
	return dx, dw, db, g.permuted(g.converted(buf(last), g.dtype), g.layout, g.last), nil
}

// convolve adds the stages of the gradient with respect to the input.
func (g *gradient) convolve(dx, dy buf, e tensor.Extents, spec conv.Spec) error {
	weights := g.converted(1, g.dtype)
	spec.Level = g.plan.Level
	k, err := conv.New(spec)
	if err != nil {
		return &DataError{g.op, err}
	}
	g.plan.chose(k.Choice)
	packed := g.temp(g.dtype, k.Packed)
	dst := dx
	if g.layout != g.last || g.result != g.dtype {
		dst = g.temp(g.dtype, g.last.Join(e)...)
	}
	g.pack(k, packed, weights)
	g.stage(Stage{Name: "input gradient", Units: k.Units, Scratch: k.Scratch, Work: math.MaxInt,
		Exec: func(w *Worker, bufs []*tensor.Tensor, lo, hi int) {
			k.Run(&w.Scratch, bufs[dst], bufs[dy], bufs[packed], nil, lo, hi)
		}})
	g.deliver(dx, dst, g.last, g.layout)
	return nil
}

// filterGradient adds the stages of the gradient with respect to the filter.
func (g *gradient) filterGradient(dw, large, small buf, spec conv.FilterGradientSpec, shape tensor.Shape) {
	spec.Level = g.plan.Level
	k := conv.NewFilterGradient(spec)
	if g.plan.Impl == "" {
		g.plan.chose(k.Choice)
	}
	packed := g.temp(g.dtype, k.Packed)
	dst := dw
	if g.result != g.dtype {
		dst = g.temp(g.dtype, shape...)
	}
	g.stage(Stage{Name: "pack the gradient", Units: k.PackUnits, Work: k.Packed,
		Exec: func(_ *Worker, bufs []*tensor.Tensor, lo, hi int) {
			k.Pack(bufs[packed], bufs[small], lo, hi)
		}})
	g.stage(Stage{Name: "filter gradient", Units: k.Units, Scratch: k.Scratch, Work: math.MaxInt,
		Exec: func(w *Worker, bufs []*tensor.Tensor, lo, hi int) {
			k.Run(&w.Scratch, bufs[large], bufs[small], bufs[packed], lo, hi)
		}})
	g.stage(Stage{Name: "add up the filter gradient", Units: k.FinishUnits, Scratch: k.Scratch, Work: math.MaxInt,
		Exec: func(w *Worker, bufs []*tensor.Tensor, lo, hi int) {
			k.Finish(&w.Scratch, bufs[dst], bufs[large], bufs[small], bufs[packed], lo, hi)
		}})
	g.deliver(dw, dst, "", "")
}

// biasGradient adds the stages of the gradient with respect to the bias.
func (g *gradient) biasGradient(db, dy buf, channels int) {
	dst := db
	if g.result != g.dtype {
		dst = g.temp(g.dtype, channels)
	}
	g.stage(Stage{Name: "bias gradient", Units: 1, Exec: func(_ *Worker, bufs []*tensor.Tensor, _, _ int) {
		conv.BiasGradient(bufs[dst], bufs[dy])
	}})
	g.deliver(db, dst, "", "")
}

// GradParams implements Differentiable.
func (o *Depthwise) GradParams() []Param { return nil }

// GradParams implements Differentiable.
func (o *Morphology) GradParams() []Param { return nil }

// PlanGrad implements Differentiable. The inputs are x, the filter, the bias if
// there is one, and the upstream gradient.
func (o *Depthwise) PlanGrad(in []tensor.Spec, want WantGrad) (*Plan, error) {
	l, err := o.lay(in)
	if err != nil {
		return nil, err
	}
	return l.gradient(&o.format, in, want, o.Bias != "")
}

// PlanGrad implements Differentiable. The inputs are x, the structuring element and
// the upstream gradient, which goes to the cell and the weight that won.
func (o *Morphology) PlanGrad(in []tensor.Spec, want WantGrad) (*Plan, error) {
	l, err := o.lay(in)
	if err != nil {
		return nil, err
	}
	return l.gradient(&o.format, in, want, false)
}

// gradient plans the gradients of depthwise convolution and of morphology. The
// gradient of a convolution with respect to its input is a transposed
// convolution with as many groups as channels.
func (l *depthwiseLayout) gradient(f *format, in []tensor.Spec, want WantGrad, bias bool) (*Plan, error) {
	g := newGradient(l.op, in, f, l.layout)
	dx, dw, db, dy, err := g.book(in, want, bias, l.g, l.out)
	if err != nil {
		return nil, err
	}
	if l.kind == conv.Convolve && want.Input {
		spec := conv.Spec{N: l.in.N, Src: l.out.C, Dst: l.in.C, Groups: l.in.C, Filter: l.filter(), DType: g.dtype, SkipPadding: true, Want: want.Impl}
		for i, a := range l.g.Axes {
			spec.Gather[i] = a.Backward()
		}
		if err := g.convolve(dx, dy, l.in, spec); err != nil {
			return nil, err
		}
		want.Input = false
	}
	if want.Input || want.Filter {
		g.depthwise(l, f, dx, dw, dy, want)
	}
	if err := g.plan.Force(want.Impl); err != nil {
		return nil, err
	}
	if want.Bias {
		g.biasGradient(db, dy, l.out.C)
	}
	return g.finish()
}

// depthwise adds the stages of the gradients with respect to the input and the
// filter.
func (g *gradient) depthwise(l *depthwiseLayout, f *format, dx, dw, dy buf, want WantGrad) {
	x := g.permuted(g.converted(g.converted(0, f.input(g.spec(0))), g.dtype), g.layout, g.last)
	weights := g.converted(1, g.dtype)
	dsrc, dfilter := dx, dw
	if want.Input && (g.layout != g.last || g.result != g.dtype) {
		dsrc = g.temp(g.dtype, g.last.Join(l.in)...)
	}
	if want.Filter && g.result != g.dtype {
		dfilter = g.temp(g.dtype, g.spec(1).Shape...)
	}
	if g.plan.Impl == "" {
		g.plan.Impl = "channel blocks, go"
	}
	k := &conv.DepthwiseGradient{Geometry: l.g, Multiplier: l.multiplier, DType: g.dtype, Morphology: l.kind, IgnoreNaN: l.ignoreNaN}
	g.stage(Stage{Name: "gradient", Units: k.Units(), Scratch: k.Scratch(), Work: math.MaxInt,
		Exec: func(w *Worker, bufs []*tensor.Tensor, lo, hi int) {
			var toInput, toFilter *tensor.Tensor
			if want.Input {
				toInput = bufs[dsrc]
			}
			if want.Filter {
				toFilter = bufs[dfilter]
			}
			k.Run(&w.Scratch, toInput, toFilter, bufs[x], bufs[weights], bufs[dy], lo, hi)
		}})
	if want.Input {
		g.deliver(dx, dsrc, g.last, g.layout)
	}
	if want.Filter {
		g.deliver(dw, dfilter, "", "")
	}
}

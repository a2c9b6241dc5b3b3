package ops

import (
	"math"

	"github.com/poolctl/poolctl/internal/geom"
	"github.com/poolctl/poolctl/internal/ops/kernel"
	"github.com/poolctl/poolctl/internal/ops/kernel/pool"
	"github.com/poolctl/poolctl/internal/ops/kernel/poolgrad"
	"github.com/poolctl/poolctl/internal/tensor"
)

// GradParams implements Differentiable.
func (o *Pool) GradParams() []Param {
	return []Param{
		choiceParam("ties", &o.Ties, []string{"first", "last", "all", "split"}, "first", "which of several equal maxima get the gradient"),
		tensorParam("from-argmax", &o.FromArgmax, "route by this argmax instead of the input's values (tf.raw_ops.MaxPoolGradWithArgmax)"),
		tensorParam("second", &o.Second, "gather this tensor, in the input's shape, at the maxima: the gradient of the gradient (tf.raw_ops.MaxPoolGradGrad)"),
	}
}

// PlanGrad implements Differentiable. Its inputs are x and the upstream
// gradient; with --from-argmax the argmax too; with --second that tensor instead
// of the upstream gradient.
func (o *Pool) PlanGrad(in []tensor.Spec, want WantGrad) (*Plan, error) {
	if err := o.Check(); err != nil {
		return nil, err
	}
	if o.LinearLight {
		return nil, lightGradient("pool")
	}
	kind := o.kind()
	if (o.FromArgmax != "" || o.Second != "" || o.Ties != "first") && !kind.winner {
		return nil, usage("pool", "type", "got %s, want %s with --ties, --from-argmax and --second", o.Type, either(poolTypes((*poolKind).isWinner)))
	}
	if o.FromArgmax != "" && (o.Second != "" || o.Ties != "first") {
		return nil, usage("pool", "from-argmax", "cannot be used with --second or --ties: the argmax decides")
	}
	if o.Second != "" && o.Ties != "first" {
		return nil, usage("pool", "second", "cannot be used with --ties: it gathers at the first maximum")
	}
	layout, e, err := o.layout("pool", in[0])
	if err != nil {
		return nil, err
	}
	p := &poolGradient{gradient: newGradient("pool", in, &o.format, layout), o: o, kind: kind, given: layout}
	if p.g, err = o.geometry(e, p.plan); err != nil {
		return nil, err
	}
	p.plan.describe(p.g, layout)
	if o.FromArgmax == "" && o.Second == "" {
		p.layout = p.computedIn(layout, p.dtype, e.C)
	}
	p.inShape, p.outShape = p.layout.Join(e), p.layout.Join(tensor.Extents{N: e.N, C: e.C, Spatial: p.g.Out()})
	p.images, p.inner = e.N, e.C
	if p.layout.ChannelsFirst() {
		p.images, p.inner = e.N*e.C, 1
	}
	if err := p.checkUpstream(in[1], e); err != nil {
		return nil, err
	}
	if want.Winners {
		return p.noted(in)
	}
	return p.build(in, e)
}

// computedIn returns the layout in which the gradient of pooling is computed:
// channels last for channels-first data if transposing pays, else the layout of
// the data.
func (b *builder) computedIn(layout tensor.Layout, d tensor.DType, channels int) tensor.Layout {
	if layout.ChannelsFirst() && kernel.TurningPays(d, channels, b.plan.Level) {
		return tensor.ChannelsLast(layout.Spatial())
	}
	return layout
}

// poolGradient plans the gradient of pooling. Channels-first tensors can be
// computed as they are, each plane as an image of one channel. They are
// transposed if that pays.
type poolGradient struct {
	*gradient         // its layout is the layout of the stages
	given             tensor.Layout
	o                 *Pool
	kind              *poolKind
	g                 geom.Geometry
	inShape, outShape tensor.Shape
	images, inner     int
}

// checkUpstream checks the shape of the upstream gradient or of --second.
func (p *poolGradient) checkUpstream(upstream tensor.Spec, e tensor.Extents) error {
	if p.o.Second == "" {
		return checkUpstream("pool", upstream, p.given.Join(tensor.Extents{N: e.N, C: e.C, Spatial: p.g.Out()}))
	}
	if in := p.given.Join(e); !upstream.Shape.Equal(in) {
		return unfit("pool", "second", "got shape %s, want the input's %s", upstream.Shape, in)
	}
	return nil
}

// noted routes the gradient by the winners that the forward pass noted.
func (p *poolGradient) noted(in []tensor.Spec) (*Plan, error) {
	dx := p.output("dx", in[0].Shape, p.given)
	p.unread(0, 1)
	dy := p.permuted(p.converted(1, p.dtype), p.given, p.layout)
	dst := dx
	if p.result != p.dtype || p.layout != p.given {
		dst = p.temp(p.dtype, p.inShape...)
	}
	p.gather(dst, 2, dy)
	p.deliver(dx, dst, p.layout, p.given)
	return p.finish()
}

func (p *poolGradient) build(in []tensor.Spec, e tensor.Extents) (*Plan, error) {
	o := p.o
	if o.Second != "" {
		y := p.output("dsecond", p.outShape, p.layout)
		return p.second(y)
	}
	dx := p.output("dx", in[0].Shape, p.given)
	if o.FromArgmax != "" {
		if !in[2].DType.IsInteger() || !in[2].Shape.Equal(p.outShape) {
			return nil, unfit("pool", "from-argmax", "got %s, want integers in the output's shape %s", in[2], p.outShape)
		}
		p.fromArgmax(dx, e)
		return p.finish()
	}
	if n, err := p.outShape.Elements(); err != nil || n == 0 {
		p.zero(dx)
		p.plan.Impl = "zeros"
		return p.finish()
	}
	dy := p.permuted(p.converted(1, p.dtype), p.given, p.layout)
	dst := dx
	if p.result != p.dtype || p.layout != p.given {
		dst = p.temp(p.dtype, p.inShape...)
	}
	p.kind.gradient(p, dst, dy)
	p.deliver(dx, dst, p.layout, p.given)
	return p.finish()
}

// extremum is the gradient of maxima and minima.
func (p *poolGradient) extremum(dst, dy buf) {
	switch p.o.Ties {
	case "all", "split":
		p.match(dst, dy)
	case "first", "last":
		p.route(dst, dy, p.native())
	default:
		panic("ops: no gradient for --ties " + p.o.Ties)
	}
}

// native returns the input in the type in which maxima are compared.
func (p *poolGradient) native() buf {
	d := p.o.input(p.spec(0))
	x := p.converted(p.converted(0, d), d.Real())
	return p.permuted(x, p.given, p.layout)
}

// input returns the input in the type of the computation.
func (p *poolGradient) input() buf { return p.converted(p.native(), p.dtype) }

// kernelSpec returns the spec of the forward kernel for an input of type d.
func (p *poolGradient) kernelSpec(d tensor.DType) pool.Spec {
	spec := p.o.spec(p.kind, p.g, p.layout)
	spec.Level, spec.DType, spec.Index = p.plan.Level, d, p.index()
	return spec
}

// index numbers cells within their plane.
func (p *poolGradient) index() pool.Index {
	x := pool.Index{Convention: pool.PyTorch, N: p.g.N, Channels: p.g.C}
	for i, a := range p.g.Axes {
		x.Extent[i] = a.In
	}
	return x
}

// extremeSpec is kernelSpec for the winners of x. The winners of Lp are its
// largest magnitudes.
func (p *poolGradient) extremeSpec(x buf) pool.Spec {
	spec := p.kernelSpec(p.spec(x).DType)
	if spec.Reduction == pool.LP {
		spec.Reduction = pool.Max
	}
	return spec
}

// argmax adds the forward argmax of x.
func (p *poolGradient) argmax(x buf) buf {
	spec := p.extremeSpec(x)
	spec.Argmax = true
	values := p.temp(spec.DType, p.outShape...)
	at := p.temp(tensor.Int64, p.outShape...)
	p.pool(spec, values, at, x, true)
	return at
}

// pool adds a stage of forward pooling, without listing its kernels as those of
// the gradient.
func (p *poolGradient) pool(spec pool.Spec, dst, argmax, src buf, wantArgmax bool) {
	p.builder.pool(spec, dst, argmax, src, wantArgmax)
	p.plan.Impls = nil
}

// router returns the kernel that moves numbers between the output and the
// winning cells.
func (p *poolGradient) router() *poolgrad.Unpool {
	u := &poolgrad.Unpool{Index: p.index(), Values: 1, Duplicates: poolgrad.AddUp, DType: p.dtype}
	u.Index.N, u.Index.Channels = p.images, p.inner
	for _, n := range p.g.Out() {
		u.Values *= n
	}
	return u
}

// route sends every upstream gradient to the winner of its window in x.
// Overlapping windows add up.
func (p *poolGradient) route(dst, dy, x buf) {
	if d := p.spec(x).DType; d.IsInteger() && d.Size() <= 2 {
		x = p.converted(x, tensor.Float32) // exact, and it has assembly
	}
	k, refusal := poolgrad.NewWinners(p.extremeSpec(x), p.o.Ties == "last")
	switch {
	case k != nil:
		codes := p.temp(tensor.Uint8, p.outShape...)
		p.stage(Stage{Name: "winners", Units: k.Units, Scratch: k.Scratch(), Work: math.MaxInt,
			Exec: func(w *Worker, bufs []*tensor.Tensor, lo, hi int) { k.Run(&w.Scratch, bufs[codes], bufs[x], lo, hi) }})
		p.gather(dst, codes, dy)
		p.plan.Impl = k.Impl + "; " + p.plan.Impl
	case p.o.Ties == "last":
		p.lastTies(dst, dy)
	default:
		p.scatter(dst, dy, p.argmax(x))
	}
	if k == nil {
		p.plan.Why = append([]kernel.Reject{{Impl: "winners in bytes", Reason: refusal}}, p.plan.Why...)
	}
}

// gather adds the stage in which each cell collects the gradients that it won.
func (p *poolGradient) gather(dst, codes, dy buf) {
	k := poolgrad.NewCellGradient(p.kernelSpec(p.dtype))
	p.plan.Impl = k.Impl
	p.stage(Stage{Name: "gather", Units: k.Units, Scratch: k.Scratch(), Work: math.MaxInt,
		Exec: func(w *Worker, bufs []*tensor.Tensor, lo, hi int) {
			k.Route(&w.Scratch, bufs[dst], bufs[dy], bufs[codes], lo, hi)
		}})
}

// scatter sends every upstream gradient to the cell that an argmax names.
func (p *poolGradient) scatter(dst, dy, at buf) {
	u := p.router()
	p.plan.Impl += "; scatter, go"
	p.place(u, dst, dy, at)
}

// second gathers --second at the winners.
func (p *poolGradient) second(y buf) (*Plan, error) {
	dst := y
	if p.result != p.dtype {
		dst = p.temp(p.dtype, p.outShape...)
	}
	if n, err := p.outShape.Elements(); err == nil && n > 0 {
		g := p.converted(1, p.dtype)
		at := p.argmax(p.native())
		p.collect(p.router(), dst, g, at)
	}
	p.deliver(y, dst, p.layout, p.layout)
	return p.finish()
}

// fromArgmax routes by --from-argmax, in any index convention.
func (p *poolGradient) fromArgmax(dx buf, e tensor.Extents) {
	u := p.router()
	u.Index = pool.Index{Convention: conventionOf(p.o.IndexRule), Batch: p.o.Batch, N: e.N, Channels: e.C, Extent: p.index().Extent}
	p.plan.Index, p.plan.Impl = u.Index, "scatter, go"
	p.plan.Validate = func(in []*tensor.Tensor) error {
		return validateIndices("pool", "from-argmax", &u.Index, in[2], p.o.IndexRule)
	}
	dy := p.permuted(p.converted(1, p.dtype), p.layout, p.last)
	at := p.permuted(p.converted(2, tensor.Int64), p.layout, p.last)
	dst := dx
	if p.result != p.dtype || p.layout != p.last {
		dst = p.temp(p.dtype, p.last.Join(e)...)
	}
	p.place(u, dst, dy, at)
	p.deliver(dx, dst, p.last, p.layout)
}

// lastTies sends the gradient to the last winner of each window, of any size.
func (p *poolGradient) lastTies(dst, dy buf) {
	k := &poolgrad.LastWinner{Geometry: p.g, ChannelsFirst: p.layout.ChannelsFirst(), Minimum: p.kind.reduction == pool.Min, IgnoreNaN: p.o.NaN == "ignore", DType: p.dtype}
	x := p.input()
	p.plan.Impl = "every cell of every window, go"
	p.stage(Stage{Name: "ties", Units: k.Units(), Work: math.MaxInt,
		Exec: func(_ *Worker, bufs []*tensor.Tensor, lo, hi int) { k.Run(bufs[dst], bufs[dy], bufs[x], lo, hi) }})
}

// match sends the gradient to all winners, whole or in equal parts.
func (p *poolGradient) match(dst, dy buf) {
	x := p.input()
	top := p.temp(p.dtype, p.outShape...)
	p.pool(p.kernelSpec(p.dtype), top, top, x, false)
	if p.o.Ties == "split" {
		k := poolgrad.NewTieShares(p.kernelSpec(p.dtype))
		from, shares := dy, p.temp(p.dtype, p.outShape...)
		p.stage(Stage{Name: "split", Units: k.Units, Scratch: k.Scratch(), Work: math.MaxInt,
			Exec: func(w *Worker, bufs []*tensor.Tensor, lo, hi int) {
				k.Run(&w.Scratch, bufs[shares], bufs[from], bufs[x], bufs[top], lo, hi)
			}})
		dy = shares
	}
	k := poolgrad.NewCellGradient(p.kernelSpec(p.dtype))
	p.plan.Impl += "; " + k.Impl
	p.stage(Stage{Name: "gather", Units: k.Units, Scratch: k.Scratch(), Work: math.MaxInt,
		Exec: func(w *Worker, bufs []*tensor.Tensor, lo, hi int) {
			k.Match(&w.Scratch, bufs[dst], bufs[dy], bufs[x], bufs[top], lo, hi)
		}})
}

package ops

import (
	"math"

	"github.com/poolctl/poolctl/internal/geom"
	"github.com/poolctl/poolctl/internal/ops/kernel"
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
func (o *Pool) PlanGrad(in []tensor.Spec, _ WantGrad) (*Plan, error) {
	if err := o.Check(); err != nil {
		return nil, err
	}
	extreme := o.Type == "max" || o.Type == "min"
	if (o.FromArgmax != "" || o.Second != "" || o.Ties != "first") && !extreme {
		return nil, usage("pool", "type", "got %s, want max or min with --ties, --from-argmax and --second", o.Type)
	}
	if o.FromArgmax != "" && (o.Second != "" || o.Ties != "first") {
		return nil, usage("pool", "from-argmax", "has no meaning with --second or --ties: the argmax decides")
	}
	if o.Second != "" && o.Ties != "first" {
		return nil, usage("pool", "second", "has no meaning with --ties: it gathers at the first maximum")
	}
	layout, e, err := o.layout("pool", in[0])
	if err != nil {
		return nil, err
	}
	p := &poolGradient{gradient: newGradient("pool", in, &o.format, layout), o: o}
	if p.g, err = o.geometry(e, p.plan); err != nil {
		return nil, err
	}
	p.plan.describe(p.g, layout)
	p.outShape = layout.Join(tensor.Extents{N: e.N, C: e.C, Spatial: p.g.Out()})
	p.images, p.inner = e.N, e.C
	if layout.ChannelsFirst() {
		p.images, p.inner = e.N*e.C, 1
	}
	return p.build(in, e)
}

// poolGradient builds the plan of pooling's gradient. Channels-first tensors
// need no reordering: every plane is an image of one channel.
type poolGradient struct {
	*gradient
	o             *Pool
	g             geom.Geometry
	outShape      tensor.Shape
	images, inner int
}

func (p *poolGradient) build(in []tensor.Spec, e tensor.Extents) (*Plan, error) {
	o := p.o
	if o.Second != "" {
		if !in[1].Shape.Equal(in[0].Shape) {
			return nil, unfit("pool", "second", "got shape %s, want the input's %s", in[1].Shape, in[0].Shape)
		}
		y := p.output("dsecond", p.outShape, p.layout)
		return p.second(y)
	}
	if err := checkUpstream("pool", in[1], p.outShape); err != nil {
		return nil, err
	}
	dx := p.output("dx", in[0].Shape, p.layout)
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
	dy := p.converted(1, p.dtype)
	dst := dx
	if p.result != p.dtype {
		dst = p.temp(p.dtype, in[0].Shape...)
	}
	switch {
	case o.Type == "avg" || o.Type == "sum":
		p.average(dst, dy)
	case o.Type == "lp" && !math.IsInf(o.P, 1):
		p.lp(dst, dy)
	case o.Type == "lp":
		p.lpInfinite(dst, dy)
	case o.Ties != "first":
		p.ties(dst, dy)
	default:
		p.scatter(dst, dy, p.argmax(p.native(), kernel.Max))
	}
	p.deliver(dx, dst, p.layout, p.layout)
	return p.finish()
}

// native returns the input in the type in which maxima are compared.
func (p *poolGradient) native() buf {
	x := p.converted(0, p.o.input(p.spec(0)))
	if p.spec(x).DType == tensor.Half {
		x = p.converted(x, tensor.Float32)
	}
	return x
}

// input returns the input in the type that the gradient computes in.
func (p *poolGradient) input() buf { return p.converted(p.native(), p.dtype) }

// kernelSpec returns the forward kernel's spec for an input in type d.
func (p *poolGradient) kernelSpec(d tensor.DType) kernel.PoolSpec {
	o := p.o
	return kernel.PoolSpec{Geometry: p.g, Reduction: reductions[o.Type], ChannelsFirst: p.layout.ChannelsFirst(), DType: d,
		IgnoreNaN: o.NaN == "ignore", Power: o.P, CountPadding: o.CountPadding, Divisor: o.Divisor, Index: p.index()}
}

// index numbers cells within their plane.
func (p *poolGradient) index() kernel.Index {
	x := kernel.Index{Convention: kernel.PyTorch, N: p.g.N, Channels: p.g.C}
	for i, a := range p.g.Axes {
		x.Extent[i] = a.In
	}
	return x
}

// argmax adds the forward argmax of x.
func (p *poolGradient) argmax(x buf, reduction kernel.Reduction) buf {
	spec := p.kernelSpec(p.spec(x).DType)
	spec.Argmax = true
	if spec.Reduction == kernel.LP {
		spec.Reduction = reduction
	}
	values := p.temp(spec.DType, p.outShape...)
	at := p.temp(tensor.Int64, p.outShape...)
	p.pool(spec, values, at, x, true)
	return at
}

// router returns the kernel that moves numbers between the output and the
// winning cells.
func (p *poolGradient) router() *kernel.Unpool {
	u := &kernel.Unpool{Index: p.index(), Values: 1, Duplicates: kernel.AddUp, DType: p.dtype}
	u.Index.N, u.Index.Channels = p.images, p.inner
	for _, n := range p.g.Out() {
		u.Values *= n
	}
	return u
}

// scatter gives every upstream gradient to its winner; overlapping windows add.
func (p *poolGradient) scatter(dst, dy, at buf) {
	u := p.router()
	p.plan.Impl += "; scatter, go"
	p.stage(Stage{Name: "scatter", Units: u.Units(), Work: math.MaxInt,
		Exec: func(w *Worker, bufs []*tensor.Tensor, lo, hi int) {
			u.Place(&w.Scratch, bufs[dst], bufs[dy], bufs[at], lo, hi)
		}})
}

// second gathers at the winners.
func (p *poolGradient) second(y buf) (*Plan, error) {
	dst := y
	if p.result != p.dtype {
		dst = p.temp(p.dtype, p.outShape...)
	}
	if n, err := p.outShape.Elements(); err == nil && n > 0 {
		g := p.converted(1, p.dtype)
		at := p.argmax(p.native(), kernel.Max)
		u := p.router()
		p.stage(Stage{Name: "gather", Units: u.Units(), Work: math.MaxInt,
			Exec: func(_ *Worker, bufs []*tensor.Tensor, lo, hi int) { u.Gather(bufs[dst], bufs[g], bufs[at], lo, hi) }})
	}
	p.deliver(y, dst, p.layout, p.layout)
	return p.finish()
}

// fromArgmax routes by indices that were given, in any convention.
func (p *poolGradient) fromArgmax(dx buf, e tensor.Extents) {
	u := p.router()
	u.Index = kernel.Index{Convention: conventionOf(p.o.IndexRule), Batch: p.o.Batch, N: e.N, Channels: e.C, Extent: p.index().Extent}
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
	p.stage(Stage{Name: "scatter", Units: u.Units(), Work: math.MaxInt,
		Exec: func(w *Worker, bufs []*tensor.Tensor, lo, hi int) {
			u.Place(&w.Scratch, bufs[dst], bufs[dy], bufs[at], lo, hi)
		}})
	p.deliver(dx, dst, p.last, p.layout)
}

// ties gives the gradient to other winners than the first.
func (p *poolGradient) ties(dst, dy buf) {
	rule := map[string]kernel.Ties{"last": kernel.LastTie, "all": kernel.AllTies, "split": kernel.SplitTies}[p.o.Ties]
	k := &kernel.TieGradient{Geometry: p.g, ChannelsFirst: p.layout.ChannelsFirst(), Minimum: p.o.Type == "min", IgnoreNaN: p.o.NaN == "ignore", Rule: rule, DType: p.dtype}
	x := p.input()
	p.plan.Impl = "every cell of every window, go"
	p.stage(Stage{Name: "ties", Units: k.Units(), Work: math.MaxInt,
		Exec: func(_ *Worker, bufs []*tensor.Tensor, lo, hi int) { k.Run(bufs[dst], bufs[dy], bufs[x], lo, hi) }})
}

// average spreads each upstream gradient evenly over the cells that its average
// or sum was made of.
func (p *poolGradient) average(dst, dy buf) {
	k := &kernel.Shares{PoolSpec: p.kernelSpec(p.dtype)}
	ignore := k.IgnoreNaN && p.o.input(p.spec(0)).IsFloat()
	share := p.temp(p.dtype, p.outShape...)
	x, skipped := buf(0), share // never touched unless NaN are ignored
	if ignore {
		x = p.input()
		skipped = p.skipped(x)
	}
	p.stage(Stage{Name: "share", Units: k.Units(), Work: math.MaxInt,
		Exec: func(_ *Worker, bufs []*tensor.Tensor, lo, hi int) {
			var counts *tensor.Tensor
			if ignore {
				counts = bufs[skipped]
			}
			k.Run(bufs[share], bufs[dy], counts, lo, hi)
		}})
	if !ignore {
		p.spread(dst, share)
		return
	}
	all := p.temp(p.dtype, p.spec(0).Shape...)
	p.spread(all, share)
	p.combine("skip NaN", dst, all, x, func(d, x float64) float64 {
		if x != x {
			return 0
		}
		return d
	})
}

// skipped counts the NaN of every window.
func (p *poolGradient) skipped(x buf) buf {
	mask := p.temp(p.dtype, p.spec(0).Shape...)
	p.combine("find NaN", mask, x, x, func(x, _ float64) float64 {
		if x != x {
			return 1
		}
		return 0
	})
	counts := p.temp(p.dtype, p.outShape...)
	spec := p.kernelSpec(p.dtype)
	spec.Reduction, spec.IgnoreNaN = kernel.Sum, false
	p.pool(spec, counts, counts, mask, false)
	return counts
}

// spread adds the adjoint of summing windows: one pass an axis, depth first.
func (p *poolGradient) spread(dst, src buf) {
	extent := [5]int{p.images, p.g.Axes[0].Out, p.g.Axes[1].Out, p.g.Axes[2].Out, p.inner}
	var axes []int
	for axis := range 3 {
		if !p.g.Axes[axis].Trivial() {
			axes = append(axes, axis)
		}
	}
	if axes == nil {
		axes = []int{2} // a copy
	}
	p.plan.Impl = "gather along each axis, go"
	for i, axis := range axes {
		k := &kernel.Spread{Axis: p.g.Axes[axis], Outer: 1, Inner: 1, DType: p.dtype}
		for _, n := range extent[:axis+1] {
			k.Outer *= n
		}
		for _, n := range extent[axis+2:] {
			k.Inner *= n
		}
		extent[axis+1] = p.g.Axes[axis].In
		to := dst
		if i < len(axes)-1 {
			n, err := tensor.Product(extent[:]...)
			if err != nil {
				p.err = err
				return
			}
			to = p.temp(p.dtype, n)
		}
		from := src
		p.stage(Stage{Name: "spread", Units: k.Units(), Scratch: k.Scratch(), Work: math.MaxInt,
			Exec: func(w *Worker, bufs []*tensor.Tensor, lo, hi int) { k.Run(&w.Scratch, bufs[to], bufs[from], lo, hi) }})
		src = to
	}
}

// lp is the gradient of y = (Σ|x|^p)^(1/p): dx = sign(x) |x|^(p-1) Σ dy y^(1-p)
// over the windows that see x. It is 0 where x is.
func (p *poolGradient) lp(dst, dy buf) {
	x := p.input()
	y := p.temp(p.dtype, p.outShape...)
	p.pool(p.kernelSpec(p.dtype), y, y, x, false)
	power := p.o.P
	weighted := p.temp(p.dtype, p.outShape...)
	p.combine("weigh", weighted, dy, y, func(g, y float64) float64 {
		if y == 0 {
			return 0
		}
		return g * math.Pow(y, 1-power)
	})
	sums := p.temp(p.dtype, p.spec(0).Shape...)
	p.spread(sums, weighted)
	ignore := p.o.NaN == "ignore"
	p.combine("weigh", dst, sums, x, func(s, x float64) float64 {
		if x == 0 || ignore && x != x {
			return 0
		}
		return s * math.Pow(math.Abs(x), power-1) * sign(x)
	})
}

// lpInfinite is the gradient of the largest magnitude.
func (p *poolGradient) lpInfinite(dst, dy buf) {
	x := p.input()
	magnitude := p.temp(p.dtype, p.spec(0).Shape...)
	p.combine("magnitude", magnitude, x, x, func(x, _ float64) float64 { return math.Abs(x) })
	routed := p.temp(p.dtype, p.spec(0).Shape...)
	p.scatter(routed, dy, p.argmax(magnitude, kernel.Max))
	p.combine("sign", dst, routed, x, func(d, x float64) float64 { return d * sign(x) })
}

func sign(x float64) float64 {
	switch {
	case x > 0:
		return 1
	case x < 0:
		return -1
	default:
		return x // 0 or NaN
	}
}

package ops

import (
	"math"

	"github.com/poolctl/poolctl/internal/ops/kernel"
	"github.com/poolctl/poolctl/internal/ops/kernel/pool"
	"github.com/poolctl/poolctl/internal/ops/kernel/poolgrad"
	"github.com/poolctl/poolctl/internal/tensor"
)

// average spreads each upstream gradient evenly over the cells that its window
// averaged or summed.
func (p *poolGradient) average(dst, dy buf) {
	spec := p.kernelSpec(p.dtype)
	if !spec.IgnoreNaN || !p.o.input(p.spec(0)).IsFloat() {
		p.unread(0, 1)
		p.spread(dst, dy, spec)
		return
	}
	k := &poolgrad.Shares{Spec: spec}
	share := p.temp(p.dtype, p.outShape...)
	x := p.input()
	skipped := p.skipped(x)
	p.stage(Stage{Name: "share", Units: k.Units(), Work: math.MaxInt,
		Exec: func(_ *Worker, bufs []*tensor.Tensor, lo, hi int) {
			k.Run(bufs[share], bufs[dy], bufs[skipped], lo, hi)
		}})
	all := p.temp(p.dtype, p.inShape...)
	spec.Reduction = pool.Sum
	p.spread(all, share, spec)
	p.combine("skip NaN", dst, all, x, func(d, x float64) float64 {
		if x != x {
			return 0
		}
		return d
	})
}

// skipped counts the NaN in every window.
func (p *poolGradient) skipped(x buf) buf {
	mask := p.temp(p.dtype, p.inShape...)
	p.combine("find NaN", mask, x, x, func(x, _ float64) float64 {
		if x != x {
			return 1
		}
		return 0
	})
	counts := p.temp(p.dtype, p.outShape...)
	spec := p.kernelSpec(p.dtype)
	spec.Reduction, spec.IgnoreNaN = pool.Sum, false
	p.pool(spec, counts, counts, mask, false)
	return counts
}

// spread adds the gradient of averages or sums: cell by cell or, for large
// windows, as sums of windows over the outputs or axis by axis.
func (p *poolGradient) spread(dst, dy buf, spec pool.Spec) {
	k, refusal := poolgrad.NewSpreading(spec)
	if k != nil {
		p.plan.Impl = k.Impl
		p.stage(Stage{Name: "spread", Units: k.Units, Scratch: k.Scratch(), Work: math.MaxInt,
			Exec: func(w *Worker, bufs []*tensor.Tensor, lo, hi int) {
				k.Spread(&w.Scratch, bufs[dst], bufs[dy], lo, hi)
			}})
		return
	}
	src := dy
	if spec.Reduction == pool.Average {
		k := &poolgrad.Shares{Spec: spec}
		src = p.temp(p.dtype, p.outShape...)
		share := src
		p.stage(Stage{Name: "share", Units: k.Units(), Work: math.MaxInt,
			Exec: func(_ *Worker, bufs []*tensor.Tensor, lo, hi int) { k.Run(bufs[share], bufs[dy], nil, lo, hi) }})
	}
	rejected := kernel.Reject{Impl: "gather by cells", Reason: refusal}
	if adjoint, ok := poolgrad.Adjoint(spec); ok {
		p.pool(adjoint, dst, dst, src, false)
		p.plan.Impl, p.plan.Why = "sums of windows: "+p.plan.Impl, append([]kernel.Reject{rejected}, p.plan.Why...)
		return
	}
	p.plan.Why = append(p.plan.Why, rejected)
	passes := poolgrad.SpreadPasses(spec)
	p.plan.Impl = "along each axis: " + passes[0].Impl
	for i, k := range passes {
		to, from := dst, src
		if i < len(passes)-1 {
			n, err := k.Numbers()
			if err != nil {
				p.err = err
				return
			}
			to = p.temp(p.dtype, n)
		}
		p.stage(Stage{Name: "spread", Units: k.Units, Scratch: k.Scratch(), Work: math.MaxInt,
			Exec: func(w *Worker, bufs []*tensor.Tensor, lo, hi int) {
				k.Spread(&w.Scratch, bufs[to], bufs[from], lo, hi)
			}})
		src = to
	}
}

// lp is the gradient of y = (Σ|x|^p)^(1/p): dx = sign(x) |x|^(p-1) Σ dy
// y^(1-p), summed over the windows that see x. It is 0 where x is 0.
func (p *poolGradient) lp(dst, dy buf) {
	if math.IsInf(p.o.P, 1) {
		p.lpInfinite(dst, dy)
		return
	}
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
	sums := p.temp(p.dtype, p.inShape...)
	spec := p.kernelSpec(p.dtype)
	spec.Reduction = pool.Sum
	p.spread(sums, weighted, spec)
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
	magnitude := p.temp(p.dtype, p.inShape...)
	p.combine("magnitude", magnitude, x, x, func(x, _ float64) float64 { return math.Abs(x) })
	routed := p.temp(p.dtype, p.inShape...)
	p.route(routed, dy, magnitude)
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

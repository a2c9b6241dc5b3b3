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
	x := p.input()
	share := p.shares(spec, dy, x)
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

// shares divides the upstream gradient by the cells of each window of x that were
// averaged.
func (p *poolGradient) shares(spec pool.Spec, dy, x buf) buf {
	k := &poolgrad.Shares{Spec: spec}
	skips := spec.IgnoreNaN && p.o.input(p.spec(0)).IsFloat()
	var skipped buf
	if skips {
		skipped = p.skipped(x)
	}
	share := p.temp(spec.DType, p.outShape...)
	p.stage(Stage{Name: "share", Units: k.Units(), Work: math.MaxInt,
		Exec: func(_ *Worker, bufs []*tensor.Tensor, lo, hi int) {
			var counts *tensor.Tensor
			if skips {
				counts = bufs[skipped]
			}
			k.Run(bufs[share], bufs[dy], counts, lo, hi)
		}})
	return share
}

// skipped counts the NaN in every window.
func (p *poolGradient) skipped(x buf) buf {
	d := p.spec(x).DType
	mask := p.temp(d, p.inShape...)
	p.combine("find NaN", mask, x, x, func(x, _ float64) float64 {
		if x != x {
			return 1
		}
		return 0
	})
	counts := p.temp(d, p.outShape...)
	spec := p.kernelSpec(d)
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
		spec.IgnoreNaN = false
		src = p.shares(spec, dy, dy)
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
			to = p.temp(spec.DType, n)
		}
		p.stage(Stage{Name: "spread", Units: k.Units, Scratch: k.Scratch(), Work: math.MaxInt,
			Exec: func(w *Worker, bufs []*tensor.Tensor, lo, hi int) {
				k.Spread(&w.Scratch, bufs[to], bufs[from], lo, hi)
			}})
		src = to
	}
}

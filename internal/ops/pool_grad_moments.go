package ops

import (
	"github.com/poolctl/poolctl/internal/ops/kernel/pool"
	"github.com/poolctl/poolctl/internal/ops/kernel/poolgrad"
	"github.com/poolctl/poolctl/internal/tensor"
)

// moments is the gradient of variances and standard deviations, see poolgrad.Moments.
// It is computed in float64, because means are subtracted.
func (p *poolGradient) moments(dst, dy buf) {
	const d = tensor.Float64
	x := p.converted(p.native(), d)
	dy = p.converted(dy, d)
	spec := p.kernelSpec(d)
	k := &poolgrad.Moments{Spec: spec}
	reduced := func(r pool.Reduction) buf {
		of := spec
		of.Reduction = r
		y := p.temp(d, p.outShape...)
		p.pool(of, y, y, x, false)
		return y
	}
	means, deviations := reduced(pool.Average), reduced(pool.Deviation)
	average := spec
	average.Reduction = pool.Average
	share := p.shares(average, dy, x)
	weights, centres := p.temp(d, p.outShape...), p.temp(d, p.outShape...)
	p.combine("weigh", weights, share, deviations, k.Weight())
	p.combine("centre", centres, weights, means, func(w, m float64) float64 { return w * m })
	sum := spec
	sum.Reduction, sum.IgnoreNaN = pool.Sum, false // a NaN among the weights has a meaning
	weightSums, centreSums := p.temp(d, p.inShape...), p.temp(d, p.inShape...)
	p.spread(weightSums, weights, sum)
	impl, why := p.plan.Impl, p.plan.Why
	p.spread(centreSums, centres, sum)
	p.plan.Impl, p.plan.Why = impl, why // which are those of both
	to := dst
	if p.dtype != d {
		to = p.temp(d, p.inShape...)
	}
	n, err := p.inShape.Elements()
	if err != nil {
		p.fail(err)
		return
	}
	p.stage(Stage{Name: "deviate", Units: (n + blockOf - 1) / blockOf, Work: n,
		Exec: func(_ *Worker, bufs []*tensor.Tensor, lo, hi int) {
			k.Run(bufs[to], poolgrad.MomentTensors{
				Weights: bufs[weightSums], Centres: bufs[centreSums], Shares: bufs[share],
				Means: bufs[means], Deviations: bufs[deviations], Src: bufs[x],
			}, lo*blockOf, min(hi*blockOf, n))
		}})
	if to != dst {
		p.convert(dst, to)
	}
}

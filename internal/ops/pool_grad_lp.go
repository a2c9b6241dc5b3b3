package ops

import (
	"math"

	"github.com/poolctl/poolctl/internal/ops/kernel/pool"
	"github.com/poolctl/poolctl/internal/ops/kernel/poolgrad"
	"github.com/poolctl/poolctl/internal/tensor"
)

// lp is the gradient of Lp norms, see poolgrad.LPNorm.
func (p *poolGradient) lp(dst, dy buf) {
	if math.IsInf(p.o.P, 1) {
		p.lpInfinite(dst, dy)
		return
	}
	x := p.input()
	norms := p.temp(p.dtype, p.outShape...)
	p.pool(p.kernelSpec(p.dtype), norms, norms, x, false)
	k := &poolgrad.LPNorm{Spec: p.kernelSpec(p.dtype)}
	weights := p.temp(p.dtype, p.outShape...)
	p.combine("weigh", weights, dy, norms, k.Weight())
	sums := p.temp(p.dtype, p.inShape...)
	spec := p.kernelSpec(p.dtype)
	spec.Reduction, spec.IgnoreNaN = pool.Sum, false // NaN among the weights have a meaning
	p.spread(sums, weights, spec)
	n, err := p.inShape.Elements()
	if err != nil {
		p.fail(err)
		return
	}
	p.stage(Stage{Name: "weigh", Units: (n + blockOf - 1) / blockOf, Work: n,
		Exec: func(_ *Worker, bufs []*tensor.Tensor, lo, hi int) {
			k.Run(bufs[dst], bufs[sums], bufs[dy], bufs[norms], bufs[x], lo*blockOf, min(hi*blockOf, n))
		}})
}

// lpInfinite is the gradient of the largest magnitude.
func (p *poolGradient) lpInfinite(dst, dy buf) {
	x := p.input()
	magnitude := p.temp(p.dtype, p.inShape...)
	p.combine("magnitude", magnitude, x, x, func(x, _ float64) float64 { return math.Abs(x) })
	routed := p.temp(p.dtype, p.inShape...)
	p.route(routed, dy, magnitude)
	ignore := p.o.NaN == "ignore"
	p.combine("sign", dst, routed, x, func(d, x float64) float64 {
		switch {
		case x == 0, ignore && x != x:
			return 0
		case x != x:
			return x
		case x < 0:
			return -d
		default:
			return d
		}
	})
}

package ops

import (
	"github.com/poolctl/poolctl/internal/ops/kernel/pool"
	"github.com/poolctl/poolctl/internal/tensor"
)

// rank is the gradient of pooling that takes one cell of a window by its place: the
// upstream gradient goes there.
func (p *poolGradient) rank(dst, dy buf) { p.scatter(dst, dy, p.placesOf(p.kind.reduction)) }

// median is the gradient of the median: half of the upstream gradient goes to each
// of the two middle cells, which are one in windows of an odd number of cells.
func (p *poolGradient) median(dst, dy buf) {
	half := p.temp(p.dtype, p.outShape...)
	p.combine("halve", half, dy, dy, func(d, _ float64) float64 { return d / 2 })
	lower, upper := p.temp(p.dtype, p.inShape...), p.temp(p.dtype, p.inShape...)
	p.scatter(lower, half, p.placesOf(pool.LowerMedian))
	impl, why := p.plan.Impl, p.plan.Why
	p.scatter(upper, half, p.placesOf(pool.UpperMedian))
	p.plan.Impl, p.plan.Why = impl, why // which are those of both
	p.combine("add", dst, lower, upper, func(a, b float64) float64 { return a + b })
}

// placesOf adds the forward reduction that says where the cells are that it takes.
func (p *poolGradient) placesOf(reduction pool.Reduction) buf {
	x := p.native()
	spec := p.kernelSpec(p.spec(x).DType)
	spec.Reduction, spec.Argmax = reduction, true
	values, at := p.temp(spec.DType, p.outShape...), p.temp(tensor.Int64, p.outShape...)
	p.pool(spec, values, at, x, true)
	return at
}

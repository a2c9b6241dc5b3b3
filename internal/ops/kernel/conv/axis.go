package conv

import "github.com/poolctl/poolctl/internal/geom"

// axis is one axis of a convolution in the form that register tiles want:
// destinations j = phase + q*period of one phase are a dense convolution of
// their own, whose taps meet cells in ascending order.
type axis struct {
	period, shift int // destinations, and source cells, from one q to the next
	cellStep      int // source cells from one tap to the next, > 0
	dst, src      int
	phases        []axisPhase
}

// axisPhase is the convolution of every period-th destination. Tap k is tap
// tap+k*tapStep of the filter; for destination q it meets source cell
// cell + q*shift + k*cellStep, which may be padding.
type axisPhase struct {
	first            int // destination of q = 0
	count            int // destinations
	taps             int
	tap, tapStep     int
	cell             int
	inside0, inside1 int // every tap of inside0 <= q < inside1 meets a real cell
}

func newAxis(g *geom.Gather) axis {
	a := axis{period: g.Period, shift: g.Shift, cellStep: max(g.CellStep, -g.CellStep), dst: g.Dst, src: g.Src}
	a.phases = make([]axisPhase, 0, min(g.Period, g.Dst))
	for first := range min(g.Period, g.Dst) {
		p := axisPhase{first: first, count: (g.Dst - first + g.Period - 1) / g.Period}
		if g.CellStep > 0 {
			p.taps, p.tapStep, p.cell = g.Size, 1, first*g.Stride-g.Lo
		} else {
			p.backward(g)
		}
		p.inside1 = p.count
		if p.taps > 0 {
			p.inside0 = min(p.count, max(0, ceilDiv(-p.cell, a.shift)))
			p.inside1 = min(p.count, max(p.inside0, floorDiv(a.src-1-p.cell-(p.taps-1)*a.cellStep, a.shift)+1))
		}
		a.phases = append(a.phases, p)
	}
	return a
}

// backward finds the taps of a phase of a transposed convolution: tap t of
// window o is on destination j where o*Stride = j + Lo - t*Dilation.
func (p *axisPhase) backward(g *geom.Gather) {
	reach := p.first + g.Lo
	tap := 0
	for (reach-tap*g.Dilation)%g.Stride != 0 {
		if tap++; tap == min(g.Size, g.TapStep) {
			return
		}
	}
	p.taps = (g.Size-1-tap)/g.TapStep + 1
	p.tap, p.tapStep = tap+(p.taps-1)*g.TapStep, -g.TapStep
	p.cell = (reach-tap*g.Dilation)/g.Stride + (p.taps-1)*g.CellStep
}

// real returns the taps k0 <= k < k1 that meet real cells when tap 0 meets the
// given one.
func (a *axis) real(p *axisPhase, cell int) (k0, k1 int) {
	k0 = max(0, ceilDiv(-cell, a.cellStep))
	k1 = min(p.taps, floorDiv(a.src-1-cell, a.cellStep)+1)
	return k0, max(k0, k1)
}

func floorDiv(a, b int) int {
	q := a / b
	if a%b < 0 {
		q--
	}
	return q
}

func ceilDiv(a, b int) int { return -floorDiv(-a, b) }

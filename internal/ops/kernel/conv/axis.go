package conv

import (
	"fmt"

	"github.com/poolctl/poolctl/internal/geom"
)

// axis is one axis of a convolution in the form that register tiles need. The
// destinations j = phase + q*period of a phase form a dense convolution of their
// own, whose taps meet cells in ascending order.
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
		l := g.Links(first)
		p := axisPhase{first: first, count: (g.Dst - first + g.Period - 1) / g.Period, taps: l.N, tap: l.Tap, tapStep: g.TapStep, cell: l.Cell}
		if g.CellStep < 0 && l.N > 0 { // from the last tap to the first
			p.tap, p.tapStep, p.cell = l.Tap+(l.N-1)*g.TapStep, -g.TapStep, l.Cell+(l.N-1)*g.CellStep
		}
		p.inside1 = p.count
		if p.taps > 0 {
			inside0, inside1 := geom.Inside(p.cell, a.shift, p.count, a.src-(p.taps-1)*a.cellStep)
			p.inside0, p.inside1 = min(p.count, inside0), min(p.count, inside1)
		}
		a.phases = append(a.phases, p)
	}
	return a
}

// mostPhases is how many phases a plan may have: each needs memory, and units.
const mostPhases = 1 << 12

var manyPhases = fmt.Sprintf("the strides make more than %d sets of taps", mostPhases)

// phasesOf returns the number of phases of all axes together, or more than
// mostPhases.
func phasesOf(axes *[3]geom.Gather) int {
	n := 1
	for i := range axes {
		n *= max(1, min(axes[i].Period, axes[i].Dst, mostPhases+1))
	}
	return n
}

// real returns the taps k0 <= k < k1 that meet real cells when tap 0 meets the
// given cell.
func (a *axis) real(p *axisPhase, cell int) (k0, k1 int) {
	return geom.Inside(cell, a.cellStep, p.taps, a.src)
}

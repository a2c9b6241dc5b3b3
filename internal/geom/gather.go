package geom

// Gather is one axis of a convolution seen from the cells that it writes: which
// taps of the filter meet which cells of the source. Forward, destinations are
// windows and sources input cells; backward (a transposed convolution, which is
// the gradient with respect to the input) the other way round.
type Gather struct {
	Axis
	Dst, Src int // extents of what is written and what is read

	// The links of one destination are an arithmetic progression: from one to
	// the next the tap grows by TapStep and the source cell by CellStep.
	TapStep, CellStep int

	// Destinations that are Period apart use the same taps, but for borders,
	// on source cells that are Shift apart.
	Period, Shift int

	backward bool
}

// Links are the taps and source cells that make up one destination cell: N of
// them, from Tap and Cell on.
type Links struct{ Tap, Cell, N int }

// Forward returns the axis as a convolution walks it.
func (a Axis) Forward() Gather {
	return Gather{Axis: a, Dst: a.Out, Src: a.In, TapStep: 1, CellStep: a.Dilation, Period: 1, Shift: a.Stride}
}

// Backward returns the axis as a transposed convolution walks it.
func (a Axis) Backward() Gather {
	g := gcd(a.Stride, a.Dilation)
	return Gather{Axis: a, Dst: a.In, Src: a.Out, TapStep: a.Stride / g, CellStep: -a.Dilation / g, Period: a.Stride, Shift: 1, backward: true}
}

// At returns the links of destination cell j.
func (g *Gather) At(j int) Links {
	if !g.backward {
		t0, t1 := g.Span(j)
		return Links{t0, j*g.Stride - g.Lo + t0*g.Dilation, t1 - t0}
	}
	// Tap t of window o is on cell j where o*Stride = j + Lo - t*Dilation.
	reach := j + g.Lo
	tap := 0
	for tap < g.Size && tap < g.TapStep && (reach-tap*g.Dilation)%g.Stride != 0 {
		tap++
	}
	if tap == g.Size || tap == g.TapStep {
		return Links{}
	}
	if over := (reach-tap*g.Dilation)/g.Stride - (g.Out - 1); over > 0 {
		tap += ceilDiv(over, -g.CellStep) * g.TapStep
	}
	// Now o < Out; how many taps keep t < Size and o >= 0?
	cell := floorDiv(reach-tap*g.Dilation, g.Stride)
	if tap >= g.Size || cell < 0 {
		return Links{}
	}
	return Links{tap, cell, min((g.Size-1-tap)/g.TapStep, cell/-g.CellStep) + 1}
}

func gcd(a, b int) int {
	for b != 0 {
		a, b = b, a%b
	}
	return a
}

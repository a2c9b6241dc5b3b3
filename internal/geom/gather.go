package geom

// Gather is one axis of a convolution from the point of view of its
// destination: which taps of the filter meet which cells of the source.
// Forward, the destination is the windows and the source the input. Backward it
// is the other way round, as in a transposed convolution and in the gradient
// with respect to the input.
type Gather struct {
	Axis
	Dst, Src int // extents of destination and source

	// The links of a destination cell are an arithmetic progression: the tap
	// grows by TapStep and the source cell by CellStep.
	TapStep, CellStep int

	// Destination cells that are Period apart use the same taps on source cells
	// that are Shift apart, padding aside.
	Period, Shift int

	// Backward, stride and dilation have the greatest common divisor common, and
	// inverse times dilation/common is 1 modulo stride/common.
	backward        bool
	common, inverse int
}

// Links are the N taps and source cells of a destination cell. The first are
// Tap and Cell.
type Links struct{ Tap, Cell, N int }

// Forward returns the axis as a convolution walks it.
func (a Axis) Forward() Gather {
	return Gather{Axis: a, Dst: a.Out, Src: a.In, TapStep: 1, CellStep: a.Dilation, Period: 1, Shift: a.Stride}
}

// Backward returns the axis as a transposed convolution walks it.
func (a Axis) Backward() Gather {
	g := gcd(a.Stride, a.Dilation)
	return Gather{Axis: a, Dst: a.In, Src: a.Out, TapStep: a.Stride / g, CellStep: -a.Dilation / g, Period: a.Stride, Shift: 1,
		backward: true, common: g, inverse: inverse(a.Dilation/g, a.Stride/g)}
}

// Links returns the links of destination cell j. Source cells may be in the
// padding.
func (g *Gather) Links(j int) Links {
	if !g.backward {
		return Links{0, j*g.Stride - g.Lo, g.Size}
	}
	// Tap t of window o is on cell j where o*Stride = j + Lo - t*Dilation. Modulo
	// Stride that is a linear congruence for t. It has one solution below TapStep,
	// or none.
	reach := j + g.Lo
	if reach%g.common != 0 {
		return Links{}
	}
	tap := reach / g.common % g.TapStep * g.inverse % g.TapStep
	if tap >= g.Size {
		return Links{}
	}
	return Links{tap, (reach - tap*g.Dilation) / g.Stride, (g.Size-1-tap)/g.TapStep + 1}
}

// At returns the links of destination cell j to source cells that exist.
func (g *Gather) At(j int) Links {
	l := g.Links(j)
	var k0, k1 int
	if g.CellStep > 0 {
		k0, k1 = Inside(l.Cell, g.CellStep, l.N, g.Src)
	} else { // in reverse: cells count from the last one
		k0, k1 = Inside(g.Src-1-l.Cell, -g.CellStep, l.N, g.Src)
	}
	return Links{l.Tap + k0*g.TapStep, l.Cell + k0*g.CellStep, k1 - k0}
}

func gcd(a, b int) int {
	for b != 0 {
		a, b = b, a%b
	}
	return a
}

// inverse returns the x in [0, m) with a*x = 1 modulo m, for a and m without a
// common divisor, by Euclid's algorithm.
func inverse(a, m int) int {
	x, next := 0, 1
	for r, rest := m, a%m; rest != 0; r, rest = rest, r%rest {
		x, next = next, x-r/rest*next
	}
	return (x + m) % m
}

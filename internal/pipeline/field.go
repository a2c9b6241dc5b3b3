package pipeline

import (
	"slices"
	"strconv"

	"github.com/poolctl/poolctl/internal/geom"
	"github.com/poolctl/poolctl/internal/ops"
)

// Field is what one cell of a step's output sees of the pipeline's input, as the
// first steps take it: for each spatial dimension how many cells (Size), how far
// apart the fields of neighbours are (Jump, less than 1 after transposes), and
// where the middle of the first one's lies (Start, the first input cell being at
// 0; padding makes it negative).
//
// A step whose cells see fields of different sizes or at uneven distances
// (adaptive and fractional windows, unpool), or that has no spatial dimensions
// any more (flatten), has no field; nor has what follows.
type Field struct {
	Size        []float64
	Jump, Start []float64
}

// fields sets the field of every node.
func (g *Graph) fields() {
	rank := g.prepared.layout.Spatial()
	input := &Field{slices.Repeat([]float64{1}, rank), slices.Repeat([]float64{1}, rank), make([]float64, rank)}
	for _, n := range g.Nodes {
		var in *Field
		for i, from := range n.From {
			f := input
			if from >= 0 {
				f = g.Nodes[from].Field
			}
			if i > 0 {
				f = in.joined(f)
			}
			in = f
		}
		if in != nil && n.Plan.Outputs[0].Layout.Spatial() == len(in.Size) {
			n.Field = n.see(in)
		}
	}
}

// see returns the field of a node whose input has field in.
func (n *Node) see(in *Field) *Field {
	g := &n.Plan.Geometry
	switch op := n.Op.(type) {
	case *ops.ConvTranspose:
		return in.through(g, transposed)
	case *ops.Unpool:
		return nil
	case *ops.Pad:
		return in.padded(op.Before(n.Plan.Layout))
	}
	switch {
	case n.alongSpace():
		return nil
	case g.Rank == len(in.Size):
		return in.through(g, windowed)
	case n.Plan.Outputs[0].Shape.Equal(n.in[0].Shape) || n.Step.Spec.Layer():
		return in
	default:
		return nil
	}
}

// alongSpace reports whether the step works along an axis (concat, softmax) that
// is a spatial one.
func (n *Node) alongSpace() bool {
	for _, p := range n.Op.Params() {
		if axis, err := strconv.Atoi(p.String()); p.Kind.Name == "axis" && err == nil {
			layout := n.Plan.Layout
			letter := layout[(axis+len(layout))%len(layout)]
			return letter != 'N' && letter != 'C'
		}
	}
	return false
}

// through returns the field after windows, each axis by step; nil when one of
// them has none.
func (f *Field) through(g *geom.Geometry, step func(geom.Axis) (size, jump, start float64, ok bool)) *Field {
	next := &Field{}
	for i, a := range g.Spatial() {
		size, jump, start, ok := step(a)
		if !ok {
			return nil
		}
		next.Size = append(next.Size, f.Size[i]+(size-1)*f.Jump[i])
		next.Jump = append(next.Jump, f.Jump[i]*jump)
		next.Start = append(next.Start, f.Start[i]+start*f.Jump[i])
	}
	return next
}

// windowed returns the window of an axis in cells of its input: its extent, the
// distance to the next and the middle of the first.
func windowed(a geom.Axis) (size, jump, start float64, ok bool) {
	if a.Bounds == nil {
		size = float64(a.Effective())
		return size, float64(a.Stride), (size-1)/2 - float64(a.Lo), true
	}
	for i, b := range a.Bounds { // adaptive windows are even where the sizes divide
		if b != [2]int{i * a.Size, (i + 1) * a.Size} {
			return 0, 0, 0, false
		}
	}
	size = float64(a.Size)
	return size, size, (size - 1) / 2, true
}

// transposed returns what one cell of a transposed convolution's output sees of
// its input, at most.
func transposed(a geom.Axis) (size, jump, start float64, ok bool) {
	g := a.Backward()
	cells := (a.Size-1)/g.TapStep*-g.CellStep + 1
	return float64(cells), 1 / float64(a.Stride), (float64(a.Lo) - float64(a.Effective()-1)/2) / float64(a.Stride), true
}

// padded returns the field after cells were added before the first.
func (f *Field) padded(before []int) *Field {
	next := &Field{f.Size, f.Jump, slices.Clone(f.Start)}
	for i, n := range before {
		next.Start[i] -= float64(n) * f.Jump[i]
	}
	return next
}

// joined returns the field of a cell that sees those of both.
func (f *Field) joined(other *Field) *Field {
	if f == nil || other == nil || !slices.Equal(f.Jump, other.Jump) {
		return nil
	}
	next := &Field{Jump: f.Jump}
	for i := range f.Size {
		lo := min(f.Start[i]-(f.Size[i]-1)/2, other.Start[i]-(other.Size[i]-1)/2)
		hi := max(f.Start[i]+(f.Size[i]-1)/2, other.Start[i]+(other.Size[i]-1)/2)
		next.Size, next.Start = append(next.Size, hi-lo+1), append(next.Start, (lo+hi)/2)
	}
	return next
}

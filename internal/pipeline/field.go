package pipeline

import (
	"slices"

	"github.com/poolctl/poolctl/internal/geom"
	"github.com/poolctl/poolctl/internal/ops"
)

// Field is the receptive field of a step's output cells on the prepared input.
// For each spatial dimension it has the number of cells (Size), the distance
// between the fields of neighbours (Jump, less than 1 after transposes), and
// the middle of the first one (Start; the first input cell is at 0, and padding
// makes it negative).
//
// A step whose operation has no field (ops.Receptive), such as unpool, has
// none, and nor have the steps after it.
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
	own := ops.ReceptiveField(n.Op, n.Plan)
	if own == nil || len(own) != len(in.Size) {
		return nil
	}
	next := &Field{}
	for i, f := range own {
		f = geom.Field{Size: in.Size[i], Jump: in.Jump[i], Start: in.Start[i]}.Then(f)
		next.Size, next.Jump, next.Start = append(next.Size, f.Size), append(next.Jump, f.Jump), append(next.Start, f.Start)
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

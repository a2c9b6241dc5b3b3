package ops

import (
	"github.com/poolctl/poolctl/internal/geom"
	"github.com/poolctl/poolctl/internal/tensor"
)

// Receptive is an operation that has a receptive field: each cell of its output
// sees as many cells of its input, at even distances. An operation that does not
// implement it has none, nor has any that follows it in a pipeline.
type Receptive interface {
	// ReceptiveField returns the field of a plan that the operation made, for
	// each spatial axis; nil where the operation, as it was called, has none. It
	// is the same for every main input.
	ReceptiveField(p *Plan) []geom.Field
}

// ReceptiveField returns the field of an operation, nil where it has none.
func ReceptiveField(op Op, p *Plan) []geom.Field {
	if r, ok := op.(Receptive); ok {
		return r.ReceptiveField(p)
	}
	return nil
}

// cellwise is the field of an operation that computes each cell from the one in
// its place.
func cellwise(layout tensor.Layout) []geom.Field {
	list := make([]geom.Field, layout.Spatial())
	for i := range list {
		list[i] = geom.OneCell
	}
	return list
}

// cellwise is the field of an operation along an axis: one cell, unless the axis
// is a spatial one.
func (a axisValue) cellwise(p *Plan) []geom.Field {
	if axis, err := a.in(p.Op, p.Layout); err != nil || p.Layout.IsSpatial(axis) {
		return nil
	}
	return cellwise(p.Layout)
}

// windowed is the field of windows, each axis by field.
func windowed(g *geom.Geometry, field func(geom.Axis) (geom.Field, bool)) []geom.Field {
	var list []geom.Field
	for _, a := range g.Spatial() {
		f, ok := field(a)
		if !ok {
			return nil
		}
		list = append(list, f)
	}
	return list
}

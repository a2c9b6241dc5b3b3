package ops

import (
	"github.com/poolctl/poolctl/internal/geom"
	"github.com/poolctl/poolctl/internal/tensor"
)

// Receptive is an operation with a receptive field: each cell of its output
// sees the same number of input cells, at even distances. Other operations have
// no field, and neither have the steps of a pipeline that follow them.
type Receptive interface {
	// ReceptiveField returns the field along each spatial axis, for a plan of
	// the operation; nil if it has none with these parameters. All main inputs
	// have the same field.
	ReceptiveField(p *Plan) []geom.Field
}

// ReceptiveField returns the receptive field of an operation, nil if it has
// none.
func ReceptiveField(op Op, p *Plan) []geom.Field {
	if r, ok := op.(Receptive); ok {
		return r.ReceptiveField(p)
	}
	return nil
}

// cellwise returns the field of an operation that computes each cell from the
// input cell in the same place.
func cellwise(layout tensor.Layout) []geom.Field {
	list := make([]geom.Field, layout.Spatial())
	for i := range list {
		list[i] = geom.OneCell
	}
	return list
}

// cellwise returns the field of an operation along an axis: one cell, or none
// along a spatial axis.
func (a axisValue) cellwise(p *Plan) []geom.Field {
	if axis, err := a.in(p.Op, p.Layout); err != nil || p.Layout.IsSpatial(axis) {
		return nil
	}
	return cellwise(p.Layout)
}

// windowed returns the field of windows.
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

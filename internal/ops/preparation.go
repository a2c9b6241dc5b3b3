package ops

import (
	"github.com/poolctl/poolctl/internal/ops/kernel/layer"
	"github.com/poolctl/poolctl/internal/tensor"
)

// Preparation is what the input section of a pipeline file does to an input, in
// the order of its fields.
//
// Values that were only moved keep their type. Resized ones have the type that
// the resize operation gives, scaled ones that of an average
// (tensor.DType.Averaged).
type Preparation struct {
	From   tensor.Layout // of the input
	Resize *Resize       // nil: the spatial size stays
	Crop   *Region       // the part that stays; nil: all. Only that is computed
	Scale  []float64     // that values are multiplied by, one number or one for each channel; nil: 1
	Offset []float64     // that is added then; nil: 0
	DType  tensor.DType  // of the result; Invalid: see above
	To     tensor.Layout // of the result
}

// Plan lays the preparation out for an input of that type and shape, and returns
// the type and shape of the result. The plan is nil where nothing is to be done.
// Errors are those of Resize; the rest must fit the input.
func (p *Preparation) Plan(x tensor.Spec) (*Plan, tensor.Spec, error) {
	e, err := p.From.Split(x.Shape)
	if err != nil {
		return nil, tensor.Spec{}, unfit("input", "layout", "%v", err)
	}
	d := x.DType
	var r *resizing
	if p.Resize != nil || p.Crop != nil {
		if r, err = p.resizing(x, e); err != nil {
			return nil, tensor.Spec{}, err
		}
		d, e.Spatial = r.result, nil
		for _, a := range r.axes {
			e.Spatial = append(e.Spatial, a.Kept)
		}
	}
	scaled := p.Scale != nil || p.Offset != nil
	if scaled {
		d = d.Averaged()
	}
	y := tensor.Spec{DType: d, Shape: p.To.Join(e)}
	if p.DType != tensor.Invalid {
		y.DType = p.DType
	}
	turned := p.From.ChannelsFirst() != p.To.ChannelsFirst()
	if r == nil && !scaled && !turned && y.DType == x.DType {
		return nil, y, nil
	}

	b := newBuilder("input", []tensor.Spec{x})
	b.plan.Layout, b.plan.Impl = p.To, "go"
	out, now := b.output("y", y, p.To), buf(0)
	shape := p.From.Join(e)
	last := func(d tensor.DType, is bool) buf { // where a step writes
		if is && d == y.DType {
			return out
		}
		return b.temp(d, shape...)
	}
	if r != nil {
		dst := last(r.compute, !scaled && !turned)
		b.resize(dst, now, r)
		now = dst
	}
	if scaled {
		now = b.converted(now, d.Arithmetic())
		dst := last(d.Arithmetic(), !turned)
		b.scale(dst, now, layer.NewAffine(channels(p.From, shape)), p.Scale, p.Offset)
		now = dst
	}
	if turned {
		b.deliver(out, now, p.From, p.To)
	} else {
		b.deliver(out, now, "", "")
	}
	plan, err := b.finish()
	return plan, y, err
}

// resizing lays out resizing and cropping: a crop alone resizes to the size that
// is there.
func (p *Preparation) resizing(x tensor.Spec, e tensor.Extents) (*resizing, error) {
	op := *NewResize(e.Spatial, resizeMethods[layer.ResizeNearest])
	if p.Resize != nil {
		op = *p.Resize
	}
	op.Layout, op.region = p.From, p.Crop
	return op.lay(x)
}

// scale adds the stage that multiplies by scale and adds offset, one number for
// all channels or one for each.
func (b *builder) scale(dst, src buf, k layer.Affine, scale, offset []float64) {
	factors, shifts := b.temp(tensor.Float64, k.Pattern), b.temp(tensor.Float64, k.Pattern)
	b.stage(Stage{Name: "coefficients", Units: 1, Exec: func(_ *Worker, bufs []*tensor.Tensor, _, _ int) {
		for c := range k.Extent {
			tensor.Of[float64](bufs[factors])[c] = byChannel(scale, c, 1)
			tensor.Of[float64](bufs[shifts])[c] = byChannel(offset, c, 0)
		}
		k.Fill(bufs[factors], bufs[shifts])
	}})
	b.makes([]buf{factors, shifts})
	b.stage(Stage{Name: "scale", Units: k.Units(), Work: multiplyAdds(b.spec(dst).Shape...),
		Exec: func(_ *Worker, bufs []*tensor.Tensor, lo, hi int) {
			k.Scale(bufs[dst], bufs[src], bufs[factors], bufs[shifts], lo, hi)
		}})
}

// byChannel returns the number of a channel: of a list, of one for all, or
// another one.
func byChannel(list []float64, c int, otherwise float64) float64 {
	switch len(list) {
	case 0:
		return otherwise
	case 1:
		return list[0]
	}
	return list[c]
}

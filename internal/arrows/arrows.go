package arrows

import (
	"fmt"
	"strings"

	"github.com/poolctl/poolctl/internal/figure"
	"github.com/poolctl/poolctl/internal/ops"
	"github.com/poolctl/poolctl/internal/tensor"
)

// Types are the types of pooling that can be drawn.
var Types = []string{"max", "min", "avg"}

// Cases returns the panels of a drawing: the pooling operation and, beside it,
// average pooling, or max pooling if the operation is the average. x is the
// input and upstream the gradient of the output, in the layout of the
// operation. Of several channels or images it takes those of the output cell
// target, or the first if target is nil.
func Cases(op *ops.Pool, x, upstream *tensor.Tensor, target []int) ([]figure.ArrowCase, error) {
	layout := ops.DataFormat(op)
	if layout == "" {
		var err error
		if layout, err = tensor.DefaultLayout(len(x.Shape)); err != nil {
			return nil, err
		}
	}
	p, err := planeOf(layout, x.Shape, target)
	if err != nil {
		return nil, err
	}
	input, err := p.cut(x)
	if err != nil {
		return nil, err
	}
	gradient, err := p.cut(upstream)
	if err != nil {
		return nil, err
	}
	types := []string{op.Type, "avg"}
	if op.Type == "avg" {
		types[0] = "max"
	}
	var cases []figure.ArrowCase
	for _, kind := range types {
		c, err := newCase(variant(op, kind), input, gradient)
		if err != nil {
			return nil, err
		}
		c.Part = p.String()
		cases = append(cases, c)
	}
	return cases, nil
}

// variant returns the operation with another type, for one plane. Parameters
// that the type does not use get their defaults.
func variant(op *ops.Pool, kind string) *ops.Pool {
	p := ops.Clone(op).(*ops.Pool)
	p.Type, p.Layout, p.DType = kind, "", tensor.Float64
	if kind == "avg" {
		p.Ties = "first"
	} else {
		p.CountPadding, p.Divisor = false, 0
	}
	return p
}

// plane is one channel of one image of a tensor.
type plane struct {
	layout           tensor.Layout
	image, channel   int
	images, channels int
}

// planeOf returns the plane of an output cell, or the first plane if target is
// nil.
func planeOf(layout tensor.Layout, shape tensor.Shape, target []int) (plane, error) {
	e, err := layout.Split(shape)
	if err != nil {
		return plane{}, err
	}
	p := plane{layout: layout, images: e.N, channels: e.C}
	for axis, at := range target {
		switch layout[axis] {
		case 'N':
			p.image = at
		case 'C':
			p.channel = at
		}
	}
	return p, nil
}

// String names the plane. It is empty if there is no other.
func (p *plane) String() string {
	var words []string
	if p.images > 1 {
		words = append(words, fmt.Sprintf("image %d of %d", p.image, p.images))
	}
	if p.channels > 1 {
		words = append(words, fmt.Sprintf("channel %d of %d", p.channel, p.channels))
	}
	if words == nil {
		return ""
	}
	return strings.Join(words, ", ") + " (counted from 0)"
}

// cut returns the plane of a tensor as float64, channels last, with one image and
// one channel.
func (p *plane) cut(t *tensor.Tensor) (*tensor.Tensor, error) {
	e, err := p.layout.Split(t.Shape)
	if err != nil {
		return nil, err
	}
	n := 1
	for _, size := range e.Spatial {
		n *= size
	}
	first, step := p.image*n*e.C+p.channel, e.C
	if p.layout.ChannelsFirst() {
		first, step = (p.image*e.C+p.channel)*n, 1
	}
	e.N, e.C = 1, 1
	cells := tensor.New(tensor.Spec{DType: tensor.Float64, Shape: tensor.ChannelsLast(len(e.Spatial)).Join(e)})
	data := tensor.Of[float64](cells)
	for i := range n {
		data[i] = t.At(first + i*step)
	}
	return cells, nil
}

// newCase runs the operation forward and backward. The shares of an output cell
// are the gradient for an upstream gradient of 1 at that cell.
func newCase(op *ops.Pool, x, upstream *tensor.Tensor) (figure.ArrowCase, error) {
	c := figure.ArrowCase{Title: op.Type, Input: tensor.Of[float64](x), Upstream: tensor.Of[float64](upstream)}
	var err error
	if c.Rule, c.Rest, err = rule(op); err != nil {
		return c, err
	}
	forward, err := op.Plan([]tensor.Spec{x.Spec}, ops.Want{})
	if err != nil {
		return c, err
	}
	c.Geometry = forward.Geometry
	if n := upstream.Len(); n > figure.ArrowOutputs || x.Len() > figure.ArrowSide*figure.ArrowSide {
		return c, fmt.Errorf("pool: arrows: got %s to %s, want an input of at most %dx%d cells (or %d in 1-D) and at most %d outputs",
			x.Shape, forward.Outputs[0].Shape, figure.ArrowSide, figure.ArrowSide, figure.ArrowLength, figure.ArrowOutputs)
	}
	y, _, err := ops.Run(forward, 1, x)
	if err != nil {
		return c, err
	}
	c.Output = tensor.Of[float64](y[0])
	plan, err := op.PlanGrad([]tensor.Spec{x.Spec, upstream.Spec}, ops.WantGrad{Input: true})
	if err != nil {
		return c, err
	}
	runner := ops.NewRunner(plan, 1)
	defer runner.Close()
	back := func(dy *tensor.Tensor) ([]float64, error) {
		dx := tensor.New(plan.Outputs[0].Spec)
		err := runner.Run([]*tensor.Tensor{x, dy}, []*tensor.Tensor{dx})
		return tensor.Of[float64](dx), err
	}
	if c.Gradient, err = back(upstream); err != nil {
		return c, err
	}
	one := tensor.New(upstream.Spec)
	for o := range upstream.Len() {
		tensor.Of[float64](one)[o] = 1
		shares, err := back(one)
		tensor.Of[float64](one)[o] = 0
		if err != nil {
			return c, err
		}
		for i, weight := range shares {
			if weight != 0 {
				c.Shares = append(c.Shares, figure.Share{Out: o, In: i, Weight: weight})
			}
		}
	}
	return c, nil
}

// rule describes in words which cells of a window get the gradient, and what
// makes the sum of the gradient differ from that of the upstream gradient.
func rule(op *ops.Pool) (rule, rest string, err error) {
	cells := "each real cell"
	if op.NaN == "ignore" {
		cells = "each real cell that is not NaN"
	}
	switch op.Type {
	case "avg":
		switch {
		case op.Divisor != 0:
			return fmt.Sprintf("to %s the gradient divided by %d", cells, op.Divisor), "by the divisor", nil
		case op.CountPadding:
			return "an equal share to each cell of the window; padding's is lost", "into padding", nil
		}
		return "an equal share to " + cells, "", nil
	case "max", "min":
		most := op.Type + "imum"
		switch op.Ties {
		case "first", "last":
			return fmt.Sprintf("all of it to the %s, the %s of equal ones", most, op.Ties), "", nil
		case "split":
			return fmt.Sprintf("all of it to the %s, in equal parts to equal ones", most), "", nil
		case "all":
			return fmt.Sprintf("all of it to every %s", most), "to further " + strings.TrimSuffix(most, "um") + "a", nil
		}
		return "", "", fmt.Errorf("pool: arrows: no words for --ties %s", op.Ties)
	}
	return "", "", fmt.Errorf("pool: arrows: got --type %s, want %s", op.Type, strings.Join(Types, ", "))
}

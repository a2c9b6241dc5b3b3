package cli

import (
	"errors"
	"fmt"
	"strings"

	"github.com/poolctl/poolctl/internal/figure"
	"github.com/poolctl/poolctl/internal/gradcheck"
	"github.com/poolctl/poolctl/internal/imgio"
	"github.com/poolctl/poolctl/internal/ops"
	"github.com/poolctl/poolctl/internal/tensor"
)

var reductions = map[string]figure.Reduction{"none": figure.NoReduction, "sum": figure.SumReduction, "max": figure.MaxReduction, "l2": figure.L2Reduction}

// results pairs the gradients and their pictures with the files they go to.
func (g *gradient) results(plan *ops.Plan, tensors []*tensor.Tensor, upstream int, results []*tensor.Tensor, depth int) ([]imgio.Output, error) {
	normalize, err := imgio.ParseNormalize(g.files.Normalize)
	if err != nil {
		return nil, usagef("%s: normalize: %v", g.spec.Name, err)
	}
	var list []imgio.Output
	for i, o := range plan.Outputs {
		if name := g.fileOf(i, o.Name); name != "" {
			list = append(list, imgio.Output{Name: name, Tensor: results[i], Layout: o.Layout, Depth: depth, Quality: g.files.Quality, Normalize: normalize})
		}
	}
	picture := func(name string, draw func() (*tensor.Tensor, error)) error {
		if name == "" {
			return nil
		}
		t, err := draw()
		if err != nil {
			return err
		}
		list = append(list, imgio.Output{Name: name, Tensor: t, Layout: tensor.HWC, Quality: g.files.Quality})
		return nil
	}
	title := "Gradient of " + g.spec.Name + " with respect to its input"
	drawn := min(g.Of, len(results)-1) // no picture is asked for without the input's gradient
	layout := plan.Outputs[drawn].Layout
	err = picture(g.Heatmap, func() (*tensor.Tensor, error) {
		t, l := figure.Reduce(results[drawn], layout, reductions[g.Reduce])
		return figure.Heatmap(t, l, title)
	})
	if err == nil {
		err = picture(g.Overlay, func() (*tensor.Tensor, error) {
			return figure.GradientOverlay(tensors[g.Of], results[drawn], layout, title)
		})
	}
	if err != nil || g.Arrows == "" {
		return list, err
	}
	cases, err := g.arrowCases(tensors[0], tensors[upstream])
	if err != nil {
		return nil, err
	}
	if imgio.IsDrawing(g.Arrows) {
		drawing, err := figure.ArrowsSVG(cases...)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", g.spec.Name, err)
		}
		return append(list, imgio.Output{Name: g.Arrows, Drawing: drawing}), nil
	}
	if err := picture(g.Arrows, func() (*tensor.Tensor, error) { return figure.ArrowsPNG(cases...) }); err != nil {
		return nil, fmt.Errorf("%s: %w", g.spec.Name, err)
	}
	return list, nil
}

// fileOf returns the file that output i of a gradient's plan is written to, ""
// for none.
func (g *gradient) fileOf(i int, output string) string {
	switch {
	case output == "dsecond", g.isInput(output) && i == g.Of:
		return g.Output
	case g.isInput(output):
		return ""
	}
	return *g.Grads[output[1:]]
}

// isInput reports whether an output of a gradient's plan is that of a main
// input.
func (g *gradient) isInput(name string) bool { return strings.HasPrefix(name, "dx") }

// gradFootprint adds up what a gradient's run takes: its own plan, the forward
// operation for an upstream gradient that needs the output, the numerical check.
func (a *app) gradFootprint(g *gradient, forward, plan *ops.Plan, in *inputs, up upstream) (footprint, error) {
	normalize, _ := imgio.ParseNormalize(g.files.Normalize) // refused by results
	var outputs []imgio.Output
	for i, o := range plan.Outputs {
		outputs = append(outputs, imgio.Output{Name: g.fileOf(i, o.Name), Layout: o.Layout, Depth: in.depth(), Normalize: normalize})
	}
	if g.Heatmap != "" || g.Overlay != "" {
		outputs = append(outputs, imgio.Output{})
	}
	f, err := a.footprint(plan, in, outputs)
	if err != nil {
		return f, err
	}
	if g.Loss == "l2" {
		n, err := forward.Bytes(a.Threads)
		if err != nil {
			return f, &limitError{plan.Op + ": " + err.Error(), ""}
		}
		upstream, _ := in.list[up.at].spec.Bytes() // checked when the plan was made
		f.compute = max(f.compute, plus(n, upstream))
	}
	if g.Check {
		more, err := g.numerically(a.Threads).Bytes(in.specs()[:up.at+1])
		if _, tooLarge := errors.AsType[*gradcheck.TooLargeError](err); tooLarge {
			return f, &limitError{err.Error(), ""}
		}
		if err != nil {
			return f, err
		}
		f.compute = plus(f.compute, more)
	}
	return f, nil
}

// arrowCases computes what the drawing shows: the first channel of the first
// picture, by the operation as it was called and, beside it, by the average (or
// the maximum, when the operation is the average).
func (g *gradient) arrowCases(x, upstream *tensor.Tensor) ([]figure.ArrowCase, error) {
	types := []string{ops.Get(g.op, "type"), "avg"}
	switch types[0] {
	case "avg":
		types[0] = "max"
	case "max", "min":
	default:
		return nil, usagef("%s: arrows: got --type %s, want max, min or avg", g.spec.Name, types[0])
	}
	var cases []figure.ArrowCase
	for _, kind := range types {
		c, err := arrowCase(planeOf(g.op, kind), kind, g.firstPlane(x), g.firstPlane(upstream))
		if err != nil {
			return nil, err
		}
		cases = append(cases, c)
	}
	return cases, nil
}

// planeOf returns pooling of another type for one plane, with what has no
// meaning for that type left out.
func planeOf(op ops.Differentiable, kind string) *ops.Pool {
	p := ops.Clone(op).(*ops.Pool)
	p.Type, p.Layout, p.DType = kind, "", tensor.Float64
	if kind == "avg" {
		p.Ties = "first"
	} else {
		p.CountPadding, p.Divisor = false, 0
	}
	return p
}

// firstPlane returns the first channel of the first picture as float64, in a
// channels-last layout with batch and channel axes of 1.
func (g *gradient) firstPlane(t *tensor.Tensor) *tensor.Tensor {
	layout := ops.DataFormat(g.op)
	if layout == "" {
		layout, _ = tensor.DefaultLayout(len(t.Shape))
	}
	e, _ := layout.Split(t.Shape)
	step, n := e.C, 1
	if layout.ChannelsFirst() {
		step = 1
	}
	for _, size := range e.Spatial {
		n *= size
	}
	e.N, e.C = 1, 1
	plane := tensor.New(tensor.Spec{DType: tensor.Float64, Shape: tensor.ChannelsLast(len(e.Spatial)).Join(e)})
	data := tensor.Of[float64](plane)
	for i := range n {
		data[i] = t.At(i * step)
	}
	return plane
}

// arrowCase runs the operation forward and backward. What each output cell
// sends to each input cell is the gradient for that output cell alone.
func arrowCase(op *ops.Pool, kind string, x, upstream *tensor.Tensor) (figure.ArrowCase, error) {
	rules := map[string]string{"max": "all of it to the maximum", "min": "all of it to the minimum", "avg": "an equal share to each real cell"}
	c := figure.ArrowCase{Title: kind, Rule: rules[kind], Input: tensor.Of[float64](x), Upstream: tensor.Of[float64](upstream)}
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
	for o := range upstream.Len() {
		shares, err := back(constant(upstream.Spec, 0, o))
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

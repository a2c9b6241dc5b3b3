package cli

import (
	"errors"
	"fmt"
	"strings"

	"github.com/poolctl/poolctl/internal/arrows"
	"github.com/poolctl/poolctl/internal/figure"
	"github.com/poolctl/poolctl/internal/gradcheck"
	"github.com/poolctl/poolctl/internal/imgio"
	"github.com/poolctl/poolctl/internal/ops"
	"github.com/poolctl/poolctl/internal/report"
	"github.com/poolctl/poolctl/internal/tensor"
)

var reductions = map[string]figure.Reduction{"none": figure.NoReduction, "sum": figure.SumReduction, "max": figure.MaxReduction, "l2": figure.L2Reduction}

// gradOutputs returns the files to write: gradients and their pictures.
func (a *app) gradOutputs(g *gradient, plan *ops.Plan, tensors []*tensor.Tensor, upstream int, results []*tensor.Tensor, depth int) ([]imgio.Output, error) {
	normalize, err := imgio.ParseNormalize(g.files.Normalize)
	if err != nil {
		return nil, usagef("%s: normalize: %v", g.spec.Name, err)
	}
	var list []imgio.Output
	for i, o := range plan.Outputs {
		if name := g.fileOf(i, o.Name); name != "" {
			list = append(list, imgio.Output{Name: name, Tensor: results[i], Layout: o.Layout, Depth: depth, Quality: g.files.Quality, Normalize: normalize, Enlarge: int(g.files.Enlarge)})
			if imgio.IsPicture(name) && !g.normalizes {
				a.noteStretched(name, results[i])
			}
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
	drawn := min(g.Of, len(results)-1) // without the input's gradient no picture is drawn
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
	cases, err := arrows.Cases(g.op.(*ops.Pool), tensors[0], tensors[upstream], g.Target)
	if err != nil {
		return nil, err
	}
	if part := cases[0].Part; part != "" {
		a.note("%s shows %s; --target draws the channel and image of a cell of the output", printable(g.Arrows), part)
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

// noteStretched says how a gradient became a picture if --normalize was not
// given.
func (a *app) noteStretched(name string, t *tensor.Tensor) {
	extent := report.Measure(t)
	scale := extent.Scale()
	if scale == 0 {
		a.note("%s: the gradient is 0 everywhere, which is mid-grey", printable(name))
		return
	}
	a.note("%s: stretched by --normalize symmetric, the default for gradients: 0 is mid-grey, %.4g black and %.4g white", printable(name), -scale, scale)
}

// fileOf returns the file for output i of a gradient's plan, "" if there is
// none.
func (g *gradient) fileOf(i int, output string) string {
	switch {
	case output == "dsecond", g.isInput(output) && i == g.Of:
		return g.Output
	case g.isInput(output):
		return ""
	}
	return *g.Grads[output[1:]]
}

// isInput reports whether an output of a gradient's plan is the gradient of a
// main input.
func (g *gradient) isInput(name string) bool { return strings.HasPrefix(name, "dx") }

// gradFootprint returns the memory of a gradient's run: its own plan, the
// forward operation if the upstream gradient depends on the output, and the
// numerical check.
func (a *app) gradFootprint(g *gradient, forward, plan *ops.Plan, in *inputs, up upstream) (footprint, error) {
	normalize, _ := imgio.ParseNormalize(g.files.Normalize) // checked by gradOutputs
	var outputs []imgio.Output
	for i, o := range plan.Outputs {
		output := imgio.Output{Name: g.fileOf(i, o.Name), Layout: o.Layout, Depth: g.files.Depth.of(in.first()), Normalize: normalize, Enlarge: int(g.files.Enlarge)}
		if err := a.checkEnlarged(plan.Op, output, o.Spec); err != nil {
			return footprint{}, err
		}
		outputs = append(outputs, output)
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

package cli

import (
	"github.com/poolctl/poolctl/internal/batch"
	"github.com/poolctl/poolctl/internal/figure"
	"github.com/poolctl/poolctl/internal/imgio"
	"github.com/poolctl/poolctl/internal/ops"
	"github.com/poolctl/poolctl/internal/pipeline"
	"github.com/poolctl/poolctl/internal/tensor"
)

// pictureForm is the form of the pictures that a pipeline saves: bits per
// sample, and the size of a value in pixels, 0 for the usual one.
type pictureForm struct{ depth, enlarge int }

// savedOutputs returns the files to write for one input. form is that of
// pictures of values.
func savedOutputs(r *pipeline.Runner, item *batch.Item, form pictureForm) ([]imgio.Output, error) {
	var list []imgio.Output
	for _, s := range r.Graph().Saved {
		o := imgio.Output{Name: item.Output(batch.Product{Step: s.Step, Ext: s.Ext()}), Tensor: r.Tensor(s), Layout: s.Layout, Depth: form.depth, Enlarge: form.enlarge}
		var err error
		switch s.Kind {
		case "argmax-png":
			o.Tensor, err = figure.Winners{Geometry: s.Plan.Geometry, Cell: ops.WinningCells(s.Plan, o.Tensor)}.Picture()
			o.Layout, o.Depth, o.Enlarge = tensor.HWC, 8, 0
		case "heatmap", "grad-heatmap":
			title := s.Step
			if s.Kind == "grad-heatmap" {
				title = "Gradient with respect to " + s.Step
			}
			o.Tensor, err = figure.Heatmap(o.Tensor, o.Layout, title)
			o.Layout, o.Depth, o.Enlarge = tensor.HWC, 8, 0
		}
		if err != nil {
			return nil, err
		}
		list = append(list, o)
	}
	return list, nil
}

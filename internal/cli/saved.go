package cli

import (
	"github.com/poolctl/poolctl/internal/batch"
	"github.com/poolctl/poolctl/internal/figure"
	"github.com/poolctl/poolctl/internal/imgio"
	"github.com/poolctl/poolctl/internal/ops"
	"github.com/poolctl/poolctl/internal/pipeline"
	"github.com/poolctl/poolctl/internal/tensor"
)

// savedOutputs returns the files to write for one input. depth is the bit depth
// of pictures of values.
func savedOutputs(r *pipeline.Runner, item *batch.Item, depth int) ([]imgio.Output, error) {
	var list []imgio.Output
	for _, s := range r.Graph().Saved {
		o := imgio.Output{Name: item.Output(batch.Product{Step: s.Step, Ext: s.Ext()}), Tensor: r.Tensor(s), Layout: s.Layout, Depth: depth}
		var err error
		switch s.Kind {
		case "argmax-png":
			o.Tensor, err = figure.Winners{Geometry: s.Plan.Geometry, Cell: ops.WinningCells(s.Plan, o.Tensor)}.Picture()
			o.Layout, o.Depth = tensor.HWC, 8
		case "heatmap", "grad-heatmap":
			title := s.Step
			if s.Kind == "grad-heatmap" {
				title = "Gradient with respect to " + s.Step
			}
			o.Tensor, err = figure.Heatmap(o.Tensor, o.Layout, title)
			o.Layout, o.Depth = tensor.HWC, 8
		}
		if err != nil {
			return nil, err
		}
		list = append(list, o)
	}
	return list, nil
}

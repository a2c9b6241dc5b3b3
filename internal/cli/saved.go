package cli

import (
	"path/filepath"

	"github.com/poolctl/poolctl/internal/imgio"
	"github.com/poolctl/poolctl/internal/ops"
	"github.com/poolctl/poolctl/internal/pipeline"
	"github.com/poolctl/poolctl/internal/report"
	"github.com/poolctl/poolctl/internal/tensor"
)

// savedFiles returns the files that a graph writes into a folder.
func savedFiles(g *pipeline.Graph, folder string) []string {
	list := make([]string, len(g.Saved))
	for i, s := range g.Saved {
		list[i] = filepath.Join(folder, s.File())
	}
	return list
}

// savedOutputs pairs what a runner has computed with the files it goes to. depth
// is that of pictures of values.
func savedOutputs(r *pipeline.Runner, folder string, depth int) ([]imgio.Output, error) {
	var list []imgio.Output
	for _, s := range r.Graph().Saved {
		o := imgio.Output{Name: filepath.Join(folder, s.File()), Tensor: r.Tensor(s), Layout: s.Layout, Depth: depth}
		var err error
		switch s.Kind {
		case "argmax-png":
			o.Tensor, err = report.Winners{Geometry: s.Plan.Geometry, Cell: ops.WinningCells(s.Plan, o.Tensor)}.Picture()
			o.Layout, o.Depth = tensor.HWC, 8
		case "heatmap", "grad-heatmap":
			title := s.Step
			if s.Kind == "grad-heatmap" {
				title = "Gradient with respect to " + s.Step
			}
			o.Tensor, err = report.Heatmap(o.Tensor, o.Layout, title)
			o.Layout, o.Depth = tensor.HWC, 8
		}
		if err != nil {
			return nil, err
		}
		list = append(list, o)
	}
	return list, nil
}

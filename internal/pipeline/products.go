package pipeline

import (
	"github.com/poolctl/poolctl/internal/config"
	"github.com/poolctl/poolctl/internal/ops"
)

// Products lists the outputs that a run saves for every input, in the order of
// Graph.Saved. Only Step and Kind are set: the rest depends on the input.
func Products(file *config.Pipeline) []Saved {
	var list []Saved
	for _, s := range saves(file) {
		for _, kind := range s.Kinds {
			if kind != "grad" && kind != "grad-heatmap" {
				list = append(list, Saved{Step: s.Step, Kind: kind})
			}
		}
	}
	return list
}

// GradientProducts is Products for a run backward, in no particular order.
func GradientProducts(file *config.Pipeline) []Saved {
	list := []Saved{{Step: config.InputName, Kind: "grad"}}
	for _, s := range file.Save {
		for _, kind := range s.Kinds {
			if kind == "grad-heatmap" || kind == "grad" && s.Step != config.InputName {
				list = append(list, Saved{Step: s.Step, Kind: kind})
			}
		}
		if !s.Has("grad") {
			continue
		}
		for _, step := range file.Steps {
			if step.Name == s.Step {
				for _, name := range gradientsOf(step) {
					list = append(list, Saved{Step: s.Step, Kind: name + "-grad"})
				}
			}
		}
	}
	return list
}

// gradientsOf returns the tensors among a step's parameters that it takes and
// that have a gradient.
func gradientsOf(step *config.Step) []string {
	op, ok := step.Op.(ops.Differentiable)
	if !ok {
		return nil
	}
	var list []string
	for _, name := range ops.Gradients(op) {
		for _, p := range op.Params() {
			if p.Name == name && p.String() != "" {
				list = append(list, name)
			}
		}
	}
	return list
}

// saves returns what is saved for each step: the last step's output, unless the
// file says otherwise.
func saves(file *config.Pipeline) []config.Save {
	if len(file.Save) > 0 {
		return file.Save
	}
	return []config.Save{{Step: file.Steps[len(file.Steps)-1].Name, Kinds: []string{"npy"}}}
}

package cli

import (
	"github.com/poolctl/poolctl/internal/ops"
	"github.com/poolctl/poolctl/internal/pipeline"
	"github.com/poolctl/poolctl/internal/tensor"
)

// looksLikePicture reports whether a shape that is read as a batch of signals is
// more likely one picture: NumPy saves a photograph as (height, width, 3).
func looksLikePicture(layout tensor.Layout, shape tensor.Shape) bool {
	const small = 16 // a batch or a signal of at most this many is common
	if layout != tensor.NWC || len(shape) != layout.Rank() || shape[0] <= small || shape[1] <= small {
		return false
	}
	switch shape[2] {
	case 1, 3, 4: // grey, RGB, RGBA
		return true
	default:
		return false
	}
}

// noteLayout tells how to have an array taken as one picture, if an operation
// reads it as a batch of signals because its layout was not given. name is ""
// for a shape without a file.
func (a *app) noteLayout(name string, spec ops.Spec, op ops.Op, plan *ops.Plan) {
	if ops.DataFormat(op) == "" && takesPictures(spec) && looksLikePicture(plan.Layout, plan.Buffers[0].Shape) {
		a.note("%sread as NWC; --data-format HWC takes it as one picture", prefixed(name))
	}
}

// noteInputLayout is noteLayout for the input of a pipeline. It reports whether
// there is a note.
func (a *app) noteInputLayout(name string, g *pipeline.Graph) bool {
	layout, guessed := g.Layout()
	if !guessed || !looksLikePicture(layout, g.Input.Spec.Shape) {
		return false
	}
	for _, step := range g.File.Steps {
		if !takesPictures(step.Spec) {
			return false
		}
	}
	a.note("%sread as NWC; `layout: HWC` in the input section takes it as one picture", prefixed(name))
	return true
}

// takesPictures reports whether an operation takes pictures, not signals alone.
func takesPictures(spec ops.Spec) bool { return spec.Layer() || spec.Rank[1] >= 2 }

// prefixed returns a name as the beginning of a note.
func prefixed(name string) string {
	if name == "" {
		return ""
	}
	return printable(name) + ": "
}

package pipeline_test

import (
	"slices"
	"testing"

	"github.com/poolctl/poolctl/internal/imgio"
	"github.com/poolctl/poolctl/internal/pipeline"
	"github.com/poolctl/poolctl/internal/tensor"
)

// TestProductsAreWhatIsSaved compares the outputs that are listed before any
// input with those that graphs save.
func TestProductsAreWhatIsSaved(t *testing.T) {
	const steps = `version: 1
steps:
  - {name: conv1, op: conv2d, filter: "normal:3x3x3x4:1", bias: "normal:4:2", padding: SAME}
  - {name: act1, op: relu}
  - {name: conv2, op: conv2d, filter: "normal:3x3x4x4:1", padding: SAME}
  - {name: pool1, op: pool, type: max, window: 2, from: conv2}
  - {name: pool2, op: pool, type: avg, window: 2, from: act1}
  - {name: mix, op: add, from: [pool1, pool2]}
`
	for _, save := range []string{"", `save:
  conv1: [npy, grad]
  conv2: [grad-heatmap]
  pool1: [argmax, argmax-png, heatmap, png]
  mix: [npy, grad]
`, `save:
  input: [grad, grad-heatmap]
  mix: [npy]
`} {
		file := parsed(t, steps+save)
		in := pipeline.Input{Spec: tensor.Spec{DType: tensor.Float32, Shape: tensor.Shape{1, 8, 8, 3}}}
		forward, err := pipeline.Compile(file, pipeline.NewWeights(imgio.Options{}), in)
		if err != nil {
			t.Fatal(err)
		}
		if got, want := files(pipeline.Products(file)), files(forward.Saved); !slices.Equal(got, want) {
			t.Errorf("%s: forward: got %q, want %q", save, got, want)
		}
		backward, err := pipeline.CompileGradient(file, pipeline.NewWeights(imgio.Options{}), in, nil)
		if err != nil {
			t.Fatal(err)
		}
		got, want := files(pipeline.GradientProducts(file)), files(backward.Saved)
		slices.Sort(got)
		slices.Sort(want)
		if !slices.Equal(got, want) {
			t.Errorf("%s: backward: got %q, want %q", save, got, want)
		}
	}
}

func files(saved []pipeline.Saved) []string {
	var list []string
	for _, s := range saved {
		list = append(list, s.Step+s.Ext())
	}
	return list
}

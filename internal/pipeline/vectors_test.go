package pipeline_test

import (
	"testing"

	"github.com/poolctl/poolctl/internal/imgio"
	"github.com/poolctl/poolctl/internal/pipeline"
	"github.com/poolctl/poolctl/internal/tensor"
)

// TestTwoAxesAreVectorsWhereNothingLaysWindows: otherwise they are a grey
// picture. The output of flatten stays vectors.
func TestTwoAxesAreVectorsWhereNothingLaysWindows(t *testing.T) {
	const (
		relu = "  - {name: a, op: relu}\n"
		pool = "  - {name: b, op: pool, type: max, window: 2}\n"
		flat = "  - {name: c, op: flatten}\n"
		last = "  - {name: d, op: softmax, axis: 1}\n"
	)
	spec := tensor.Spec{DType: tensor.Float32, Shape: tensor.Shape{4, 6}}
	for steps, want := range map[string]string{
		relu + last:               "(4,6)",
		relu + pool:               "(2,3)",
		pool + relu:               "(2,3)",
		relu + pool + flat + last: "(1,6)",
		flat + last:               "(4,6)",
		relu + flat + pool:        "net.yaml:5:5: b: op: got pool, which lays windows, on vectors of shape (1,24), want a step before flatten",
	} {
		g, err := pipeline.Compile(parsed(t, "version: 1\nsteps:\n"+steps), pipeline.NewWeights(imgio.Options{}), pipeline.Input{Spec: spec})
		got := ""
		if err != nil {
			got = err.Error()
		} else {
			got = g.Nodes[len(g.Nodes)-1].Plan.Outputs[0].Shape.String()
		}
		if got != want {
			t.Errorf("got %s, want %s of\n%s", got, want, steps)
		}
	}
}

package pipeline_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/poolctl/poolctl/internal/tensor"
)

// TestFieldsAreWhatGradientsReach runs random networks of linear steps backward
// from one cell in the middle of the output: the cells of the input that have a
// gradient are those of the field, around its middle.
func TestFieldsAreWhatGradientsReach(t *testing.T) {
	const extent = 97 // in one dimension: wide enough that no field meets a border
	for seed := range uint64(80) {
		random := rand.New(rand.NewPCG(seed, 4))
		var lines []string
		at := func(keys string) string {
			name := fmt.Sprintf("s%d", len(lines))
			lines = append(lines, fmt.Sprintf("  - {name: %s, %s}", name, keys))
			return name
		}
		conv := func(from string) string {
			keys := fmt.Sprintf(`op: conv1d, filter: "uniform:%dx1x1:%d", strides: %d, padding: SAME`, 1+random.IntN(4), 1+len(lines), 1+random.IntN(2))
			if random.IntN(3) == 0 {
				keys = fmt.Sprintf(`op: conv1d, filter: "uniform:%dx1x1:%d", dilations: %d`, 2+random.IntN(2), 1+len(lines), 1+random.IntN(3))
			}
			return at(keys + from)
		}
		last := conv("")
		for range random.IntN(3) {
			switch random.IntN(4) {
			case 0:
				last = at("op: pool, type: avg, window: " + fmt.Sprint(1+random.IntN(3)) + ", strides: 2, padding: SAME_LOWER")
			case 1:
				last = at(fmt.Sprintf("op: pad, paddings: [[%d, %d]]", random.IntN(3), random.IntN(3)))
			case 2: // two branches
				a := at(fmt.Sprintf(`op: conv1d, from: %s, filter: "uniform:%dx1x1:3", padding: SAME`, last, 1+random.IntN(4)))
				b := at(fmt.Sprintf(`op: conv1d, from: %s, filter: "uniform:%dx1x1:4", padding: SAME_LOWER`, last, 1+random.IntN(4)))
				last = at(fmt.Sprintf("op: add, from: [%s, %s]", a, b))
			default:
				last = conv("")
			}
		}
		text := "version: 1\nsteps:\n" + strings.Join(lines, "\n") + "\n"
		x := double(seed, 1, extent, 1)
		g := gradients(t, parsed(t, text), x.Spec, nil)
		field := g.Nodes[len(g.Nodes)-1].Field
		if field == nil {
			t.Fatalf("no field for\n%s", text)
		}
		dy := tensor.New(g.Upstream())
		middle := dy.Len() / 2
		tensor.Of[float64](dy)[middle] = 1
		r := ready(t, g, 1)
		if err := r.Run(x, dy); err != nil {
			t.Fatal(err)
		}
		first, end := -1, -1
		for i, v := range tensor.Of[float64](saved(t, r, "input", "grad")) {
			if v != 0 {
				if first < 0 {
					first = i
				}
				end = i
			}
		}
		size, centre := float64(end-first+1), float64(first+end)/2
		if want := field.Start[0] + float64(middle)*field.Jump[0]; size != field.Size[0] || math.Abs(centre-want) > 1e-9 {
			t.Errorf("seed %d: the gradient reaches %g cells around %g, the field %g around %g for\n%s", seed, size, centre, field.Size[0], want, text)
		}
	}
}

// TestFieldsEnd checks that there is no field after uneven windows or without
// spatial axes.
func TestFieldsEnd(t *testing.T) {
	g := compiled(t, `
version: 1
steps:
  - {name: up, op: conv2d-transpose, filter: "ones:4x4x1x1", strides: 2, padding: SAME}
  - {name: even, op: pool, type: avg, output-size: [4, 4]}
  - {name: uneven, op: pool, type: avg, output-size: [3, 3]}
  - {name: after, op: relu}
  - {name: flat, op: flatten, from: even}
`, tensor.Spec{DType: tensor.Float32, Shape: tensor.Shape{1, 8, 8, 1}})
	want := []string{"{[2 2] [0.5 0.5] [-0.25 -0.25]}", "{[3.5 3.5] [2 2] [0.5 0.5]}", "none", "none", "none"}
	for i, n := range g.Nodes {
		got := "none"
		if n.Field != nil {
			got = fmt.Sprint(*n.Field)
		}
		if got != want[i] {
			t.Errorf("%s: got %s, want %s", n.Step.Name, got, want[i])
		}
	}
}

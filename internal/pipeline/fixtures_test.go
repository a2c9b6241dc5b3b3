package pipeline_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/poolctl/poolctl/internal/config"
	"github.com/poolctl/poolctl/internal/imgio"
	"github.com/poolctl/poolctl/internal/ops"
	"github.com/poolctl/poolctl/internal/pipeline"
	"github.com/poolctl/poolctl/internal/tensor"
)

// parsed reads a pipeline from text.
func parsed(t testing.TB, text string) *config.Pipeline {
	t.Helper()
	p, err := config.ParsePipeline("net.yaml", []byte(text))
	if err != nil {
		t.Fatalf("%v in\n%s", err, text)
	}
	return p
}

// compiled compiles a pipeline for arrays of a type and shape.
func compiled(t testing.TB, text string, spec tensor.Spec) *pipeline.Graph {
	t.Helper()
	g, err := pipeline.Compile(parsed(t, text), pipeline.NewWeights(imgio.Options{}), pipeline.Input{Spec: spec})
	if err != nil {
		t.Fatalf("%v in\n%s", err, text)
	}
	return g
}

// ready returns a runner of a graph.
func ready(t testing.TB, g *pipeline.Graph, threads int) *pipeline.Runner {
	t.Helper()
	e := pipeline.NewEngine(threads)
	t.Cleanup(e.Close)
	r, err := e.Runner(g)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// noise returns a tensor of float32 numbers around 0.
func noise(seed uint64, shape ...int) *tensor.Tensor {
	t := tensor.New(tensor.Spec{DType: tensor.Float32, Shape: shape})
	random := rand.New(rand.NewPCG(seed, 1))
	for i := range tensor.Of[float32](t) {
		tensor.Of[float32](t)[i] = float32(random.NormFloat64())
	}
	return t
}

// net is a random network: steps of every kind that a network has, with
// branches, over pictures of one shape.
type net struct {
	lines []string
	names []string
	sizes [][2]int // extent, channels of each; the input first
}

// randomNet makes one of the given number of steps for inputs (2,9,9,3).
func randomNet(seed uint64, steps int) *net {
	random := rand.New(rand.NewPCG(seed, 2))
	n := &net{names: []string{config.InputName}, sizes: [][2]int{{9, 3}}}
	for i := range steps {
		from := random.IntN(len(n.names))
		if random.IntN(2) == 0 {
			from = len(n.names) - 1 // more chains than branches
		}
		n.step(random, i, from)
	}
	return n
}

func (n *net) step(random *rand.Rand, i, from int) {
	size, channels := n.sizes[from][0], n.sizes[from][1]
	out := [2]int{size, channels}
	source, keys := n.names[from], ""
	switch kind := random.IntN(9); kind {
	case 0, 1:
		stride := 1 + random.IntN(2)
		out = [2]int{(size + stride - 1) / stride, 1 + random.IntN(6)}
		keys = fmt.Sprintf(`op: conv2d, filter: "normal:3x3x%dx%d:%d", padding: SAME, strides: %d, bias: "normal:%d:%d"`, channels, out[1], i, stride, out[1], i)
	case 2, 3:
		stride := 1 + random.IntN(2)
		out[0] = (size + stride - 1) / stride
		keys = fmt.Sprintf("op: pool, type: %s, window: 3, padding: SAME, strides: %d", []string{"max", "avg"}[kind-2], stride)
	case 4:
		keys = "op: relu"
	case 5:
		keys = "op: tanh"
	case 6:
		keys = `op: depthwise-conv2d, filter: "` + fmt.Sprintf("normal:2x2x%dx1:%d", channels, i) + `", padding: SAME`
	default: // steps of the same extent, for concat, or the same shape
		list, op := []string{n.names[from]}, "add"
		if kind == 8 {
			op = "concat"
		}
		for j, s := range n.sizes {
			if s[0] == size && (op == "concat" || s[1] == channels) && len(list) < 4 && random.IntN(2) == 0 {
				list = append(list, n.names[j])
				if op == "concat" {
					out[1] += s[1]
				}
			}
		}
		if len(list) == 1 {
			list = append(list, list[0])
			if op == "concat" {
				out[1] *= 2
			}
		}
		keys, source = "op: "+op, "["+strings.Join(list, ", ")+"]"
	}
	name := fmt.Sprintf("s%d", i)
	n.lines = append(n.lines, fmt.Sprintf("  - {name: %s, from: %s, %s}", name, source, keys))
	n.names, n.sizes = append(n.names, name), append(n.sizes, out)
}

// text returns the pipeline file, with a save section.
func (n *net) text(save ...string) string {
	return "version: 1\nsteps:\n" + strings.Join(n.lines, "\n") + "\nsave:\n" + "  " + strings.Join(save, "\n  ") + "\n"
}

// stepwise computes every step of a pipeline on its own, each into memory of its
// own, and returns all outputs by name.
func stepwise(t testing.TB, p *config.Pipeline, x *tensor.Tensor) map[string]*tensor.Tensor {
	t.Helper()
	made := map[string]*tensor.Tensor{config.InputName: x}
	for _, s := range p.Steps {
		var in []*tensor.Tensor
		for _, name := range s.From {
			in = append(in, made[name])
		}
		others, err := s.Op.Inputs(in[0].Spec)
		if err != nil {
			t.Fatal(err)
		}
		for _, o := range others {
			in = append(in, o.Make())
		}
		var specs []tensor.Spec
		for _, i := range in {
			specs = append(specs, i.Spec)
		}
		plan, err := s.Op.Plan(specs, ops.Want{})
		if err != nil {
			t.Fatal(err)
		}
		out, _, err := ops.Run(plan, 1, in...)
		if err != nil {
			t.Fatal(err)
		}
		made[s.Name] = out[0]
	}
	return made
}

// equal reports whether two float32 tensors are equal to the bit, NaN aside.
func equal(a, b *tensor.Tensor) bool {
	return a.Spec.Equal(b.Spec) && slices.Equal(tensor.Of[float32](a), tensor.Of[float32](b))
}

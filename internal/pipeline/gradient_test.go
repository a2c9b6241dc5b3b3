package pipeline_test

import (
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/poolctl/poolctl/internal/config"
	"github.com/poolctl/poolctl/internal/imgio"
	"github.com/poolctl/poolctl/internal/ops"
	"github.com/poolctl/poolctl/internal/pipeline"
	"github.com/poolctl/poolctl/internal/tensor"
)

// double returns a tensor of float64 numbers around 0.
func double(seed uint64, shape ...int) *tensor.Tensor {
	t, _ := tensor.Converted(noise(seed, shape...), tensor.Float64)
	return t
}

// dot returns the sum of products.
func dot(a, b *tensor.Tensor) float64 {
	sum := 0.0
	for i, v := range tensor.Of[float64](a) {
		sum += v * tensor.Of[float64](b)[i]
	}
	return sum
}

// moved returns x + h*v.
func moved(x, v *tensor.Tensor, h float64) *tensor.Tensor {
	y := tensor.New(x.Spec)
	for i := range tensor.Of[float64](y) {
		tensor.Of[float64](y)[i] = tensor.Of[float64](x)[i] + h*tensor.Of[float64](v)[i]
	}
	return y
}

// gradients compiles a pipeline backward.
func gradients(t testing.TB, p *config.Pipeline, spec tensor.Spec, adjust func(ops.Op) error) *pipeline.Graph {
	t.Helper()
	g, err := pipeline.CompileGradient(p, pipeline.NewWeights(imgio.Options{}), pipeline.Input{Spec: spec}, adjust)
	if err != nil {
		t.Fatal(err)
	}
	return g
}

// saved returns a runner's saved tensor of a step.
func saved(t testing.TB, r *pipeline.Runner, step, kind string) *tensor.Tensor {
	t.Helper()
	for _, s := range r.Graph().Saved {
		if s.Step == step && s.Kind == kind {
			return r.Tensor(s)
		}
	}
	t.Fatalf("%s: no %s", step, kind)
	return nil
}

// slope returns the derivative of f at 0 by central differences.
func slope(f func(h float64) float64) float64 {
	const h = 1e-6
	return (f(h) - f(-h)) / (2 * h)
}

// near reports whether a derivative agrees with central differences of numbers
// around loss. They are off by the rounding of loss (1e-16 of it) divided by h
// (1e-6).
func near(got, want, loss float64) bool {
	return math.Abs(got-want) <= 1e-6*(1+math.Abs(want))+1e-9*math.Abs(loss)
}

// TestGradientOfTheInputIsWhatDifferencesSay runs random networks with branches
// backward: the derivative of <dy, f(x)> in a random direction.
func TestGradientOfTheInputIsWhatDifferencesSay(t *testing.T) {
	for seed := range uint64(60) {
		n := randomNet(seed, 2+int(seed)%18)
		last := n.names[len(n.names)-1]
		p := parsed(t, n.text(last+": npy"))
		x, v := double(seed, 2, 9, 9, 3), double(seed+100, 2, 9, 9, 3)
		g := gradients(t, p, x.Spec, nil)
		dy := double(seed+200, g.Upstream().Shape...)
		r := ready(t, g, 2)
		for range 2 {
			if err := r.Run(x, dy); err != nil {
				t.Fatal(err)
			}
		}
		forward := ready(t, compiled(t, n.text(last+": npy"), x.Spec), 2)
		loss := func(h float64) float64 {
			if err := forward.Run(moved(x, v, h)); err != nil {
				t.Fatal(err)
			}
			return dot(dy, saved(t, forward, last, "npy"))
		}
		got, want := dot(saved(t, r, "input", "grad"), v), slope(loss)
		if !near(got, want, loss(0)) {
			t.Errorf("seed %d: got %g, want %g for\n%s", seed, got, want, n.text(last+": npy"))
		}
	}
}

// weighted is a network whose weights are files, with a branch.
const weighted = `
version: 1
steps:
  - {name: conv, op: conv2d, filter: filter.npy, bias: bias.npy, padding: SAME}
  - {name: norm, op: batch-norm, mean: mean.npy, variance: variance.npy, scale: scale.npy, offset: offset.npy}
  - {name: act, op: relu}
  - {name: pool, op: pool, type: max, window: 2}
  - {name: side, op: depthwise-conv2d, filter: side.npy, strides: 2, padding: SAME, from: act}
  - {name: mix, op: add, from: [pool, side, pool]}
  - {name: flat, op: flatten}
  - {name: fc, op: dense, filter: fc.npy, bias: fcbias.npy}
save:
  conv: grad
  norm: [grad, grad-heatmap]
  mix: grad
  side: grad
  fc: grad
`

// TestGradientsOfParametersAreWhatDifferencesSay moves each weight file in a
// random direction.
func TestGradientsOfParametersAreWhatDifferencesSay(t *testing.T) {
	files := map[string][]int{"filter": {3, 3, 2, 4}, "bias": {4}, "mean": {4}, "variance": {4}, "scale": {4}, "offset": {4},
		"side": {2, 2, 4, 1}, "fc": {3 * 3 * 4, 5}, "fcbias": {5}}
	folder := t.TempDir()
	weights := map[string]*tensor.Tensor{}
	write := func(name string, w *tensor.Tensor) {
		if _, err := imgio.WriteAll([]imgio.Output{{Name: filepath.Join(folder, name+".npy"), Tensor: w}}, imgio.WriteOptions{}); err != nil {
			t.Fatal(err)
		}
	}
	for name, shape := range files {
		weights[name] = double(uint64(len(name)), shape...)
		if name == "variance" {
			for i := range tensor.Of[float64](weights[name]) {
				tensor.Of[float64](weights[name])[i] = 1 + float64(i)
			}
		}
		write(name, weights[name])
	}
	file := filepath.Join(folder, "net.yaml")
	if err := os.WriteFile(file, []byte(weighted), 0o600); err != nil {
		t.Fatal(err)
	}
	p, err := config.ReadPipeline(file)
	if err != nil {
		t.Fatal(err)
	}
	x, dy := double(1, 2, 6, 6, 2), double(2, 2, 5)
	r := ready(t, gradients(t, p, x.Spec, nil), 2)
	if err := r.Run(x, dy); err != nil {
		t.Fatal(err)
	}
	loss := func() float64 { // with the files as they are now
		forward := *p
		forward.Save = nil
		g, err := pipeline.Compile(&forward, pipeline.NewWeights(imgio.Options{}), pipeline.Input{Spec: x.Spec})
		if err != nil {
			t.Fatal(err)
		}
		f := ready(t, g, 1)
		if err := f.Run(x); err != nil {
			t.Fatal(err)
		}
		return dot(dy, saved(t, f, "fc", "npy"))
	}
	for _, c := range []struct{ file, step, kind string }{
		{"filter", "conv", "filter-grad"}, {"bias", "conv", "bias-grad"}, {"scale", "norm", "scale-grad"}, {"offset", "norm", "offset-grad"},
		{"side", "side", "filter-grad"}, {"fc", "fc", "filter-grad"}, {"fcbias", "fc", "bias-grad"},
	} {
		w, v := weights[c.file], double(9, files[c.file]...)
		want := slope(func(h float64) float64 {
			write(c.file, moved(w, v, h))
			return loss()
		})
		write(c.file, w)
		if got := dot(saved(t, r, c.step, c.kind), v); !near(got, want, loss()) {
			t.Errorf("%s %s: got %g, want %g", c.step, c.kind, got, want)
		}
	}
	// The gradients of outputs, by the steps that are linear around them.
	mix, fc := saved(t, r, "mix", "grad"), saved(t, r, "fc", "grad")
	if got, want := dot(fc, fc), dot(dy, dy); got != want {
		t.Errorf("the last step's gradient has square %g, the upstream gradient %g", got, want)
	}
	if side := saved(t, r, "side", "grad"); dot(side, side) != dot(mix, mix) {
		t.Error("the gradient of an addend is not that of the sum")
	}
	if got, want := len(r.Graph().Saved), 14; got != want {
		t.Errorf("%d gradients are saved, want %d", got, want)
	}
}

// TestReluMayBeGuided: with guided ReLU only gradients greater than 0 flow
// back.
func TestReluMayBeGuided(t *testing.T) {
	p := parsed(t, "version: 1\nsteps:\n  - {name: act, op: relu}\n")
	x := tensor.From([]float64{1, 1, -1, -1}, 1, 2, 2, 1)
	dy := tensor.From([]float64{3, -3, 3, -3}, 1, 2, 2, 1)
	for rule, want := range map[string]string{"plain": "[3 -3 0 0]", "guided": "[3 0 0 0]"} {
		g := gradients(t, p, x.Spec, func(op ops.Op) error {
			return ops.SetParam(op.(ops.Differentiable).GradParams(), "relu-gradient", rule)
		})
		r := ready(t, g, 1)
		if err := r.Run(x, dy); err != nil {
			t.Fatal(err)
		}
		if got := fmt.Sprint(saved(t, r, "input", "grad").Data); got != want {
			t.Errorf("%s: got %s, want %s", rule, got, want)
		}
	}
}

// TestGradientsDoNotDependOnThreads also checks that a run does not allocate.
func TestGradientsDoNotDependOnThreads(t *testing.T) {
	n := randomNet(5, 14)
	last := n.names[len(n.names)-1]
	p := parsed(t, n.text(last+": grad"))
	x := noise(5, 2, 9, 9, 3)
	var first *tensor.Tensor
	for _, threads := range []int{1, 2, 5} {
		g := gradients(t, p, x.Spec, nil)
		dy := noise(6, g.Upstream().Shape...)
		r := ready(t, g, threads)
		if err := r.Run(x, dy); err != nil {
			t.Fatal(err)
		}
		dx := saved(t, r, "input", "grad")
		if first == nil {
			first = dx
		} else if !equal(first, dx) {
			t.Errorf("%d threads give another gradient than 1", threads)
		}
		if threads < 5 {
			if got := testing.AllocsPerRun(10, func() { _ = r.Run(x, dy) }); got != 0 {
				t.Errorf("a run makes %g allocations, want 0", got)
			}
		}
	}
}

// TestGradientsThatDoNotExistAreRefused: a step that the last step does not
// depend on has no gradient.
func TestGradientsThatDoNotExistAreRefused(t *testing.T) {
	p := parsed(t, `
version: 1
steps:
  - {name: a, op: relu}
  - {name: b, op: relu, from: input}
save:
  a: [npy, grad]
`)
	spec := tensor.Spec{DType: tensor.Float32, Shape: tensor.Shape{1, 2, 2, 1}}
	_, err := pipeline.CompileGradient(p, pipeline.NewWeights(imgio.Options{}), pipeline.Input{Spec: spec}, nil)
	if err == nil || !strings.Contains(err.Error(), "net.yaml:7:6: a: got grad, but the last step does not depend on it") {
		t.Errorf("got %v", err)
	}
}

// TestOnlyWhatGradientsReadRunsForward: the gradient of a linear step does not
// need its input, so steps before a chain of them need not run. The gradient of
// a filter does need it.
func TestOnlyWhatGradientsReadRunsForward(t *testing.T) {
	const net = `
version: 1
steps:
  - {name: act, op: tanh}
  - {name: conv, op: conv2d, filter: "normal:3x3x1x4:1"}
  - {name: pool, op: pool, type: avg, window: 2}
  - {name: flat, op: flatten}
  - {name: fc, op: dense, filter: "normal:16x3:2"}
save:
`
	spec := tensor.Spec{DType: tensor.Float32, Shape: tensor.Shape{1, 6, 6, 1}}
	for save, want := range map[string]string{"  act: grad\n": "[]", "  fc: grad\n": "[act conv pool flat]", "  conv: grad\n": "[act]"} {
		g := gradients(t, parsed(t, net+save), spec, nil)
		names := []string{}
		for _, n := range g.Nodes {
			if n.Runs {
				names = append(names, n.Step.Name)
			}
		}
		if got := fmt.Sprint(names); got != want {
			t.Errorf("with %q forward run %s, want %s", save, got, want)
		}
	}
}

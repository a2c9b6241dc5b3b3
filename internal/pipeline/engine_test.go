package pipeline_test

import (
	"testing"

	"github.com/poolctl/poolctl/internal/imgio"
	"github.com/poolctl/poolctl/internal/pipeline"
	"github.com/poolctl/poolctl/internal/tensor"
)

// TestAnEngineKeepsItsRunners: the runner of a graph is made once, while no more
// graphs than an engine keeps are run in turn.
func TestAnEngineKeepsItsRunners(t *testing.T) {
	p := parsed(t, "version: 1\nsteps:\n  - {name: a, op: pool, type: max, window: 2}\n")
	w := pipeline.NewWeights(imgio.Options{})
	e := pipeline.NewEngine(1)
	defer e.Close()
	var graphs []*pipeline.Graph
	for size := 27; size > 20; size-- { // the largest first: its arena does for all
		g, err := pipeline.Compile(p, w, pipeline.Input{Spec: tensor.Spec{DType: tensor.Float32, Shape: tensor.Shape{1, size, size, 3}}})
		if err != nil {
			t.Fatal(err)
		}
		graphs = append(graphs, g)
	}
	made := map[*pipeline.Graph]*pipeline.Runner{}
	for turn := range 3 {
		for _, g := range graphs {
			r, err := e.Runner(g)
			if err != nil {
				t.Fatal(err)
			}
			if turn > 0 && r != made[g] {
				t.Errorf("turn %d: the runner for %s was made again", turn, g.Input.Spec)
			}
			made[g] = r
		}
	}
}

// TestInputsOfManyShapesShareOneEngine runs inputs of more shapes than a cache
// and an engine keep, again and again, from the smallest to the largest and
// back: results are those of every step on its own, and graphs that are kept
// are not compiled again.
func TestInputsOfManyShapesShareOneEngine(t *testing.T) {
	n := randomNet(11, 8)
	last := n.names[len(n.names)-1]
	p := parsed(t, n.text(last+": npy"))
	w := pipeline.NewWeights(imgio.Options{})
	compiled := 0
	cache := pipeline.NewCache(func(in pipeline.Input) (*pipeline.Graph, error) {
		compiled++
		return pipeline.Compile(p, w, in)
	})
	e := pipeline.NewEngine(2)
	defer e.Close()
	run := func(size int) {
		x := noise(uint64(size), 1, size, size, 3)
		g, err := cache.Graph(pipeline.Input{Spec: x.Spec})
		if err != nil {
			t.Fatal(err)
		}
		r, err := e.Runner(g)
		if err != nil {
			t.Fatal(err)
		}
		if err := r.Run(x); err != nil {
			t.Fatal(err)
		}
		if !equal(r.Tensor(g.Saved[0]), stepwise(t, p, x)[last]) {
			t.Errorf("size %d differs from the steps on their own", size)
		}
	}
	for size := 4; size < 16; size++ {
		run(size)
	}
	for size := 15; size >= 4; size-- {
		run(size)
	}
	if want := 12 + 4; compiled != want { // 15 down to 8 are still kept
		t.Errorf("graphs were compiled %d times, want %d", compiled, want)
	}
	before := compiled
	for range 3 {
		run(4)
		run(5)
	}
	if compiled != before {
		t.Errorf("graphs that are kept were compiled again")
	}
	if _, err := cache.Graph(pipeline.Input{Spec: tensor.Spec{DType: tensor.Float32, Shape: tensor.Shape{1, 4, 4, 2}}}); err == nil {
		t.Error("an input of 2 channels was accepted, want the filter's fault")
	}
}

package pipeline_test

import (
	"math/rand/v2"
	"testing"

	"github.com/poolctl/poolctl/internal/tensor"
)

// TestTensorsThatLiveNeverShareMemory runs random networks, saving some of
// their steps: the results in the arena equal, to the bit, those of every step
// computed alone in its own memory. Saving decides how long tensors live, so
// each network is laid out in several ways.
func TestTensorsThatLiveNeverShareMemory(t *testing.T) {
	smaller := 0
	for seed := range uint64(60) {
		random := rand.New(rand.NewPCG(seed, 3))
		n := randomNet(seed, 2+random.IntN(18))
		x := noise(seed, 2, 9, 9, 3)
		want := stepwise(t, parsed(t, n.text("s0: npy")), x)
		for range 4 {
			var save []string
			for _, i := range random.Perm(len(n.lines))[:1+random.IntN(min(3, len(n.lines)))] {
				save = append(save, n.names[i+1]+": npy")
			}
			g := compiled(t, n.text(save...), x.Spec)
			r := ready(t, g, 1+random.IntN(3))
			for range 2 { // leftovers of the first run must not matter
				if err := r.Run(x); err != nil {
					t.Fatal(err)
				}
			}
			for _, s := range g.Saved {
				if !equal(r.Tensor(s), want[s.Step]) {
					t.Fatalf("seed %d: %s differs from the step on its own in\n%s", seed, s.Step, n.text(save...))
				}
			}
			separate := 0
			for _, node := range g.Nodes {
				if node.Runs {
					separate += 8 * (tensor.Words(node.Plan.Outputs[0].Spec) + node.Plan.TemporaryWords())
				}
			}
			if got := g.Memory(1).Arena; got > separate {
				t.Fatalf("seed %d: the arena has %d bytes, separate tensors %d", seed, got, separate)
			} else if got < separate {
				smaller++
			}
		}
	}
	if smaller < 120 { // where most steps are saved there is nothing to share
		t.Errorf("%d of 240 arenas are smaller than separate tensors, want most", smaller)
	}
}

// TestRunsDoNotAllocate checks that a runner that has run once allocates
// nothing.
func TestRunsDoNotAllocate(t *testing.T) {
	n := randomNet(7, 16)
	x := noise(7, 2, 9, 9, 3)
	r := ready(t, compiled(t, n.text("s15: npy", "s3: npy"), x.Spec), 2)
	if err := r.Run(x); err != nil {
		t.Fatal(err)
	}
	if got := testing.AllocsPerRun(20, func() { _ = r.Run(x) }); got != 0 {
		t.Errorf("a run makes %g allocations, want 0", got)
	}
}

// TestStepsThatNothingNeedsDoNotRun: only saved tensors, and the steps that
// they depend on, are computed.
func TestStepsThatNothingNeedsDoNotRun(t *testing.T) {
	g := compiled(t, `
version: 1
steps:
  - {name: a, op: relu}
  - {name: b, op: tanh}
  - {name: c, op: sigmoid, from: a}
save:
  c: npy
`, tensor.Spec{DType: tensor.Float32, Shape: tensor.Shape{1, 4, 4, 1}})
	for i, want := range []bool{true, false, true} {
		if got := g.Nodes[i].Runs; got != want {
			t.Errorf("%s runs: %t, want %t", g.Nodes[i].Step.Name, got, want)
		}
	}
}

package ops

import (
	"testing"

	"github.com/poolctl/poolctl/internal/tensor"
)

// Runners that share a team and memory for their temporaries compute what each
// computes alone, in turn, and a run allocates nothing.
func TestRunnersShareATeam(t *testing.T) {
	pool := func(kind string, d tensor.DType) (*Plan, *tensor.Tensor) {
		op := poolSpec.New()
		for name, value := range map[string]string{"type": kind, "window": "3", "strides": "2", "padding": "SAME"} {
			if err := Set(op, name, value); err != nil {
				t.Fatal(err)
			}
		}
		spec := tensor.Spec{DType: d, Shape: tensor.Shape{2, 40, 41, 3}}
		plan, err := op.Plan([]tensor.Spec{spec}, Want{})
		if err != nil {
			t.Fatal(err)
		}
		data := make([]float64, 2*40*41*3)
		for i := range data {
			data[i] = float64(i * i % 251)
		}
		x, _ := tensor.Converted(tensor.From(data, spec.Shape...), d)
		return plan, x
	}
	team := NewTeam(2)
	defer team.Close()
	memory := make([]uint64, 0)
	type one struct {
		runner    *Runner
		in, out   []*tensor.Tensor
		reference *tensor.Tensor
	}
	var all []one
	for _, kind := range []string{"max", "avg"} {
		for _, d := range []tensor.DType{tensor.Float16, tensor.Float32, tensor.Uint8} {
			plan, x := pool(kind, d)
			if need := plan.TemporaryWords(); need > len(memory) {
				memory = make([]uint64, need)
			}
			reference, _, err := Run(plan, 1, x)
			if err != nil {
				t.Fatal(err)
			}
			all = append(all, one{NewRunnerOn(team, plan, memory), []*tensor.Tensor{x}, []*tensor.Tensor{tensor.New(plan.Outputs[0].Spec)}, reference[0]})
		}
	}
	if len(memory) == 0 {
		t.Fatal("no plan has temporaries")
	}
	for round := range 3 {
		for i, o := range all {
			if err := o.runner.Run(o.in, o.out); err != nil {
				t.Fatal(err)
			}
			for at := range o.reference.Len() {
				if got, want := o.out[0].At(at), o.reference.At(at); got != want {
					t.Fatalf("round %d, runner %d: element %d is %v, want %v", round, i, at, got, want)
				}
			}
		}
	}
	for i, o := range all {
		if n := testing.AllocsPerRun(20, func() { _ = o.runner.Run(o.in, o.out) }); n >= 1 {
			t.Errorf("runner %d: a run allocates %v times", i, n)
		}
		o.runner.Close()
	}
	team.Do(8, 1, func(int, int, int) {}) // the team outlives its runners
}

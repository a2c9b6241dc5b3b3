package ops_test

import (
	"testing"

	"github.com/poolctl/poolctl/internal/ops"
	"github.com/poolctl/poolctl/internal/tensor"
)

// TestWhatIsMadeOfFixedInputsIsMadeOnce: a fixed plan gives in every run what
// the plan gives, its filter and bias are looked at in the first run only, and
// between runs its temporaries are anyone's.
func TestWhatIsMadeOfFixedInputsIsMadeOnce(t *testing.T) {
	for name, filter := range map[string]tensor.Shape{"conv2d": {3, 3, 4, 5}, "depthwise-conv2d": {3, 3, 4, 2}, "dense": {4, 5}, "batch-norm": nil, "bias-add": nil} {
		for _, dtype := range []tensor.DType{tensor.Float32, tensor.Float64, tensor.Float16, tensor.BFloat16} { // the weights' type
			spec, err := ops.Lookup(name)
			if err != nil {
				t.Fatal(err)
			}
			op := spec.New()
			in := []*tensor.Tensor{of(tensor.Float32, 1, 2, 6, 6, 4)}
			add := func(param string, seed int, shape ...int) {
				if err := ops.Set(op, param, param+".npy"); err != nil {
					t.Fatal(err)
				}
				in = append(in, of(dtype, seed, shape...))
			}
			switch {
			case filter != nil:
				add("filter", 2, filter...)
			case name == "bias-add":
				add("bias", 2, 4)
			default:
				for i, param := range []string{"mean", "variance", "scale", "offset"} {
					add(param, 2+i, 4)
				}
			}
			var specs []tensor.Spec
			var fixed []int
			for i, x := range in {
				specs = append(specs, x.Spec)
				if i > 0 {
					fixed = append(fixed, i)
				}
			}
			plan, err := op.Plan(specs, ops.Want{})
			if err != nil {
				t.Fatal(err)
			}
			once := plan.Fix(fixed...)
			if len(once.Once) == 0 || once.KeptWords() == 0 || once.TemporaryWords()+once.KeptWords() != plan.TemporaryWords() {
				t.Errorf("%s with %s: %d stages run once, %d words are kept of %d", name, dtype, len(once.Once), once.KeptWords(), plan.TemporaryWords())
			}
			team := ops.NewTeam(2)
			memory := make([]uint64, once.TemporaryWords())
			r := ops.NewRunnerOn(team, once, memory)
			out := []*tensor.Tensor{tensor.New(plan.Outputs[0].Spec)}
			for seed := range 3 {
				in[0] = of(tensor.Float32, seed, 2, 6, 6, 4)
				want, _, err := ops.Run(plan, 1, in...)
				if err != nil {
					t.Fatal(err)
				}
				given := append([]*tensor.Tensor{}, in...)
				if seed > 0 {
					for _, i := range fixed {
						given[i] = tensor.New(specs[i]) // zeros: not looked at
					}
				}
				if err := r.Run(given, out); err != nil {
					t.Fatal(err)
				}
				for i := range want[0].Len() {
					if want[0].At(i) != out[0].At(i) {
						t.Fatalf("%s with %s: run %d differs at %d: %g, want %g", name, dtype, seed, i, out[0].At(i), want[0].At(i))
					}
				}
				for i := range memory {
					memory[i] = 0x7ff8000000000000 // NaN
				}
			}
			team.Close()
		}
	}
}

// of returns a tensor of small numbers, all greater than 0.
func of(d tensor.DType, seed int, shape ...int) *tensor.Tensor {
	wide := tensor.New(tensor.Spec{DType: tensor.Float64, Shape: shape})
	for i := range tensor.Of[float64](wide) {
		tensor.Of[float64](wide)[i] = float64((i*7+seed*13)%29+1) / 16
	}
	t, _ := tensor.Converted(wide, d)
	return t
}

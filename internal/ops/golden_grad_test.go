package ops_test

import (
	"slices"
	"testing"

	"github.com/poolctl/poolctl/internal/ops"
	"github.com/poolctl/poolctl/internal/tensor"
	"github.com/poolctl/poolctl/internal/testutil"
)

// TestGoldenGradients holds every gradient to what TensorFlow's GradientTape,
// PyTorch's autograd and the raw gradient operations computed (tools/golden).
func TestGoldenGradients(t *testing.T) {
	total := 0
	for _, family := range testutil.Families(t, "testdata/golden/grad") {
		t.Run(family.Name, func(t *testing.T) {
			for _, c := range family.Cases {
				total++
				if err := checkGoldenGradient(family, c); err != "" {
					t.Errorf("%s (%s): %s", c.Name, c.Oracle, err)
				}
			}
		})
	}
	if total < 2200 {
		t.Errorf("only %d golden cases, want at least 2200", total)
	}
}

func checkGoldenGradient(family testutil.Family, c testutil.Case) string {
	spec, err := ops.Lookup(c.Op)
	if err != nil {
		return err.Error()
	}
	op := spec.New().(ops.Differentiable)
	params := append(op.Params(), op.GradParams()...)
	set := func(name, text string) error { return ops.SetParam(params, name, text) }
	for name, text := range c.Params {
		if err := set(name, text); err != nil {
			return err.Error()
		}
	}
	in := mainInputs(family, c)
	for _, name := range slices.Concat(secondary, []string{"upstream", "second", "from-argmax"}) {
		key, given := c.In[name]
		switch {
		case name == "upstream" && !given && c.In["second"] == "":
			ones, err := onesLikeOutput(op, in)
			if err != nil {
				return err.Error()
			}
			in = append(in, ones)
		case given:
			in = append(in, family.Arrays[key])
			if name == "upstream" {
				continue
			}
			if err := set(name, name+".npy"); err != nil {
				return err.Error()
			}
		}
	}
	var specs []tensor.Spec
	for _, x := range in {
		specs = append(specs, x.Spec)
	}
	want := ops.WantGrad{Input: true}
	for _, name := range ops.Gradients(op) {
		_, *want.Of(name) = c.Out["d"+name]
	}
	plan, err := op.PlanGrad(specs, want)
	if err != nil {
		return err.Error()
	}
	for _, threads := range []int{1, 3} {
		out, _, err := ops.Run(plan, threads, in...)
		if err != nil {
			return err.Error()
		}
		compared := 0
		for i, o := range plan.Outputs {
			key, ok := c.Out[o.Name]
			if !ok {
				continue
			}
			compared++
			if err := testutil.Equal(out[i], family.Arrays[key], c.Tolerance); err != nil {
				return o.Name + " (" + plan.Geometry.String() + ", " + plan.Impl + "): " + err.Error()
			}
		}
		if compared != len(c.Out) {
			return "the plan lacks an output that the golden data has"
		}
	}
	return ""
}

// onesLikeOutput returns ones in the shape of the operation's output.
func onesLikeOutput(op ops.Op, in []*tensor.Tensor) (*tensor.Tensor, error) {
	var specs []tensor.Spec
	for _, x := range in {
		specs = append(specs, x.Spec)
	}
	plan, err := op.Plan(specs, ops.Want{})
	if err != nil {
		return nil, err
	}
	ones := tensor.New(tensor.Spec{DType: tensor.Float64, Shape: plan.Outputs[0].Shape})
	data := tensor.Of[float64](ones)
	for i := range data {
		data[i] = 1
	}
	return ones, nil
}

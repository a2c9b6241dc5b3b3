package ops_test

import (
	"strconv"
	"strings"
	"testing"

	"github.com/poolctl/poolctl/internal/ops"
	"github.com/poolctl/poolctl/internal/tensor"
	"github.com/poolctl/poolctl/internal/testutil"
)

// secondary are the inputs beside the main ones, in the order in which plans
// take them.
var secondary = []string{"filter", "bias", "mean", "variance", "scale", "offset", "argmax"}

// mainInputs returns the main inputs of a case: x, and x1, x2, … of operations
// that take several.
func mainInputs(family testutil.Family, c testutil.Case) []*tensor.Tensor {
	in := []*tensor.Tensor{family.Arrays[c.In["x"]]}
	for {
		key, ok := c.In["x"+strconv.Itoa(len(in))]
		if !ok {
			return in
		}
		in = append(in, family.Arrays[key])
	}
}

// TestGolden holds every operation to what TensorFlow, PyTorch and ONNX Runtime
// computed (tools/golden), on one thread and on three.
func TestGolden(t *testing.T) {
	total, winograds := 0, 0
	for _, family := range testutil.Families(t, "testdata/golden") {
		t.Run(family.Name, func(t *testing.T) {
			for _, c := range family.Cases {
				total++
				if err := checkGolden(t, family, c, &winograds); err != "" {
					t.Errorf("%s (%s): %s", c.Name, c.Oracle, err)
				}
			}
		})
	}
	if total < 3000 {
		t.Errorf("only %d golden cases, want at least 3000", total)
	}
	if winograds < 50 {
		t.Errorf("Winograd's algorithms computed %d of them, want at least 50", winograds)
	}
}

// winogradErrors is how many times as far from the exact result Winograd's
// algorithms may be as the others: see docs/semantics.md.
const winogradErrors = 3

func isWinograd(impl string) bool { return strings.HasPrefix(impl, "Winograd") }

func allFinite(list []*tensor.Tensor) bool {
	for _, x := range list {
		for i := range x.Len() {
			if v := x.At(i); v-v != 0 {
				return false
			}
		}
	}
	return true
}

// checkGolden says what is wrong with a case, and counts the outputs that
// Winograd's algorithms computed.
func checkGolden(t *testing.T, family testutil.Family, c testutil.Case, winograds *int) string {
	t.Helper()
	spec, err := ops.Lookup(c.Op)
	if err != nil {
		return err.Error()
	}
	op := spec.New()
	for name, text := range c.Params {
		if err := ops.Set(op, name, text); err != nil {
			return err.Error()
		}
	}
	in := mainInputs(family, c)
	for _, name := range secondary {
		if key, ok := c.In[name]; ok {
			in = append(in, family.Arrays[key])
			if err := ops.Set(op, name, name+".npy"); err != nil {
				return err.Error()
			}
		}
	}
	var specs []tensor.Spec
	for _, x := range in {
		specs = append(specs, x.Spec)
	}
	_, argmax := c.Out["argmax"]
	plan, err := op.Plan(specs, ops.Want{Argmax: argmax})
	if err != nil {
		return err.Error()
	}
	plans := []*ops.Plan{plan, plan}
	for _, impl := range plan.Impls {
		if impl == plan.Impl || isWinograd(impl) && !allFinite(in) { // it spreads what is not
			continue
		}
		other, err := op.Plan(specs, ops.Want{Argmax: argmax, Impl: impl})
		if err != nil {
			return err.Error()
		}
		plans = append(plans, other)
	}
	for i, plan := range plans {
		out, _, err := ops.Run(plan, []int{1, 3}[i%2], in...)
		if err != nil {
			return err.Error()
		}
		for i, o := range plan.Outputs {
			tolerance := c.Tolerance
			switch {
			case o.Name == "argmax":
				tolerance = 0
			case isWinograd(plan.Impl):
				tolerance *= winogradErrors
				*winograds++
			}
			if key, ok := c.Out[o.Name]; ok {
				if err := testutil.Equal(out[i], family.Arrays[key], tolerance); err != nil {
					return o.Name + " (" + plan.Geometry.String() + ", " + plan.Impl + "): " + err.Error()
				}
			}
		}
	}
	for i, s := range plan.Sequences {
		key, ok := c.Out["sequence"+string(rune('0'+i))]
		if !ok {
			continue
		}
		want := family.Arrays[key]
		if want.Len() != len(s) {
			return "sequence of another length"
		}
		for j, v := range s {
			if float64(v) != want.At(j) {
				return "sequence " + string(rune('0'+i)) + ": got " + tensor.Join(s, ",")
			}
		}
	}
	return ""
}

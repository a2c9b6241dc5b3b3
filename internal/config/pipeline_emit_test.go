package config_test

import (
	"testing"

	"github.com/poolctl/poolctl/internal/config"
	"github.com/poolctl/poolctl/internal/ops"
)

// candidates are values by kind, as flags have them.
var candidates = map[string][]string{
	"bool":    {"true", "false"},
	"int":     {"1", "2", "-3"},
	"count":   {"0", "7"},
	"axis":    {"0", "-1"},
	"number":  {"0.5", "3", "1e-07", "inf"},
	"real":    {"0", "-1.5", "1e+20"},
	"ints":    {"2", "2,3", "1,2,3"},
	"numbers": {"1.5", "1.44,1.73"},
	"shape":   {"6,6", "1,8,8,1"},
	"window":  {"3", "2,3", "global"},
	"padding": {"SAME", "VALID", "SAME_LOWER", "0:1", "1:0,0:1"},
	"pairs":   {"1:2", "0:0,1:2,3:4,0:1"},
	"tensor":  {"w.npy", "box:3", "he-normal:3x3x1x2:7", "model.onnx#conv1.weight", `a "b" # c`, "1e3", "null", "gewichte/ä.npy"},
}

// bases are values of the other parameters, so that each parameter of an
// operation goes with those of one base at least.
var bases = map[string][]map[string]string{
	"pool": {
		{"type": "max", "window": "2"}, {"type": "avg", "window": "2"}, {"type": "lp", "window": "2"}, {"type": "avg", "output-size": "2"},
		{"type": "max", "fractional": "1.5", "seed": "1"},
	},
	"unpool":     {{"argmax": "a.npy", "output-shape": "1,8,8,1"}},
	"bias-add":   {{"bias": "b.npy"}},
	"batch-norm": {{"mean": "m.npy", "variance": "v.npy"}},
	"pad":        {{"paddings": "1:1"}},
	"dense":      {{"filter": "w.npy"}},
	"":           {{"filter": "w.npy"}, {"filter": "box:3"}}, // all others
}

// operations returns an operation with one parameter set to a value, for each
// base that it goes with.
func operations(t *testing.T, spec ops.Spec, name, value string) []ops.Op {
	t.Helper()
	list := bases[spec.Name]
	if list == nil {
		list = bases[""]
	}
	var accepted []ops.Op
	for _, base := range list {
		op := spec.New()
		for key, text := range base {
			if err := ops.Set(op, key, text); err != nil && list[0]["filter"] == "" {
				t.Fatal(err)
			}
		}
		if ops.SetParam(config.StepParams(op), name, value) == nil && op.Check() == nil {
			accepted = append(accepted, op)
		}
	}
	return accepted
}

// TestEveryOperationIsAPipelineOfOneStep gives each parameter of each operation
// values of its kind: whatever the operation accepts reads back from the file
// as equal parameters.
func TestEveryOperationIsAPipelineOfOneStep(t *testing.T) {
	schema := compiledSchema(t)
	for _, spec := range ops.Table {
		for _, p := range config.StepParams(spec.New()) {
			values := candidates[p.Kind.Name]
			if len(p.Choices) > 0 {
				values = p.Choices
			}
			tried := 0
			for _, value := range values {
				for _, op := range operations(t, spec, p.Name, value) {
					tried++
					text, err := config.OneStep(spec, op, 2, []string{"npy"})
					if err != nil {
						t.Fatal(err)
					}
					back, err := config.ParsePipeline("one.yaml", []byte(text))
					if err != nil {
						t.Errorf("%s: %s=%s: %v in\n%s", spec.Name, p.Name, value, err, text)
						continue
					}
					if err := schema.Validate(asJSON(t, text)); err != nil {
						t.Errorf("%s: %s=%s: the schema refuses\n%s%v", spec.Name, p.Name, value, text, err)
					}
					want := config.StepParams(op)
					for j, q := range config.StepParams(back.Steps[0].Op) {
						if q.String() != want[j].String() {
							t.Errorf("%s: %s=%s: %s reads back as %q, want %q, from\n%s", spec.Name, p.Name, value, q.Name, q, want[j], text)
						}
					}
				}
			}
			if tried == 0 {
				t.Errorf("%s: %s: none of %q is accepted: extend candidates or bases", spec.Name, p.Name, values)
			}
		}
	}
}

// TestAPipelineReadsNoStandardInput: what comes from a pipe has no name that a
// file could have.
func TestAPipelineReadsNoStandardInput(t *testing.T) {
	spec, err := ops.Lookup("conv2d")
	if err != nil {
		t.Fatal(err)
	}
	op := spec.New()
	if err := ops.Set(op, "filter", "-"); err != nil {
		t.Fatal(err)
	}
	_, err = config.OneStep(spec, op, 1, []string{"npy"})
	if want := "conv2d: filter: got -, want a file: a pipeline does not read standard input"; err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
}

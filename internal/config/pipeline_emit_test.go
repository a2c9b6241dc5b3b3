package config_test

import (
	"strings"
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
	"signed":  {"0", "-2", "3,-1"},
	"numbers": {"1.5", "1.44,1.73"},
	"shape":   {"6,6", "1,8,8,1"},
	"window":  {"3", "2,3", "global"},
	"padding": {"SAME", "VALID", "SAME_LOWER", "0:1", "1:0,0:1"},
	"pairs":   {"1:2", "0:0,1:2,3:4,0:1", "-1:2,0:-3"},
	"tensor":  {"w.npy", "box:3", "he-normal:3x3x1x2:7", "model.onnx#conv1.weight", `a "b" # c`, "1e3", "null", "gewichte/ä.npy"},
}

// bases are values of the other parameters for operations whose examples do not
// reach every parameter.
var bases = map[string][]map[string]string{
	"pool": {
		{"type": "avg", "window": "2"}, {"type": "lp", "window": "2"}, {"type": "avg", "output-size": "2"},
		{"type": "max", "fractional": "1.5", "seed": "1"},
	},
	"unpool": {{"argmax": "a.npy", "output-shape": "1,8,8,1"}},
}

// examples are the parameters of an operation's examples.
func examples(spec ops.Spec) []map[string]string {
	var list []map[string]string
	for _, e := range spec.Examples {
		base := map[string]string{}
		words := strings.Fields(e.Command)
		for i, word := range words {
			name, isFlag := strings.CutPrefix(word, "--")
			switch {
			case !isFlag:
			case i+1 == len(words) || strings.HasPrefix(words[i+1], "-"):
				base[name] = "true"
			default:
				base[name] = words[i+1]
			}
		}
		list = append(list, base)
	}
	return list
}

// operations returns an operation with one parameter set to a value, beside those
// of each base and each example that it goes with.
func operations(spec ops.Spec, name, value string) []ops.Op {
	var accepted []ops.Op
	for _, base := range append(bases[spec.Name], examples(spec)...) {
		op := spec.New()
		for key, text := range base {
			_ = ops.Set(op, key, text) // an example may also name outputs
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
				for _, op := range operations(spec, p.Name, value) {
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
				t.Errorf("%s: %s: none of %q is accepted beside its examples: extend candidates, bases or the examples", spec.Name, p.Name, values)
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

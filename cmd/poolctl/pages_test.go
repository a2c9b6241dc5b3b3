package main

import (
	"encoding/json"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
	yaml "go.yaml.in/yaml/v4"
)

// TestReferencePages compares docs/ops with the pages that the program writes.
func TestReferencePages(t *testing.T) {
	const committed = "../../docs/ops"
	fresh := t.TempDir()
	succeed(t, fresh, "docs", fresh)
	got, want := tree(t, committed), tree(t, fresh)
	for name, text := range want {
		if got[name] != text {
			t.Errorf("%s: missing or stale, `go generate ./...` writes it", filepath.Join(committed, name))
		}
	}
	for name := range got {
		if _, ok := want[name]; !ok {
			t.Errorf("%s: written by nothing, remove it", filepath.Join(committed, name))
		}
	}
}

// tree reads every file of a folder.
func tree(t *testing.T, folder string) map[string]string {
	t.Helper()
	files := map[string]string{}
	err := filepath.WalkDir(folder, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		text, err := os.ReadFile(path)
		name, _ := filepath.Rel(folder, path)
		files[name] = string(text)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}

// TestPipelineSchema validates pipeline files with the schema that
// `poolctl ops schema` prints.
func TestPipelineSchema(t *testing.T) {
	document, err := jsonschema.UnmarshalJSON(strings.NewReader(succeed(t, t.TempDir(), "ops", "schema")))
	if err != nil {
		t.Fatal(err)
	}
	compiler := jsonschema.NewCompiler()
	if err := compiler.AddResource("pipeline.json", document); err != nil {
		t.Fatal(err)
	}
	schema, err := compiler.Compile("pipeline.json")
	if err != nil {
		t.Fatal(err)
	}
	const steps = "version: 1\nsteps:\n"
	for name, c := range map[string]struct {
		text  string
		valid bool
	}{
		"conv and pool": {steps + `
  - {name: conv1, op: conv2d, filter: weights/conv1.npy, bias: weights/b1.npy, strides: [1, 1], padding: SAME}
  - {name: pool1, op: pool, type: max, window: [2, 2], strides: [2, 2], padding: SAME}
save:
  pool1: [npy, png, argmax]
`, true},
		"every form of a list":  {steps + "  - {name: p, op: pool, type: avg, window: 2x2, strides: 2, padding: [[0, 1], [1, 0]], ceil-mode: true}\n", true},
		"global window":         {steps + "  - {name: p, op: pool, type: avg, window: global}\n", true},
		"pairs as text":         {steps + "  - {name: p, op: pool, type: lp, p: 1.5, window: 3, padding: '1:1'}\n", true},
		"fractional":            {steps + "  - {name: p, op: pool, type: max, fractional: [1.44, 1.73], seed: 1}\n", true},
		"an earlier step":       {steps + "  - {name: a, op: pool, type: max, window: 2}\n  - {name: b, op: pool, from: a, type: max, window: 2}\n", true},
		"unpool":                {steps + "  - {name: u, op: unpool, argmax: at.npy, output-shape: [1, 6, 6, 1]}\n", true},
		"no version":            {"steps:\n  - {name: p, op: pool, type: max, window: 2}\n", false},
		"another version":       {"version: 2\nsteps:\n  - {name: p, op: pool, type: max, window: 2}\n", false},
		"no steps":              {"version: 1\n", false},
		"empty steps":           {"version: 1\nsteps: []\n", false},
		"unknown operation":     {steps + "  - {name: p, op: pol, type: max, window: 2}\n", false},
		"unknown key":           {steps + "  - {name: p, op: pool, type: max, windw: 2}\n", false},
		"unknown key above":     {"version: 1\nstep: 1\nsteps:\n  - {name: p, op: pool, type: max, window: 2}\n", false},
		"unknown type":          {steps + "  - {name: p, op: pool, type: mode, window: 2}\n", false},
		"median":                {steps + "  - {name: p, op: pool, type: median, window: 2}\n", true},
		"no name":               {steps + "  - {op: pool, type: max, window: 2}\n", false},
		"a name that is a path": {steps + "  - {name: ../p, op: pool, type: max, window: 2}\n", false},
		"a window of 2.5":       {steps + "  - {name: p, op: pool, type: max, window: 2.5}\n", false},
		"a window of true":      {steps + "  - {name: p, op: pool, type: max, window: true}\n", false},
		"four dimensions":       {steps + "  - {name: p, op: pool, type: max, window: [1, 2, 2, 1]}\n", false},
		"no filter":             {steps + "  - {name: c, op: conv2d}\n", false},
		"padding of one number": {steps + "  - {name: p, op: pool, type: max, window: 2, padding: 1}\n", false},
		"saved as nothing":      {steps + "  - {name: p, op: pool, type: max, window: 2}\nsave:\n  p: [jpeg2000]\n", false},
	} {
		var value any
		if err := yaml.Unmarshal([]byte(c.text), &value); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		text, err := json.Marshal(value)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		instance, err := jsonschema.UnmarshalJSON(strings.NewReader(string(text)))
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if err := schema.Validate(instance); (err == nil) != c.valid {
			t.Errorf("%s: got %v, want valid %v", name, err, c.valid)
		}
	}
}

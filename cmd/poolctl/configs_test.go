package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
	yaml "go.yaml.in/yaml/v4"

	"github.com/poolctl/poolctl/internal/config"
)

// TestPipelinesInConfigsRun checks every file of configs/: it names its schema
// for editors, is valid by it, says what it shows, and its commands write all
// that it saves, forward and backward.
func TestPipelinesInConfigsRun(t *testing.T) {
	files, err := filepath.Glob("../../configs/*.yaml")
	if err != nil || len(files) < 8 {
		t.Fatalf("%d files in configs/, want at least 8 (%v)", len(files), err)
	}
	compiler := jsonschema.NewCompiler()
	for _, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) {
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			lines := strings.Split(string(text), "\n")
			name, ok := strings.CutPrefix(lines[0], "# yaml-language-server: $schema=")
			if !ok || !strings.HasPrefix(lines[1], "# ") {
				t.Fatalf("begins with %q, want a schema and what the pipeline shows", lines[:2])
			}
			schema, err := compiler.Compile(filepath.Join(filepath.Dir(file), filepath.FromSlash(name)))
			if err != nil {
				t.Fatal(err)
			}
			if err := schema.Validate(decoded(t, text)); err != nil {
				t.Error(err)
			}
			commands(t, file, lines)
		})
	}
}

// decoded returns a pipeline file as validators take it.
func decoded(t *testing.T, text []byte) any {
	t.Helper()
	var value any
	if err := yaml.Unmarshal(text, &value); err != nil {
		t.Fatal(err)
	}
	encoded, err := json.Marshal(value)
	if err != nil {
		t.Fatal(err)
	}
	instance, err := jsonschema.UnmarshalJSON(strings.NewReader(string(encoded)))
	if err != nil {
		t.Fatal(err)
	}
	return instance
}

// commands runs the commands in a file's comment, and then the pipeline
// backward, and looks for what they write.
func commands(t *testing.T, file string, lines []string) {
	t.Helper()
	folder := workFolder(t)
	configs, err := filepath.Abs("../../configs")
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(configs, filepath.Join(folder, "configs")); err != nil {
		t.Fatal(err)
	}
	input := ""
	for _, line := range lines {
		command, ok := strings.CutPrefix(line, "#     poolctl ")
		if !ok {
			continue
		}
		args := strings.Fields(command)
		if args[0] == "run" {
			if args[1] != "configs/"+filepath.Base(file) {
				t.Errorf("%q runs another file", command)
			}
			input = args[2]
		}
		succeed(t, folder, args...)
	}
	if input == "" {
		t.Fatal("no command that runs it")
	}
	p, err := config.ReadPipeline(file)
	if err != nil {
		t.Fatal(err)
	}
	succeed(t, folder, "grad", "run", "configs/"+filepath.Base(file), input, "-o", "out")
	base := filepath.Base(input)
	out := filepath.Join(folder, "out", strings.TrimSuffix(base, filepath.Ext(base)))
	names := map[string]string{"npy": ".npy", "png": ".png", "heatmap": ".heatmap.png", "argmax": ".argmax.npy", "argmax-png": ".argmax.png", "grad": ".grad.npy", "grad-heatmap": ".grad.heatmap.png"}
	want := []string{"input.grad.npy"}
	for _, s := range p.Save {
		for _, kind := range s.Kinds {
			want = append(want, s.Step+names[kind])
		}
	}
	for _, name := range want {
		if !slices.Contains(list(t, out), name) {
			t.Errorf("%s was not written", name)
		}
	}
}

// list returns the names of a folder's files.
func list(t *testing.T, folder string) []string {
	t.Helper()
	entries, err := os.ReadDir(folder)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, e := range entries {
		names = append(names, e.Name())
	}
	return names
}

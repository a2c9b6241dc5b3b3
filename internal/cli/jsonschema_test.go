package cli

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
)

// compiledOutputs returns a validator for each kind of JSON object, from the
// committed files, by identifier.
func compiledOutputs(t *testing.T) map[string]*jsonschema.Schema {
	t.Helper()
	compiled := map[string]*jsonschema.Schema{}
	for _, o := range jsonOutputs {
		s, err := jsonschema.NewCompiler().Compile(filepath.Join("docs", "ops", o.name+".schema.json"))
		if err != nil {
			t.Fatal(err)
		}
		compiled[o.identifier()] = s
	}
	return compiled
}

// TestJSONOutputsHaveTheirSchemas runs commands that print JSON of every kind,
// with the parts that are often left out, and checks each object.
func TestJSONOutputsHaveTheirSchemas(t *testing.T) {
	t.Chdir("../..") // the project's folder, for samples and configs
	t.Setenv("HOME", t.TempDir())
	t.Setenv("XDG_CONFIG_HOME", t.TempDir())
	t.Setenv("AppData", t.TempDir())
	out := t.TempDir()
	if err := os.WriteFile(filepath.Join(out, "faults.yaml"), []byte("version: 1\nsteps:\n  - {name: a, op: pool, typ: max}\n  - {name: b, op: pol}\n"), 0o666); err != nil {
		t.Fatal(err)
	}
	schemas := compiledOutputs(t)
	seen := map[string]bool{}
	for _, line := range []string{
		"shape pool --type max --window 3 --strides 2 --padding SAME --input-shape 1,9,9,2 --why",
		"pool samples/camera.png --type max --window 4 -o OUT/y.npy --argmax OUT/a.npy --report json",
		"relu samples/ramp_6x6.npy --dry-run",
		"pool samples/camera.png --type max --fractional 1.4 --seed 3 --dry-run",
		"shape configs/edges.yaml --input-shape 1,64,64,1 --why",
		"shape configs/lenet5.yaml --input-shape 1,28,28,1",
		"run configs/edges.yaml samples/camera.png -o OUT/dry --dry-run",
		"inspect samples/camera.png",
		"inspect samples/camera.png samples/ramp_6x6.npy samples/pair.npz",
		"inspect samples/ramp_6x6.npy samples/camera.png --jsonl",
		"compare samples/ramp_6x6.npy samples/ramp_6x6.npy",
		"compare samples/mean_2.npy samples/variance_2.npy",
		"compare samples/mean_2.npy samples/ramp_6x6.npy",
		"grad pool samples/ramp_6x6.npy --type avg --window 2 --report json --check -o OUT/dx.npy",
		"grad conv2d samples/input_10x9x9x3.npy --filter samples/filter_2x2x3x2.npy --report json",
		"run configs/edges.yaml samples/camera.png -o OUT/one",
		"run configs/edges.yaml samples/camera.png samples/ramp_6x6.npy no-such-file.png -o OUT/several --shard 1/1",
		"grad run configs/edges.yaml samples/camera.png -o OUT/grad",
		"weights samples/pair.npz",
		"bench pool --type max --window 2 --shape 1,8,8,4 --min-time 1ms",
		"bench pool --type max --window 2 --shape 1,8,8,4 --min-time 1ms --no-roofline",
		"bench pool --type max --window 2 --shape 1,8,8,4 --min-time 1ms --no-roofline --compare-impls",
		"bench --suite --match depthwise --min-time 1ms",
		"ops", "ops list", "ops describe pool", "ops describe relu", "cpu", "version",
		"pool nothing.png --type max --window 2 -o OUT/y.npy",
		"pool samples/camera.png --type maxi --window 2 -o OUT/y.npy",
		"run OUT/faults.yaml samples/camera.png -o OUT/faults",
	} {
		var stdout, stderr bytes.Buffer
		args := append(strings.Fields(strings.ReplaceAll(line, "OUT", out)), "--json")
		code := Main(args, Streams{In: strings.NewReader(""), Out: &stdout, Err: &stderr})
		objects := 0
		for _, text := range [][]byte{stdout.Bytes(), jsonLines(stderr.Bytes())} {
			for decoder := json.NewDecoder(bytes.NewReader(text)); decoder.More(); {
				var raw json.RawMessage
				if err := decoder.Decode(&raw); err != nil {
					t.Fatalf("%s: %v in %s", line, err, text)
				}
				value, err := jsonschema.UnmarshalJSON(bytes.NewReader(raw))
				if err != nil {
					t.Fatal(err)
				}
				list, ok := value.([]any)
				if !ok {
					list = []any{value}
				}
				for _, object := range list {
					objects++
					identifier, _ := object.(map[string]any)["schema"].(string)
					seen[identifier] = true
					if s := schemas[identifier]; s == nil {
						t.Errorf("%s: an object of the kind %q, which has no schema", line, identifier)
					} else if err := s.Validate(object); err != nil {
						t.Errorf("%s: %v", line, err)
					}
				}
			}
		}
		if objects == 0 {
			t.Errorf("%s: exit code %d and no JSON; standard error: %s", line, code, stderr.Bytes())
		}
	}
	for identifier := range schemas {
		if !seen[identifier] {
			t.Errorf("no command here prints %s", identifier)
		}
	}
}

// jsonLines returns the lines that are JSON objects: notes stand between errors.
func jsonLines(text []byte) []byte {
	var list []byte
	for line := range bytes.Lines(text) {
		if bytes.HasPrefix(line, []byte("{")) {
			list = append(list, line...)
		}
	}
	return list
}

// TestEveryKindOfJSONIsListed finds each identifier in the program's source.
func TestEveryKindOfJSONIsListed(t *testing.T) {
	listed := map[string]bool{}
	for _, o := range jsonOutputs {
		listed[o.identifier()] = true
	}
	literal := regexp.MustCompile(`"(poolctl\.[a-z-]+/v[0-9]+)"`)
	found := 0
	for _, pattern := range []string{"*.go", "../report/*.go", "../timing/*.go"} {
		files, err := filepath.Glob(pattern)
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range files {
			text, err := os.ReadFile(name)
			if err != nil {
				t.Fatal(err)
			}
			for _, m := range literal.FindAllSubmatch(text, -1) {
				found++
				if !listed[string(m[1])] {
					t.Errorf("%s: %s is not in jsonOutputs", name, m[1])
				}
			}
		}
	}
	if found < len(jsonOutputs) {
		t.Errorf("found %d identifiers, want at least %d", found, len(jsonOutputs))
	}
}

// TestJSONPagesAreFresh compares docs/json.md and the schema files with the types
// that are printed.
func TestJSONPagesAreFresh(t *testing.T) {
	pages, err := jsonPages()
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range pages {
		if got, err := os.ReadFile(filepath.Join("../../docs/ops", name)); err != nil || string(got) != want {
			t.Errorf("%s is stale (%v): go generate ./cmd/poolctl", name, err)
		}
	}
}

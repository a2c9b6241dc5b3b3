package config_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
	yaml "go.yaml.in/yaml/v4"

	"github.com/poolctl/poolctl/internal/config"
)

// compiledSchema returns the schema of pipeline files as a validator.
func compiledSchema(t *testing.T) *jsonschema.Schema {
	t.Helper()
	text, err := json.Marshal(config.Schema())
	if err != nil {
		t.Fatal(err)
	}
	document, err := jsonschema.UnmarshalJSON(strings.NewReader(string(text)))
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
	return schema
}

// asJSON returns a pipeline file as a validator takes it.
func asJSON(t *testing.T, text string) any {
	t.Helper()
	var value any
	if err := yaml.Unmarshal([]byte(text), &value); err != nil {
		t.Fatalf("%v in\n%s", err, text)
	}
	encoded, err := json.Marshal(value)
	if err != nil {
		t.Fatalf("%v in\n%s", err, text)
	}
	instance, err := jsonschema.UnmarshalJSON(strings.NewReader(string(encoded)))
	if err != nil {
		t.Fatal(err)
	}
	return instance
}

// TestTheSchemaKnowsWhatTheParserKnows: what one of them says of a file is what
// the other says.
func TestTheSchemaKnowsWhatTheParserKnows(t *testing.T) {
	schema := compiledSchema(t)
	const steps = "version: 1\nsteps:\n  - {name: a, op: relu}\n"
	for text, valid := range map[string]bool{
		steps + "input: {layout: NCHW, dtype: float32, scale: 0.5, offset: [1, 2, 3]}\n":            true,
		steps + "input: {resize: {size: [8, 8], filter: area}, crop: {size: [4, 4], at: [0, 2]}}\n": true,
		steps + "input: {resize: {size: [8, 8]}}\n":                                                 false,
		steps + "input: {resize: {size: [8], filter: area}}\n":                                      false,
		steps + "input: {crop: {size: [0, 4]}}\n":                                                   false,
		steps + "input: {scale: fast}\n":                                                            false,
		steps + "input: {mean: 1}\n":                                                                false,
		steps + "input: {layout: NHCW}\n":                                                           false,
		steps + "save: {a: npy, input: [png, heatmap]}\n":                                           true,
		steps + "save: {a: [grad, grad-heatmap]}\n":                                                 true,
		steps + "save: {a: gradient}\n":                                                             true,
		steps + "save: {a: []}\n":                                                                   false,
		steps + "  - {name: b, op: add, from: [a, input]}\n":                                        true,
		steps + "  - {name: b, op: add, from: [a]}\n":                                               false,
		steps + "  - {name: b, op: add}\n":                                                          false,
		steps + "  - {name: b, op: relu, from: a}\n":                                                true,
		steps + "  - {name: b, op: relu, relu-gradient: guided}\n":                                  true,
		steps + "  - {name: b, op: pool, type: max, window: 2, ties: last}\n":                       true,
		steps + "  - {name: b, op: pool, type: max, window: 2, from-argmax: a.npy}\n":               false,
	} {
		_, err := config.ParsePipeline("net.yaml", []byte(text))
		if refused := schema.Validate(asJSON(t, text)); (err == nil) != valid || (refused == nil) != valid {
			t.Errorf("valid %v, the parser says %v, the schema %v of\n%s", valid, err, refused, text)
		}
	}
}

// TestTheSchemaRefusesWhatItCan: of the files that the parser refuses, the
// schema lets through those alone that are wrong by what other parts say, by how
// they are spelt in YAML, or by numbers that only the operation checks.
func TestTheSchemaRefusesWhatItCan(t *testing.T) {
	schema := compiledSchema(t)
	through := map[string]bool{}
	for _, word := range strings.Fields(`two-documents version-real name-twice window-5 window-12 window-13
		window-14 window-15 window-17 p-7 alpha-3 depth-radius-5 paddings-4 filter-5 groups-1 groups-2 check-required check-lp
		from-unknown from-itself from-later from-several from-case save-unknown save-kind-twice save-argmax input-19
		anchor anchors-everywhere merge tag`) {
		through[word] = true
	}
	files := archive(t, "faults.txtar")
	for i := 0; i < len(files); i += 2 {
		name := strings.TrimSuffix(files[i].Name, ".yaml")
		var value any
		if yaml.Unmarshal(files[i].Data, &value) != nil {
			continue // no YAML to validate
		}
		if _, err := json.Marshal(value); err != nil {
			continue // no JSON either: a list for a key, an infinity
		}
		err := schema.Validate(asJSON(t, string(files[i].Data)))
		if (err == nil) != through[name] {
			t.Errorf("%s: the schema says %v, expected to let it through: %v", name, err, through[name])
		}
		delete(through, name)
	}
	for name := range through {
		t.Errorf("%s: no such file, or no JSON", name)
	}
}

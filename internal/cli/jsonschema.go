package cli

import (
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
	"strings"

	"github.com/invopop/jsonschema"

	"github.com/poolctl/poolctl/internal/batch"
	"github.com/poolctl/poolctl/internal/report"
	"github.com/poolctl/poolctl/internal/timing"
)

// jsonOutput is one kind of JSON object that the program prints.
type jsonOutput struct {
	name   string // the field schema is poolctl.NAME/v1
	from   string // the commands that print it
	object any    // a value of its type
}

// jsonOutputs lists every kind.
var jsonOutputs = []jsonOutput{
	{"shape", "`shape OPERATION --json`, and every operation with `--report json` or `--dry-run --json`", report.Operation{}},
	{"network", "`shape PIPELINE --json`, `run --dry-run --json`", report.Network{}},
	{"inspect", "`inspect --json` of one array; of several a list of such objects, with `--jsonl` one on each line", report.Summary{}},
	{"compare", "`compare --json`", report.Difference{}},
	{"grad", "`grad OPERATION` with `--report json`", gradReport{}},
	{"run", "`run --json` and `grad run --json`; the file of `--summary`", summary{}},
	{"weights", "`weights --json`", weightsReport{}},
	{"bench", "`bench OPERATION` in a pipe or with `--json`", timing.Result{}},
	{"bench-impls", "`bench OPERATION --compare-impls --json`", implsReport{}},
	{"bench-suite", "`bench --suite --json`", suiteReport{}},
	{"ops", "`ops --json`", opsReport{}},
	{"op", "`ops describe NAME --json`", opReport{}},
	{"cpu", "`cpu --json`", cpuReport{}},
	{"version", "`version --json`", versionReport{}},
	{"error", "every command with `--json`, on standard error", errorReport{}},
}

// identifier returns the value of the object's field schema.
func (o jsonOutput) identifier() string { return "poolctl." + o.name + "/v1" }

// schema returns the JSON Schema of the object. It follows from the Go type that
// is printed, so that it has the same fields.
func (o jsonOutput) schema() *jsonschema.Schema {
	reflector := jsonschema.Reflector{DoNotReference: true, ExpandedStruct: true, Anonymous: true, Mapper: jsonForm}
	s := reflector.Reflect(o.object)
	s.ID = jsonschema.ID("https://github.com/poolctl/poolctl/" + o.name + ".schema.json")
	s.Title, s.Description = o.identifier(), "printed by "+strings.ReplaceAll(o.from, "`", "")
	if field, ok := s.Properties.Get("schema"); ok {
		field.Const = o.identifier()
	}
	return s
}

// jsonForm returns the schema of types that write themselves as JSON, and nil for
// all others.
func jsonForm(t reflect.Type) *jsonschema.Schema {
	switch t {
	case reflect.TypeFor[report.Value]():
		return &jsonschema.Schema{OneOf: []*jsonschema.Schema{
			{Type: "number"}, {Enum: []any{"NaN", "Infinity", "-Infinity"}}, {Type: "null"}}}
	case reflect.TypeFor[batch.Name]():
		encoded := jsonschema.NewProperties()
		encoded.Set("base64", &jsonschema.Schema{Type: "string"})
		return &jsonschema.Schema{OneOf: []*jsonschema.Schema{
			{Type: "string"}, {Type: "object", Properties: encoded, Required: []string{"base64"}, AdditionalProperties: jsonschema.FalseSchema}}}
	}
	return nil
}

// jsonPages returns docs/json.md and the schema files that it describes, by file
// name.
func jsonPages() (map[string]string, error) {
	pages := map[string]string{}
	var b strings.Builder
	b.WriteString("<!-- Generated from internal/cli by `go generate ./...`; do not edit. -->\n\n# JSON\n\n" +
		"Every report and every error is JSON with `--json`. The field `schema` says which kind an object is; a kind whose fields change gets another number. " +
		"Beside the [schema of pipeline files](ops/pipeline.schema.json), each kind has a JSON Schema, and tests check what the program prints against it.\n\n" +
		"A *value* is a number, one of the strings `NaN`, `Infinity` and `-Infinity`, or null where there is none. " +
		"A *file name* is a string, or `{\"base64\": …}` if it is not valid UTF-8.\n\n| kind | printed by |\n|---|---|\n")
	for _, o := range jsonOutputs {
		fmt.Fprintf(&b, "| [%s](#%s) | %s |\n", o.identifier(), strings.NewReplacer(".", "", "/", "").Replace(o.identifier()), o.from)
	}
	for _, o := range jsonOutputs {
		s := o.schema()
		text, err := json.MarshalIndent(s, "", "  ")
		if err != nil {
			return nil, err
		}
		pages[o.name+".schema.json"] = string(text) + "\n"
		fmt.Fprintf(&b, "\n## %s\n\nPrinted by %s. Schema: [%s.schema.json](ops/%s.schema.json).\n\n| field | type | |\n|---|---|---|\n", o.identifier(), o.from, o.name, o.name)
		writeFields(&b, "", s)
	}
	pages["../json.md"] = b.String()
	return pages, nil
}

// writeFields writes a row for each field of an object, and of the objects in it.
func writeFields(b *strings.Builder, prefix string, s *jsonschema.Schema) {
	for pair := s.Properties.Oldest(); pair != nil; pair = pair.Next() {
		field, name := pair.Value, prefix+pair.Key
		note := ""
		if !slices.Contains(s.Required, pair.Key) {
			note = "may be left out"
		}
		fmt.Fprintf(b, "| `%s` | %s | %s |\n", name, fieldType(field), note)
		for _, inner := range append([]*jsonschema.Schema{field}, field.OneOf...) {
			if inner.Items != nil {
				name, inner = name+"[]", inner.Items
			}
			if inner.Properties != nil && !isFileName(field) {
				writeFields(b, name+".", inner)
			}
		}
	}
}

// fieldType returns the type of a field in words.
func fieldType(s *jsonschema.Schema) string {
	switch {
	case s.Const != nil:
		return fmt.Sprintf("`%v`", s.Const)
	case isFileName(s):
		return "file name"
	case len(s.OneOf) == 3:
		return "value"
	case len(s.OneOf) == 2:
		return fieldType(s.OneOf[0]) + " or null"
	case s.Type == "array":
		return "list of " + fieldType(s.Items) + "s"
	case s.Format == "date-time":
		return "time, as in RFC 3339"
	}
	return s.Type
}

// isFileName reports whether a field is a batch.Name.
func isFileName(s *jsonschema.Schema) bool {
	return len(s.OneOf) == 2 && s.OneOf[0].Type == "string" && s.OneOf[1].Type == "object"
}

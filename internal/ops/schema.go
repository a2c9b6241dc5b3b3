package ops

import (
	"github.com/invopop/jsonschema"
)

// SchemaID names the JSON Schema of pipeline files.
const SchemaID = "https://github.com/poolctl/poolctl/pipeline.schema.json"

// Schema returns the JSON Schema of pipeline files: a version, the steps, each
// with the keys of its operation, and what is saved of them.
func Schema() *jsonschema.Schema {
	var steps []*jsonschema.Schema
	for _, spec := range Table {
		steps = append(steps, stepSchema(spec))
	}
	root := properties(
		"version", &jsonschema.Schema{Const: 1, Description: "version of the format"},
		"steps", &jsonschema.Schema{Type: "array", MinItems: ptr(1), Description: "the operations, each on the output of the one before unless it says from",
			Items: &jsonschema.Schema{OneOf: steps}},
		"save", &jsonschema.Schema{Type: "object", Description: "what is written of each step (default: the last step as npy)",
			AdditionalProperties: &jsonschema.Schema{Type: "array", UniqueItems: true, Items: choice("npy", "png", "argmax", "grad")}},
	)
	root.Version, root.ID, root.Title = jsonschema.Version, SchemaID, "poolctl pipeline"
	root.Required = []string{"version", "steps"}
	return root
}

// stepSchema describes a step of one operation.
func stepSchema(spec Spec) *jsonschema.Schema {
	name := &jsonschema.Schema{Type: "string", Pattern: "^[A-Za-z0-9_][A-Za-z0-9_.-]*$"}
	s := properties(
		"name", describe(name, "what files and other steps call this one"),
		"op", &jsonschema.Schema{Const: spec.Name, Description: spec.Summary},
		"from", &jsonschema.Schema{Description: "the step, or the list of steps, whose output this one takes",
			OneOf: []*jsonschema.Schema{name, {Type: "array", Items: name, MinItems: ptr(1)}}},
	)
	s.Title, s.Description = spec.Name, spec.Summary
	s.Required = []string{"name", "op"}
	for _, p := range spec.New().Params() {
		s.Properties.Set(p.Name, describe(p.schema(), p.Doc))
		if p.Required {
			s.Required = append(s.Required, p.Name)
		}
	}
	return s
}

// schema describes the values of a parameter.
func (p Param) schema() *jsonschema.Schema {
	whole := &jsonschema.Schema{Type: "integer"}
	text := func(pattern string) *jsonschema.Schema { return &jsonschema.Schema{Type: "string", Pattern: pattern} }
	list := func(item *jsonschema.Schema) *jsonschema.Schema {
		return &jsonschema.Schema{Type: "array", Items: item, MinItems: ptr(1), MaxItems: ptr(3)}
	}
	switch p.Kind {
	case KindBool:
		return &jsonschema.Schema{Type: "boolean"}
	case KindInt, KindAxis:
		return whole
	case KindCount:
		return &jsonschema.Schema{Type: "integer", Minimum: "0"}
	case KindNumber, KindReal:
		return &jsonschema.Schema{Type: "number"}
	case KindInts:
		return &jsonschema.Schema{OneOf: []*jsonschema.Schema{whole, list(whole), text(`^\d+([x,]\d+)*$`)}}
	case KindNumbers:
		number := &jsonschema.Schema{Type: "number"}
		return &jsonschema.Schema{OneOf: []*jsonschema.Schema{number, list(number)}}
	case KindShape:
		return &jsonschema.Schema{Type: "array", Items: whole, MinItems: ptr(1), MaxItems: ptr(5)}
	case KindChoice:
		return choice(p.Choices...)
	case KindWindow:
		return &jsonschema.Schema{OneOf: []*jsonschema.Schema{whole, list(whole), {Const: "global"}, text(`^\d+([x,]\d+)*$`)}}
	case KindPadding:
		pair := &jsonschema.Schema{Type: "array", Items: whole, MinItems: ptr(2), MaxItems: ptr(2)}
		return &jsonschema.Schema{OneOf: []*jsonschema.Schema{choice("SAME", "VALID", "SAME_LOWER"), text(`^\d+:\d+(,\d+:\d+)*$`), list(pair)}}
	case KindPairs:
		pair := &jsonschema.Schema{Type: "array", Items: whole, MinItems: ptr(2), MaxItems: ptr(2)}
		return &jsonschema.Schema{OneOf: []*jsonschema.Schema{text(`^\d+:\d+(,\d+:\d+)*$`), {Type: "array", Items: pair, MinItems: ptr(1), MaxItems: ptr(5)}}}
	default: // KindTensor
		return &jsonschema.Schema{Type: "string", MinLength: ptr(1)}
	}
}

// properties makes an object schema from names and schemas in turn; other
// properties are refused.
func properties(pairs ...any) *jsonschema.Schema {
	s := &jsonschema.Schema{Type: "object", Properties: jsonschema.NewProperties(), AdditionalProperties: jsonschema.FalseSchema}
	for i := 0; i < len(pairs); i += 2 {
		s.Properties.Set(pairs[i].(string), pairs[i+1].(*jsonschema.Schema))
	}
	return s
}

func choice(words ...string) *jsonschema.Schema {
	s := &jsonschema.Schema{Type: "string"}
	for _, w := range words {
		s.Enum = append(s.Enum, w)
	}
	return s
}

func describe(s *jsonschema.Schema, text string) *jsonschema.Schema {
	described := *s
	described.Description = text
	return &described
}

func ptr(n uint64) *uint64 { return &n }

package config

import (
	"github.com/invopop/jsonschema"

	"github.com/poolctl/poolctl/internal/ops"
	"github.com/poolctl/poolctl/internal/tensor"
)

// SchemaID names the JSON Schema of pipeline files.
const SchemaID = "https://github.com/poolctl/poolctl/pipeline.schema.json"

// Schema returns the JSON Schema of pipeline files, for editors: the version,
// the input section, the steps with the keys of their operations, and what is
// saved. ParsePipeline accepts more spellings (key_with_underscores, words in
// any case) and refuses more (names of steps that do not exist).
func Schema() *jsonschema.Schema {
	var steps []*jsonschema.Schema
	for _, spec := range ops.Table {
		steps = append(steps, stepSchema(spec))
	}
	kind := words(append([]string{"gradient"}, SaveKinds...))
	root := properties(
		"version", &jsonschema.Schema{Const: 1, Description: "version of the format"},
		"input", inputSchema(),
		"steps", &jsonschema.Schema{Type: "array", MinItems: ptr(1), MaxItems: ptr(MaxPipelineSteps),
			Description: "the operations, each on the output of the one before unless it says from", Items: &jsonschema.Schema{OneOf: steps}},
		"save", &jsonschema.Schema{Type: "object", Description: "what is written of each step (default: the last step as npy)",
			AdditionalProperties: oneOrMore(kind)},
	)
	root.Version, root.ID, root.Title = jsonschema.Version, SchemaID, "poolctl pipeline"
	root.Required = []string{"version", "steps"}
	return root
}

// stepSchema describes a step of one operation.
func stepSchema(spec ops.Spec) *jsonschema.Schema {
	name := &jsonschema.Schema{Type: "string", Pattern: StepName}
	from := described(oneOrMore(name), "the step whose output this one takes, or input (default: the step before it)")
	if spec.Several {
		from = &jsonschema.Schema{Type: "array", Items: name, MinItems: ptr(2), Description: "the steps whose outputs this one takes, or input"}
	}
	s := properties(
		"name", &jsonschema.Schema{Type: "string", Pattern: StepName, MaxLength: ptr(100), Not: &jsonschema.Schema{Const: InputName},
			Description: "what files and other steps call this one"},
		"op", &jsonschema.Schema{Const: spec.Name, Description: spec.Summary},
		"from", from,
	)
	s.Title, s.Description = spec.Name, spec.Summary
	s.Required = []string{"name", "op"}
	if spec.Several {
		s.Required = append(s.Required, "from")
	}
	for _, p := range StepParams(spec.New()) {
		s.Properties.Set(p.Name, described(p.Schema(), p.Doc))
		if p.Required {
			s.Required = append(s.Required, p.Name)
		}
	}
	return s
}

// inputSchema describes the input section.
func inputSchema() *jsonschema.Schema {
	extent := &jsonschema.Schema{Type: "integer", Minimum: "1"}
	pair := func(item *jsonschema.Schema, text string) *jsonschema.Schema {
		return &jsonschema.Schema{Type: "array", Items: item, MinItems: ptr(2), MaxItems: ptr(2), Description: text}
	}
	resize := properties("size", pair(extent, "height, width"), "filter", described(words(ResizeFilters), "as tf.image.resize has it, without antialiasing"))
	resize.Required = []string{"size", "filter"}
	crop := properties("size", pair(extent, "height, width"), "at", pair(&jsonschema.Schema{Type: "integer", Minimum: "0"}, "top, left (default: the middle)"))
	crop.Required = []string{"size"}
	numbers := oneOrMore(&jsonschema.Schema{Type: "number"})
	s := properties(
		"layout", described(words(tensor.LayoutNames()), "order of the axes that the first steps get; pictures are brought to it (default: what a first step's data-format says, else by rank)"),
		"dtype", described(words(tensor.DTypeNames()), "element type that the first steps get"),
		"resize", described(resize, "bring the picture to a size"),
		"crop", described(crop, "cut a part out, after resizing"),
		"scale", described(numbers, "multiply by this, or by one number for each channel"),
		"offset", described(numbers, "then add this, or one number for each channel"),
	)
	s.Description = "what is done to an input before the first steps"
	return s
}

// oneOrMore is an item, or a list of different items.
func oneOrMore(item *jsonschema.Schema) *jsonschema.Schema {
	return &jsonschema.Schema{OneOf: []*jsonschema.Schema{item, {Type: "array", Items: item, MinItems: ptr(1)}}}
}

// properties returns an object schema of names and schemas in turn. Other
// properties are refused.
func properties(pairs ...any) *jsonschema.Schema {
	s := &jsonschema.Schema{Type: "object", Properties: jsonschema.NewProperties(), AdditionalProperties: jsonschema.FalseSchema}
	for i := 0; i < len(pairs); i += 2 {
		s.Properties.Set(pairs[i].(string), pairs[i+1].(*jsonschema.Schema))
	}
	return s
}

// words is one of the given words.
func words(list []string) *jsonschema.Schema {
	s := &jsonschema.Schema{Type: "string"}
	for _, w := range list {
		s.Enum = append(s.Enum, w)
	}
	return s
}

func described(s *jsonschema.Schema, text string) *jsonschema.Schema {
	copied := *s
	copied.Description = text
	return &copied
}

func ptr(n uint64) *uint64 { return &n }

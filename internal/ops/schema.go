package ops

import (
	"github.com/invopop/jsonschema"
)

// Schema describes a parameter's values as a pipeline file may have them.
func (p Param) Schema() *jsonschema.Schema {
	whole := &jsonschema.Schema{Type: "integer"}
	natural, positive := &jsonschema.Schema{Type: "integer", Minimum: "0"}, &jsonschema.Schema{Type: "integer", Minimum: "1"}
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
		return natural
	case KindNumber:
		return &jsonschema.Schema{OneOf: []*jsonschema.Schema{{Type: "number", ExclusiveMinimum: "0"}, text(`^\+?(inf|Inf|INF)$`)}}
	case KindReal:
		return &jsonschema.Schema{OneOf: []*jsonschema.Schema{{Type: "number"}, text(`^[-+]?(inf|Inf|INF)$`)}}
	case KindInts:
		return &jsonschema.Schema{OneOf: []*jsonschema.Schema{positive, list(positive), text(`^\d+([x,]\d+)*$`)}}
	case KindNumbers:
		number := &jsonschema.Schema{Type: "number"}
		return &jsonschema.Schema{OneOf: []*jsonschema.Schema{number, list(number), text(`^[\d.]+([x,][\d.]+)*$`)}}
	case KindShape:
		return &jsonschema.Schema{OneOf: []*jsonschema.Schema{whole, {Type: "array", Items: whole, MinItems: ptr(1), MaxItems: ptr(5)}, text(`^\d+([x,]\d+)*$`)}}
	case KindChoice:
		return choice(p.Choices...)
	case KindWindow:
		return &jsonschema.Schema{OneOf: []*jsonschema.Schema{positive, list(positive), {Const: "global"}, text(`^\d+([x,]\d+)*$`)}}
	case KindPadding:
		pair := &jsonschema.Schema{Type: "array", Items: natural, MinItems: ptr(2), MaxItems: ptr(2)}
		return &jsonschema.Schema{OneOf: []*jsonschema.Schema{choice("SAME", "VALID", "SAME_LOWER"), text(`^\d+:\d+(,\d+:\d+)*$`), list(pair)}}
	case KindPairs:
		pair := &jsonschema.Schema{Type: "array", Items: natural, MinItems: ptr(2), MaxItems: ptr(2)}
		return &jsonschema.Schema{OneOf: []*jsonschema.Schema{text(`^\d+:\d+(,\d+:\d+)*$`), {Type: "array", Items: pair, MinItems: ptr(1), MaxItems: ptr(5)}}}
	default: // KindTensor
		return &jsonschema.Schema{Type: "string", MinLength: ptr(1)}
	}
}

func choice(words ...string) *jsonschema.Schema {
	s := &jsonschema.Schema{Type: "string"}
	for _, w := range words {
		s.Enum = append(s.Enum, w)
	}
	return s
}

func ptr(n uint64) *uint64 { return &n }

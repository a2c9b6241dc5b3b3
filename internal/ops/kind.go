package ops

import (
	"strings"

	"github.com/invopop/jsonschema"
)

// Kind says what values of a parameter look like: on the command line, in
// pipeline files, in the JSON Schema and on reference pages. Each kind is one
// row of the table below. Whatever depends on the kind of a parameter reads its
// row.
type Kind struct {
	Name        string
	Placeholder string   // short word for a value, in the flag column of help
	Type        string   // the values in full, for reference pages; empty for choices
	Item        Item     // how a value is written, or each item of a list
	Most        int      // largest length of a list; 0 if a value is not a list
	Words       []string // words that are values too, such as "global"
	Form        string   // what a pipeline file may have, for messages

	item *jsonschema.Schema // of one item; nil for choices
	text string             // pattern of a list as the command line has it
}

// Item says how a value, or one item of a list, is written: as YAML in a
// pipeline file, as text in a flag.
type Item int

// The items.
const (
	ItemWord   Item = iota // one of the parameter's words
	ItemBool               // true or false
	ItemWhole              // a whole number
	ItemNumber             // any number
	ItemPair               // lo:hi, in a file also [lo, hi]
	ItemFile               // the name of a file with an array, or of a filter
)

// File reports whether values name tensors: files or filters.
func (k *Kind) File() bool { return k.Item == ItemFile }

// The kinds of parameters, one in each row.
var (
	kindBool = &Kind{Name: "bool", Placeholder: "bool", Type: "bool", Item: ItemBool,
		Form: "true or false", item: &jsonschema.Schema{Type: "boolean"}}
	kindInt = &Kind{Name: "int", Placeholder: "N", Type: "int", Item: ItemWhole,
		Form: wholeForm, item: wholeNumber}
	kindCount = &Kind{Name: "count", Placeholder: "N", Type: "int", Item: ItemWhole, // >= 0
		Form: wholeForm, item: naturalNumber}
	kindAxis = &Kind{Name: "axis", Placeholder: "N", Type: "int", Item: ItemWhole, // negative from the end
		Form: wholeForm, item: wholeNumber}
	kindNumber = &Kind{Name: "number", Placeholder: "X", Type: "number", Item: ItemNumber, // > 0
		Form: numberForm, item: oneOf(&jsonschema.Schema{Type: "number", ExclusiveMinimum: "0"}, pattern(`^\+?(inf|Inf|INF)$`))}
	kindReal = &Kind{Name: "real", Placeholder: "X", Type: "number", Item: ItemNumber, // may be 0 or negative
		Form: numberForm, item: oneOf(anyNumber, pattern(`^[-+]?(inf|Inf|INF)$`))}
	kindChoice = &Kind{Name: "choice", Placeholder: "RULE", Item: ItemWord}
	kindTensor = &Kind{Name: "tensor", Placeholder: "FILE", Type: "FILE", Item: ItemFile,
		Form: "the name of a file or a filter, in quotes if it looks like a number",
		item: &jsonschema.Schema{Type: "string", MinLength: ptr(1)}}
	kindInts = &Kind{Name: "ints", Placeholder: "LIST", Type: "ints", Item: ItemWhole, Most: 3, // one for each spatial dimension
		Form: "a whole number or a list of them, such as [2, 2]", item: positiveNumber, text: wholeList}
	kindSigned = &Kind{Name: "signed", Placeholder: "LIST", Type: "ints", Item: ItemWhole, Most: 5, // any whole numbers, up to one for each axis of a tensor
		Form: "a whole number or a list of them, such as [1, -2]", item: wholeNumber, text: `^[-+]?\d+([x,][-+]?\d+)*$`}
	kindNumbers = &Kind{Name: "numbers", Placeholder: "LIST", Type: "numbers", Item: ItemNumber, Most: 3,
		Form: "a number or a list of them, such as [1.5, 1.25]", item: anyNumber, text: `^[\d.]+([x,][\d.]+)*$`}
	kindShape = &Kind{Name: "shape", Placeholder: "SHAPE", Type: "shape", Item: ItemWhole, Most: 5,
		Form: "a whole number or a list of them, such as [2, 2]", item: wholeNumber, text: wholeList}
	kindWindow = &Kind{Name: "window", Placeholder: "LIST|global", Type: "ints|global", Item: ItemWhole, Most: 3, Words: []string{"global"},
		Form: "a whole number, a list of them such as [2, 2], or global", item: positiveNumber, text: wholeList}
	kindPadding = &Kind{Name: "padding", Placeholder: "RULE", Type: "SAME|VALID|SAME_LOWER|lo:hi,…", Item: ItemPair, Most: 3, Words: []string{"SAME", "VALID", "SAME_LOWER"},
		Form: "SAME, VALID, SAME_LOWER or pairs such as [[0, 1], [0, 1]]", item: numberPair, text: pairList}
	kindPairs = &Kind{Name: "pairs", Placeholder: "PAIRS", Type: "lo:hi,…", Item: ItemPair, Most: 5,
		Form: "pairs such as [[0, 1], [0, 1]]", item: signedPair, text: `^[-+]?\d+:[-+]?\d+(,[-+]?\d+:[-+]?\d+)*$`}
)

// Values that several rows share.
const (
	wholeForm  = "a whole number in decimal digits without quotes"
	numberForm = "a number in decimal digits without quotes"
	wholeList  = `^\d+([x,]\d+)*$`
	pairList   = `^\d+:\d+(,\d+:\d+)*$`
)

var (
	wholeNumber    = &jsonschema.Schema{Type: "integer"}
	naturalNumber  = &jsonschema.Schema{Type: "integer", Minimum: "0"}
	positiveNumber = &jsonschema.Schema{Type: "integer", Minimum: "1"}
	anyNumber      = &jsonschema.Schema{Type: "number"}
	numberPair     = &jsonschema.Schema{Type: "array", Items: naturalNumber, MinItems: ptr(2), MaxItems: ptr(2)}
	signedPair     = &jsonschema.Schema{Type: "array", Items: wholeNumber, MinItems: ptr(2), MaxItems: ptr(2)}
)

// schema describes the values of a parameter of the kind that takes the given
// words.
func (k *Kind) schema(words []string) *jsonschema.Schema {
	var forms []*jsonschema.Schema
	if k.item != nil && k.Item != ItemPair { // a pair alone would look like a list of numbers
		forms = append(forms, k.item)
	}
	if len(words) > 0 {
		list := &jsonschema.Schema{Type: "string"}
		for _, w := range words {
			list.Enum = append(list.Enum, w)
		}
		forms = append(forms, list)
	}
	if k.Most > 0 {
		forms = append(forms, &jsonschema.Schema{Type: "array", Items: k.item, MinItems: ptr(1), MaxItems: ptr(uint64(k.Most))}, pattern(k.text))
	}
	if len(forms) == 1 {
		return forms[0]
	}
	return oneOf(forms...)
}

// typeText returns the type of a parameter of the kind with the given choices.
func (k *Kind) typeText(words []string) string {
	if k.Type == "" {
		return strings.Join(words, "|")
	}
	return k.Type
}

func oneOf(forms ...*jsonschema.Schema) *jsonschema.Schema { return &jsonschema.Schema{OneOf: forms} }

func pattern(text string) *jsonschema.Schema {
	return &jsonschema.Schema{Type: "string", Pattern: text}
}

func ptr(n uint64) *uint64 { return &n }

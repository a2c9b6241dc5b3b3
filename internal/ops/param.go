package ops

import (
	"fmt"
	"strings"

	"github.com/invopop/jsonschema"

	"github.com/poolctl/poolctl/internal/geom"
)

// Param is one parameter of an operation. A flag of its command, a key of its
// pipeline step, a property of its JSON Schema and a row of its page come from
// this one declaration.
type Param struct {
	Name     string // kebab-case
	Kind     *Kind
	Doc      string // one sentence, lower case, no full stop
	Choices  []string
	Names    []string // of tensors that it takes instead of a file, with what follows each
	Default  string   // as help shows it
	Required bool

	set   func(string) error
	get   func() string
	needs func(Want) (flags string, holds bool) // see Meaningful; nil: always meaningful

	placeholder string // instead of the kind's, unless empty
}

// Meaningful reports whether the parameter has an effect, given the other
// parameters and the outputs that are wanted.
func (p Param) Meaningful(want Want) bool {
	if p.needs == nil {
		return true
	}
	_, holds := p.needs(want)
	return holds
}

// withNeeds sets what each parameter needs to be meaningful.
func withNeeds(params []Param, needs func(name string, want Want) (flags string, holds bool)) []Param {
	for i, p := range params {
		params[i].needs = func(want Want) (string, bool) { return needs(p.Name, want) }
	}
	return params
}

// Set parses text into the operation's field. The error names the parameter,
// the value and the rule that it breaks.
func (p Param) Set(text string) error {
	if err := p.set(text); err != nil {
		return &geom.Error{Field: p.Name, Problem: err.Error()}
	}
	return nil
}

// String returns the field's value as text that Set accepts, empty if it was
// not set.
func (p Param) String() string { return p.get() }

// Placeholder returns a short word for the value, for the flag column of help.
func (p Param) Placeholder() string {
	if p.placeholder != "" {
		return p.placeholder
	}
	return p.Kind.Placeholder
}

// shown returns the parameter with a placeholder of its own.
func (p Param) shown(placeholder string) Param {
	p.placeholder = placeholder
	return p
}

// Words returns the words that are values of the parameter. A choice has no
// other values.
func (p Param) Words() []string {
	if p.Choices != nil {
		return p.Choices
	}
	return p.Kind.Words
}

// Type describes the values in full, for reference pages.
func (p Param) Type() string { return p.Kind.typeText(p.Choices) }

// Schema describes the values as a pipeline file may have them.
func (p Param) Schema() *jsonschema.Schema { return p.Kind.schema(p.Words()) }

// Set sets a parameter of an operation by name.
func Set(op Op, name, text string) error { return SetParam(op.Params(), name, text) }

// Get returns the value of a parameter as text, empty if the operation has no
// such parameter.
func Get(op Op, name string) string {
	for _, p := range op.Params() {
		if p.Name == name {
			return p.String()
		}
	}
	return ""
}

// hyphened returns a name with hyphens, as declarations have it: filter-format
// for filter_format.
func hyphened(name string) string { return strings.ReplaceAll(name, "_", "-") }

// SetParam sets the parameter of that name. An underscore in the name stands
// for a hyphen.
func SetParam(params []Param, name, text string) error {
	var known []string
	for _, p := range params {
		if p.Name == hyphened(name) {
			return p.Set(text)
		}
		known = append(known, p.Name)
	}
	return fmt.Errorf("unknown parameter: %w", unknownWord(name, known))
}

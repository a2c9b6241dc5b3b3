package config

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/poolctl/poolctl/internal/ops"
)

// OneStep returns a pipeline file whose only step is an operation with its
// current parameters, named after the operation. Parameters with their default
// are left out. kinds are what is saved. An operation with several main inputs
// takes the input of the pipeline as each of that many inputs.
//
// It fails if a parameter has a value that a file cannot have.
func OneStep(spec ops.Spec, op ops.Op, inputs int, kinds []string) (string, error) {
	var b strings.Builder
	fmt.Fprintf(&b, "version: 1\nsteps:\n  - name: %s\n    op: %s\n", spec.Name, spec.Name)
	if spec.Several {
		fmt.Fprintf(&b, "    from: [%s]\n", strings.Join(slices.Repeat([]string{InputName}, inputs), ", "))
	}
	fresh := StepParams(spec.New())
	for i, p := range StepParams(op) {
		text := p.String()
		if text == fresh[i].String() {
			continue
		}
		value, err := valueText(p, text)
		if err != nil {
			return "", fmt.Errorf("%s: %s: %w", spec.Name, p.Name, err)
		}
		fmt.Fprintf(&b, "    %s: %s\n", p.Name, value)
	}
	fmt.Fprintf(&b, "save:\n  %s: [%s]\n", spec.Name, strings.Join(kinds, ", "))
	return b.String(), nil
}

// valueText returns the text of a value as YAML. text is what a flag has.
func valueText(p ops.Param, text string) (string, error) {
	switch k := p.Kind; {
	case slices.Contains(p.Words(), text):
		return text, nil
	case k.File() && text == "-":
		return "", errors.New("got -, want a file: a pipeline does not read standard input")
	case k.File():
		return strconv.Quote(text), nil
	case k.Most == 0:
		return text, nil
	case k.Item == ops.ItemPair:
		return "[[" + strings.NewReplacer(",", "], [", ":", ", ").Replace(text) + "]]", nil
	default:
		return "[" + strings.ReplaceAll(text, ",", ", ") + "]", nil
	}
}

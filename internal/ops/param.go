package ops

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/poolctl/poolctl/internal/geom"
	"github.com/poolctl/poolctl/internal/tensor"
)

// Kind says what a parameter's value looks like; it decides the JSON Schema of
// the parameter and the word that help shows for its value.
type Kind string

// The kinds of parameters.
const (
	KindBool    Kind = "bool"
	KindInt     Kind = "int"
	KindNumber  Kind = "number"
	KindInts    Kind = "ints"    // a list, one number for each spatial dimension
	KindNumbers Kind = "numbers" // the same, not whole
	KindShape   Kind = "shape"
	KindChoice  Kind = "choice"
	KindWindow  Kind = "window"  // a list, or "global"
	KindPadding Kind = "padding" // a rule, or lo:hi pairs
	KindTensor  Kind = "tensor"  // a file that holds an array, or a named filter
	KindReal    Kind = "real"    // a number that may be 0 or negative
	KindCount   Kind = "count"   // a whole number >= 0
	KindAxis    Kind = "axis"    // an axis of a tensor, negative from the end
	KindPairs   Kind = "pairs"   // lo:hi pairs
)

// Param is one parameter of an operation: a flag of its command, a key of its
// pipeline step, a property of its JSON Schema and a row of its page, all from
// this one declaration.
type Param struct {
	Name     string // kebab-case
	Kind     Kind
	Doc      string // one sentence, lower case, no full stop
	Choices  []string
	Default  string // as help shows it
	Required bool

	set   func(string) error
	get   func() string
	needs func(Want) (flags string, holds bool) // see Meaningful; nil: nothing
}

// Meaningful reports whether the parameter decides anything beside the others
// as they are, and the outputs that are wanted.
func (p Param) Meaningful(want Want) bool {
	if p.needs == nil {
		return true
	}
	_, holds := p.needs(want)
	return holds
}

// withNeeds attaches to every parameter what it has a meaning beside.
func withNeeds(params []Param, needs func(name string, want Want) (flags string, holds bool)) []Param {
	for i, p := range params {
		params[i].needs = func(want Want) (string, bool) { return needs(p.Name, want) }
	}
	return params
}

// Set parses text into the operation's field. The error names the value and
// the rule it broke, and the parameter.
func (p Param) Set(text string) error {
	if err := p.set(text); err != nil {
		return &geom.Error{Field: p.Name, Problem: err.Error()}
	}
	return nil
}

// String returns the field's value as text that Set accepts; empty when it was
// not set.
func (p Param) String() string { return p.get() }

// Placeholder returns a short word for the value, for the flag column of help.
func (p Param) Placeholder() string {
	switch p.Kind {
	case KindBool:
		return "bool" // which a flag's column does not show
	case KindInt, KindCount, KindAxis:
		return "N"
	case KindNumber, KindReal:
		return "X"
	case KindPairs:
		return "PAIRS"
	case KindChoice:
		switch {
		case strings.HasSuffix(p.Name, "type"):
			return "TYPE"
		case strings.HasSuffix(p.Name, "format"):
			return "FORMAT"
		}
		return "RULE"
	case KindWindow:
		return "LIST|global"
	case KindPadding:
		return "RULE"
	case KindShape:
		return "SHAPE"
	case KindTensor:
		return "FILE"
	default: // KindInts, KindNumbers
		return "LIST"
	}
}

// Type describes the values in full, for reference pages.
func (p Param) Type() string {
	switch p.Kind {
	case KindChoice:
		return strings.Join(p.Choices, "|")
	case KindTensor:
		return "FILE"
	case KindWindow:
		return "ints|global"
	case KindPadding:
		return "SAME|VALID|SAME_LOWER|lo:hi,…"
	case KindReal:
		return string(KindNumber)
	case KindCount, KindAxis:
		return string(KindInt)
	case KindPairs:
		return "lo:hi,…"
	default:
		return string(p.Kind)
	}
}

func boolParam(name string, field *bool, doc string) Param {
	return Param{Name: name, Kind: KindBool, Doc: doc, Default: "false",
		set: func(text string) error {
			switch text {
			case "true":
				*field = true
			case "false":
				*field = false
			default:
				return fmt.Errorf("got %q, want true or false", text)
			}
			return nil
		},
		get: func() string { return strconv.FormatBool(*field) }}
}

func choiceParam(name string, field *string, choices []string, otherwise, doc string) Param {
	if *field == "" {
		*field = otherwise
	}
	return Param{Name: name, Kind: KindChoice, Doc: doc, Choices: choices, Default: otherwise,
		set: func(text string) error {
			i := slices.IndexFunc(choices, func(c string) bool { return strings.EqualFold(c, text) })
			if i < 0 {
				return unknownWord(text, choices)
			}
			*field = choices[i]
			return nil
		},
		get: func() string { return *field }}
}

// unknownWord says which words are known, and which is nearest to the one given.
func unknownWord(text string, known []string) error {
	if near := Nearest(text, known); near != "" {
		return fmt.Errorf("got %q, want one of %s (did you mean %q?)", text, strings.Join(known, ", "), near)
	}
	return fmt.Errorf("got %q, want one of %s", text, strings.Join(known, ", "))
}

func intParam(name string, field *int, otherwise, doc string, check func(int) error) Param {
	return Param{Name: name, Kind: KindInt, Doc: doc, Default: otherwise,
		set: func(text string) error {
			v, err := parseInt(text)
			if err == nil {
				err = check(v)
			}
			if err == nil {
				*field = v
			}
			return err
		},
		get: func() string {
			if check(*field) != nil {
				return "" // none given, and no number says so
			}
			return strconv.Itoa(*field)
		}}
}

func numberParam(name string, field *float64, otherwise float64, doc string, check func(float64) error) Param {
	if *field == 0 {
		*field = otherwise
	}
	return Param{Name: name, Kind: KindNumber, Doc: doc, Default: formatNumber(otherwise),
		set: func(text string) error {
			v, err := parseNumber(text)
			if err == nil {
				err = check(v)
			}
			if err == nil {
				*field = v
			}
			return err
		},
		get: func() string { return formatNumber(*field) }}
}

func intsParam(name string, field *[]int, otherwise, doc string) Param {
	return Param{Name: name, Kind: KindInts, Doc: doc, Default: otherwise,
		set: func(text string) (err error) {
			*field, err = ParseInts(text)
			return err
		},
		get: func() string { return tensor.Join(*field, ",") }}
}

func numbersParam(name string, field *[]float64, doc string) Param {
	return Param{Name: name, Kind: KindNumbers, Doc: doc,
		set: func(text string) error {
			var list []float64
			for word := range strings.SplitSeq(text, separator(text)) {
				v, err := parseNumber(word)
				if err != nil {
					return within(text, word, err)
				}
				list = append(list, v)
			}
			*field = list
			return nil
		},
		get: func() string {
			words := make([]string, len(*field))
			for i, v := range *field {
				words[i] = formatNumber(v)
			}
			return strings.Join(words, ",")
		}}
}

func shapeParam(name string, field *tensor.Shape, doc string) Param {
	p := intsParam(name, (*[]int)(field), "", doc)
	p.Kind = KindShape
	return p
}

func tensorParam(name string, field *string, doc string) Param {
	return Param{Name: name, Kind: KindTensor, Doc: doc,
		set: func(text string) error {
			if text == "" {
				return fmt.Errorf("got an empty name, want a file")
			}
			*field = text
			return nil
		},
		get: func() string { return *field }}
}

func dtypeParam(field *tensor.DType) Param {
	return Param{Name: "dtype", Kind: KindChoice, Choices: tensor.DTypeNames(), Default: "the input's",
		Doc: "element type to convert the input to, to compute in and to write",
		set: func(text string) (err error) {
			d, err := tensor.ParseDType(text)
			if err != nil {
				return unknownWord(text, tensor.DTypeNames())
			}
			*field = d
			return nil
		},
		get: func() string {
			if *field == tensor.Invalid {
				return ""
			}
			return field.String()
		}}
}

func layoutParam(field *tensor.Layout) Param {
	return Param{Name: "data-format", Kind: KindChoice, Choices: tensor.LayoutNames(), Default: "by rank",
		Doc: "order of the axes of input, output and argmax (by rank: HW, NWC, NHWC, NDHWC)",
		set: func(text string) error {
			l, err := tensor.ParseLayout(text)
			if err != nil {
				return unknownWord(text, tensor.LayoutNames())
			}
			*field = l
			return nil
		},
		get: func() string { return string(*field) }}
}

// ParseInts parses a list of whole numbers: 2,1 or 2x1 or 2.
func ParseInts(text string) ([]int, error) {
	var list []int
	for word := range strings.SplitSeq(text, separator(text)) {
		v, err := parseInt(strings.TrimSpace(word))
		if err != nil {
			return nil, within(text, word, err)
		}
		list = append(list, v)
	}
	return list, nil
}

// within adds the list to an error about a number that is missing from it.
func within(list, word string, err error) error {
	if strings.TrimSpace(word) == "" && list != "" {
		return fmt.Errorf("got \"\" in %q, want numbers on both sides of %q", list, separator(list))
	}
	return err
}

// separator returns what stands between the numbers of a list: 2,1 or 2x1.
func separator(text string) string {
	if strings.Contains(text, ",") {
		return ","
	}
	return "x"
}

func parseInt(text string) (int, error) {
	v, err := strconv.Atoi(text)
	if err != nil {
		return 0, fmt.Errorf("got %q, want a whole number", text)
	}
	return v, nil
}

func parseNumber(text string) (float64, error) {
	v, err := strconv.ParseFloat(strings.TrimSpace(text), 64)
	if err != nil || math.IsNaN(v) {
		return 0, fmt.Errorf("got %q, want a number", text)
	}
	return v, nil
}

func formatNumber(v float64) string { return strconv.FormatFloat(v, 'g', -1, 64) }

// paddingValue is a padding rule with its amounts, as the command line has it.
type paddingValue struct {
	Rule    geom.Padding
	Amounts [][2]int
	given   bool
}

func paddingParam(field *paddingValue) Param {
	return Param{Name: "padding", Kind: KindPadding, Default: "VALID",
		Doc: "SAME, VALID, SAME_LOWER, or cells before and after as lo:hi, a pair for each spatial dimension",
		set: func(text string) (err error) {
			*field, err = parsePadding(text)
			return err
		},
		get: func() string {
			switch {
			case !field.given:
				return ""
			case field.Rule != geom.Explicit:
				return field.Rule.String()
			}
			pairs := make([]string, len(field.Amounts))
			for i, a := range field.Amounts {
				pairs[i] = fmt.Sprintf("%d:%d", a[0], a[1])
			}
			return strings.Join(pairs, ",")
		}}
}

func parsePadding(text string) (paddingValue, error) {
	rules := []geom.Padding{geom.Same, geom.Valid, geom.SameLower}
	for _, rule := range rules {
		if strings.EqualFold(text, rule.String()) {
			return paddingValue{Rule: rule, given: true}, nil
		}
	}
	v := paddingValue{Rule: geom.Explicit, given: true}
	for pair := range strings.SplitSeq(text, ",") {
		lo, hi, ok := strings.Cut(pair, ":")
		a, errLo := strconv.Atoi(lo)
		b, errHi := strconv.Atoi(hi)
		if !ok || errLo != nil || errHi != nil {
			return paddingValue{}, fmt.Errorf("got %q, want SAME, VALID, SAME_LOWER or pairs lo:hi of whole numbers", text)
		}
		v.Amounts = append(v.Amounts, [2]int{a, b})
	}
	return v, nil
}

// windowValue is a list of sizes, or the whole input.
type windowValue struct {
	Size   []int
	Global bool
}

func (w windowValue) given() bool { return w.Global || len(w.Size) > 0 }

func windowParam(field *windowValue) Param {
	return Param{Name: "window", Kind: KindWindow,
		Doc: "extent of the window, one number for each spatial dimension, or global for the whole input",
		set: func(text string) (err error) {
			if strings.EqualFold(text, "global") {
				*field = windowValue{Global: true}
				return nil
			}
			field.Global = false
			field.Size, err = ParseInts(text)
			if err != nil {
				err = fmt.Errorf("%w, or global", err)
			}
			return err
		},
		get: func() string {
			if field.Global {
				return "global"
			}
			return tensor.Join(field.Size, ",")
		}}
}

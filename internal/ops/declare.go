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

func boolParam(name string, field *bool, doc string) Param {
	return Param{Name: name, Kind: kindBool, Doc: doc, Default: "false",
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
	return Param{Name: name, Kind: kindChoice, Doc: doc, Choices: choices, Default: otherwise,
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

func intParam(name string, field *int, otherwise, doc string, check func(int) error) Param {
	return Param{Name: name, Kind: kindInt, Doc: doc, Default: otherwise,
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
				return "" // not given
			}
			return strconv.Itoa(*field)
		}}
}

func numberParam(name string, field *float64, otherwise float64, doc string, check func(float64) error) Param {
	if *field == 0 {
		*field = otherwise
	}
	return Param{Name: name, Kind: kindNumber, Doc: doc, Default: formatNumber(otherwise),
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
	return Param{Name: name, Kind: kindInts, Doc: doc, Default: otherwise,
		set: func(text string) (err error) {
			*field, err = ParseInts(text)
			return err
		},
		get: func() string { return tensor.Join(*field, ",") }}
}

// signedParam declares a list of whole numbers that may be 0 or negative.
func signedParam(name string, field *[]int, otherwise, doc string) Param {
	p := intsParam(name, field, otherwise, doc)
	p.Kind = kindSigned
	p.set = func(text string) error {
		list, err := ParseInts(text)
		if err == nil && len(list) > p.Kind.Most {
			err = fmt.Errorf("got %d numbers in %s, want at most %d", len(list), text, p.Kind.Most)
		}
		if err == nil {
			*field = list
		}
		return err
	}
	return p
}

func numbersParam(name string, field *[]float64, doc string) Param {
	return Param{Name: name, Kind: kindNumbers, Doc: doc,
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
	p.Kind = kindShape
	return p
}

func tensorParam(name string, field *string, doc string) Param {
	return Param{Name: name, Kind: kindTensor, Doc: doc,
		set: func(text string) error {
			if text == "" {
				return fmt.Errorf("got an empty name, want a file")
			}
			*field = text
			return nil
		},
		get: func() string { return *field }}
}

// filterParam declares a filter, which must be given.
func filterParam(field *string, doc string) Param {
	p := tensorParam("filter", field, doc+", or "+filterForms)
	p.Names, p.Required = filterTensors, true
	return p
}

func dtypeParam(field *tensor.DType) Param {
	return Param{Name: "dtype", Kind: kindChoice, placeholder: "TYPE", Choices: tensor.DTypeNames(), Default: "the input's",
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
	return Param{Name: "data-format", Kind: kindChoice, placeholder: "FORMAT", Choices: tensor.LayoutNames(), Default: "by rank",
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

// paddingValue is the value of --padding: a rule, with amounts if it is
// explicit.
type paddingValue struct {
	Rule    geom.Padding
	Amounts [][2]int
	given   bool
}

func paddingParam(field *paddingValue) Param {
	return Param{Name: "padding", Kind: kindPadding, Default: "VALID",
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

// windowValue is the value of --window: sizes, or the whole input.
type windowValue struct {
	Size   []int
	Global bool
}

func (w windowValue) given() bool { return w.Global || len(w.Size) > 0 }

func windowParam(field *windowValue) Param {
	return Param{Name: "window", Kind: kindWindow,
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

// number is a parameter that may be 0 and whose default may be another number.
type number struct {
	value float64
	given bool
}

// realParam declares a number that may be 0 or negative. check, if not nil,
// refuses some.
func realParam(name string, field *number, otherwise float64, doc string, check func(float64) error) Param {
	if !field.given {
		field.value = otherwise
	}
	return Param{Name: name, Kind: kindReal, Doc: doc, Default: formatNumber(otherwise),
		set: func(text string) error {
			v, err := parseNumber(text)
			if err == nil && check != nil {
				err = check(v)
			}
			if err == nil {
				*field = number{v, true}
			}
			return err
		},
		get: func() string { return formatNumber(field.value) }}
}

// countParam declares a whole number >= 0.
func countParam(name string, field *number, otherwise int, doc string) Param {
	if !field.given {
		field.value = float64(otherwise)
	}
	return Param{Name: name, Kind: kindCount, Doc: doc, Default: fmt.Sprint(otherwise),
		set: func(text string) error {
			v, err := parseInt(text)
			if err == nil && (v < 0 || v > math.MaxInt32) {
				err = fmt.Errorf("got %d, want 0 to %d", v, math.MaxInt32)
			}
			if err == nil {
				*field = number{float64(v), true}
			}
			return err
		},
		get: func() string { return formatNumber(field.value) }}
}

// optionalCountParam is countParam, whose text is empty where no number was
// given, as it must be if the number cannot be given beside another parameter.
// otherwise is negative if there is no default.
func optionalCountParam(name string, field *number, otherwise int, doc string) Param {
	p := countParam(name, field, otherwise, doc)
	if otherwise < 0 {
		p.Default = ""
	}
	text := p.get
	p.get = func() string {
		if !field.given {
			return ""
		}
		return text()
	}
	return p
}

// axisValue is the value of --axis: an axis in memory order, from 0, or from
// the end as -1, -2, …; the channels if it is not given.
type axisValue struct {
	n     int
	given bool
}

func axisParam(field *axisValue, doc string) Param {
	return Param{Name: "axis", Kind: kindAxis, Doc: doc, Default: "the channels",
		set: func(text string) error {
			v, err := parseInt(text)
			if err == nil {
				*field = axisValue{v, true}
			}
			return err
		},
		get: func() string {
			if !field.given {
				return ""
			}
			return fmt.Sprint(field.n)
		}}
}

// in returns the axis of a tensor with that layout. There is no default for HW,
// which has no channels.
func (a axisValue) in(op string, layout tensor.Layout) (int, error) {
	rank := layout.Rank()
	switch {
	case !a.given && !strings.Contains(string(layout), "C"):
		return 0, unfit(op, "axis", "missing, want -%d to %d: %s has no channels", rank, rank-1, layout)
	case !a.given:
		return strings.IndexByte(string(layout), 'C'), nil
	case a.n < -rank || a.n >= rank:
		return 0, unfit(op, "axis", "got %d, want -%d to %d (%s)", a.n, rank, rank-1, layout)
	case a.n < 0:
		return rank + a.n, nil
	default:
		return a.n, nil
	}
}

// pairsParam declares pairs of whole numbers, which may be negative.
func pairsParam(name string, field *[][2]int, doc string) Param {
	return Param{Name: name, Kind: kindPairs, Doc: doc,
		set: func(text string) error {
			var list [][2]int
			for pair := range strings.SplitSeq(text, ",") {
				lo, hi, ok := strings.Cut(pair, ":")
				a, errLo := strconv.Atoi(lo)
				b, errHi := strconv.Atoi(hi)
				if !ok || errLo != nil || errHi != nil {
					return fmt.Errorf("got %q, want pairs lo:hi of whole numbers", text)
				}
				if min(a, b) < -math.MaxInt32 || max(a, b) > math.MaxInt32 {
					return fmt.Errorf("got %s, want each from %d to %d", pair, -math.MaxInt32, math.MaxInt32)
				}
				list = append(list, [2]int{a, b})
			}
			if len(list) > tensor.NDHWC.Rank() {
				return fmt.Errorf("got %d pairs, want at most %d", len(list), tensor.NDHWC.Rank())
			}
			*field = list
			return nil
		},
		get: func() string { return pairsText(*field) }}
}

package config

import (
	"errors"
	"fmt"
	"math"
	"regexp"
	"strconv"
	"strings"

	yaml "go.yaml.in/yaml/v4"

	"github.com/poolctl/poolctl/internal/geom"
	"github.com/poolctl/poolctl/internal/ops"
	"github.com/poolctl/poolctl/internal/tensor"
)

// set sets a parameter to the value of a node. It converts the value to the
// text that a flag would have.
func (w *walker) set(p ops.Param, n *yaml.Node, key string) {
	text, ok := w.text(p, n, key)
	if !ok {
		return
	}
	if err := p.Set(text); err != nil {
		w.fault(n, key, "%s", Problem(err))
	}
}

// text returns the text that a flag would have for the value of a node.
func (w *walker) text(p ops.Param, n *yaml.Node, key string) (string, bool) {
	k := p.Kind
	want := k.Form
	if want == "" {
		want = "one of " + strings.Join(p.Words(), ", ")
	}
	if k.Most > 0 {
		return w.list(n, key, k.Item, want)
	}
	return w.item(n, key, k.Item, want)
}

// item reads a single value or one item of a list. want describes valid values.
func (w *walker) item(n *yaml.Node, key string, item ops.Item, want string) (string, bool) {
	switch item {
	case ops.ItemWord:
		if n.Kind != yaml.ScalarNode || plain(n, nullText) {
			return w.refused(n, key, want)
		}
		return n.Value, true
	case ops.ItemBool:
		if !plain(n, boolText) {
			return w.refused(n, key, want)
		}
		return strings.ToLower(n.Value), true
	case ops.ItemWhole:
		return w.whole(n, key)
	case ops.ItemNumber:
		return w.number(n, key)
	case ops.ItemPair:
		return w.pair(n, key)
	case ops.ItemFile:
		if !isText(n) {
			return w.refused(n, key, want)
		}
		if n.Value == "-" {
			return w.refused(n, key, "a file: a pipeline does not read standard input")
		}
		return n.Value, true
	}
	panic(fmt.Sprintf("config: no item %d", item))
}

func (w *walker) refused(n *yaml.Node, key, want string) (string, bool) {
	w.fault(n, key, "got %s, want %s", was(n), want)
	return "", false
}

func (w *walker) whole(n *yaml.Node, key string) (string, bool) {
	if !plain(n, wholeText) {
		return w.refused(n, key, "a whole number in decimal digits without quotes")
	}
	return strings.TrimPrefix(n.Value, "+"), true
}

var infinity = regexp.MustCompile(`^([-+]?)\.?(inf|Inf|INF)$`)

func (w *walker) number(n *yaml.Node, key string) (string, bool) {
	if m := infinity.FindStringSubmatch(n.Value); m != nil && n.Kind == yaml.ScalarNode && !quoted(n) {
		return m[1] + "inf", true
	}
	if !plain(n, wholeText, realText) {
		return w.refused(n, key, "a number in decimal digits without quotes")
	}
	return n.Value, true
}

// pair reads [lo, hi], or lo:hi as on the command line.
func (w *walker) pair(n *yaml.Node, key string) (string, bool) {
	if n.Kind == yaml.ScalarNode && strings.Contains(n.Value, ":") {
		return n.Value, true
	}
	if n.Kind != yaml.SequenceNode || len(n.Content) != 2 {
		return w.refused(n, key, "a pair of whole numbers such as [0, 1]")
	}
	lo, okLo := w.whole(n.Content[0], key)
	hi, okHi := w.whole(n.Content[1], key)
	return lo + ":" + hi, okLo && okHi
}

// list reads a list, a single item, or the text that the command line accepts.
func (w *walker) list(n *yaml.Node, key string, item ops.Item, want string) (string, bool) {
	switch {
	case n.Kind == yaml.SequenceNode && len(n.Content) > 0:
		var words []string
		all := true
		for _, child := range n.Content {
			word, ok := w.item(child, key, item, want)
			words, all = append(words, word), all && ok
		}
		return strings.Join(words, ","), all
	case n.Kind != yaml.ScalarNode || plain(n, nullText, boolText):
		return w.refused(n, key, want)
	case !oneNumber(strings.TrimSpace(n.Value)):
		return n.Value, true
	case item == ops.ItemPair:
		return w.refused(n, key, want)
	case quoted(n):
		return w.refused(n, key, want+", without quotes")
	default:
		return w.item(n, key, item, want)
	}
}

// oneNumber reports whether text is a single number, in any notation. Several
// numbers, as the command line accepts them, are not: 2x1, 1.44,1.73, 0:1.
func oneNumber(text string) bool {
	return (wholeText.MatchString(text) || realText.MatchString(text) || oddNumber.MatchString(text)) && !strings.Contains(text, ":")
}

// name reads the name of a step.
func (w *walker) name(n *yaml.Node, key string) (string, bool) {
	if !isText(n) {
		return w.refused(n, key, "the name of a step, in quotes if it looks like a number")
	}
	return n.Value, true
}

var flagDashes = regexp.MustCompile(`(^|[ (])--([a-z])`)

// Problem returns the text of an error about a parameter for a file. It has no
// operation and no parameter, which the caller puts in front, and no dashes
// before keys.
func Problem(err error) string {
	var (
		field *geom.Error
		usage *ops.UsageError
		data  *ops.DataError
	)
	text := err.Error()
	switch {
	case errors.As(err, &field):
		text = field.Problem
	case errors.As(err, &usage):
		text = usage.Err.Error()
	case errors.As(err, &data):
		text = data.Err.Error()
	}
	return flagDashes.ReplaceAllString(text, "$1$2")
}

// integers reads a list of whole numbers of a given length, each at least
// least.
func (w *walker) integers(n *yaml.Node, key string, least, length int) []int {
	want := fmt.Sprintf("a list of %d whole numbers >= %d", length, least)
	if n.Kind != yaml.SequenceNode || len(n.Content) != length {
		w.refused(n, key, want)
		return nil
	}
	var list []int
	for _, child := range n.Content {
		text, ok := w.whole(child, key)
		if !ok {
			return nil
		}
		values, err := ops.ParseInts(text)
		switch {
		case err != nil:
			w.fault(child, key, "%v", err)
			return nil
		case values[0] < least || values[0] >= 1<<31:
			w.fault(child, key, "got %d, want %d to %d", values[0], least, 1<<31-1)
			return nil
		}
		list = append(list, values[0])
	}
	return list
}

// layout reads the name of a layout.
func (w *walker) layout(n *yaml.Node, key string) tensor.Layout {
	word, ok := w.word(n, key, tensor.LayoutNames())
	if !ok {
		return ""
	}
	return tensor.Layout(word)
}

// word reads one of the known words. Case does not matter.
func (w *walker) word(n *yaml.Node, key string, known []string) (string, bool) {
	if n.Kind != yaml.ScalarNode || plain(n, nullText) {
		return w.refused(n, key, "one of "+strings.Join(known, ", "))
	}
	for _, k := range known {
		if strings.EqualFold(k, n.Value) {
			return k, true
		}
	}
	w.unknownValue(n, key, known)
	return "", false
}

func (w *walker) unknownValue(n *yaml.Node, key string, known []string) {
	w.add(w.at(n), key, func() string { return fmt.Sprintf("got %q, want one of %s", n.Value, oneOf(n.Value, known)) })
}

// numbers reads a finite number or a list of them.
func (w *walker) numbers(n *yaml.Node, key string) []float64 {
	if n.Kind == yaml.MappingNode || n.Kind == yaml.SequenceNode && len(n.Content) == 0 {
		w.refused(n, key, "a number, or a list with one for each channel")
		return nil
	}
	var list []float64
	for _, item := range items(n) {
		text, ok := w.number(item, key)
		if !ok {
			return nil
		}
		v, err := strconv.ParseFloat(text, 64)
		if err != nil || math.IsInf(v, 0) {
			w.fault(item, key, "got %s, want a finite number", text)
			return nil
		}
		list = append(list, v)
	}
	return list
}

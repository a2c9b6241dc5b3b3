package config

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode"

	yaml "go.yaml.in/yaml/v4"

	"github.com/poolctl/poolctl/internal/ops"
)

// walker reads the tree of a pipeline file and collects its faults.
type walker struct {
	file   string
	faults PipelineFaults
	count  int // of all faults; the first maxFaults are kept
}

// maxFaults bounds the faults that are reported. A small file may have one at
// every comma.
const maxFaults = 100

func (w *walker) at(n *yaml.Node) Place { return Place{w.file, n.Line, n.Column} }

func (w *walker) fault(n *yaml.Node, key, format string, args ...any) {
	w.add(w.at(n), key, func() string { return fmt.Sprintf(format, args...) })
}

// add adds a fault. problem is called only if the fault is reported.
func (w *walker) add(place Place, key string, problem func() string) {
	if w.count++; w.count <= maxFaults {
		w.faults = append(w.faults, PipelineFault{place, key, problem()})
	}
}

// sorted returns the faults in file order and, last, the number of those that
// are not reported.
func (w *walker) sorted() PipelineFaults {
	slices.SortStableFunc(w.faults, func(a, b PipelineFault) int {
		return cmp.Or(cmp.Compare(a.Line, b.Line), cmp.Compare(a.Column, b.Column))
	})
	if more := w.count - len(w.faults); more > 0 {
		w.faults = append(w.faults, PipelineFault{Place: Place{File: w.file}, Problem: fmt.Sprintf("%d more faults are not told", more)})
	}
	return w.faults
}

// parse returns the mapping of the file, or nil and at least one fault.
func (w *walker) parse(text []byte) *yaml.Node {
	whole := func(format string, args ...any) *yaml.Node {
		w.add(Place{File: w.file}, "", func() string { return fmt.Sprintf(format, args...) })
		return nil
	}
	if len(text) > MaxPipelineBytes {
		return whole("got more than %d bytes, want at most that", MaxPipelineBytes)
	}
	var root, more yaml.Node
	decoder := yaml.NewDecoder(bytes.NewReader(text))
	if err := decoder.Decode(&root); err != nil && !errors.Is(err, io.EOF) {
		return w.syntax(err)
	}
	switch err := decoder.Decode(&more); {
	case err == nil:
		w.fault(&more, "", "got a second document, want one")
		return nil
	case !errors.Is(err, io.EOF):
		return w.syntax(err)
	case len(root.Content) == 0:
		return whole("is empty, want version and steps")
	}
	top := root.Content[0]
	w.refuse(top, 1)
	if w.count > 0 {
		return nil
	}
	if top.Kind != yaml.MappingNode {
		w.fault(top, "", "got %s, want version, steps and, where needed, input and save", was(top))
		return nil
	}
	return top
}

// syntax converts an error of the YAML parser to a fault with its place.
func (w *walker) syntax(err error) *yaml.Node {
	fault := PipelineFault{Place: Place{File: w.file}, Problem: strings.TrimPrefix(err.Error(), "yaml: ")}
	var load *yaml.LoadError
	if errors.As(err, &load) {
		fault.Problem = load.Message
		if load.Mark.Line > 0 {
			fault.Line, fault.Column = load.Mark.Line, max(1, load.Mark.Column)
		}
	}
	fault.Problem = "is no YAML: " + fault.Problem
	w.add(fault.Place, "", func() string { return fault.Problem })
	return nil
}

// refuse reports YAML features that pipeline files forbid, because a small file
// could stand for a large one, or one text for two things. It also reports long
// texts.
func (w *walker) refuse(n *yaml.Node, depth int) {
	if depth > MaxPipelineDepth {
		w.fault(n, "", "nested more than %d deep", MaxPipelineDepth)
		return
	}
	switch {
	case n.Kind == yaml.AliasNode:
		w.fault(n, "", "got the alias *%s, want the value itself: aliases are refused", n.Value)
		return // its target is reported in its own place
	case n.Anchor != "":
		w.fault(n, "", "got the anchor &%s, want none: anchors are refused", n.Anchor)
	case n.Style&yaml.TaggedStyle != 0:
		w.fault(n, "", "got the tag %s, want none: tags are refused", n.Tag)
	case len(n.Value) > MaxPipelineText:
		w.fault(n, "", "got a text of %d bytes, want at most %d", len(n.Value), MaxPipelineText)
	}
	for i, child := range n.Content {
		if n.Kind == yaml.MappingNode && i%2 == 0 && child.Kind == yaml.ScalarNode && child.Value == "<<" {
			w.fault(child, "", "got the merge key <<, want the keys themselves: merging is refused")
			continue
		}
		w.refuse(child, depth+1)
	}
}

// field is a key of a mapping with its value.
type field struct{ key, value *yaml.Node }

// fields reads a mapping with known keys. Hyphens and underscores are the same
// in keys.
func (w *walker) fields(n *yaml.Node, within string, known []string) map[string]field {
	found := map[string]field{}
	for i := 0; i+1 < len(n.Content); i += 2 {
		key, value := n.Content[i], n.Content[i+1]
		name, ok := w.key(key, within)
		if !ok {
			continue
		}
		name = strings.ReplaceAll(name, "_", "-")
		switch first, twice := found[name]; {
		case !slices.Contains(known, name):
			w.unknown(key, within, "key", name, known)
		case twice:
			w.fault(key, join(within, name), "given twice, first in line %d", first.key.Line)
		default:
			found[name] = field{key, value}
		}
	}
	return found
}

// key returns the text of a key.
func (w *walker) key(n *yaml.Node, within string) (string, bool) {
	if n.Kind != yaml.ScalarNode {
		w.fault(n, within, "got %s for a key, want a word", was(n))
		return "", false
	}
	return n.Value, true
}

// unknown reports a word that is not known.
func (w *walker) unknown(n *yaml.Node, within, what, word string, known []string) {
	w.add(w.at(n), within, func() string {
		return fmt.Sprintf("unknown %s %q, want one of %s", what, word, oneOf(word, known))
	})
}

// oneOf lists the known words and suggests the nearest.
func oneOf(word string, known []string) string {
	return strings.Join(known, ", ") + ops.Suggestion(word, known)
}

// items returns the items of a list, or a single value as its only item.
func items(n *yaml.Node) []*yaml.Node {
	if n.Kind == yaml.SequenceNode {
		return n.Content
	}
	return []*yaml.Node{n}
}

// join puts the path of the parent before a key.
func join(within, key string) string {
	if within == "" {
		return key
	}
	return within + ": " + key
}

// Forms of plain scalars, as in YAML 1.2's core schema, except that numbers
// have decimal digits only. YAML 1.2 also has 0x10 and 0o17, and YAML 1.1 has
// 010 (which is 8), 1_000 and 1:30.
var (
	nullText  = regexp.MustCompile(`^(|~|null|Null|NULL)$`)
	boolText  = regexp.MustCompile(`^(true|True|TRUE|false|False|FALSE)$`)
	wholeText = regexp.MustCompile(`^[-+]?(0|[1-9][0-9]*)$`)
	realText  = regexp.MustCompile(`^[-+]?((0|[1-9][0-9]*)(\.[0-9]*)?|\.[0-9]+)([eE][-+]?[0-9]+)?$`)
	oddNumber = regexp.MustCompile(`^[-+]?[.0-9][0-9_.:]*([eE][-+]?[0-9]+)?$|^0[xo][0-9a-fA-F]+$|^[-+]?\.(inf|Inf|INF)$|^\.(nan|NaN|NAN)$`)
)

// quoted reports whether a scalar is text because of its quotes or its block
// style.
func quoted(n *yaml.Node) bool {
	return n.Style&(yaml.SingleQuotedStyle|yaml.DoubleQuotedStyle|yaml.LiteralStyle|yaml.FoldedStyle) != 0
}

// plain reports whether a scalar is plain and has one of the forms.
func plain(n *yaml.Node, forms ...*regexp.Regexp) bool {
	return n.Kind == yaml.ScalarNode && !quoted(n) &&
		slices.ContainsFunc(forms, func(f *regexp.Regexp) bool { return f.MatchString(n.Value) })
}

// isText reports whether a scalar is text: not empty, a truth value or a
// number.
func isText(n *yaml.Node) bool {
	return n.Kind == yaml.ScalarNode && (quoted(n) || !plain(n, nullText, boolText, wholeText, realText, oddNumber))
}

// was describes a refused value.
func was(n *yaml.Node) string {
	switch {
	case n.Kind == yaml.MappingNode:
		return "a mapping"
	case n.Kind == yaml.SequenceNode && len(n.Content) == 0:
		return "an empty list"
	case n.Kind == yaml.SequenceNode:
		return "a list"
	case quoted(n):
		return "the quoted text " + strconv.Quote(n.Value)
	case plain(n, nullText):
		return "nothing"
	case strings.ContainsFunc(n.Value, func(r rune) bool { return !unicode.IsPrint(r) }): // such as a line break
		return strconv.Quote(n.Value)
	default:
		return n.Value
	}
}

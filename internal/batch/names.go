package batch

import (
	"errors"
	"fmt"
	"path"
	"path/filepath"
	"runtime"
	"strings"

	"github.com/poolctl/poolctl/internal/imgio"
	"github.com/poolctl/poolctl/internal/imgio/input"
)

// Product is an output that every input has.
type Product struct {
	Step string // of the pipeline
	Ext  string // the end of its name: .npy, .argmax.npy
}

// DefaultTemplate is the default template of output names.
const DefaultTemplate = "{dir}/{stem}/{step}{ext}"

// fields are the fields of templates and their meanings.
var fields = []struct{ name, meaning string }{
	{"dir", "the input's folder, below the one that was given"},
	{"stem", "the input's name without extension"},
	{"parent", "the name of the folder that the input is in"},
	{"index", "the input's number in the batch, from 1"},
	{"hash", "the first 16 digits of the SHA-256 of the input's content"},
	{"step", "the step"},
	{"ext", "the extension, which says what is written: .npy, .png, .argmax.npy"},
}

// Fields returns a line of help for each field.
func Fields() string {
	var b strings.Builder
	for _, f := range fields {
		fmt.Fprintf(&b, "  {%s}%s%s\n", f.name, strings.Repeat(" ", 8-len(f.name)), f.meaning)
	}
	return b.String()
}

// Namer makes the names of outputs.
type Namer struct {
	folder   string
	segments [][]part // the template, split at slashes
	products []Product
	digits   int // of the largest index
	hashes   bool
}

// part is a field or literal text.
type part struct{ field, text string }

// NewNamer parses a template for outputs below folder. Errors are *UsageError.
func NewNamer(folder, template string, products []Product) (*Namer, error) {
	n := &Namer{folder: folder, products: products}
	refuse := func(format string, args ...any) (*Namer, error) {
		return nil, &UsageError{fmt.Sprintf("output-template: got %q, ", template) + fmt.Sprintf(format, args...), "the default is " + DefaultTemplate}
	}
	if strings.HasPrefix(template, "/") || filepath.IsAbs(template) {
		return refuse("want a name below the output folder")
	}
	used := map[string]bool{}
	for segment := range strings.SplitSeq(template, "/") {
		if segment == ".." {
			return refuse("want a name below the output folder, without ..")
		}
		var parts []part
		for segment != "" {
			text, rest, open := strings.Cut(segment, "{")
			if text != "" {
				parts = append(parts, part{text: text})
			}
			if !open {
				break
			}
			field, after, closed := strings.Cut(rest, "}")
			if !closed || !isField(field) {
				return refuse("{%s} is no field, want one of %s", field, fieldList())
			}
			used[field] = true
			parts = append(parts, part{field: field})
			segment = after
		}
		n.segments = append(n.segments, parts)
	}
	if last := n.segments[len(n.segments)-1]; len(last) == 0 || last[len(last)-1].field != "ext" {
		return refuse("want {ext} at the end: it says what is written")
	}
	n.hashes = used["hash"]
	return n, nil
}

func isField(name string) bool {
	for _, f := range fields {
		if f.name == name {
			return true
		}
	}
	return false
}

func fieldList() string {
	var names []string
	for _, f := range fields {
		names = append(names, "{"+f.name+"}")
	}
	return strings.Join(names, ", ")
}

// outputs returns the names of an item's outputs.
func (n *Namer) outputs(item *Item) []string {
	names := make([]string, len(n.products))
	for i, p := range n.products {
		names[i] = n.path(item, p)
	}
	return names
}

func (n *Namer) path(item *Item, p Product) string {
	return filepath.Join(n.folder, filepath.FromSlash(n.name(item, p)))
}

// name returns the name of one output below the folder, with slashes.
func (n *Namer) name(item *Item, product Product) string {
	var whole []string
	for _, segment := range n.segments {
		var b strings.Builder
		for _, p := range segment {
			b.WriteString(p.text)
			if p.field != "" {
				b.WriteString(n.value(item, p.field, product))
			}
		}
		whole = append(whole, b.String())
	}
	return path.Join(whole...) // without the empty ones
}

func (n *Namer) value(item *Item, field string, p Product) string {
	switch field {
	case "dir":
		return item.Dir
	case "stem":
		return item.Stem
	case "parent":
		full, err := filepath.Abs(item.Path)
		if item.Path == "-" || err != nil {
			return ""
		}
		if name := filepath.Base(filepath.Dir(full)); name != string(filepath.Separator) {
			return name
		}
		return ""
	case "index":
		return fmt.Sprintf("%0*d", n.digits, item.Index)
	case "hash":
		return item.hash[:16]
	case "step":
		return p.Step
	default:
		return p.Ext
	}
}

// Name sets the outputs of every item and adds them, and the items themselves, to
// the files of the command. Before any work, it refuses what files refuses, two
// items with one output and a name outside the folder. With resume, outputs that
// exist are never refused.
func (n *Namer) Name(items []Item, files *imgio.Files, resume bool) error {
	add := files.Write
	if resume {
		add = files.Append
	}
	for i := range items {
		files.Read("input", items[i].Path)
	}
	n.digits = len(fmt.Sprint(len(items)))
	owners := map[string]int{} // by output: the index of its item
	for i := range items {
		item := &items[i]
		item.namer = n
		if n.hashes {
			is, err := fingerprintOf(item.Path)
			if err == nil && is.SHA256 == "" {
				err = fmt.Errorf("is not a regular file")
			}
			if err != nil {
				return fmt.Errorf("%s: the output's name has its {hash}: %w", item.Path, input.Plain(err))
			}
			item.hash = is.SHA256
		}
		for _, product := range n.products {
			name := n.name(item, product)
			if !filepath.IsLocal(filepath.FromSlash(name)) || strings.HasPrefix(folded(name), stateFolder+"/") {
				return &UsageError{fmt.Sprintf("%s: its output would be %s, want a name below the output folder", item.Path, name), "--output-template names outputs otherwise"}
			}
			if owner, taken := owners[folded(name)]; taken {
				return collision(items, owner, i, filepath.Join(n.folder, name))
			}
			owners[folded(name)] = i
			var usage *imgio.UsageError
			if err := add(filepath.Join(n.folder, filepath.FromSlash(name))); errors.As(err, &usage) {
				return &UsageError{err.Error(), "another output folder or another --output-template names outputs otherwise"}
			} else if err != nil {
				return err
			}
		}
	}
	return nil
}

func collision(items []Item, first, second int, name string) error {
	if first == second {
		return &UsageError{fmt.Sprintf("output-template: every input would have two outputs of one name, such as %s", name), "{step} and {ext} tell the outputs of an input apart"}
	}
	return &UsageError{fmt.Sprintf("%s and %s would both be written to %s", items[first].Path, items[second].Path, name),
		"--output-template tells them apart: {parent}, {index} and {hash} are fields"}
}

// folded returns the same string for all names that the file system does not tell
// apart.
func folded(name string) string {
	if runtime.GOOS == "windows" || runtime.GOOS == "darwin" {
		return strings.ToLower(name)
	}
	return name
}

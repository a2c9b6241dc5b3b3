package batch

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/bmatcuk/doublestar/v4"
	"github.com/poolctl/poolctl/internal/imgio/input"
)

// Sources says where inputs come from.
type Sources struct {
	Args      []string  // files, folders, patterns; - is a tensor on standard input
	FilesFrom string    // a file that lists files and folders, one a line; - is standard input; "" is none
	Stdin     io.Reader // for a list from standard input
	Output    string    // the output folder, which is left out
}

// Limits on the list of inputs.
const (
	maxListBytes = 64 << 20
	maxItems     = 10_000_000
)

// UsageError reports a batch that is wrong whatever the files contain.
type UsageError struct{ Text, Advice string }

func (e *UsageError) Error() string { return e.Text }

// Hint returns what to do about it, or "".
func (e *UsageError) Hint() string { return e.Advice }

// LimitError reports a batch that exceeds a limit.
type LimitError struct{ Text string }

func (e *LimitError) Error() string { return e.Text }

// Single reports whether the sources are one named file. Its failure is then the
// failure of the command.
func (s Sources) Single() bool {
	if s.FilesFrom != "" || len(s.Args) != 1 {
		return false
	}
	info, err := os.Stat(s.Args[0])
	if err != nil {
		return !isPattern(s.Args[0])
	}
	return !info.IsDir()
}

// Gather finds the inputs, in the order given; those of a folder or a pattern are
// sorted by name. A file found twice is one input. A missing file is an input that
// fails in its turn. A pattern or folder without any input is an error.
func Gather(s Sources) ([]Item, error) {
	g := &gatherer{seen: map[string]bool{}}
	if s.Output != "" {
		g.output, _ = os.Stat(s.Output) // it need not exist yet
	}
	for _, arg := range s.Args {
		if err := g.add(arg, true); err != nil {
			return nil, err
		}
	}
	if s.FilesFrom != "" {
		names, err := readList(s.FilesFrom, s.Stdin)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", s.FilesFrom, input.Plain(err))
		}
		for _, name := range names {
			if err := g.add(name, false); err != nil {
				return nil, err
			}
		}
	}
	return g.items, nil
}

// gatherer collects items.
type gatherer struct {
	items  []Item
	seen   map[string]bool
	found  int         // how many were put, including repeated ones
	output fs.FileInfo // of the output folder; nil if it does not exist yet
}

// add adds the inputs that a name stands for.
func (g *gatherer) add(name string, patterns bool) error {
	if name == "-" {
		return g.put(Item{Path: name, Stem: "stdin"})
	}
	info, err := os.Stat(name)
	switch {
	case err == nil && info.IsDir():
		if g.output != nil && os.SameFile(info, g.output) {
			return &UsageError{name + ": is the output folder too, want another one for the outputs", ""}
		}
		return g.walk(name, everything)
	case err != nil && patterns && isPattern(name):
		return g.glob(name)
	default:
		return g.put(Item{Path: name, Stem: stemOf(name)})
	}
}

// put adds an item unless it is there already.
func (g *gatherer) put(item Item) error {
	key := filepath.Clean(item.Path)
	g.found++
	if g.seen[key] {
		return nil
	}
	if len(g.items) == maxItems {
		return &LimitError{fmt.Sprintf("got more than %d inputs, want at most that", maxItems)}
	}
	g.seen[key] = true
	item.Index = len(g.items) + 1
	g.items = append(g.items, item)
	return nil
}

// stemOf returns the base name of a file without its extension, unless nothing but
// dots would be left. For an array of an archive, the array's name is appended.
func stemOf(name string) string {
	file, member, _, _ := input.Split(name) // a missing file keeps its whole name
	base := filepath.Base(file)
	stem := strings.TrimSuffix(base, filepath.Ext(base))
	if strings.Trim(stem, ".") == "" {
		stem = base
	}
	if member != "" {
		stem += "." + strings.NewReplacer("/", "_", `\\`, "_").Replace(member)
	}
	return stem
}

// isPattern reports whether a name has special characters of patterns.
func isPattern(name string) bool { return strings.ContainsAny(name, `*?[{`) }

// glob adds the files that match a pattern: *, ?, [a-z], {a,b}, and ** for any
// number of folders. Hidden files match only a pattern that names the dot.
func (g *gatherer) glob(pattern string) error {
	slashed := filepath.ToSlash(pattern)
	if !doublestar.ValidatePattern(slashed) {
		return &UsageError{pattern + ": is not a pattern, want *, ?, [a-z], {a,b} or **", "a backslash before it takes a character's meaning"}
	}
	base, rest := doublestar.SplitPattern(slashed)
	before := g.found
	err := g.walk(filepath.FromSlash(base), filter{
		pattern: rest,
		hidden:  strings.HasPrefix(rest, ".") || strings.Contains(rest, "/."),
		depth:   depthOf(rest),
	})
	if err == nil && g.found == before {
		return fmt.Errorf("%s: matches no file", pattern)
	}
	return err
}

// depthOf returns how many folders deep a pattern can match, -1 for any number.
func depthOf(pattern string) int {
	if strings.Contains(pattern, "**") || strings.Contains(pattern, "{") {
		return -1 // a brace may hold a slash
	}
	return strings.Count(pattern, "/")
}

// readList reads a list of files, one per line or each followed by NUL, as find
// -print0 writes it.
func readList(file string, stdin io.Reader) ([]string, error) {
	in := stdin
	if file != "-" {
		f, err := os.Open(file)
		if err != nil {
			return nil, err
		}
		defer f.Close()
		in = f
	}
	if in == nil {
		return nil, errors.New("there is no standard input")
	}
	text, err := io.ReadAll(io.LimitReader(in, maxListBytes+1))
	if err != nil {
		return nil, err
	}
	if len(text) > maxListBytes {
		return nil, &LimitError{fmt.Sprintf("got a list of more than %d bytes, want at most that", maxListBytes)}
	}
	separator := "\n"
	if bytes.IndexByte(text, 0) >= 0 {
		separator = "\x00"
	}
	var names []string
	for name := range strings.SplitSeq(string(text), separator) {
		if separator == "\n" {
			name = strings.TrimSuffix(name, "\r")
		}
		if name != "" {
			names = append(names, name)
		}
	}
	if len(names) == 0 {
		return nil, errors.New("lists no file")
	}
	return names, nil
}

// Shard returns every n-th item, starting with the i-th, counted from 1.
func Shard(items []Item, i, n int) []Item {
	var list []Item
	for at := i - 1; at < len(items); at += n {
		list = append(list, items[at])
	}
	return list
}

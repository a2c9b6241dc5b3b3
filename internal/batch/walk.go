package batch

import (
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"

	"github.com/bmatcuk/doublestar/v4"
	"github.com/poolctl/poolctl/internal/imgio"
	"github.com/poolctl/poolctl/internal/imgio/input"
)

// filter says which files below a folder are inputs.
type filter struct {
	pattern string // for the path below the folder; "": files with an input's extension
	hidden  bool   // include names that begin with a dot
	depth   int    // how many folders deep, -1 for any number
}

// everything is the filter for a folder that was given by name.
var everything = filter{depth: -1}

func (f filter) match(rel string) bool {
	if f.pattern == "" {
		return imgio.IsInput(rel)
	}
	return doublestar.MatchUnvalidated(f.pattern, rel)
}

// maxLinks is how many links to folders are followed in one walk. Folders that link
// to each other can make any number of paths.
const maxLinks = 1000

// walker is a walk through a folder.
type walker struct {
	*gatherer
	filter
	root   string
	links  int
	within []fs.FileInfo // the folders from the root to the current one
}

// walk adds the files below a folder, sorted by name bytewise. It follows links to
// files and folders, and refuses a link to a folder that contains it. It leaves out
// the output folder.
func (g *gatherer) walk(root string, f filter) error {
	before := g.found
	w := &walker{gatherer: g, filter: f, root: root}
	info, err := os.Stat(root)
	if err != nil {
		return fmt.Errorf("%s: %w", root, input.Plain(err))
	}
	if err := w.folder("", info); err != nil {
		return err
	}
	if g.found == before && f.pattern == "" {
		return fmt.Errorf("%s: holds no file to read, want one of %s", root, imgio.InputExtensions())
	}
	return nil
}

// folder adds the files below one folder. rel is its path below the root, with
// slashes.
func (w *walker) folder(rel string, info fs.FileInfo) error {
	name := filepath.Join(w.root, filepath.FromSlash(rel))
	for _, above := range w.within {
		if os.SameFile(above, info) {
			return fmt.Errorf("%s: is a link to a folder that contains it, want folders without cycles", name)
		}
	}
	if w.output != nil && os.SameFile(w.output, info) {
		return nil
	}
	w.within = append(w.within, info)
	defer func() { w.within = w.within[:len(w.within)-1] }()
	entries, err := os.ReadDir(name) // sorted
	if err != nil {
		return fmt.Errorf("%s: %w", name, input.Plain(err))
	}
	for _, entry := range entries {
		if strings.HasPrefix(entry.Name(), ".") && !w.hidden {
			continue
		}
		if err := w.entry(path.Join(rel, entry.Name()), rel, entry); err != nil {
			return err
		}
	}
	return nil
}

// entry adds a file, or the files below a folder.
func (w *walker) entry(rel, dir string, entry fs.DirEntry) error {
	name := filepath.Join(w.root, filepath.FromSlash(rel))
	mode := entry.Type()
	link := mode&fs.ModeSymlink != 0
	var info fs.FileInfo
	if link || mode.IsDir() {
		var err error
		if info, err = os.Stat(name); err == nil {
			mode = info.Mode().Type()
		} else if !link {
			return fmt.Errorf("%s: %w", name, input.Plain(err))
		}
	}
	switch {
	case mode.IsDir():
		if w.depth >= 0 && strings.Count(rel, "/") >= w.depth {
			return nil
		}
		if link {
			if w.links++; w.links > maxLinks {
				return &LimitError{fmt.Sprintf("%s: got more than %d links to folders, want at most that", w.root, maxLinks)}
			}
		}
		return w.folder(rel, info)
	case (mode.IsRegular() || link) && w.match(rel): // a dangling link is an input that fails
		return w.put(Item{Path: name, Dir: dir, Stem: stemOf(name)})
	default:
		return nil
	}
}

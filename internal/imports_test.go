// Package internal_test holds what concerns the packages as a whole.
package internal_test

import (
	"flag"
	"fmt"
	"go/parser"
	"go/token"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

//go:generate go test -run ^TestLinterHoldsTheTable$ -update .

var update = flag.Bool("update", false, "write the imports that .golangci.yml allows from docs/architecture.md")

const (
	module = "github.com/poolctl/poolctl"
	page   = "../docs/architecture.md"
	linter = "../.golangci.yml"
)

// A room is a row of the table in docs/architecture.md: packages, and what their
// files may import beside the standard library. Test files may import more.
type room struct {
	packages []string // folders, from the root of the module
	below    bool     // they may import every package of the rows below
	ours     []string // packages of this module that they may import
	others   []string // prefixes of other modules' packages
}

var quoted = regexp.MustCompile("`([^`]+)`")

// words returns the words of a cell that stand in backticks.
func words(cell string) []string {
	var list []string
	for _, m := range quoted.FindAllStringSubmatch(cell, -1) {
		list = append(list, m[1])
	}
	return list
}

// parseRooms reads the table below the heading Rooms.
func parseRooms(text string) ([]room, error) {
	_, text, _ = strings.Cut(text, "\n## Rooms\n")
	text, _, _ = strings.Cut(text, "\n## ")
	_, text, found := strings.Cut(text, "\n|---|---|---|---|\n")
	if !found {
		return nil, fmt.Errorf("no table of four columns below the heading Rooms")
	}
	var rooms []room
	for line := range strings.Lines(text) {
		if !strings.HasPrefix(line, "|") {
			break
		}
		cells := strings.Split(strings.Trim(strings.TrimSpace(line), "|"), "|")
		if len(cells) != 4 || len(words(cells[0])) == 0 {
			return nil, fmt.Errorf("%q: want package, what it is for, packages, other modules", line)
		}
		r := room{packages: words(cells[0]), below: strings.TrimSpace(cells[2]) == "everything below", others: words(cells[3])}
		for _, name := range words(cells[2]) {
			r.ours = append(r.ours, "internal/"+name)
		}
		rooms = append(rooms, r)
	}
	for i := range rooms {
		for _, below := range rooms[i+1:] {
			if rooms[i].below {
				rooms[i].ours = append(rooms[i].ours, below.packages...)
			}
		}
	}
	return rooms, nil
}

// readRooms reads the table of docs/architecture.md.
func readRooms(t *testing.T) []room {
	t.Helper()
	text, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	rooms, err := parseRooms(string(text))
	if err != nil {
		t.Fatalf("docs/architecture.md: %v", err)
	}
	return rooms
}

// roomOf returns the row that a package stands in, or nil.
func roomOf(rooms []room, pkg string) *room {
	for i := range rooms {
		if slices.Contains(rooms[i].packages, pkg) {
			return &rooms[i]
		}
	}
	return nil
}

// allows returns what of the row allows an import, or "".
func (r *room) allows(imported string) string {
	if !strings.Contains(strings.Split(imported, "/")[0], ".") {
		return "the standard library"
	}
	for _, name := range r.ours {
		if imported == path.Join(module, name) {
			return name
		}
	}
	for _, name := range r.others {
		if imported == name || strings.HasPrefix(imported, name+"/") {
			return name
		}
	}
	return ""
}

// importsOf returns what the files of every package of the module import, but
// for test files: import path to the first file that has it, by folder.
func importsOf(t *testing.T) map[string]map[string]string {
	t.Helper()
	packages := map[string]map[string]string{}
	err := filepath.WalkDir("..", func(file string, entry os.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if entry.IsDir() && file != ".." {
			_, nested := os.Stat(filepath.Join(file, "go.mod"))
			if strings.HasPrefix(entry.Name(), "_") || strings.HasPrefix(entry.Name(), ".") || entry.Name() == "testdata" || nested == nil {
				return filepath.SkipDir
			}
		}
		if entry.IsDir() || !strings.HasSuffix(file, ".go") || strings.HasSuffix(file, "_test.go") {
			return nil
		}
		file = filepath.ToSlash(file)
		pkg := strings.TrimPrefix(path.Dir(file), "../")
		if packages[pkg] == nil {
			packages[pkg] = map[string]string{}
		}
		parsed, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.ImportsOnly)
		if err != nil {
			return err
		}
		for _, spec := range parsed.Imports {
			imported, err := strconv.Unquote(spec.Path.Value)
			if err != nil {
				return err
			}
			if packages[pkg][imported] == "" {
				packages[pkg][imported] = path.Base(file)
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return packages
}

// TestImportsFollowTheTable: every package stands in the table of
// docs/architecture.md and imports what its row allows, and every row says no
// more than what is there.
func TestImportsFollowTheTable(t *testing.T) {
	rooms, packages := readRooms(t), importsOf(t)
	used := map[*room]map[string]bool{}
	for pkg, imports := range packages {
		r := roomOf(rooms, pkg)
		if r == nil {
			t.Errorf("%s: no row of the table Rooms in docs/architecture.md: add one, then go generate ./internal", pkg)
			continue
		}
		if used[r] == nil {
			used[r] = map[string]bool{}
		}
		for imported, file := range imports {
			by := r.allows(imported)
			if by == "" {
				t.Errorf("%s/%s imports %s, which its row in docs/architecture.md does not allow", pkg, file, imported)
			}
			used[r][by] = true
		}
	}
	for i := range rooms {
		r := &rooms[i]
		for _, pkg := range r.packages {
			if packages[pkg] == nil {
				t.Errorf("docs/architecture.md: %s: no such package", pkg)
			}
		}
		allowed := r.others
		if !r.below {
			allowed = slices.Concat(r.ours, r.others)
		}
		for _, name := range allowed {
			if !used[r][name] {
				t.Errorf("docs/architecture.md: %s may import %s and does not: take it out", strings.Join(r.packages, ", "), name)
			}
		}
	}
}

// TestTheTableGoesDown: a row allows packages of the rows below it alone.
func TestTheTableGoesDown(t *testing.T) {
	rooms := readRooms(t)
	for i, r := range rooms {
		for _, name := range r.ours {
			if roomOf(rooms[i+1:], name) == nil {
				t.Errorf("docs/architecture.md: %s may import %s, which is not in a row below", strings.Join(r.packages, ", "), name)
			}
		}
	}
}

// TestEveryToolIsOnThePage: docs/architecture.md says what each folder of tools
// is for.
func TestEveryToolIsOnThePage(t *testing.T) {
	text, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	entries, err := os.ReadDir("../tools")
	if err != nil {
		t.Fatal(err)
	}
	for _, entry := range entries {
		if name := "`tools/" + entry.Name() + "`"; entry.IsDir() && !strings.Contains(string(text), name) {
			t.Errorf("docs/architecture.md does not say what %s is for", name)
		}
	}
}

// TestForbiddenImportsAreSeen proves that the rules can fail.
func TestForbiddenImportsAreSeen(t *testing.T) {
	rooms := readRooms(t)
	internal := module + "/internal/"
	for _, c := range []struct {
		pkg, imported string
		allowed       bool
	}{
		{"internal/tensor", "fmt", true},
		{"internal/tensor", internal + "geom", false},
		{"internal/geom", "golang.org/x/sys/cpu", false},
		{"internal/ops/kernel", "golang.org/x/sys/cpu", true},
		{"internal/ops/kernel", internal + "ops", false},
		{"internal/ops", internal + "ops/kernel", true},
		{"internal/ops", internal + "imgio", false},
		{"internal/imgio", internal + "ops", false},
		{"internal/report", internal + "imgio", false},
		{"internal/report", internal + "figure", false},
		{"internal/scene", internal + "tensor", false},
		{"internal/scene", "golang.org/x/image/vector", true},
		{"internal/figure", internal + "scene", true},
		{"internal/figure", internal + "ops", false},
		{"internal/config", internal + "cli", false},
		{"internal/config", "github.com/spf13/cobra", false},
		{"internal/report", internal + "testutil", false},
		{"internal/cli", internal + "testutil", false},
		{"internal/cli", internal + "report", true},
		{"internal/cli", "github.com/spf13/cobra/doc", true},
		{"internal/cli", "github.com/spf13/cobrax", false},
	} {
		if got := roomOf(rooms, c.pkg).allows(c.imported) != ""; got != c.allowed {
			t.Errorf("%s imports %s: allowed %v, want %v", c.pkg, c.imported, got, c.allowed)
		}
	}
	if roomOf(rooms, "internal/unheard") != nil {
		t.Error("a package that no row names has a row")
	}
}

const (
	rulesBegin = "        # From the table in docs/architecture.md, written by go generate ./internal:\n"
	rulesEnd   = "        # what no package imports, written by hand:\n"
)

// rules renders the table as rules of depguard.
func rules(rooms []room) string {
	var b strings.Builder
	for _, r := range rooms {
		for _, pkg := range r.packages {
			fmt.Fprintf(&b, "        %s:\n          list-mode: strict\n          files: [\"**/%s/*.go\", \"!$test\"]\n          allow:\n            - $gostd\n", pkg, pkg)
			for _, name := range r.ours {
				fmt.Fprintf(&b, "            - %s$\n", path.Join(module, name))
			}
			for _, name := range r.others {
				fmt.Fprintf(&b, "            - %s\n", name)
			}
		}
	}
	return b.String()
}

// TestLinterHoldsTheTable compares the rules of depguard in .golangci.yml with
// the table; with -update it writes them.
func TestLinterHoldsTheTable(t *testing.T) {
	data, err := os.ReadFile(linter)
	if err != nil {
		t.Fatal(err)
	}
	before, rest, begun := strings.Cut(string(data), rulesBegin)
	got, after, ended := strings.Cut(rest, rulesEnd)
	if !begun || !ended {
		t.Fatalf(".golangci.yml lacks the line %q or %q", rulesBegin, rulesEnd)
	}
	want := rules(readRooms(t))
	if got == want {
		return
	}
	if !*update {
		t.Fatal("the rules of depguard in .golangci.yml are not those of docs/architecture.md: go generate ./internal")
	}
	if err := os.WriteFile(linter, []byte(before+rulesBegin+want+rulesEnd+after), 0o644); err != nil {
		t.Fatal(err)
	}
}

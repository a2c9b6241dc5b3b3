// Package internal_test holds what concerns the packages as a whole.
package internal_test

import (
	"go/build"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

const module = "github.com/poolctl/poolctl/internal/"

// allowed lists, for the packages at the bottom, what of this module and of
// others they may import beside the standard library. Packages that are not
// listed may import anything but cli.
var allowed = map[string][]string{
	"tensor":     {},
	"geom":       {},
	"ops/kernel": {module + "geom", module + "tensor", "golang.org/x/sys/"},
	"ops":        {module + "geom", module + "tensor", module + "ops/kernel", "github.com/invopop/jsonschema"},
	"imgio":      {module + "tensor"},
	"scene":      {"golang.org/x/image/"},
	"report":     {module + "tensor", "gonum.org/v1/gonum/", "github.com/jedib0t/go-pretty/"},
	"figure":     {module + "tensor", module + "geom", module + "report", module + "scene", "golang.org/x/image/"},
	"batch":      {module + "imgio", "github.com/bmatcuk/doublestar/", "github.com/gofrs/flock"},
}

// TestImportsGoOneWay reads every file that is compiled into the program; test
// files may import more.
func TestImportsGoOneWay(t *testing.T) {
	seen := map[string]bool{}
	err := filepath.WalkDir(".", func(path string, entry os.DirEntry, err error) error {
		if err != nil || entry.IsDir() || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
			if entry != nil && entry.IsDir() && (strings.HasPrefix(entry.Name(), "_") || entry.Name() == "testdata") {
				return filepath.SkipDir
			}
			return err
		}
		pkg := filepath.ToSlash(filepath.Dir(path))
		seen[pkg] = true
		file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.ImportsOnly)
		if err != nil {
			return err
		}
		for _, spec := range file.Imports {
			imported, err := strconv.Unquote(spec.Path.Value)
			if err != nil {
				return err
			}
			if problem := forbidden(pkg, imported); problem != "" {
				t.Errorf("%s imports %s: %s", path, imported, problem)
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	for pkg := range allowed {
		if !seen[pkg] {
			t.Errorf("%s: no such package", pkg)
		}
	}
}

// forbidden says why a package must not import another, or "".
func forbidden(pkg, imported string) string {
	if imported == module+"cli" && pkg != "cli" {
		return "cli stands above all"
	}
	if imported == module+"testutil" {
		return "only tests import testutil"
	}
	// The shortest key decides for sub-packages: imgio/x is held to imgio's list.
	list, listed := allowed[pkg]
	if !listed {
		if parent, _, nested := strings.Cut(pkg, "/"); nested {
			list, listed = allowed[parent]
		}
	}
	if !listed || standard(imported) {
		return ""
	}
	ours := strings.HasPrefix(imported, module)
	if !ours && pkg == "imgio" {
		return "" // codecs
	}
	if slices.ContainsFunc(list, func(a string) bool {
		return imported == a || strings.HasSuffix(a, "/") && strings.HasPrefix(imported, a)
	}) {
		return ""
	}
	return "only the standard library and " + strings.Join(list, ", ")
}

// standard reports whether a package is of the standard library: its path's
// first element has no dot.
func standard(path string) bool {
	first, _, _ := strings.Cut(path, "/")
	return !strings.Contains(first, ".") && !build.IsLocalImport(path)
}

// TestForbiddenImportsAreSeen proves that the rules can fail.
func TestForbiddenImportsAreSeen(t *testing.T) {
	for _, c := range []struct {
		pkg, imported string
		allowed       bool
	}{
		{"tensor", "fmt", true},
		{"tensor", module + "geom", false},
		{"geom", "golang.org/x/sys/cpu", false},
		{"ops/kernel", "golang.org/x/sys/cpu", true},
		{"ops/kernel", module + "ops", false},
		{"ops", module + "ops/kernel", true},
		{"ops", module + "imgio", false},
		{"imgio", "golang.org/x/image/webp", true},
		{"imgio", module + "ops", false},
		{"report", module + "imgio", false},
		{"report", module + "figure", false},
		{"scene", module + "tensor", false},
		{"scene", "golang.org/x/image/vector", true},
		{"figure", module + "scene", true},
		{"figure", module + "ops", false},
		{"config", module + "cli", false},
		{"report", module + "testutil", false},
		{"cli", module + "report", true},
	} {
		if got := forbidden(c.pkg, c.imported) == ""; got != c.allowed {
			t.Errorf("%s imports %s: allowed %v, want %v", c.pkg, c.imported, got, c.allowed)
		}
	}
}

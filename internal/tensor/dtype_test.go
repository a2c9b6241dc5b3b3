package tensor_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// TestNarrowTypesAreNamedInTheirRow: nothing else in the program, tests aside,
// knows one of them by name, so that another one takes a row and no more.
func TestNarrowTypesAreNamedInTheirRow(t *testing.T) {
	narrow := []string{"Float16", "F16", "ToF16", "BFloat16", "BF16", "ToBF16"}
	home := []string{"tensor/dtype.go", "tensor/element.go", "tensor/float16.go", "tensor/bfloat16.go", "testutil/golden.go"}
	named := 0
	err := filepath.WalkDir("..", func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
			return err
		}
		rel, _ := filepath.Rel("..", path)
		file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.SkipObjectResolution)
		if err != nil {
			return err
		}
		ast.Inspect(file, func(n ast.Node) bool {
			if id, is := n.(*ast.Ident); is && slices.Contains(narrow, id.Name) {
				named++
				if !slices.Contains(home, filepath.ToSlash(rel)) {
					t.Errorf("%s names %s", path, id.Name)
				}
			}
			return true
		})
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if named == 0 {
		t.Error("no file names a narrow type: they have other names by now")
	}
}

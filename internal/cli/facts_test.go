package cli

import (
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"strconv"
	"strings"
	"testing"

	"github.com/spf13/cobra/doc"
)

// TestConfigurationPageIsFresh compares docs/configuration.md with what the
// settings, variables and exit codes make of it.
func TestConfigurationPageIsFresh(t *testing.T) {
	a := &app{}
	page, err := os.ReadFile("../../docs/configuration.md")
	if err != nil {
		t.Fatal(err)
	}
	if string(page) != a.configurationPage() {
		t.Error("docs/configuration.md is stale: go generate ./cmd/poolctl")
	}
}

// TestEveryExitCodeIsExplained finds each constant exit… of errors.go in the
// table.
func TestEveryExitCodeIsExplained(t *testing.T) {
	explained := map[string]bool{}
	for _, f := range exitFacts() {
		explained[f.name] = true
	}
	file, err := parser.ParseFile(token.NewFileSet(), "errors.go", nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	found := 0
	ast.Inspect(file, func(n ast.Node) bool {
		if spec, ok := n.(*ast.ValueSpec); ok && strings.HasPrefix(spec.Names[0].Name, "exit") && len(spec.Values) == 1 {
			if value, ok := spec.Values[0].(*ast.BasicLit); ok {
				found++
				if !explained[value.Value] {
					t.Errorf("%s = %s has no row in exitStatus", spec.Names[0].Name, value.Value)
				}
			}
		}
		return true
	})
	if found != len(exitStatus) {
		t.Errorf("found %d exit codes, the table has %d", found, len(exitStatus))
	}
}

// TestExitCodesInBrief reads the line of help: every part is whole.
func TestExitCodesInBrief(t *testing.T) {
	const want = "0 done; 1 input, output or data error; 2 usage or configuration error; 3 a comparison or a check differs; " +
		"4 part of a batch failed; 5 refused by a limit; 130 interrupted; 143 terminated."
	if got := exitCodesInBrief(); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

// TestManualPagesShowDefaultsAsDefaults looks at every option line of every page:
// what follows the = is a placeholder, never a default.
func TestManualPagesShowDefaultsAsDefaults(t *testing.T) {
	a := &app{}
	root := a.newRootCommand()
	pages, err := manualPages(root, &doc.GenManHeader{Title: "POOLCTL", Section: "1"})
	if err != nil {
		t.Fatal(err)
	}
	if len(pages) < 100 {
		t.Fatalf("got %d pages, want one for each command", len(pages))
	}
	for name, text := range pages {
		page := string(text)
		for _, title := range []string{"EXIT STATUS", "ENVIRONMENT", "FILES"} {
			if strings.Count(page, "\n.SH "+title+"\n") != 1 {
				t.Errorf("%s: want one section %s", name, title)
			}
		}
		for line := range strings.Lines(page) {
			if !strings.HasPrefix(line, `\fB-`) {
				continue
			}
			_, value, ok := strings.Cut(strings.TrimSpace(line), "=")
			value = strings.TrimSuffix(value, "]")
			if _, err := strconv.ParseFloat(value, 64); !ok || value == "" || err == nil || value == "false" || strings.ContainsAny(value, ` "`) {
				t.Errorf("%s: %q has no placeholder", name, strings.TrimSpace(line))
			}
		}
	}
	pool := string(pages["poolctl-pool.1"])
	for _, want := range []string{"\\fB--strides\\fP=LIST\n\tdistance between neighbouring windows (default the window)\n", "\\fB--ceil-mode\\fP[=true|false]\n"} {
		if !strings.Contains(pool, want) {
			t.Errorf("poolctl-pool.1 lacks %q", want)
		}
	}
}

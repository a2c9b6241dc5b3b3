package cli

import (
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/poolctl/poolctl/internal/config"
	"github.com/poolctl/poolctl/internal/ops"
)

// newDocsCommand writes the reference page of every operation, their index, and
// the JSON Schema of pipeline files. `go generate` runs it.
func (a *app) newDocsCommand() *cobra.Command {
	return &cobra.Command{
		Use: "docs FOLDER", Short: "write the reference pages of the operations", Hidden: true, Args: oneFolder,
		RunE: func(_ *cobra.Command, args []string) error {
			pages, err := a.referencePages()
			if err != nil {
				return err
			}
			for name, text := range pages {
				if err := os.WriteFile(filepath.Join(args[0], name), []byte(text), 0o666); err != nil {
					return err
				}
			}
			return nil
		},
	}
}

// referencePages returns the pages by file name.
func (a *app) referencePages() (map[string]string, error) {
	schema, err := json.MarshalIndent(config.Schema(), "", "  ")
	if err != nil {
		return nil, err
	}
	pages := map[string]string{"pipeline.schema.json": string(schema) + "\n"}
	var index strings.Builder
	index.WriteString(generatedMark + "# Operations\n\n| command | what it does | TensorFlow |\n|---|---|---|\n")
	for _, spec := range ops.Table {
		pages[spec.Name+".md"] = referencePage(spec)
		fmt.Fprintf(&index, "| [%s](%s.md) | %s | %s |\n", spec.Name, spec.Name, spec.Summary, spec.TF)
	}
	index.WriteString("\n[pipeline.schema.json](pipeline.schema.json) is the JSON Schema of pipeline files; [json.md](../json.md) describes the others, of what the program prints.\n")
	pages["README.md"] = index.String()
	outputs, err := jsonPages()
	if err != nil {
		return nil, err
	}
	maps.Copy(pages, outputs)
	pages["../configuration.md"] = a.configurationPage()
	return pages, nil
}

// configurationPage returns the page on settings, variables and exit codes.
func (a *app) configurationPage() string {
	var b strings.Builder
	settings := a.newRootCommand().PersistentFlags()
	b.WriteString("<!-- Generated from internal/cli by `go generate ./...`; do not edit. -->\n\n# Configuration\n\n" +
		"A setting comes from the first of these that has it: its flag, its environment variable, the configuration file, its default. " +
		"Only the settings below are read from variables and from the file; flags of a single command are not.\n\n" +
		"## Settings\n\n| key | variable | value | default | meaning |\n|---|---|---|---|---|\n")
	settings.VisitAll(func(f *pflag.Flag) {
		if f.Name == "config" || f.Name == "help" {
			return
		}
		explainDefault(f)
		usage, standard, _ := strings.Cut(strings.TrimSuffix(f.Usage, ")"), " (default ")
		if standard == "" {
			standard = "off"
		}
		fmt.Fprintf(&b, "| `%s` | `%s` | %s | %s | %s |\n", f.Name, config.Variable(f.Name), code(strings.ReplaceAll(f.DefValue, "|", `\|`)), standard, usage)
	})
	b.WriteString("\n## The configuration file\n\nA YAML file with one key for each setting, all optional:\n\n```yaml\n" +
		"threads: 4\nmax-memory: 2GiB\ncolor: never\n```\n\nThe first place that is given is read, and no other:\n\n" + factTable("place", configurationFiles()) +
		"\nAn unknown key, a value that does not suit its setting, and a key that occurs twice are errors, with line and column (exit code 2).\n\n" +
		"## Environment variables\n\n" + factTable("variable", environment(settings)) +
		"\nAn empty variable counts as unset.\n\n## Exit codes\n\n" + factTable("code", exitFacts()))
	return b.String()
}

// factTable lists facts as a table, with the word what above the first column.
func factTable(what string, facts []fact) string {
	var b strings.Builder
	b.WriteString("| " + what + " | |\n|---|---|\n")
	for _, f := range facts {
		fmt.Fprintf(&b, "| `%s` | %s |\n", f.name, f.meaning)
	}
	return b.String()
}

const generatedMark = "<!-- Generated from internal/ops by `go generate ./...`; do not edit. -->\n\n"

func referencePage(spec ops.Spec) string {
	var b strings.Builder
	op := spec.New()
	fmt.Fprintf(&b, "%s# %s\n\n%s.\n\nTensorFlow: %s\n\n%s\n\n## Parameters\n\n%s",
		generatedMark, spec.Name, firstUpper(spec.Summary), code(spec.TF), spec.Doc, parameterTable("flag and key", op.Params()))
	if op, ok := op.(ops.Differentiable); ok {
		fmt.Fprintf(&b, "\n## Gradient\n\n`poolctl grad %s` takes the same parameters and computes the gradient with respect to %s: see [backpropagation.md](../backpropagation.md), and its `--help` for the upstream gradient, the check and the pictures.\n",
			spec.Name, differentiableBy(op))
		if params := op.GradParams(); len(params) > 0 {
			b.WriteString("Parameters that only the gradient has:\n\n" + parameterTable("flag", params))
		}
	}
	b.WriteString("\n## Examples\n\n```sh\n")
	for _, e := range spec.Examples {
		fmt.Fprintf(&b, "# %s\n%s\n", e.Does, e.Command)
	}
	b.WriteString("```\n")
	return b.String()
}

// parameterTable lists parameters as a table, with the word what above the
// first column.
func parameterTable(what string, params []ops.Param) string {
	var b strings.Builder
	b.WriteString("| " + what + " | value | default | meaning |\n|---|---|---|---|\n")
	for _, p := range describeParams(params) {
		fmt.Fprintf(&b, "| `%s` | %s | %s | %s |\n", p.Name, code(strings.ReplaceAll(p.Type, "|", `\|`)), p.Default, strings.ReplaceAll(p.Doc, "|", `\|`))
	}
	return b.String()
}

// differentiableBy names the tensors that an operation has gradients of.
func differentiableBy(op ops.Op) string {
	names := append([]string{"input"}, ops.Gradients(op)...)
	last := len(names) - 1
	if last == 0 {
		return "its input"
	}
	return "its " + strings.Join(names[:last], ", ") + " and " + names[last]
}

func code(s string) string { return "`" + s + "`" }

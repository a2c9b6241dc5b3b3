package cli

import (
	"encoding/json"
	"fmt"
	"strings"

	"github.com/jedib0t/go-pretty/v6/table"
	"github.com/jedib0t/go-pretty/v6/text"
	"github.com/spf13/cobra"

	"github.com/poolctl/poolctl/internal/config"
	"github.com/poolctl/poolctl/internal/ops"
)

func (a *app) newOpsCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "ops [list|describe NAME|schema]",
		Short: "the operations, their parameters, and the JSON Schema of pipeline files",
		Example: examples([]ops.Example{
			{Does: "all operations", Command: "poolctl ops"},
			{Does: "one operation, with formulas and parameters", Command: "poolctl ops describe pool"},
			{Does: "the JSON Schema of pipeline files", Command: "poolctl ops schema"},
		}),
		GroupID: "look",
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) > 0 {
				return unknownCommand(cmd, args[0])
			}
			return nil
		},
		RunE: func(*cobra.Command, []string) error { return a.listOperations() },
	}
	cmd.AddCommand(
		&cobra.Command{Use: "list", Short: "a line for each operation", Args: noInput,
			RunE: func(*cobra.Command, []string) error { return a.listOperations() }},
		&cobra.Command{Use: "describe NAME", Short: "one operation: formulas, parameters, examples",
			ValidArgs: operationNames(),
			Args: func(cmd *cobra.Command, args []string) error {
				if len(args) != 1 {
					return usagef("describe: got %d operations, want 1 of %s", len(args), strings.Join(operationNames(), ", "))
				}
				if _, err := ops.Lookup(args[0]); err != nil {
					return unknownOperation(cmd, args[0])
				}
				return nil
			},
			RunE: func(_ *cobra.Command, args []string) error { return a.describeOperation(args[0]) }},
		&cobra.Command{Use: "schema", Short: "the JSON Schema of pipeline files", Args: noInput,
			RunE: func(*cobra.Command, []string) error {
				encoder := json.NewEncoder(a.out)
				encoder.SetIndent("", "  ")
				return encoder.Encode(config.Schema())
			}},
	)
	return cmd
}

func (a *app) listOperations() error {
	if a.JSON {
		var rows []opRow
		for _, s := range ops.Table {
			rows = append(rows, opRow{s.Name, s.Summary, s.TF})
		}
		return json.NewEncoder(a.out).Encode(opsReport{"poolctl.ops/v1", rows})
	}
	for _, s := range ops.Table {
		fmt.Fprintf(a.out, "%-17s %s\n", s.Name, s.Summary)
	}
	return nil
}

func (a *app) describeOperation(name string) error {
	spec, err := ops.Lookup(name)
	if err != nil {
		return err
	}
	if a.JSON {
		encoder := json.NewEncoder(a.out)
		return encoder.Encode(opReport{"poolctl.op/v1", spec.Name, spec.Summary, spec.TF, spec.Doc, describeParams(spec.New().Params())})
	}
	fmt.Fprintf(a.out, "%s: %s\nTensorFlow: %s\n\n%s\n\n", spec.Name, spec.Summary, wrap(a.helpWidth(), spec.TF), wrap(a.helpWidth(), spec.Doc))
	t := table.NewWriter()
	t.SetStyle(table.StyleLight)
	t.SetColumnConfigs([]table.ColumnConfig{{Number: 4, WidthMax: 50, WidthMaxEnforcer: text.WrapSoft}, {Number: 2, WidthMax: 20, WidthMaxEnforcer: text.WrapSoft}})
	t.AppendHeader(table.Row{"parameter", "value", "default", "meaning"})
	for _, p := range describeParams(spec.New().Params()) {
		t.AppendRow(table.Row{p.Name, strings.ReplaceAll(p.Type, "|", ", "), p.Default, p.Doc})
	}
	fmt.Fprintf(a.out, "%s\n\nExamples:\n%s\n", t.Render(), examples(spec.Examples))
	return nil
}

type describedParam struct {
	Name     string   `json:"name"`
	Type     string   `json:"type"`
	Default  string   `json:"default"`
	Required bool     `json:"required"`
	Choices  []string `json:"choices,omitempty"`
	Doc      string   `json:"doc"`
}

func describeParams(params []ops.Param) []describedParam {
	var list []describedParam
	for _, p := range params {
		def := p.Default
		if p.Required {
			def = "(required)"
		}
		list = append(list, describedParam{p.Name, p.Type(), def, p.Required, p.Choices, p.Doc})
	}
	return list
}

// opsReport is the JSON of ops list.
type opsReport struct {
	Schema     string  `json:"schema"`
	Operations []opRow `json:"operations"`
}

type opRow struct {
	Name    string `json:"name"`
	Summary string `json:"summary"`
	TF      string `json:"tensorflow"`
}

// opReport is the JSON of ops describe.
type opReport struct {
	Schema     string           `json:"schema"`
	Name       string           `json:"name"`
	Summary    string           `json:"summary"`
	TensorFlow string           `json:"tensorflow"`
	Doc        string           `json:"doc"`
	Parameters []describedParam `json:"parameters"`
}

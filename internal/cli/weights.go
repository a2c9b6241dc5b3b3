package cli

import (
	"encoding/json"
	"fmt"

	"github.com/jedib0t/go-pretty/v6/table"
	"github.com/jedib0t/go-pretty/v6/text"
	"github.com/spf13/cobra"

	"github.com/poolctl/poolctl/internal/imgio"
	"github.com/poolctl/poolctl/internal/ops"
	"github.com/poolctl/poolctl/internal/tensor"
)

func (a *app) newWeightsCommand() *cobra.Command {
	var raw tensor.DType
	cmd := &cobra.Command{
		Use:   "weights FILE [flags]",
		Short: "the arrays in an ONNX, safetensors or .npz file",
		Long: `Lists the arrays of an archive: the initialisers of an ONNX model, the tensors of a safetensors file, the members of an .npz. Only headers are read.

Any of them can be given where a command or a pipeline takes a file, as FILE#NAME: --filter model.onnx#conv1.weight --filter-format OIHW. For an ONNX model the list shows which operator takes an array, and the order of a filter's axes, for --filter-format. bfloat16 is read as float32, booleans as uint8.`,
		Example: examples([]ops.Example{
			{Does: "what is in an archive", Command: "poolctl weights samples/pair.npz"},
			{Does: "the same, as JSON", Command: "poolctl weights samples/pair.npz --json"},
		}),
		GroupID: "look",
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) != 1 {
				return &usageError{fmt.Sprintf("weights: got %d files, want 1", len(args)), "`" + cmd.CommandPath() + " --help` shows examples"}
			}
			return nil
		},
		RunE: func(_ *cobra.Command, args []string) error { return a.runWeights(args[0], raw) },
	}
	rawFlag(cmd.Flags(), &raw)
	return cmd
}

// weightRow is one array in the report.
type weightRow struct {
	Name     string `json:"name"`
	DType    string `json:"dtype"`
	Shape    []int  `json:"shape"`
	Elements int    `json:"elements"`
	Bytes    int    `json:"bytes"`
	Use      string `json:"use,omitempty"`
	Layout   string `json:"layout,omitempty"`
}

func (a *app) runWeights(file string, raw tensor.DType) error {
	members, err := imgio.List(file, raw)
	if err != nil {
		return err
	}
	rows := make([]weightRow, len(members))
	elements, bytes := 0, 0
	for i, m := range members {
		n, _ := m.Spec.Shape.Elements() // checked by List
		size, _ := m.Spec.Bytes()
		rows[i] = weightRow{m.Name, m.Spec.DType.String(), append([]int{}, m.Spec.Shape...), n, size, m.Use, m.Layout}
		elements, bytes = elements+n, bytes+size
	}
	if a.JSON {
		return json.NewEncoder(a.out).Encode(struct {
			Schema   string      `json:"schema"`
			File     string      `json:"file"`
			Elements int         `json:"elements"`
			Bytes    int         `json:"bytes"`
			Arrays   []weightRow `json:"arrays"`
		}{"poolctl.weights/v1", file, elements, bytes, rows})
	}
	t := table.NewWriter()
	t.SetStyle(table.StyleLight)
	t.SetColumnConfigs([]table.ColumnConfig{{Number: 4, Align: text.AlignRight}, {Number: 5, Align: text.AlignRight}})
	t.SuppressEmptyColumns()
	t.AppendHeader(table.Row{"name", "dtype", "shape", "elements", "bytes", "taken by", "layout"})
	for i, m := range members {
		t.AppendRow(table.Row{printable(m.Name), rows[i].DType, m.Spec.Shape.String(), rows[i].Elements, formatBytes(rows[i].Bytes), m.Use, m.Layout})
	}
	_, err = fmt.Fprintf(a.out, "%s\n%d arrays, %d numbers, %s\n", t.Render(), len(rows), elements, formatBytes(bytes))
	return err
}

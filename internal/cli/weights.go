package cli

import (
	"encoding/json"
	"errors"
	"fmt"

	"github.com/jedib0t/go-pretty/v6/table"
	"github.com/jedib0t/go-pretty/v6/text"
	"github.com/spf13/cobra"

	"github.com/poolctl/poolctl/internal/imgio"
	"github.com/poolctl/poolctl/internal/ops"
	"github.com/poolctl/poolctl/internal/report"
	"github.com/poolctl/poolctl/internal/tensor"
)

func (a *app) newWeightsCommand() *cobra.Command {
	var raw tensor.DType
	cmd := &cobra.Command{
		Use:   "weights FILE [flags]",
		Short: "the arrays in an ONNX, safetensors or .npz file",
		Long: `Lists the arrays of an archive: the weights of an ONNX model (initialisers, Constant nodes; those of graphs inside a node by its name), the tensors of a safetensors file, the members of an .npz. Only headers are read.

Any of them can be given where a command or a pipeline takes a file, as FILE#NAME: --filter model.onnx#conv1.weight --filter-format OIHW. An array of a type that poolctl does not compute with is listed with the reason. For an ONNX model the list shows which operator takes an array, and the order of a filter's axes, for --filter-format. bfloat16 is read as float32, booleans as uint8.`,
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

	Unreadable string `json:"unreadable,omitempty"` // why
}

// rowOf describes an array. Of one that cannot be read it tells what is known.
func rowOf(m imgio.Member) weightRow {
	r := weightRow{Name: m.Name, Shape: append([]int{}, m.Spec.Shape...), Use: m.Use, Layout: m.Layout}
	if m.Spec.DType != tensor.Invalid {
		r.DType = m.Spec.DType.String()
	}
	if m.Spec.Shape != nil {
		r.Elements, _ = m.Spec.Shape.Elements() // checked by List
	}
	var unsupported *imgio.TypeError
	switch {
	case m.Err == nil:
		r.Bytes, _ = m.Spec.Bytes()
	case errors.As(m.Err, &unsupported):
		r.DType, r.Unreadable = unsupported.Type, unsupported.Why
	default:
		r.Unreadable = m.Err.Error()
	}
	return r
}

func (a *app) runWeights(file string, raw tensor.DType) error {
	members, err := imgio.List(file, raw)
	if err != nil {
		return err
	}
	rows := make([]weightRow, len(members))
	elements, bytes, unread := 0, 0, 0
	for i, m := range members {
		rows[i] = rowOf(m)
		if m.Err == nil {
			elements, bytes = elements+rows[i].Elements, bytes+rows[i].Bytes
			continue
		}
		unread++
	}
	if a.JSON {
		e := json.NewEncoder(a.out)
		e.SetEscapeHTML(false) // <U5 is the name of a type
		err = e.Encode(weightsReport{"poolctl.weights/v1", file, elements, bytes, rows})
	} else {
		err = a.weightTable(members, rows)
		count := report.Counted(len(rows), "array")
		if unread > 0 {
			count += fmt.Sprintf(" (%d not readable)", unread)
		}
		if err == nil {
			_, err = fmt.Fprintf(a.out, "%s, %s, %s\n", count, report.Counted(elements, "number"), formatBytes(bytes))
		}
	}
	if err != nil {
		return err
	}
	return damage(file, members)
}

// weightTable prints the arrays for people.
func (a *app) weightTable(members []imgio.Member, rows []weightRow) error {
	t := table.NewWriter()
	t.SetStyle(table.StyleLight)
	t.SetColumnConfigs([]table.ColumnConfig{
		{Number: 4, Align: text.AlignRight}, {Number: 5, Align: text.AlignRight},
		{Number: 8, WidthMax: 40, WidthMaxEnforcer: text.WrapSoft},
	})
	t.SuppressEmptyColumns()
	t.AppendHeader(table.Row{"name", "dtype", "shape", "elements", "bytes", "taken by", "layout", "not readable"})
	for i, r := range rows {
		cells := table.Row{printable(r.Name), r.DType, "", "", "", r.Use, r.Layout, printable(r.Unreadable)}
		if members[i].Spec.Shape != nil {
			cells[2], cells[3] = members[i].Spec.Shape.String(), r.Elements
		}
		if members[i].Err == nil {
			cells[4] = formatBytes(r.Bytes)
		}
		t.AppendRow(cells)
	}
	_, err := fmt.Fprintln(a.out, t.Render())
	return err
}

// damage returns an error if some arrays are damaged or incomplete. A type that
// poolctl does not compute with is no fault of the file.
func damage(file string, members []imgio.Member) error {
	damaged, code := 0, exitData
	for _, m := range members {
		var unsupported *imgio.TypeError
		if m.Err == nil || errors.As(m.Err, &unsupported) {
			continue
		}
		if damaged == 0 {
			code = exitCode(m.Err)
		}
		damaged++
	}
	if damaged == 0 {
		return nil
	}
	return &batchError{fmt.Sprintf("%s: %d of %d arrays cannot be read, the list says why", file, damaged, len(members)), "", code}
}

// weightsReport is the JSON of weights.
type weightsReport struct {
	Schema   string      `json:"schema"`
	File     string      `json:"file"`
	Elements int         `json:"elements"`
	Bytes    int         `json:"bytes"`
	Arrays   []weightRow `json:"arrays"`
}

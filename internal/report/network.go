package report

import (
	"encoding/csv"
	"fmt"
	"io"
	"strconv"
	"strings"

	"github.com/jedib0t/go-pretty/v6/table"
	pretty "github.com/jedib0t/go-pretty/v6/text"

	"github.com/poolctl/poolctl/internal/tensor"
)

// Network is the shape report of a pipeline for one input.
type Network struct {
	File       string
	Input      tensor.Spec // as it stands in its file
	Prepared   tensor.Spec // as the first steps take it, after the input section
	DataFormat string      // of Prepared
	Steps      []NetworkStep
	Memory     NetworkMemory
	Why        bool // say which kernels run, and why better ones do not
	Backward   bool // Memory is that of gradients, for which fewer steps may run
}

// NetworkStep is one step of a pipeline. Name is the step's name,
// ReceptiveField covers its own windows only.
type NetworkStep struct {
	Operation
	From   []string // the steps that it takes
	Runs   bool     // something that is saved depends on it
	Field  *Field   // nil where there is none
	Unread int64    // positions of its input that no window sees; -1: not counted
	Tail   []int    // of those, cells at the end of each spatial dimension
}

// Field is what a cell of a step's output sees of the pipeline's input: for each
// spatial dimension the number of cells, the distance between the fields of
// neighbours, and the middle of the first one's in cells from the first.
type Field struct {
	Size  []float64 `json:"size"`
	Jump  []float64 `json:"jump"`
	Start []float64 `json:"start"`
}

// NetworkMemory is the memory that running a pipeline takes, in bytes. The
// arena holds the tensors that flow between the steps; memory is used again
// once a tensor is no longer needed. Separate is the size without that.
type NetworkMemory struct {
	Peak     int64 `json:"peak_bytes"` // the sum of the next eight
	Arena    int64 `json:"arena_bytes"`
	Scratch  int64 `json:"scratch_bytes"`
	Weights  int64 `json:"weight_bytes"`
	Packed   int64 `json:"packed_bytes"` // the weights as the kernels want them
	Input    int64 `json:"input_bytes"`
	Decode   int64 `json:"decode_bytes"` // what the input's decoder needs; 0 where there is no file
	Encode   int64 `json:"encode_bytes"` // drawings, and the memory of the largest encoder
	Ahead    int64 `json:"ahead_bytes"`  // the next input, read during the computation
	Separate int64 `json:"arena_bytes_without_reuse"`
	Threads  int   `json:"threads"`
}

// totals sums the steps that run.
func (n Network) totals() (parameters, multiplyAdds, activations int64) {
	for _, s := range n.Steps {
		if s.Runs {
			parameters += s.Parameters
			multiplyAdds += s.MultiplyAdds
			activations += s.ActivationBytes
		}
	}
	return parameters, multiplyAdds, activations
}

// networkColumns are the columns of the table; numbers stand to the right.
var networkColumns = []struct {
	name   string
	number bool
	cell   func(s NetworkStep) string
}{
	{"step", false, func(s NetworkStep) string { return s.Name }},
	{"op", false, func(s NetworkStep) string { return s.Op }},
	{"from", false, func(s NetworkStep) string { return strings.Join(s.From, ", ") }},
	{"output", false, func(s NetworkStep) string { return specText(s.Output) }},
	{"window", false, func(s NetworkStep) string { return crossed(s.Window) }},
	{"strides", false, func(s NetworkStep) string { return crossed(s.Stride) }},
	{"padding", false, NetworkStep.padding},
	{"field", false, func(s NetworkStep) string { return s.Field.text(func(f *Field) []float64 { return f.Size }) }},
	{"jump", false, func(s NetworkStep) string { return s.Field.text(func(f *Field) []float64 { return f.Jump }) }},
	{"start", false, func(s NetworkStep) string { return s.Field.text(func(f *Field) []float64 { return f.Start }) }},
	{"parameters", true, func(s NetworkStep) string { return grouped(s.Parameters) }},
	{"multiply-adds", true, func(s NetworkStep) string { return grouped(s.MultiplyAdds) }},
	{"activations", true, func(s NetworkStep) string { return byteSize(s.ActivationBytes) }},
	{"never read", true, NetworkStep.unread},
}

// padding shows the amounts, with a star where they are unequal.
func (s NetworkStep) padding() string {
	if s.asymmetric() {
		return s.padText() + " *"
	}
	return s.padText()
}

// unread shows how many positions no window sees, and the tail.
func (s NetworkStep) unread() string {
	switch {
	case s.Unread < 0:
		return "not counted"
	case s.Unread == 0:
		return ""
	case strings.Trim(tensor.Join(s.Tail, ""), "0") == "":
		return grouped(s.Unread)
	default:
		return grouped(s.Unread) + ", tail " + crossed(s.Tail)
	}
}

// text joins the numbers of a field; a dash stands for none.
func (f *Field) text(of func(*Field) []float64) string {
	if f == nil || len(of(f)) == 0 {
		return "-"
	}
	words := make([]string, len(of(f)))
	for i, v := range of(f) {
		words[i] = strconv.FormatFloat(v, 'f', -1, 64)
	}
	return strings.Join(words, ",")
}

// table makes the table of the steps.
func (n Network) table() table.Writer {
	t := table.NewWriter()
	var header table.Row
	var configs []table.ColumnConfig
	for i, c := range networkColumns {
		header = append(header, c.name)
		if c.number {
			configs = append(configs, table.ColumnConfig{Number: i + 1, Align: pretty.AlignRight, AlignHeader: pretty.AlignRight, AlignFooter: pretty.AlignRight})
		}
	}
	t.SetColumnConfigs(configs)
	t.AppendHeader(header)
	for _, s := range n.Steps {
		var row table.Row
		for _, c := range networkColumns {
			row = append(row, c.cell(s))
		}
		if !s.Runs {
			row[0] = fmt.Sprintf("(%s)", row[0])
		}
		t.AppendRow(row)
	}
	t.SuppressEmptyColumns()
	return t
}

// WriteText writes the report as a table for people, with the totals below it.
func (n Network) WriteText(w io.Writer) error {
	t := n.table()
	t.SetStyle(table.StyleLight)
	t.Style().Format.Header = pretty.FormatDefault
	t.Style().Options = table.OptionsNoBordersAndSeparators
	t.Style().Options.SeparateHeader = true
	t.Style().Box.PaddingLeft, t.Style().Box.PaddingRight = "", "  "
	if err := writeLines(w, n.title()+"\n"+t.Render()+"\n"); err != nil {
		return err
	}
	return writeLines(w, strings.Join(n.notes(), "\n"))
}

// WriteMarkdown writes the same as a Markdown table and a list.
func (n Network) WriteMarkdown(w io.Writer) error {
	lines := []string{n.title(), "", n.table().RenderMarkdown(), ""}
	for _, note := range n.notes() {
		lines = append(lines, "- "+note)
	}
	return writeLines(w, strings.Join(lines, "\n"))
}

func (n Network) title() string {
	title := n.File + " on " + specText(n.Input)
	if !n.Prepared.Equal(n.Input) {
		title += ", prepared to " + specText(n.Prepared)
	}
	return strings.TrimSpace(title + " " + n.DataFormat)
}

// notes returns the totals and the meaning of the table's marks.
func (n Network) notes() []string {
	parameters, multiplyAdds, activations := n.totals()
	m := n.Memory
	backward := ""
	if n.Backward {
		backward = ", backward,"
	}
	list := []string{
		fmt.Sprintf("total: %s parameters, %s multiply-adds, %s of activations", grouped(parameters), grouped(multiplyAdds), byteSize(activations)),
		fmt.Sprintf("peak memory%s on %s: %s = arena %s (%s without reuse) + weights %s and %s packed + scratch %s + input %s", backward, Counted(m.Threads, "thread"),
			byteSize(m.Peak), byteSize(m.Arena), byteSize(m.Separate), byteSize(m.Weights), byteSize(m.Packed), byteSize(m.Scratch), byteSize(m.Input)),
	}
	for _, part := range []struct {
		name  string
		bytes int64
	}{{"decoding", m.Decode}, {"drawing and encoding", m.Encode}, {"the next input", m.Ahead}} {
		if part.bytes > 0 {
			list[1] += " + " + part.name + " " + byteSize(part.bytes)
		}
	}
	asymmetric, idle := false, false
	for _, s := range n.Steps {
		asymmetric, idle = asymmetric || s.asymmetric(), idle || !s.Runs
	}
	if asymmetric {
		list = append(list, "padding *: more at one end than at the other (lo:hi of each spatial dimension)")
	}
	if idle && n.Backward {
		list = append(list, "(step) does not run forward: no gradient that is saved depends on its output")
	} else if idle {
		list = append(list, "(step) does not run: nothing that is saved depends on it")
	}
	for _, s := range n.Steps {
		if n.Why {
			list = append(list, fmt.Sprintf("%s runs %s", s.Name, strings.Join(append([]string{s.Kernel}, s.Why...), "; not ")))
		}
	}
	return list
}

type networkStepJSON struct {
	operationJSON
	From   []string `json:"from"`
	Runs   bool     `json:"runs"`
	Field  *Field   `json:"field" jsonschema:"nullable"`
	Unread *int64   `json:"unread" jsonschema:"nullable"`
	Tail   []int    `json:"tail"`
}

type totalsJSON struct {
	Parameters      int64 `json:"parameters"`
	MultiplyAdds    int64 `json:"multiply_adds"`
	ActivationBytes int64 `json:"activation_bytes"`
}

type networkJSON struct {
	Schema     string            `json:"schema"`
	File       string            `json:"file"`
	Input      specJSON          `json:"input"`
	Prepared   specJSON          `json:"prepared"`
	DataFormat string            `json:"data_format"`
	Steps      []networkStepJSON `json:"steps"`
	Totals     totalsJSON        `json:"totals"`
	Memory     NetworkMemory     `json:"memory"`
}

// JSONSchemaAlias returns a value of the type that has the fields of the JSON
// object.
func (Network) JSONSchemaAlias() any { return networkJSON{} }

// WriteJSON writes the report as one object of the schema poolctl.network/v1. A
// step without a field has null there, and so has unread if it was not counted.
func (n Network) WriteJSON(w io.Writer) error {
	steps := make([]networkStepJSON, len(n.Steps))
	for i, s := range n.Steps {
		steps[i] = networkStepJSON{s.object(), append([]string{}, s.From...), s.Runs, s.Field, nil, listOf(s.Tail)}
		if s.Unread >= 0 {
			steps[i].Unread = &n.Steps[i].Unread
		}
	}
	parameters, multiplyAdds, activations := n.totals()
	return writeJSON(w, networkJSON{"poolctl.network/v1", n.File, specObject(n.Input), specObject(n.Prepared), n.DataFormat, steps, totalsJSON{parameters, multiplyAdds, activations}, n.Memory})
}

// WriteCSV writes a header and one line per step: the columns of WriteShapeCSV,
// then those of the network.
func (n Network) WriteCSV(w io.Writer) error {
	out := csv.NewWriter(w)
	var record []string
	for _, c := range shapeColumns {
		record = append(record, c.name)
	}
	record = append(record, "from", "runs", "field", "jump", "start", "unread", "tail")
	if err := out.Write(record); err != nil {
		return err
	}
	for _, s := range n.Steps {
		record = record[:0]
		for _, c := range shapeColumns {
			record = append(record, c.cell(s.Operation))
		}
		unread := ""
		if s.Unread >= 0 {
			unread = strconv.FormatInt(s.Unread, 10)
		}
		record = append(record, strings.Join(s.From, " "), strconv.FormatBool(s.Runs),
			s.Field.text(func(f *Field) []float64 { return f.Size }),
			s.Field.text(func(f *Field) []float64 { return f.Jump }),
			s.Field.text(func(f *Field) []float64 { return f.Start }), unread, crossed(s.Tail))
		if err := out.Write(record); err != nil {
			return err
		}
	}
	out.Flush()
	return out.Error()
}

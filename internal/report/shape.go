package report

import (
	"encoding/csv"
	"fmt"
	"io"
	"strconv"
	"strings"

	"github.com/jedib0t/go-pretty/v6/table"

	"github.com/poolctl/poolctl/internal/tensor"
)

// Operation is the shape report of one operation on one input: the shapes, the
// windows, the cost and the kernel. Lists have one number per spatial
// dimension, outermost first. They are empty if the operation has no such
// thing.
type Operation struct {
	Op, Name        string // the operation, and the step's name in a pipeline
	Input, Output   tensor.Spec
	Outputs         []Output // those after the first, such as the argmax
	DataFormat      string   // of Input and Output, such as NHWC
	Window, Stride  []int
	Dilation        []int
	PadLo, PadHi    []int
	Padding         string // the rule that PadLo and PadHi come from, such as SAME
	ReceptiveField  []int  // input cells that one output cell sees
	Parameters      int64  // weights and biases
	MultiplyAdds    int64  // over the whole batch
	Bytes           int64  // of input, outputs and weights, each touched once
	ActivationBytes int64  // of the outputs
	Kernel          string
	Memory          *Memory   // what a run needs; nil where that is not known
	Settings        []Setting // the flags that decide values, as they are in force
	Why             []string  // why faster kernels did not apply
}

// Memory is what a run needs at most, in bytes. A run decodes, then computes,
// then encodes. The peak is the largest of the three, or their sum less what
// they share if they run at the same time.
type Memory struct {
	Peak    int `json:"peak"`
	Decode  int `json:"decode"`
	Compute int `json:"compute"`
	Encode  int `json:"encode"`

	Together bool `json:"together"` // they run at the same time
	Threads  int  `json:"threads"`
}

// Output is a further result of an operation.
type Output struct {
	Name string
	Spec tensor.Spec
}

// Setting is a flag with the value in force.
type Setting struct{ Name, Value string }

var spatialNames = [3]string{"depth", "height", "width"}

// asymmetric reports whether some axis has unequal padding at its two ends.
func (o Operation) asymmetric() bool {
	for i, lo := range o.PadLo {
		if i < len(o.PadHi) && lo != o.PadHi[i] {
			return true
		}
	}
	return false
}

// padText formats the amounts as the command line takes them, and says which
// pair belongs to which axis if the two ends of an axis differ.
func (o Operation) padText() string {
	var pairs []string
	for i, lo := range o.PadLo {
		if i >= len(o.PadHi) {
			break
		}
		pairs = append(pairs, fmt.Sprintf("%d:%d", lo, o.PadHi[i]))
	}
	return strings.Join(pairs, ",")
}

func (o Operation) asymmetryText() string {
	var parts []string
	for i, lo := range o.PadLo {
		if i < len(o.PadHi) && lo != o.PadHi[i] && len(o.PadLo) <= len(spatialNames) {
			axis := spatialNames[len(spatialNames)-len(o.PadLo)+i]
			parts = append(parts, fmt.Sprintf("%s %d before, %d after", axis, lo, o.PadHi[i]))
		}
	}
	return strings.Join(parts, "; ")
}

// WriteText writes the report as a table of two columns, for people.
func (o Operation) WriteText(w io.Writer) error { return writeLines(w, o.table().Render()) }

// WriteMarkdown writes the table of WriteText as Markdown.
func (o Operation) WriteMarkdown(w io.Writer) error { return writeMarkdown(w, o.table()) }

// table returns the report as rows of a key and a value.
func (o Operation) table() table.Writer {
	t := keyTable()
	row := func(key, format string, args ...any) {
		t.AppendRow(table.Row{key, fmt.Sprintf(format, args...)})
	}
	list := func(key string, values []int) {
		if len(values) > 0 {
			row(key, "%s", tensor.Join(values, "x"))
		}
	}
	title := o.Op
	if o.Name != "" && o.Name != o.Op {
		title += " (" + o.Name + ")"
	}
	row("operation", "%s", title)
	row("input", "%s %s", specText(o.Input), o.DataFormat)
	row("output", "%s %s", specText(o.Output), o.DataFormat)
	for _, out := range o.Outputs {
		row("  "+out.Name, "%s", specText(out.Spec))
	}
	list("window", o.Window)
	list("strides", o.Stride)
	list("dilations", o.Dilation)
	if pads := o.padText(); pads != "" || o.Padding != "" {
		row("padding", "%s", strings.TrimSpace(o.Padding+"  "+pads))
		if o.asymmetric() {
			row("", "asymmetric: %s", o.asymmetryText())
		}
	}
	list("receptive field", o.ReceptiveField)
	row("parameters", "%s", grouped(o.Parameters))
	row("multiply-adds", "%s", grouped(o.MultiplyAdds))
	row("bytes touched", "%s (%s)", grouped(o.Bytes), byteSize(o.Bytes))
	row("activations", "%s (%s)", grouped(o.ActivationBytes), byteSize(o.ActivationBytes))
	if o.Kernel != "" {
		row("kernel", "%s", o.Kernel)
	}
	if m := o.Memory; m != nil {
		how := ""
		if m.Together {
			how = ", at the same time"
		}
		row("memory", "%s at most: decoding %s, computing %s, encoding %s%s", byteSize(int64(m.Peak)),
			byteSize(int64(m.Decode)), byteSize(int64(m.Compute)), byteSize(int64(m.Encode)), how)
	}
	for i, why := range o.Why {
		row(once(i, "  why"), "%s", why)
	}
	for i, s := range o.Settings {
		row(once(i, "settings"), "%s=%s", s.Name, s.Value)
	}
	return t
}

// keyTable returns an empty table of keys and values: aligned, without borders,
// without colours.
func keyTable() table.Writer {
	t := table.NewWriter()
	t.SetStyle(table.StyleLight)
	t.Style().Options = table.OptionsNoBordersAndSeparators
	t.Style().Box.PaddingLeft, t.Style().Box.PaddingRight = "", "  "
	return t
}

// writeMarkdown writes a table of keys and values as Markdown, where a table
// must have a header.
func writeMarkdown(w io.Writer, t table.Writer) error {
	t.AppendHeader(table.Row{"property", "value"})
	return writeLines(w, t.RenderMarkdown())
}

// once returns the label for the first of several rows, nothing for the rest.
func once(i int, label string) string {
	if i == 0 {
		return label
	}
	return ""
}

// writeLines writes text without blanks at the ends of its lines.
func writeLines(w io.Writer, text string) error {
	var b strings.Builder
	for line := range strings.Lines(text) {
		b.WriteString(strings.TrimRight(line, " \n") + "\n")
	}
	_, err := io.WriteString(w, b.String())
	return err
}

func specText(s tensor.Spec) string { return s.DType.String() + " " + s.Shape.String() }

// specJSON is a tensor's type and shape in JSON; a shape of rank 0 is [].
type specJSON struct {
	DType string `json:"dtype"`
	Shape []int  `json:"shape"`
}

func specObject(s tensor.Spec) specJSON { return specJSON{s.DType.String(), listOf(s.Shape)} }

// listOf returns the list, never nil, since nil becomes null in JSON.
func listOf(values []int) []int { return append([]int{}, values...) }

type outputJSON struct {
	Name string `json:"name"`
	specJSON
}

type settingJSON struct {
	Name  string `json:"name"`
	Value string `json:"value"`
}

type shapeJSON struct {
	Schema string `json:"schema"`
	operationJSON
}

// operationJSON is what the reports of one operation and of a pipeline share.
type operationJSON struct {
	Op              string        `json:"op"`
	Name            string        `json:"name"`
	DataFormat      string        `json:"data_format"`
	Input           specJSON      `json:"input"`
	Output          specJSON      `json:"output"`
	Outputs         []outputJSON  `json:"outputs"`
	Window          []int         `json:"window"`
	Strides         []int         `json:"strides"`
	Dilations       []int         `json:"dilations"`
	Padding         string        `json:"padding"`
	PadLo           []int         `json:"pad_lo"`
	PadHi           []int         `json:"pad_hi"`
	Asymmetric      bool          `json:"asymmetric"`
	ReceptiveField  []int         `json:"receptive_field"`
	Parameters      int64         `json:"parameters"`
	MultiplyAdds    int64         `json:"multiply_adds"`
	Bytes           int64         `json:"bytes"`
	ActivationBytes int64         `json:"activation_bytes"`
	Kernel          string        `json:"kernel"`
	Memory          *Memory       `json:"memory,omitempty"`
	Why             []string      `json:"why"`
	Settings        []settingJSON `json:"settings"`
}

// MarshalJSON implements json.Marshaler. Every key but memory is always there,
// in the same order.
func (o Operation) MarshalJSON() ([]byte, error) {
	return marshal(shapeJSON{"poolctl.shape/v1", o.object()})
}

// JSONSchemaAlias returns a value of the type that has the fields of the JSON
// object.
func (Operation) JSONSchemaAlias() any { return shapeJSON{} }

func (o Operation) object() operationJSON {
	object := operationJSON{
		Op: o.Op, Name: o.Name, DataFormat: o.DataFormat,
		Input: specObject(o.Input), Output: specObject(o.Output), Outputs: []outputJSON{},
		Window: listOf(o.Window), Strides: listOf(o.Stride), Dilations: listOf(o.Dilation),
		Padding: o.Padding, PadLo: listOf(o.PadLo), PadHi: listOf(o.PadHi), Asymmetric: o.asymmetric(),
		ReceptiveField: listOf(o.ReceptiveField), Parameters: o.Parameters, MultiplyAdds: o.MultiplyAdds,
		Bytes: o.Bytes, ActivationBytes: o.ActivationBytes, Kernel: o.Kernel, Memory: o.Memory,
		Why: append([]string{}, o.Why...), Settings: []settingJSON{},
	}
	for _, out := range o.Outputs {
		object.Outputs = append(object.Outputs, outputJSON{out.Name, specObject(out.Spec)})
	}
	for _, s := range o.Settings {
		object.Settings = append(object.Settings, settingJSON(s))
	}
	return object
}

// WriteJSON writes the report as one object of the schema poolctl.shape/v1.
func (o Operation) WriteJSON(w io.Writer) error { return writeJSON(w, o) }

// WriteCSV writes the report as a header and one line.
func (o Operation) WriteCSV(w io.Writer) error { return WriteShapeCSV(w, o) }

var shapeColumns = []struct {
	name string
	cell func(o Operation) string
}{
	{"op", func(o Operation) string { return o.Op }},
	{"name", func(o Operation) string { return o.Name }},
	{"data_format", func(o Operation) string { return o.DataFormat }},
	{"input_dtype", func(o Operation) string { return o.Input.DType.String() }},
	{"input", func(o Operation) string { return crossed(o.Input.Shape) }},
	{"output_dtype", func(o Operation) string { return o.Output.DType.String() }},
	{"output", func(o Operation) string { return crossed(o.Output.Shape) }},
	{"window", func(o Operation) string { return crossed(o.Window) }},
	{"strides", func(o Operation) string { return crossed(o.Stride) }},
	{"dilations", func(o Operation) string { return crossed(o.Dilation) }},
	{"padding", func(o Operation) string { return o.Padding }},
	{"pad_lo", func(o Operation) string { return crossed(o.PadLo) }},
	{"pad_hi", func(o Operation) string { return crossed(o.PadHi) }},
	{"receptive_field", func(o Operation) string { return crossed(o.ReceptiveField) }},
	{"parameters", func(o Operation) string { return strconv.FormatInt(o.Parameters, 10) }},
	{"multiply_adds", func(o Operation) string { return strconv.FormatInt(o.MultiplyAdds, 10) }},
	{"bytes", func(o Operation) string { return strconv.FormatInt(o.Bytes, 10) }},
	{"activation_bytes", func(o Operation) string { return strconv.FormatInt(o.ActivationBytes, 10) }},
	{"kernel", func(o Operation) string { return o.Kernel }},
	{"settings", func(o Operation) string {
		var words []string
		for _, s := range o.Settings {
			words = append(words, s.Name+"="+s.Value)
		}
		return strings.Join(words, " ")
	}},
}

func crossed(values []int) string { return tensor.Join(values, "x") }

// WriteShapeCSV writes the reports of several steps: a header and one line per
// step. The numbers of a list are joined by x.
func WriteShapeCSV(w io.Writer, steps ...Operation) error {
	out := csv.NewWriter(w)
	record := make([]string, len(shapeColumns))
	for i, c := range shapeColumns {
		record[i] = c.name
	}
	if err := out.Write(record); err != nil {
		return err
	}
	for _, step := range steps {
		for i, c := range shapeColumns {
			record[i] = c.cell(step)
		}
		if err := out.Write(record); err != nil {
			return err
		}
	}
	out.Flush()
	return out.Error()
}

package cli

import (
	"fmt"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/poolctl/poolctl/internal/batch"
	"github.com/poolctl/poolctl/internal/config"
	"github.com/poolctl/poolctl/internal/figure"
	"github.com/poolctl/poolctl/internal/imgio"
	"github.com/poolctl/poolctl/internal/ops"
	"github.com/poolctl/poolctl/internal/pipeline"
	"github.com/poolctl/poolctl/internal/report"
	"github.com/poolctl/poolctl/internal/tensor"
)

// networkMemory returns the memory that a pipeline takes for an input. form is
// that of pictures. input is the header of the input's file, nil if
// there is no file; ahead says whether the next input is read at the same time.
// The parts are added up even if they are not needed at the same time.
func networkMemory(g *pipeline.Graph, threads int, form pictureForm, input *imgio.Info, ahead bool) (report.NetworkMemory, error) {
	m := g.Memory(threads)
	total, err := m.Total()
	if err != nil {
		return report.NetworkMemory{}, &limitError{g.File.File + ": " + err.Error(), ""}
	}
	encode, drawn := 0, 0
	for _, s := range g.Saved {
		spec := g.Spec(s)
		n, _ := spec.Bytes() // checked when the graph was compiled
		switch s.Kind {
		case "argmax-png":
			drawn = plus(drawn, min(figure.SheetBytes, n))
			encode = max(encode, n) // the winners' cells
		case "heatmap", "grad-heatmap":
			drawn = plus(drawn, min(figure.SheetBytes, n))
		default:
			o := imgio.Output{Name: (batch.Product{Step: s.Step, Ext: s.Ext()}).Ext, Layout: s.Layout, Depth: form.depth, Enlarge: form.enlarge}
			encode = max(encode, o.Encoding(spec))
		}
	}
	encode = plus(encode, drawn)
	r := report.NetworkMemory{Arena: int64(m.Arena), Scratch: int64(m.Scratch), Weights: int64(m.Weights),
		Packed: int64(m.Packed), Input: int64(m.Input), Encode: int64(encode), Separate: int64(m.Separate), Threads: threads}
	total = plus(total, encode)
	if input != nil {
		r.Decode = int64(input.Decoding)
		total = plus(total, input.Decoding)
	}
	if ahead && input != nil {
		n, _ := input.Spec.Bytes()
		r.Ahead = int64(n)
		total = plus(total, n)
	}
	r.Peak = int64(total)
	return r, nil
}

// networkReport describes a compiled pipeline for people and scripts.
func networkReport(g *pipeline.Graph, m report.NetworkMemory) report.Network {
	prepared, layout := g.Prepared()
	r := report.Network{Backward: g.Backward(), File: g.File.File, Input: g.Input.Spec, Prepared: prepared, DataFormat: string(layout), Memory: m}
	for _, n := range g.Nodes {
		s := report.NetworkStep{Operation: shapeReport(n.Op, n.Plan), From: n.Step.From, Runs: n.Runs}
		s.Name = n.Step.Name
		if n.Field != nil {
			s.Field = &report.Field{Size: n.Field.Size, Jump: n.Field.Jump, Start: n.Field.Start}
		}
		s.Unread, s.Tail = unread(n)
		r.Steps = append(r.Steps, s)
	}
	return r
}

// unread returns the number of positions of a step's input that no window sees,
// -1 if they were not counted, and the number left over at the end of each
// axis.
func unread(n *pipeline.Node) (positions int64, tail []int) {
	g := &n.Plan.Geometry
	if _, ok := n.Op.(*ops.ConvTranspose); ok || g.Rank == 0 {
		return 0, nil
	}
	all, seen := 1, 1
	for _, a := range g.Spatial() {
		cells, end, ok := a.Unread()
		if !ok {
			return -1, nil
		}
		all, seen = all*a.In, seen*(a.In-cells)
		tail = append(tail, end)
	}
	return int64(all - seen), tail
}

// reportFormats are the formats of every report.
var reportFormats = []string{"text", "json", "csv", "markdown"}

func addNetworkFlags(flags *pflag.FlagSet, format *string, why *bool) {
	flags.Var(&choiceValue{format, reportFormats}, "report", "print the shape report as `FORMAT`: text, json, csv or markdown")
	flags.BoolVar(why, "why", false, "with the report, say which kernels run and why faster ones do not")
}

// writeNetwork prints the report of a pipeline on standard output. For form, input
// and ahead see networkMemory.
func (a *app) writeNetwork(g *pipeline.Graph, form pictureForm, input *imgio.Info, ahead bool, format string, why bool) error {
	m, err := networkMemory(g, a.Threads, form, input, ahead)
	if err != nil {
		return err
	}
	r := networkReport(g, m)
	r.Why = why
	if !why {
		for i := range r.Steps {
			r.Steps[i].Why = nil
		}
	}
	switch format {
	case "json":
		return r.WriteJSON(a.out)
	case "csv":
		return r.WriteCSV(a.out)
	case "markdown":
		return r.WriteMarkdown(a.out)
	default:
		return r.WriteText(a.out)
	}
}

// shapePipeline is `shape` with a pipeline file.
type shapePipeline struct {
	Input   []int
	DType   string
	Picture bool
	Report  string
	Why     bool
}

func (s *shapePipeline) add(flags *pflag.FlagSet) {
	flags.SortFlags = false
	flags.Var(&intsValue{&s.Input}, "input-shape", "`SHAPE` of the input, such as 1,224,224,3 (required)")
	s.DType = "float32"
	flags.Var(&choiceValue{&s.DType, tensor.DTypeNames()}, "input-dtype", "element `TYPE` of the input")
	flags.BoolVar(&s.Picture, "picture", false, "the input is a picture: NHWC, brought to the pipeline's layout")
	addNetworkFlags(flags, &s.Report, &s.Why)
}

// runShapePipeline prints the report of a pipeline for an input of the given
// shape.
func (a *app) runShapePipeline(s *shapePipeline, file string) error {
	if s.Input == nil {
		return usagef("shape: input-shape: missing, want a shape such as 1,224,224,3")
	}
	dtype, err := tensor.ParseDType(s.DType)
	if err != nil {
		return usagef("shape: input-dtype: %v", err)
	}
	in := pipeline.Input{Spec: tensor.Spec{DType: dtype, Shape: s.Input}, Picture: s.Picture}
	if _, err := in.Spec.Bytes(); err != nil {
		return usagef("shape: input-shape: %v", err)
	}
	if s.Picture && len(s.Input) != tensor.NHWC.Rank() {
		return usagef("shape: input-shape: got %s for a picture, want 4 numbers (NHWC)", in.Spec.Shape)
	}
	p, err := config.ReadPipeline(file)
	if err != nil {
		return err
	}
	g, err := pipeline.Compile(p, pipeline.NewWeights(a.files(false, p.RawType())), in)
	if err != nil {
		return err
	}
	a.noteInputLayout("", g)
	return a.writeNetwork(g, pictureForm{depth: 8}, nil, false, a.reportFormat(s.Report, true), s.Why)
}

// isPipeline reports whether an operand is the name of a pipeline file rather
// than of an operation.
func isPipeline(word string) bool {
	ext := strings.ToLower(filepath.Ext(word))
	return ext == ".yaml" || ext == ".yml" || ext == ".json" || strings.ContainsAny(word, `/\`)
}

// operationOrPipeline checks that the operand is the name of a pipeline file.
// The name of an operation would have been a command.
func operationOrPipeline(cmd *cobra.Command, args []string) error {
	switch {
	case len(args) == 0:
		return &usageError{cmd.Name() + ": operation missing, want one of " + strings.Join(operationNames(), ", ") + ", or a pipeline file such as net.yaml", "`" + cmd.CommandPath() + " --help` shows examples"}
	case !isPipeline(args[0]):
		return unknownOperation(cmd, args[0])
	case len(args) > 1:
		return &usageError{fmt.Sprintf("%s: got %q after the pipeline file, want flags only", cmd.Name(), args[1]), "`poolctl run PIPELINE INPUT… --dry-run` reports on files"}
	}
	return nil
}

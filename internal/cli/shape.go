package cli

import (
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"github.com/poolctl/poolctl/internal/geom"
	"github.com/poolctl/poolctl/internal/imgio"
	"github.com/poolctl/poolctl/internal/ops"
	"github.com/poolctl/poolctl/internal/report"
	"github.com/poolctl/poolctl/internal/tensor"
)

// shapeReport describes a plan for people and scripts.
func shapeReport(op ops.Op, plan *ops.Plan) report.Operation {
	g := &plan.Geometry
	r := report.Operation{
		Op:           plan.Op,
		Input:        plan.Buffers[0],
		Output:       plan.Outputs[0].Spec,
		DataFormat:   string(plan.Layout),
		Parameters:   int64(plan.Parameters),
		MultiplyAdds: int64(plan.MultiplyAdds),
		Kernel:       plan.Impl,
	}
	if g.Rank > 0 {
		for _, f := range ops.ReceptiveField(op, plan) {
			r.ReceptiveField = append(r.ReceptiveField, int(f.Size))
		}
		r.Padding = g.Rule.String()
		for _, a := range g.Spatial() {
			r.Window = append(r.Window, a.Size)
			if a.Bounds != nil { // adaptive and fractional windows have a largest size only
				r.Padding = ""
				continue
			}
			r.Stride = append(r.Stride, a.Stride)
			r.Dilation = append(r.Dilation, a.Dilation)
			r.PadLo = append(r.PadLo, a.Lo)
			r.PadHi = append(r.PadHi, a.Hi)
		}
	}
	for _, spec := range plan.Buffers[:plan.Inputs] {
		n, _ := spec.Bytes()
		r.Bytes += int64(n)
	}
	for i, o := range plan.Outputs {
		n, _ := o.Bytes()
		r.Bytes += int64(n)
		r.ActivationBytes += int64(n)
		if i > 0 {
			r.Outputs = append(r.Outputs, report.Output{Name: o.Name, Spec: o.Spec})
		}
	}
	want := ops.Want{Argmax: len(plan.Outputs) > 1}
	for _, p := range op.Params() {
		if !p.Meaningful(want) {
			continue
		}
		value := p.String()
		if value == "" || value == "0" {
			value = p.Default // the value in force, in words such as "the window"
		}
		if value != "" {
			r.Settings = append(r.Settings, report.Setting{Name: p.Name, Value: value})
		}
	}
	for _, d := range plan.Details {
		r.Settings = append(r.Settings, report.Setting{Name: d.Name, Value: d.Value})
	}
	for _, w := range plan.Why {
		r.Why = append(r.Why, w.Impl+": "+w.Reason)
	}
	return r
}

// reportFormat returns the format of a report: the one asked for, JSON with
// --json, text if a report is always printed, or "" for none.
func (a *app) reportFormat(asked string, always bool) string {
	switch {
	case asked != "":
		return asked
	case a.JSON:
		return "json"
	case always:
		return "text"
	default:
		return ""
	}
}

// writeReport prints a shape report on standard output, or on standard error if
// data goes to standard output.
func (a *app) writeReport(r report.Operation, format string, why, outTaken bool) error {
	if !why {
		r.Why = nil
	}
	w := a.reportWriter(outTaken)
	switch format {
	case "json":
		return r.WriteJSON(w)
	case "csv":
		return r.WriteCSV(w)
	case "markdown":
		return r.WriteMarkdown(w)
	case "text":
		return r.WriteText(w)
	default:
		return nil
	}
}

// reportWriter returns standard output, or standard error if data goes to
// standard output.
func (a *app) reportWriter(outTaken bool) io.Writer {
	if outTaken {
		return a.err
	}
	return a.out
}

// shapeFlags are the shapes that `shape` and `bench` take in place of files.
type shapeFlags struct {
	Input  []int
	Others [][]int // further main inputs
	Filter []int
	Argmax bool
}

func (a *app) newShapeCommand() *cobra.Command {
	p := &shapePipeline{}
	cmd := &cobra.Command{
		Use:   "shape OPERATION|PIPELINE --input-shape SHAPE [flags]",
		Short: "output shape, padding and cost of an operation or a pipeline, without data",
		Long: `Prints what an operation does to a shape: output size, padding before and after, receptive field, parameters, multiply-adds, bytes, and the kernel that would compute it. No data is read.

For a pipeline file it prints a table. Every step has the shape of its output, its padding, and the receptive field of its output cells: the number of input cells (field), the distance between the fields of neighbours (jump), and the middle of the first one (start). Then come its cost and the positions of its input that no window sees. Below the table are the totals and the memory of a run. Weights must exist, but only their headers are read.`,
		GroupID: "look",
		Example: examples([]ops.Example{
			{Does: "the padding that SAME means", Command: "poolctl shape pool --type max --window 3 --strides 2 --padding SAME --input-shape 1,224,224,64"},
			{Does: "a convolution's cost, as JSON", Command: "poolctl shape conv2d --input-shape 8,56,56,64 --filter-shape 3,3,64,64 --padding SAME --json"},
		}),
		Args: operationOrPipeline,
		RunE: func(_ *cobra.Command, args []string) error { return a.runShapePipeline(p, args[0]) },
	}
	p.add(cmd.Flags())
	for _, spec := range ops.Table {
		cmd.AddCommand(a.newShapeOperationCommand(spec))
	}
	return cmd
}

func operationNames() []string {
	var names []string
	for _, spec := range ops.Table {
		names = append(names, spec.Name)
	}
	return names
}

func (a *app) newShapeOperationCommand(spec ops.Spec) *cobra.Command {
	var (
		op     = spec.New()
		shapes shapeFlags
		format string
		why    bool
	)
	cmd := &cobra.Command{
		Use:   spec.Name + " --input-shape SHAPE [flags]",
		Short: spec.Summary,
		Args:  noInput,
		RunE: func(*cobra.Command, []string) error {
			plan, _, err := shapes.plan(op, spec, "input-shape", a)
			if err != nil {
				return err
			}
			a.noteLayout("", spec, op, plan)
			return a.writeReport(shapeReport(op, plan), a.reportFormat(format, true), why, false)
		},
	}
	flags := cmd.Flags()
	flags.SortFlags = false
	flags.Var(&intsValue{&shapes.Input}, "input-shape", "`SHAPE` of the input, such as 1,224,224,3 (required)")
	shapes.add(cmd, spec, op, "with the argmax as a second output")
	addReportFlags(flags, &format, &why)
	return cmd
}

// add declares the flags for the shapes of an operation's other inputs, and
// those for its parameters.
func (s *shapeFlags) add(cmd *cobra.Command, spec ops.Spec, op ops.Op, argmax string) {
	flags := cmd.Flags()
	if spec.Several {
		flags.Var(&shapesValue{&s.Others}, "other-shape", "`SHAPE` of a further input; again for each one (default one of the first's)")
	}
	except := []string{}
	for _, p := range op.Params() {
		switch {
		case p.Name == "filter":
			flags.Var(&intsValue{&s.Filter}, "filter-shape", "`SHAPE` of the filter, instead of --filter")
		case p.Kind.File():
			except = append(except, p.Name)
		}
	}
	addParams(flags, op.Params(), except...)
	if f := flags.Lookup("filter"); f != nil {
		f.Usage = strings.TrimSuffix(f.Usage, " (required)")
	}
	if spec.Argmax {
		flags.BoolVar(&s.Argmax, "argmax", false, argmax)
	}
}

// standIn is the name of a tensor that has a shape but no file.
const standIn = "shape only"

// plan plans the operation for shapes without data.
func (s *shapeFlags) plan(op ops.Op, spec ops.Spec, flag string, a *app) (*ops.Plan, []tensor.Spec, error) {
	if s.Input == nil {
		return nil, nil, usagef("%s: %s: missing, want a shape such as 1,224,224,3", spec.Name, flag)
	}
	for _, p := range op.Params() {
		if !p.Kind.File() || p.String() != "" || !p.Required {
			continue
		}
		if p.Name == "filter" && s.Filter == nil {
			return nil, nil, usagef("%s: filter-shape: missing, want the filter's shape such as 3,3,64,64", spec.Name)
		}
		if err := p.Set(standIn); err != nil {
			return nil, nil, err
		}
	}
	if err := op.Check(); err != nil {
		return nil, nil, err
	}
	x := tensor.Spec{DType: tensor.Float32, Shape: s.Input}
	if d, err := tensor.ParseDType(ops.Get(op, "dtype")); err == nil {
		x.DType = d
	}
	if _, err := x.Bytes(); err != nil {
		return nil, nil, usagef("%s: %s: %v", spec.Name, flag, err)
	}
	others, err := op.Inputs(x)
	if err != nil {
		return nil, nil, err
	}
	specs := []tensor.Spec{x}
	if spec.Several && s.Others == nil {
		s.Others = [][]int{s.Input}
	}
	for _, shape := range s.Others {
		next := tensor.Spec{DType: x.DType, Shape: shape}
		if _, err := next.Bytes(); err != nil {
			return nil, nil, usagef("%s: other-shape: %v", spec.Name, err)
		}
		specs = append(specs, next)
	}
	for _, other := range others {
		next := other.Spec
		switch {
		case other.Make != nil:
		case other.Source != standIn:
			source, err := imgio.Open(other.Source, a.files(false, ops.ElementType(op)))
			if err != nil {
				return nil, nil, other.NotFound(spec.Name, err)
			}
			next = source.Info.Spec
			_ = source.Close()
		case other.Name == "filter":
			next = tensor.Spec{DType: x.DType.Averaged(), Shape: s.Filter}
		case other.Spec.Shape != nil: // a number for each channel
		default: // the argmax of unpool
			next = tensor.Spec{DType: tensor.Int64, Shape: x.Shape}
		}
		if _, err := next.Bytes(); err != nil {
			return nil, nil, &usageError{fmt.Sprintf("%s: %v", spec.Name, &geom.Error{Field: other.Name, Problem: err.Error()}), ""}
		}
		specs = append(specs, next)
	}
	plan, err := op.Plan(specs, ops.Want{Argmax: s.Argmax})
	return plan, specs, err
}

package cli

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/poolctl/poolctl/internal/arrows"
	"github.com/poolctl/poolctl/internal/gradcheck"
	"github.com/poolctl/poolctl/internal/imgio"
	"github.com/poolctl/poolctl/internal/ops"
	"github.com/poolctl/poolctl/internal/report"
	"github.com/poolctl/poolctl/internal/tensor"
)

// gradient is the command of one operation's gradient.
type gradient struct {
	spec ops.Spec
	op   ops.Differentiable

	Upstream string
	Target   []int
	Loss     string

	Output  string
	Of      int                // the main input that Output is the gradient of
	Grads   map[string]*string // files for the gradients of parameters, by name
	Heatmap string
	Reduce  string
	Overlay string
	Arrows  string

	Check     bool
	Tolerance float64
	Samples   int

	Report string
	Why    bool
	DryRun bool
	Emit   bool
	files  fileFlags

	normalizes bool // --normalize was given
}

func (a *app) newGradCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "grad OPERATION INPUT -o DX [flags]",
		Short: "run an operation backward: gradients, and pictures of what backpropagation does",
		Long: `Computes the gradient of an operation with respect to its input, filter and bias, for an upstream gradient in the output's shape: ones, a file (--upstream), one output cell (--target), or that of a loss (--loss).

Max pooling passes each upstream gradient to the position of the maximum; average pooling gives every cell of the window its share; overlapping windows add their gradients. --check compares with numerical differentiation. --heatmap, --overlay and --arrows draw the gradient.`,
		Example: examples([]ops.Example{
			{Does: "where max pooling sends its gradient, over the photograph", Command: "poolctl grad pool samples/camera.png --type max --window 8 -o dx.npy --overlay where.png"},
			{Does: "the figure of every lecture: max and average side by side", Command: "poolctl grad pool samples/ramp_6x6.npy --type max --window 2 --arrows arrows.png"},
			{Does: "gradients of a convolution's input, filter and bias, checked numerically", Command: "poolctl grad conv2d samples/input_10x9x9x3.npy --filter samples/filter_2x2x3x2.npy --bias samples/bias_2.npy --padding SAME -o dx.npy --filter-grad df.npy --bias-grad db.npy --check"},
		}),
		GroupID: "look",
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) > 0 {
				return unknownOperation(cmd, args[0])
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, _ []string) error {
			return &usageError{"grad: operation missing, want one of " + strings.Join(operationNames(), ", "), "`" + cmd.CommandPath() + " --help` shows examples"}
		},
	}
	cmd.AddCommand(a.newGradRunCommand())
	for _, spec := range ops.Table {
		if op, ok := spec.New().(ops.Differentiable); ok {
			cmd.AddCommand(a.newGradOperationCommand(spec, op))
		}
	}
	return cmd
}

func (a *app) newGradOperationCommand(spec ops.Spec, op ops.Differentiable) *cobra.Command {
	g := &gradient{spec: spec, op: op, Grads: map[string]*string{}}
	cmd := &cobra.Command{
		Use:     spec.Name + " " + operands(spec) + " -o DX [flags]",
		Aliases: spellings(spec),
		Short:   "gradient of " + spec.Summary,
		Long:    "The gradient of " + spec.Name + ": " + spec.Summary + ".\n\nThe upstream gradient is ones unless --upstream, --target or --loss says otherwise. Integer inputs are differentiated as floating-point numbers.",
		Args:    unlessEmitted(&g.Emit, inputsOf(spec)),
		RunE: func(cmd *cobra.Command, args []string) error {
			if g.Emit {
				return a.emitGradient(g, args)
			}
			if err := g.check(cmd.Flags(), args); err != nil {
				return err
			}
			return a.runGrad(g, args)
		},
	}
	flags := cmd.Flags()
	flags.SortFlags = false
	flags.StringVarP(&g.Output, "output", "o", "", "`FILE` for the gradient with respect to the input: an array or a picture")
	flags.StringVar(&g.Upstream, "upstream", "", "`FILE` with the upstream gradient, in the output's shape")
	flags.Var(&intsValue{&g.Target}, "target", "upstream gradient 1 at the output cell `INDEX`, such as 0,3,5,1, and 0 elsewhere")
	flags.Var(&choiceValue{&g.Loss, []string{"sum", "mean", "l2"}}, "loss", "upstream gradient of this `LOSS` of the output: sum, mean, or l2 (half the sum of squares)")
	if spec.Several {
		flags.IntVar(&g.Of, "of", 0, "write and draw the gradient with respect to input `N`, counted from 0")
	}
	for _, name := range ops.Gradients(op) {
		doc := "`FILE` for the gradient with respect to the " + name
		if name == "filter" {
			doc += ", in the filter's shape and format"
		}
		g.Grads[name] = flags.String(name+"-grad", "", doc)
	}
	flags.StringVar(&g.Heatmap, "heatmap", "", "picture `FILE` of the gradient: diverging colours, zero neutral, a colour bar")
	g.Reduce = "none"
	flags.Var(&choiceValue{&g.Reduce, []string{"none", "sum", "max", "l2"}}, "reduce", "reduce the channels of the heatmap by `RULE`: none, sum, max or l2")
	flags.StringVar(&g.Overlay, "overlay", "", "picture `FILE` of the gradient over the input")
	if spec.Name == "pool" {
		flags.StringVar(&g.Arrows, "arrows", "", "drawing (.svg or picture `FILE`) of a small input, with an arrow from each output cell to the cells that its gradient goes to, for maximum and average side by side; of several channels or images, that of --target or the first")
	}
	flags.BoolVar(&g.Check, "check", false, "compare with numerical differentiation in float64, and what is written with float64; exit code 3 if they differ")
	flags.Float64Var(&g.Tolerance, "tolerance", 1e-5, "largest relative error `X` that --check accepts")
	flags.IntVar(&g.Samples, "check-samples", 256, "--check perturbs at most `N` numbers of each tensor")
	addParams(flags, op.Params())
	addParams(flags, op.GradParams())
	addReportFlags(flags, &g.Report, &g.Why)
	flags.BoolVar(&g.DryRun, "dry-run", false, "stop after the shape report; only headers are read")
	addEmitFlag(flags, &g.Emit)
	g.files.add(flags, imgio.NormalizeSymmetric)
	return cmd
}

// check refuses flags that are wrong whatever the input.
func (g *gradient) check(flags *pflag.FlagSet, names []string) error {
	if err := g.op.Check(); err != nil {
		return err
	}
	if err := g.files.check(g.spec.Name, append(g.parameterFiles(), g.Output)...); err != nil {
		return err
	}
	g.normalizes = flags.Changed("normalize")
	var sources []string
	for _, s := range [][2]string{{"upstream", g.Upstream}, {"target", tensor.Join(g.Target, ",")}, {"loss", g.Loss}, {"second", g.param("second")}} {
		if s[1] != "" {
			sources = append(sources, "--"+s[0]+" "+s[1])
		}
	}
	switch {
	case len(sources) > 1:
		return usagef("%s: upstream: got %s, want only one of them", g.spec.Name, strings.Join(sources, " and "))
	case len(g.outputs()) == 0 && !g.DryRun && !g.Check && g.Report == "":
		return &usageError{g.spec.Name + ": output: missing, want -o FILE, a picture such as --heatmap FILE, or --check", "--dry-run prints the shape report without computing"}
	case !(g.Tolerance > 0) || math.IsInf(g.Tolerance, 1):
		return usagef("%s: tolerance: got %g, want a finite number > 0", g.spec.Name, g.Tolerance)
	case g.Of < 0 || g.Of >= len(names):
		return usagef("%s: of: got %d, want 0 to %d, one of the inputs", g.spec.Name, g.Of, len(names)-1)
	case g.Samples < 1:
		return usagef("%s: check-samples: got %d, want >= 1", g.spec.Name, g.Samples)
	case g.param("second") != "" && (g.Check || g.Overlay != "" || g.Arrows != ""):
		return usagef("%s: second: cannot be used with --check, --overlay and --arrows", g.spec.Name)
	case g.param("from-argmax") != "" && (g.Check || g.Arrows != ""):
		return usagef("%s: from-argmax: cannot be used with --check and --arrows", g.spec.Name)
	}
	for _, c := range []struct {
		name, with string
		given      bool
	}{{"reduce", "--heatmap", g.Heatmap != ""}, {"tolerance", "--check", g.Check}, {"check-samples", "--check", g.Check}} {
		if flags.Changed(c.name) && !c.given {
			return usagef("%s: %s: only applies with %s", g.spec.Name, c.name, c.with)
		}
	}
	params := append(g.op.Params(), g.op.GradParams()...)
	if err := oneStream(g.spec.Name, params, append(inputStreams(names), stream{"upstream", g.Upstream})...); err != nil {
		return err
	}
	if err := checkTensorFiles(g.spec.Name, append(g.parameterFiles(), g.Output)...); err != nil {
		return err
	}
	for name, file := range map[string]string{"heatmap": g.Heatmap, "overlay": g.Overlay} {
		if file != "" && !imgio.IsPicture(file) {
			return usagef("%s: %s: got %q, want a picture file such as %s.png", g.spec.Name, name, file, name)
		}
	}
	if kind := ops.Get(g.op, "type"); g.Arrows != "" && !slices.Contains(arrows.Types, kind) {
		return usagef("%s: arrows: got --type %s, want %s", g.spec.Name, kind, strings.Join(arrows.Types, ", "))
	}
	if g.Arrows != "" && !imgio.IsPicture(g.Arrows) && !imgio.IsDrawing(g.Arrows) {
		return usagef("%s: arrows: got %q, want a drawing such as arrows.svg or arrows.png", g.spec.Name, g.Arrows)
	}
	return nil
}

// param returns the value of a parameter that only gradients have.
func (g *gradient) param(name string) string {
	for _, p := range g.op.GradParams() {
		if p.Name == name {
			return p.String()
		}
	}
	return ""
}

// wantsInput reports whether the gradient of the input is needed. It is needed
// unless only files for other gradients are asked for.
func (g *gradient) wantsInput() bool {
	return len(g.parameterFiles()) == 0 || g.Output != "" || g.Heatmap != "" || g.Overlay != "" || g.Check || g.Report != "" || g.DryRun
}

// outputs lists the files that will be written.
func (g *gradient) outputs() []string {
	list := g.parameterFiles()
	for _, name := range []string{g.Output, g.Heatmap, g.Overlay, g.Arrows} {
		if name != "" {
			list = append(list, name)
		}
	}
	return list
}

// parameterFiles lists the files for gradients of parameters.
func (g *gradient) parameterFiles() []string {
	var list []string
	for _, name := range ops.Gradients(g.op) {
		if file := *g.Grads[name]; file != "" {
			list = append(list, file)
		}
	}
	return list
}

// want returns the gradients that are needed; --check needs all of them.
func (g *gradient) want() ops.WantGrad {
	want := ops.WantGrad{Input: g.wantsInput()}
	for _, name := range ops.Gradients(g.op) {
		*want.Of(name) = *g.Grads[name] != "" || g.Check && ops.Get(g.op, name) != ""
	}
	return want
}

func (a *app) runGrad(g *gradient, names []string) error {
	in, err := a.openInputs(g.spec.Name, g.op, names, g.files.NoOrient)
	if err != nil {
		return err
	}
	defer in.close()
	forward, err := g.op.Plan(in.specs(), ops.Want{})
	if err != nil {
		return err
	}
	a.noteLayout(names[0], g.spec, g.op, forward)
	up := upstream{output: forward.Outputs[0], dtype: in.list[0].spec.DType.Averaged()}
	if err := a.openUpstream(g, &up, in); err != nil {
		return err
	}
	want := g.want()
	plan, err := g.op.PlanGrad(in.specs(), want)
	if err != nil {
		return err
	}
	r := shapeReport(g.op, plan)
	r.Name = strings.Join(names, " ")
	for _, p := range g.op.GradParams() {
		if value := p.String(); value != "" {
			r.Settings = append(r.Settings, report.Setting{Name: p.Name, Value: value})
		}
	}
	memory, err := a.gradFootprint(g, forward, plan, in, up)
	if err != nil {
		return err
	}
	if g.DryRun {
		r.Memory = memory.report(a.Threads)
		return a.writeReport(r, a.reportFormat(g.Report, true), g.Why, false)
	}
	if err := a.reads(in.files()...).CheckOutputs(g.outputs()...); err != nil {
		return err
	}
	if err := a.admit(plan.Op, memory); err != nil {
		return err
	}
	tensors, err := in.read()
	if err != nil {
		return err
	}
	if g.Loss == "l2" {
		y, _, err := ops.Run(forward, a.Threads, tensors[:forward.Inputs]...)
		if err != nil {
			return err
		}
		tensors[up.at], _ = tensor.Converted(y[0], up.dtype)
	}
	collect(memory.compute)
	results, clipped, err := ops.Run(plan, a.Threads, tensors...)
	if err != nil {
		return err
	}
	if clipped > 0 {
		a.note("%s", clippedText(clipped))
	}
	var check *gradcheck.Result
	if g.Check {
		if check, err = g.numerically(a.Threads).Run(tensors[:up.at+1], results); err != nil {
			if errors.Is(err, gradcheck.ErrTies) {
				return &hinted{err, "try an input without equal values, or a larger --check-samples"}
			}
			return err
		}
	}
	collect(memory.encode)
	outputs, err := a.gradOutputs(g, plan, tensors, up.at, results, g.files.Depth.of(in.first()))
	if err != nil {
		return err
	}
	if err := a.writeAll(outputs, true); err != nil {
		return err
	}
	format := a.reportFormat(g.Report, false)
	toStdout := slices.Contains(g.outputs(), "-")
	if format != "" && want.Input {
		stats := report.GradientStats(results[g.Of], tensors[up.at])
		if err := a.writeGradReport(r, format, g, stats, check, toStdout); err != nil {
			return err
		}
	}
	if check == nil {
		return nil
	}
	// A JSON report holds the check already, and text would break a CSV or Markdown report.
	if format != "json" {
		if err := check.WriteText(a.reportWriter(toStdout || format == "csv" || format == "markdown")); err != nil {
			return err
		}
	}
	if !check.Equal {
		return errDiffers
	}
	return nil
}

// numerically returns the check of the gradients by numerical differentiation.
func (g *gradient) numerically(threads int) *gradcheck.Check {
	return &gradcheck.Check{Spec: g.spec, Op: g.op, Tolerance: g.Tolerance, Samples: g.Samples, Threads: threads}
}

// upstream describes the upstream gradient, or the tensor of --second, which
// replaces it.
type upstream struct {
	output ops.Output // of the forward operation
	dtype  tensor.DType
	at     int // its index among the inputs
}

// openUpstream appends the upstream gradient to the inputs, and the argmax of
// --from-argmax.
func (a *app) openUpstream(g *gradient, up *upstream, in *inputs) error {
	up.at = len(in.list)
	options := a.files(false, ops.ElementType(g.op))
	file := g.Upstream
	if second := g.param("second"); second != "" {
		file = second
	}
	next := input{name: "upstream", spec: tensor.Spec{DType: up.dtype, Shape: up.output.Shape}}
	switch {
	case file != "":
		opened, err := openInput(file, options)
		if err != nil {
			return err
		}
		next = opened
	case g.Target != nil:
		at, err := up.flat(g.spec.Name, g.Target)
		if err != nil {
			return err
		}
		next.produce = func() *tensor.Tensor { return constant(next.spec, 0, at) }
	case g.Loss == "mean":
		n, _ := up.output.Shape.Elements()
		next.produce = func() *tensor.Tensor { return constant(next.spec, 1/float64(max(1, n)), -1) }
	default: // sum; l2 replaces it when the output is known
		next.produce = func() *tensor.Tensor { return constant(next.spec, 1, -1) }
	}
	in.list = append(in.list, next)
	if argmax := g.param("from-argmax"); argmax != "" {
		opened, err := openInput(argmax, options)
		if err != nil {
			return err
		}
		in.list = append(in.list, opened)
	}
	return nil
}

// flat returns the flat index of an output cell.
func (up *upstream) flat(op string, target []int) (int, error) {
	shape := up.output.Shape
	if len(target) != len(shape) {
		return 0, &ops.DataError{Op: op, Err: fmt.Errorf("target: got %d numbers, want %d (a cell of the output %s)", len(target), len(shape), shape)}
	}
	at := 0
	for i, n := range shape {
		if target[i] < 0 || target[i] >= n {
			return 0, &ops.DataError{Op: op, Err: fmt.Errorf("target: got %s, want a cell of the output %s, counted from 0", tensor.Join(target, ","), shape)}
		}
		at = at*n + target[i]
	}
	return at, nil
}

// constant returns a tensor that has one value everywhere. If at is not
// negative, the element at that index is 1.
func constant(spec tensor.Spec, value float64, at int) *tensor.Tensor {
	wide := tensor.New(tensor.Spec{DType: tensor.Float64, Shape: spec.Shape})
	data := tensor.Of[float64](wide)
	for i := range data {
		data[i] = value
	}
	if at >= 0 {
		data[at] = 1
	}
	t, _ := tensor.Converted(wide, spec.DType)
	return t
}

// writeGradReport prints the shape report of a gradient and its statistics; as
// JSON also the result of --check.
func (a *app) writeGradReport(r report.Operation, format string, g *gradient, stats report.Stats, check *gradcheck.Result, outTaken bool) error {
	if format != "json" {
		if err := a.writeReport(r, format, g.Why, outTaken); err != nil || format == "csv" {
			return err
		}
		w := a.reportWriter(outTaken)
		if format == "markdown" {
			fmt.Fprintln(w) // ends the table of the operation
			return stats.WriteMarkdown(w)
		}
		return stats.WriteText(w)
	}
	if !g.Why {
		r.Why = nil
	}
	return json.NewEncoder(a.reportWriter(outTaken)).Encode(gradReport{"poolctl.grad/v1", r, stats, check})
}

// gradReport is the JSON of a gradient's report.
type gradReport struct {
	Schema    string            `json:"schema"`
	Operation report.Operation  `json:"operation"`
	Gradient  report.Stats      `json:"gradient"`
	Check     *gradcheck.Result `json:"check,omitempty"`
}

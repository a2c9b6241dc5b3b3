package cli

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/poolctl/poolctl/internal/figure"
	"github.com/poolctl/poolctl/internal/imgio"
	"github.com/poolctl/poolctl/internal/ops"
	"github.com/poolctl/poolctl/internal/report"
	"github.com/poolctl/poolctl/internal/tensor"
)

// operation is the command of one operation: its parameters, and the flags that
// every operation has.
type operation struct {
	spec ops.Spec
	op   ops.Op

	Output  string
	Argmax  string // FILE of --argmax
	Overlay string
	Report  string
	DryRun  bool
	Why     bool
	Emit    bool
	files   fileFlags
}

// fileFlags are the flags for reading and writing files.
type fileFlags struct {
	NoOrient  bool
	Depth     depthFlag
	Quality   int
	Normalize string
	Enlarge   enlargeFlag
}

// add declares the flags; normalize is the default of --normalize.
func (f *fileFlags) add(flags *pflag.FlagSet, normalize imgio.Normalize) {
	flags.BoolVar(&f.NoOrient, "no-orient", false, "ignore the EXIF orientation of pictures")
	f.Depth.add(flags)
	flags.IntVar(&f.Quality, "quality", imgio.DefaultQuality, "quality of a JPEG output, `N` from 1 to 100")
	f.Normalize = normalize.String()
	flags.Var(&choiceValue{&f.Normalize, imgio.NormalizeNames()}, "normalize", "stretch the values of a picture output by `RULE`: none, minmax (least to black, greatest to white) or symmetric (0 is mid-grey)")
	f.Enlarge.add(flags)
}

// enlargeFlag is the flag for the size of a value in picture outputs, in
// pixels; 0 if it is not given.
type enlargeFlag int

// largestCell is the most pixels that --enlarge gives a value.
const largestCell = 1000

func (e *enlargeFlag) add(flags *pflag.FlagSet) {
	flags.Var(e, "enlarge", "draw each value of a picture output as a square of `N` pixels, so that single cells are seen (default 1, and more on a contact sheet)")
}

func (e *enlargeFlag) Type() string { return "int" }

func (e *enlargeFlag) String() string {
	if *e == 0 {
		return ""
	}
	return strconv.Itoa(int(*e))
}

func (e *enlargeFlag) Set(text string) error {
	n, err := strconv.Atoi(text)
	if err != nil || n < 1 || n > largestCell {
		return fmt.Errorf("got %q, want a whole number from 1 to %d", text, largestCell)
	}
	*e = enlargeFlag(n)
	return nil
}

// depthFlag is the flag for the depth of picture outputs.
type depthFlag struct{ text string }

func (d *depthFlag) add(flags *pflag.FlagSet) {
	flags.Var(&choiceValue{&d.text, []string{"8", "16"}}, "depth", "`BITS` per sample of a picture output, 8 or 16 (default 16 for a picture of 16 bits and an array of uint16, else 8)")
}

// of returns the depth of pictures made of a file.
func (d *depthFlag) of(info *imgio.Info) int {
	if d.text == "" {
		return info.PictureDepth()
	}
	bits, _ := strconv.Atoi(d.text) // one of the choices
	return bits
}

// check refuses flags that are wrong for outputs of those names.
func (f *fileFlags) check(op string, outputs ...string) error {
	if f.Enlarge > 0 && !slices.ContainsFunc(outputs, imgio.IsPicture) {
		return usagef("%s: enlarge: only applies to a picture output such as -o out.png", op)
	}
	if f.Quality < 1 || f.Quality > 100 {
		return usagef("%s: quality: got %d, want 1 to 100", op, f.Quality)
	}
	return nil
}

func (a *app) newOperationCommand(spec ops.Spec) *cobra.Command {
	o := &operation{spec: spec, op: spec.New()}
	cmd := &cobra.Command{
		Use:     spec.Name + " " + operands(spec) + " -o OUTPUT [flags]",
		Aliases: spellings(spec),
		Short:   spec.Summary,
		Long:    firstUpper(spec.Summary) + ".\n\n" + spec.Doc + "\n\nTensorFlow: " + spec.TF,
		Example: examples(spec.Examples),
		GroupID: groupOf(spec),
		Args:    unlessEmitted(&o.Emit, inputsOf(spec)),
		RunE:    func(_ *cobra.Command, args []string) error { return a.runOperation(o, args) },
	}
	flags := cmd.Flags()
	flags.SortFlags = false
	flags.StringVarP(&o.Output, "output", "o", "", "`FILE` to write: "+imgio.OutputExtensions()+", or - for .npy on standard output")
	addParams(flags, o.op.Params())
	if spec.Argmax {
		flags.StringVar(&o.Argmax, "argmax", "", "`FILE` for where each maximum was: indices (.npy, .npz) or a picture")
		flags.StringVar(&o.Overlay, "argmax-overlay", "", "picture `FILE` of the input with the winning pixels marked")
	}
	addReportFlags(flags, &o.Report, &o.Why)
	flags.BoolVar(&o.DryRun, "dry-run", false, "stop after the shape report; only headers are read")
	addEmitFlag(flags, &o.Emit)
	o.files.add(flags, imgio.NormalizeNone)
	return cmd
}

func addReportFlags(flags *pflag.FlagSet, format *string, why *bool) {
	flags.Var(&choiceValue{format, reportFormats}, "report", "print the shape report as `FORMAT`: text, json, csv or markdown")
	flags.BoolVar(why, "why", false, "with the report, say why faster kernels did not apply")
}

// operands shows the operands of an operation's command.
func operands(spec ops.Spec) string {
	if spec.Several {
		return "INPUT INPUT…"
	}
	return "INPUT"
}

// spellings returns the other names of an operation's command: its alias, and
// the names with underscores.
func spellings(spec ops.Spec) []string {
	var list []string
	for _, name := range []string{spec.Name, spec.Alias} {
		if under := strings.ReplaceAll(name, "-", "_"); under != name {
			list = append(list, under)
		}
	}
	if spec.Alias != "" {
		list = append(list, spec.Alias)
	}
	return list
}

// groupOf returns the group of an operation in help: operations that lay
// windows, or the other layers of a network.
func groupOf(spec ops.Spec) string {
	if spec.Layer() {
		return "layers"
	}
	return "operations"
}

// inputsOf checks the number of operands of an operation.
func inputsOf(spec ops.Spec) cobra.PositionalArgs {
	if !spec.Several {
		return oneInput
	}
	return func(cmd *cobra.Command, args []string) error {
		if len(args) < 2 {
			return &usageError{fmt.Sprintf("%s: got %d inputs, want at least 2", cmd.Name(), len(args)), "`" + cmd.CommandPath() + " --help` shows examples"}
		}
		return nil
	}
}

// oneInput checks that there is exactly one operand.
func oneInput(cmd *cobra.Command, args []string) error {
	switch {
	case len(args) == 0:
		return &usageError{cmd.Name() + ": input missing, want a file or - for standard input", "`" + cmd.CommandPath() + " --help` shows examples"}
	case len(args) > 1:
		return usagef("%s: got %d inputs (%s), want 1", cmd.Name(), len(args), strings.Join(args, " "))
	}
	return nil
}

// noInput checks that there is no operand.
func noInput(cmd *cobra.Command, args []string) error {
	if len(args) > 0 {
		return usagef("%s: got %q, want flags only", cmd.Name(), args[0])
	}
	return nil
}

// oneFolder checks that there is exactly one operand, a folder.
func oneFolder(cmd *cobra.Command, args []string) error {
	if len(args) != 1 {
		return usagef("%s: got %d folders, want 1", cmd.Name(), len(args))
	}
	return nil
}

func firstUpper(s string) string { return strings.ToUpper(s[:1]) + s[1:] }

// examples formats examples for cobra.
func examples(list []ops.Example) string {
	lines := make([]string, len(list))
	for i, e := range list {
		lines[i] = fmt.Sprintf("  # %s\n  %s", e.Does, e.Command)
	}
	return strings.Join(lines, "\n")
}

func (a *app) runOperation(o *operation, names []string) error {
	if o.Emit {
		return a.emitOperation(o, names)
	}
	if err := o.check(names); err != nil {
		return err
	}
	in, err := a.openInputs(o.spec.Name, o.op, names, o.files.NoOrient)
	if err != nil {
		return err
	}
	defer in.close()
	plan, err := o.op.Plan(in.specs(), o.want())
	if err != nil {
		return err
	}
	a.noteLayout(names[0], o.spec, o.op, plan)
	r := shapeReport(o.op, plan)
	r.Name = strings.Join(names, " ")
	planned := o.planned(plan, o.files.Depth.of(in.first()))
	memory, err := a.footprint(plan, in, planned)
	if err != nil {
		return err
	}
	if err := a.checkEnlarged(plan.Op, planned[0], plan.Outputs[0].Spec); err != nil {
		return err
	}
	compute := a.oneAfterAnother
	if plan.Follows() && in.decodes() && len(o.outputs()) == 1 {
		compute = a.atTheSameTime
		memory.join()
	}
	if o.DryRun {
		r.Memory = memory.report(a.Threads)
		return a.writeReport(r, a.reportFormat(o.Report, true), o.Why, false)
	}
	if err := a.reads(in.files()...).CheckOutputs(o.outputs()...); err != nil {
		return err
	}
	if err := a.admit(plan.Op, memory); err != nil {
		return err
	}
	a.verbose("%s: %s on %s", described(plan), plan.Impl, report.Counted(a.Threads, "thread"))
	if err := compute(o, plan, in, memory); err != nil {
		return err
	}
	return a.writeReport(r, a.reportFormat(o.Report, false), o.Why, o.Output == "-" || o.Argmax == "-")
}

// described returns a plan's windows, or its operation and input if it has no
// windows.
func described(plan *ops.Plan) string {
	if plan.Geometry.Rank == 0 {
		return plan.Op + " of " + plan.Buffers[0].String()
	}
	return plan.Geometry.String()
}

// oneAfterAnother reads the inputs, computes, and writes the outputs.
func (a *app) oneAfterAnother(o *operation, plan *ops.Plan, in *inputs, memory footprint) error {
	tensors, err := in.read()
	if err != nil {
		return err
	}
	collect(memory.compute)
	results, clipped, err := ops.Run(plan, a.Threads, tensors...)
	if err != nil {
		return err
	}
	collect(memory.encode)
	if clipped > 0 {
		a.note("%s", clippedText(clipped))
	}
	outputs, err := o.results(plan, tensors[0], results, o.files.Depth.of(in.first()))
	if err != nil {
		return err
	}
	return a.writeAll(outputs, true)
}

// atTheSameTime decodes a picture, computes on the rows that are decoded, and
// encodes those that are computed. The three share the cores.
func (a *app) atTheSameTime(o *operation, plan *ops.Plan, in *inputs, _ footprint) (err error) {
	x, y := tensor.New(plan.Buffers[0]), tensor.New(plan.Outputs[0].Spec)
	read, computed := tensor.NewProgress(), tensor.NewProgress()
	outputs, err := o.results(plan, x, []*tensor.Tensor{y}, o.files.Depth.of(in.first()))
	if err != nil {
		return err
	}
	outputs[0].Progress = computed
	go func() { _ = in.list[0].source.Decode(x.Reshaped(in.list[0].source.Info.Spec.Shape), read) }() // read carries the error
	wait := inBackground(func() error { return ops.Follow(plan, a.Threads, x, y, read, computed) })
	defer func() {
		if fault := wait(); fault != nil { // then the output is wrong
			err = fault
		}
	}()
	return a.writeAll(outputs, true)
}

// inBackground calls work on another goroutine. The function that it returns
// waits for its error. A panic continues in the caller.
func inBackground(work func() error) (wait func() error) {
	var err error
	var cause any
	done := make(chan struct{})
	go func() {
		defer close(done)
		defer func() { cause = recover() }()
		err = work()
	}()
	return func() error {
		<-done
		if cause != nil {
			panic(cause)
		}
		return err
	}
}

// want returns the outputs that the files need.
func (o *operation) want() ops.Want {
	return ops.Want{
		Argmax:  o.Argmax != "" || o.Overlay != "",
		Picture: imgio.IsPicture(o.Output) && o.files.Normalize == imgio.NormalizeNone.String(),
	}
}

// check refuses flags that are wrong whatever the input.
func (o *operation) check(names []string) error {
	if err := o.op.Check(); err != nil {
		return err
	}
	if err := o.files.check(o.spec.Name, o.Output); err != nil {
		return err
	}
	if len(o.outputs()) == 0 && !o.DryRun {
		return &usageError{o.spec.Name + ": output: missing, want -o FILE, or -o - for standard output", "--dry-run prints the shape report without computing"}
	}
	if err := checkTensorFiles(o.spec.Name, o.Output, o.Argmax); err != nil {
		return err
	}
	if o.Overlay != "" && !imgio.IsPicture(o.Overlay) {
		return usagef("%s: argmax-overlay: got %q, want a picture file such as overlay.png", o.spec.Name, o.Overlay)
	}
	return oneStream(o.spec.Name, o.op.Params(), inputStreams(names)...)
}

// checkTensorFiles refuses names of drawings for files that hold tensors.
func checkTensorFiles(op string, names ...string) error {
	for _, name := range names {
		if imgio.IsDrawing(name) {
			return usagef("%s: output: got %q, which holds drawings; want an array or a picture such as .npy or .png", op, name)
		}
	}
	return nil
}

// outputs lists the files that will be written.
func (o *operation) outputs() []string {
	var list []string
	for _, name := range []string{o.Output, o.Argmax, o.Overlay} {
		if name != "" {
			list = append(list, name)
		}
	}
	return list
}

// planned returns the files to write without their tensors.
func (o *operation) planned(plan *ops.Plan, depth int) []imgio.Output {
	normalize, _ := imgio.ParseNormalize(o.files.Normalize) // checked by results
	list := []imgio.Output{{Name: o.Output, Layout: plan.Outputs[0].Layout, Depth: depth, Normalize: normalize, Enlarge: int(o.files.Enlarge)}}
	if len(plan.Outputs) > 1 {
		list = append(list, imgio.Output{})
	}
	if imgio.IsPicture(o.Argmax) || o.Overlay != "" {
		list = append(list, imgio.Output{})
	}
	return list
}

// results returns the files to write.
func (o *operation) results(plan *ops.Plan, input *tensor.Tensor, results []*tensor.Tensor, depth int) ([]imgio.Output, error) {
	normalize, err := imgio.ParseNormalize(o.files.Normalize)
	if err != nil {
		return nil, usagef("%s: normalize: %v", o.spec.Name, err)
	}
	var list []imgio.Output
	if o.Output != "" {
		list = append(list, imgio.Output{Name: o.Output, Tensor: results[0], Layout: plan.Outputs[0].Layout,
			Depth: depth, Quality: o.files.Quality, Normalize: normalize, Enlarge: int(o.files.Enlarge)})
	}
	if o.Argmax == "" && o.Overlay == "" {
		return list, nil
	}
	winners := figure.Winners{Geometry: plan.Geometry}
	if imgio.IsPicture(o.Argmax) || o.Overlay != "" {
		winners.Cell = ops.WinningCells(plan, results[1])
	}
	switch {
	case o.Argmax == "":
	case imgio.IsPicture(o.Argmax):
		picture, err := winners.Picture()
		if err != nil {
			return nil, err
		}
		list = append(list, imgio.Output{Name: o.Argmax, Tensor: picture, Layout: tensor.HWC, Quality: o.files.Quality})
	default:
		list = append(list, imgio.Output{Name: o.Argmax, Tensor: results[1], Layout: plan.Outputs[1].Layout})
	}
	if o.Overlay != "" {
		picture, err := winners.Overlay(input, plan.Layout)
		if err != nil {
			return nil, err
		}
		list = append(list, imgio.Output{Name: o.Overlay, Tensor: picture, Layout: tensor.HWC, Quality: o.files.Quality})
	}
	return list, nil
}

// writeAll writes outputs and prints notes on lost values. For a picture that
// shows almost nothing, the note names a remedy: --normalize, if the command
// has it.
func (a *app) writeAll(outputs []imgio.Output, normalizes bool) error {
	notes, err := imgio.WriteAll(outputs, imgio.WriteOptions{Stdout: a.out, NoClobber: a.NoClobber})
	if err != nil {
		return err
	}
	for _, n := range notes {
		text := n.String()
		switch {
		case n.Stretch == imgio.NormalizeNone:
		case normalizes:
			text += "; --normalize " + n.Stretch.String() + " stretches them"
		default:
			text += "; saved as a heatmap they are drawn in colours"
		}
		a.note("%s", printable(text))
	}
	return nil
}

// clippedText tells how many values an integer type could not hold.
func clippedText(n int) string {
	if n == 1 {
		return "1 value did not fit its integer type and was clipped"
	}
	return report.Count(n) + " values did not fit their integer type and were clipped"
}

package cli

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"

	"github.com/spf13/cobra"

	"github.com/poolctl/poolctl/internal/batch"
	"github.com/poolctl/poolctl/internal/config"
	"github.com/poolctl/poolctl/internal/imgio"
	"github.com/poolctl/poolctl/internal/ops"
	"github.com/poolctl/poolctl/internal/pipeline"
	"github.com/poolctl/poolctl/internal/tensor"
)

// running is the run command.
type running struct {
	batch    batchFlags
	dry      dryRun
	NoOrient bool
	Depth    depthFlag
	Enlarge  enlargeFlag
}

func (a *app) newRunCommand() *cobra.Command {
	r := &running{}
	cmd := &cobra.Command{
		Use:   "run PIPELINE INPUT… -o FOLDER",
		Short: "run the steps of a pipeline file over files",
		Long: `Runs a pipeline file on every input and writes the outputs that the file's save section lists, or else the last step's output. They are FOLDER/STEM/STEP.npy and the like, where STEM is the input's name without its extension.

A pipeline file has a version (1), a list of steps, and optionally an input section and a save section. Every step has a name, an operation (op) and that operation's flags as keys; it takes the output of the step before it, or of those that from names. Names of files are relative to the pipeline file. All errors in it are reported at once, before anything is computed.

` + batchHelp(),
		Example: examples([]ops.Example{
			{Does: "one picture", Command: "poolctl run configs/edges.yaml samples/camera.png -o out"},
			{Does: "several, and only those that are not done yet or have changed", Command: "poolctl run configs/edges.yaml samples/camera.png samples/coffee.jpg -o out --resume"},
			{Does: "the second of two parts, for a job array; the result of each input as JSON", Command: "poolctl run configs/edges.yaml samples/camera.png samples/coffee.jpg -o out --shard 2/2 --json"},
		}),
		GroupID: "look",
		Args:    pipelineOperands(&r.batch),
		RunE:    func(_ *cobra.Command, args []string) error { return a.runPipeline(r, args[0], args[1:]) },
	}
	flags := cmd.Flags()
	flags.SortFlags = false
	r.batch.add(flags)
	flags.BoolVar(&r.NoOrient, "no-orient", false, "ignore the EXIF orientation of pictures")
	r.Depth.add(flags)
	r.Enlarge.add(flags)
	r.dry.add(flags)
	return cmd
}

// pipelineOperands checks that there are a pipeline file and inputs.
func pipelineOperands(b *batchFlags) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		if len(args) < 1 || len(args) < 2 && b.FilesFrom == "" {
			return &usageError{fmt.Sprintf("%s: got %d operands, want a pipeline file and at least one input", cmd.Name(), len(args)), "`" + cmd.CommandPath() + " --help` shows what a pipeline file looks like"}
		}
		return nil
	}
}

func (a *app) runPipeline(r *running, file string, inputs []string) error {
	if err := checkRun("run", &r.batch, &r.dry, inputs); err != nil {
		return err
	}
	p, err := config.ReadPipeline(file)
	if err != nil {
		return err
	}
	products := pipeline.Products(p)
	if len(products) == 0 {
		return usagef("run: %s: save lists gradients only, which `poolctl grad run` makes", file)
	}
	if r.Enlarge > 0 && !slices.ContainsFunc(products, func(s pipeline.Saved) bool { return s.Kind == "png" }) {
		return usagef("run: enlarge: only applies to a pipeline that saves a png, %s saves none", file)
	}
	weights := pipeline.NewWeights(a.files(false, p.RawType()))
	j := &pipelineJob{a: a, files: a.files(r.NoOrient, p.RawType()), depth: r.Depth, enlarge: int(r.Enlarge), engine: pipeline.NewEngine(a.Threads),
		graphs: pipeline.NewCache(func(in pipeline.Input) (*pipeline.Graph, error) { return pipeline.Compile(p, weights, in) })}
	if r.dry.Only {
		return j.dryRun(&r.dry, &r.batch, inputs)
	}
	key, err := pipelineKey(p, "run", fmt.Sprint(r.NoOrient, r.Depth.text, r.Enlarge.String()))
	if err != nil {
		return err
	}
	return j.run(&r.batch, inputs, work{"run", file, productsOf(products), key, a.readsPipeline(p, file)})
}

// readsPipeline returns the files of a command that runs a pipeline, without its
// inputs.
func (a *app) readsPipeline(p *config.Pipeline, file string) *imgio.Files {
	files := a.reads()
	files.Read("pipeline file", file)
	for _, name := range p.Files() {
		files.Read("weights file", name, imgio.ExternalData(name))
	}
	return files
}

// productsOf returns the outputs that a batch writes for every input.
func productsOf(saved []pipeline.Saved) []batch.Product {
	list := make([]batch.Product, len(saved))
	for i, s := range saved {
		list[i] = batch.Product{Step: s.Step, Ext: s.Ext()}
	}
	return list
}

// pipelineKey identifies a pipeline by its text, by the contents of the files
// that it names (and of those beside a model that hold its data), and by the
// settings that affect its results.
func pipelineKey(p *config.Pipeline, settings ...string) (string, error) {
	parts := append(slices.Clone(settings), string(p.Text))
	for _, name := range p.Files() {
		sum, err := batch.Hash(name)
		if err != nil {
			return "", err
		}
		parts = append(parts, sum)
		data := imgio.ExternalData(name)
		if data == "" {
			continue
		}
		if sum, err = batch.Hash(data); err != nil {
			return "", err
		}
		parts = append(parts, sum)
	}
	return jobKey(parts...), nil
}

// pipelineJob runs a pipeline on one input of a batch after another.
type pipelineJob struct {
	a        *app
	files    imgio.Options // how inputs are opened
	depth    depthFlag
	enlarge  int
	graphs   *pipeline.Cache
	engine   *pipeline.Engine // used by compute only
	admitted int              // bytes, used by load only
	told     bool             // that an array may be a picture, used by load only

	// upstream checks the upstream gradient of a graph, and returns the function
	// that reads or makes it; nil when the pipeline runs forward.
	upstream func(*pipeline.Graph) (func() (*tensor.Tensor, error), error)
}

// decoded is an input that is ready to be computed.
type decoded struct {
	graph *pipeline.Graph
	given []*tensor.Tensor // the input and, backward, the upstream gradient
	form  pictureForm
	data  string // the file beside the input that holds its data, or ""
}

func (j *pipelineJob) run(b *batchFlags, inputs []string, w work) error {
	return runBatch(j.a, b, inputs, w, batch.Job[decoded]{Load: j.load, Compute: j.compute, Reset: j.reset})
}

// load compiles the pipeline for an input and reads it.
func (j *pipelineJob) load(item *batch.Item) (d decoded, err error) {
	source, err := imgio.Open(item.Path, j.files)
	if err != nil {
		return d, err
	}
	defer source.Close()
	if d.graph, err = j.graphs.Graph(pipeline.Input{Spec: source.Info.Spec, Picture: source.Info.Picture}); err != nil {
		return d, err
	}
	if !j.told {
		j.told = j.a.noteInputLayout(item.Path, d.graph)
	}
	d.form, d.data = j.form(&source.Info), source.Info.Data
	var upstream func() (*tensor.Tensor, error)
	if j.upstream != nil {
		d.form = pictureForm{depth: 8}
		if upstream, err = j.upstream(d.graph); err != nil {
			return d, err
		}
	}
	if err := j.admit(d.graph, &source.Info, item.Index > 1); err != nil {
		return d, err
	}
	n, _ := source.Info.Spec.Bytes() // checked when the graph was compiled
	collect(n)
	x, err := source.Read()
	if err != nil {
		return d, err
	}
	d.given = []*tensor.Tensor{x}
	if upstream != nil {
		dy, err := upstream()
		if err != nil {
			return d, err
		}
		d.given = append(d.given, dy)
	}
	return d, nil
}

// compute runs the pipeline on an input and writes its outputs.
func (j *pipelineJob) compute(item *batch.Item, d decoded) error {
	runner, err := j.engine.Runner(d.graph)
	if err != nil {
		return err
	}
	before := runner.Clipped()
	if err := runner.Run(d.given...); err != nil {
		return err
	}
	if n := runner.Clipped() - before; n > 0 {
		j.a.note("%s: %s", printable(item.Path), clippedText(n))
	}
	names := item.Outputs()
	for _, name := range names {
		if err := os.MkdirAll(filepath.Dir(name), 0o777); err != nil {
			return err
		}
	}
	if err := j.a.reads(item.Path, d.data).CheckOutputs(names...); err != nil {
		return err
	}
	collect(runner.Graph().Memory(1).Arena)
	outputs, err := savedOutputs(runner, item, d.form)
	if err != nil {
		return err
	}
	return j.a.writeAll(outputs, false)
}

// form returns the form of the pictures that are made of a file.
func (j *pipelineJob) form(input *imgio.Info) pictureForm {
	return pictureForm{j.depth.of(input), j.enlarge}
}

// reset restarts the threads: a panic may have left them in any state.
func (j *pipelineJob) reset() { j.engine = pipeline.NewEngine(j.a.Threads) }

// admit refuses a graph that needs more than --max-memory for an input, and
// sets the garbage collector's limit near the largest need so far.
func (j *pipelineJob) admit(g *pipeline.Graph, input *imgio.Info, ahead bool) error {
	m, err := networkMemory(g, j.a.Threads, j.form(input), input, ahead)
	if err != nil {
		return err
	}
	for _, s := range g.Saved {
		o := imgio.Output{Name: (batch.Product{Step: s.Step, Ext: s.Ext()}).Ext, Layout: s.Layout, Enlarge: j.enlarge}
		if s.Kind == "png" {
			if err := j.a.checkEnlarged(s.Step, o, g.Spec(s)); err != nil {
				return err
			}
		}
	}
	need := int(m.Peak)
	if j.a.MaxMemory > 0 && need > int(j.a.MaxMemory) {
		return &limitError{
			fmt.Sprintf("%s: needs %s of memory for an input of %s, the limit is %s", g.File.File, formatBytes(need), g.Input.Spec, formatBytes(int(j.a.MaxMemory))),
			"--max-memory raises the limit; fewer --threads need less scratch memory"}
	}
	if need > j.admitted {
		j.admitted = need
		keepHeap(need)
	}
	return nil
}

// pipelineFault reports whether an error means that a pipeline file is invalid,
// whatever the input.
func pipelineFault(err error) bool {
	var (
		file  config.PipelineFaults
		steps pipeline.Faults
		usage *ops.UsageError
	)
	switch {
	case errors.As(err, &file):
		return true
	case errors.As(err, &steps):
		return steps.Usage()
	default:
		return errors.As(err, &usage)
	}
}

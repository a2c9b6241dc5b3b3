package cli

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"

	"github.com/spf13/cobra"

	"github.com/poolctl/poolctl/internal/config"
	"github.com/poolctl/poolctl/internal/imgio"
	"github.com/poolctl/poolctl/internal/ops"
	"github.com/poolctl/poolctl/internal/pipeline"
	"github.com/poolctl/poolctl/internal/tensor"
)

// gradRun is the command that runs a pipeline backward.
type gradRun struct {
	Output   string
	Upstream string
	Target   []int
	Relu     string
	NoOrient bool

	graphs *pipeline.Cache
	engine *pipeline.Engine
}

func (a *app) newGradRunCommand() *cobra.Command {
	g := &gradRun{}
	cmd := &cobra.Command{
		Use:   "run PIPELINE INPUT… -o FOLDER",
		Short: "gradients of a whole pipeline",
		Long: `Runs a pipeline file forward and backward on every input. FOLDER/STEM gets input.grad.npy, the gradient of the input as the first steps take it (after the input section), and for the steps whose save lists grad the gradients of the output (STEP.grad.npy), the filter (STEP.filter-grad.npy), the bias and the like; grad-heatmap draws the output's. Where several steps take an output, what they send back is added.

The upstream gradient, in the last step's output, is ones unless --upstream or --target says otherwise. --target INDEX is the saliency of one number of the output. --relu guided lets only what is greater than 0 flow back through every relu and relu6 (guided backpropagation).`,
		Args: pipelineOperands,
		RunE: func(_ *cobra.Command, args []string) error { return a.runGradPipeline(g, args[0], args[1:]) },
	}
	flags := cmd.Flags()
	flags.SortFlags = false
	flags.StringVarP(&g.Output, "output", "o", "", "`FOLDER` to write to; it is made where it is missing")
	flags.StringVar(&g.Upstream, "upstream", "", "`FILE` with the upstream gradient, in the last step's output's shape")
	flags.Var(&intsValue{&g.Target}, "target", "upstream gradient 1 at the number `INDEX` of the last step's output, such as 0,7, and 0 elsewhere")
	flags.Var(&choiceValue{&g.Relu, []string{"plain", "guided"}}, "relu", "gradient `RULE` of every relu and relu6: plain or guided (default what their steps say)")
	flags.BoolVar(&g.NoOrient, "no-orient", false, "ignore a JPEG's EXIF orientation")
	return cmd
}

// pipelineOperands wants a pipeline file and inputs.
func pipelineOperands(cmd *cobra.Command, args []string) error {
	if len(args) < 2 {
		return &usageError{fmt.Sprintf("%s: got %d operands, want a pipeline file and at least one input", cmd.Name(), len(args)), "`" + cmd.CommandPath() + " --help` shows what a pipeline file looks like"}
	}
	return nil
}

func (a *app) runGradPipeline(g *gradRun, file string, inputs []string) error {
	switch {
	case g.Output == "":
		return usagef("run: output: missing, want -o FOLDER")
	case g.Upstream != "" && g.Target != nil:
		return usagef("run: upstream: has no meaning with --target")
	case g.Upstream == "-" && slices.Contains(inputs, "-"):
		return usagef("run: upstream: got -, but an input is read from standard input already")
	}
	p, err := config.ReadPipeline(file)
	if err != nil {
		return err
	}
	weights := pipeline.NewWeights(imgio.Options{MaxPixels: a.MaxPixels})
	g.graphs = pipeline.NewCache(func(in pipeline.Input) (*pipeline.Graph, error) {
		return pipeline.CompileGradient(p, weights, in, g.adjust)
	})
	g.engine = pipeline.NewEngine(a.Threads)
	defer g.engine.Close()
	for _, name := range inputs {
		if err := a.gradInput(g, name); err != nil {
			return err
		}
	}
	return nil
}

// gradInput runs a pipeline backward on one file.
func (a *app) gradInput(g *gradRun, name string) error {
	source, err := imgio.Open(name, imgio.Options{Stdin: a.in, NoOrient: g.NoOrient, MaxPixels: a.MaxPixels})
	if err != nil {
		return err
	}
	defer source.Close()
	graph, err := g.graphs.Graph(pipeline.Input{Spec: source.Info.Spec, Picture: source.Info.Picture})
	if err != nil {
		return err
	}
	up, err := a.pipelineUpstream(g, graph)
	if err != nil {
		return err
	}
	if err := a.checkPipelineMemory(graph); err != nil {
		return err
	}
	folder := filepath.Join(g.Output, stem(name))
	if err := os.MkdirAll(folder, 0o777); err != nil {
		return err
	}
	if err := imgio.CheckOutputs([]string{name}, savedFiles(graph, folder), a.NoClobber); err != nil {
		return err
	}
	runner, err := g.engine.Runner(graph)
	if err != nil {
		return err
	}
	x, err := source.Read()
	if err != nil {
		return err
	}
	dy, err := up()
	if err != nil {
		return err
	}
	if err := runner.Run(x, dy); err != nil {
		return err
	}
	outputs, err := savedOutputs(runner, folder, 8)
	if err != nil {
		return err
	}
	return a.writeAll(outputs)
}

// adjust gives an operation the rule of --relu, if it is one that has it.
func (g *gradRun) adjust(op ops.Op) error {
	if g.Relu == "" {
		return nil
	}
	for _, p := range config.StepParams(op) {
		if p.Name == "relu-gradient" {
			return p.Set(g.Relu)
		}
	}
	return nil
}

// pipelineUpstream checks the upstream gradient and returns the function that
// reads or makes it.
func (a *app) pipelineUpstream(g *gradRun, graph *pipeline.Graph) (func() (*tensor.Tensor, error), error) {
	want := graph.Upstream()
	at := -1
	switch {
	case g.Target != nil:
		up := upstream{output: graph.Output()}
		var err error
		if at, err = up.flat(graph.File.File, g.Target); err != nil {
			return nil, err
		}
	case g.Upstream != "":
		source, err := imgio.Open(g.Upstream, imgio.Options{Stdin: a.in, MaxPixels: a.MaxPixels})
		if err != nil {
			return nil, err
		}
		if got := source.Info.Spec.Shape; !got.Equal(want.Shape) {
			_ = source.Close()
			return nil, fmt.Errorf("%s: upstream: got shape %s, want the last step's output's %s", g.Upstream, got, want.Shape)
		}
		return func() (*tensor.Tensor, error) {
			defer source.Close()
			t, err := source.Read()
			if err != nil {
				return nil, err
			}
			t, _ = tensor.Converted(t, want.DType)
			return t, nil
		}, nil
	}
	return func() (*tensor.Tensor, error) {
		if at >= 0 {
			return constant(want, 0, at), nil
		}
		return constant(want, 1, -1), nil
	}, nil
}

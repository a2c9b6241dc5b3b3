package cli

import (
	"fmt"
	"slices"

	"github.com/spf13/cobra"

	"github.com/poolctl/poolctl/internal/batch"
	"github.com/poolctl/poolctl/internal/config"
	"github.com/poolctl/poolctl/internal/imgio"
	"github.com/poolctl/poolctl/internal/ops"
	"github.com/poolctl/poolctl/internal/pipeline"
	"github.com/poolctl/poolctl/internal/tensor"
)

// gradRun is the command that runs a pipeline backward.
type gradRun struct {
	batch    batchFlags
	dry      dryRun
	Upstream string
	Target   []int
	Relu     string
	NoOrient bool
}

func (a *app) newGradRunCommand() *cobra.Command {
	g := &gradRun{}
	cmd := &cobra.Command{
		Use:   "run PIPELINE INPUT… -o FOLDER",
		Short: "gradients of a whole pipeline",
		Long: `Runs a pipeline file forward and backward on every input. FOLDER/STEM gets input.grad.npy, the gradient of the prepared input (after the input section), and for the steps whose save lists grad the gradients of the output (STEP.grad.npy), the filter (STEP.filter-grad.npy), the bias and the like; grad-heatmap draws the output's. Where several steps take the same output, their gradients are added.

The upstream gradient of the last step's output is ones unless --upstream or --target says otherwise. --target INDEX gives the saliency of one number of the output. --relu guided lets only gradients greater than 0 flow back through every relu and relu6 (guided backpropagation).

` + batchHelp(),
		Args: pipelineOperands(&g.batch),
		RunE: func(_ *cobra.Command, args []string) error { return a.runGradPipeline(g, args[0], args[1:]) },
	}
	flags := cmd.Flags()
	flags.SortFlags = false
	g.batch.add(flags)
	flags.StringVar(&g.Upstream, "upstream", "", "`FILE` with the upstream gradient, in the shape of the last step's output")
	flags.Var(&intsValue{&g.Target}, "target", "upstream gradient 1 at the number `INDEX` of the last step's output, such as 0,7, and 0 elsewhere")
	flags.Var(&choiceValue{&g.Relu, []string{"plain", "guided"}}, "relu", "gradient `RULE` of every relu and relu6: plain or guided (default the rule of each step)")
	flags.BoolVar(&g.NoOrient, "no-orient", false, "ignore the EXIF orientation of pictures")
	g.dry.add(flags)
	return cmd
}

func (a *app) runGradPipeline(g *gradRun, file string, inputs []string) error {
	if err := checkRun("run", &g.batch, &g.dry, inputs); err != nil {
		return err
	}
	switch {
	case g.Upstream != "" && g.Target != nil:
		return usagef("run: upstream: cannot be used with --target")
	case g.Upstream == "-" && slices.Contains(inputs, "-"):
		return usagef("run: upstream: got -, but an input is read from standard input already")
	case g.Upstream == "-" && !g.batch.sources(a, inputs).Single():
		return usagef("run: upstream: got -, which can be read for one input only, want a file")
	}
	p, err := config.ReadPipeline(file)
	if err != nil {
		return err
	}
	weights := pipeline.NewWeights(a.files(false, p.RawType()))
	j := &pipelineJob{a: a, files: a.files(g.NoOrient, p.RawType()), engine: pipeline.NewEngine(a.Threads),
		graphs: pipeline.NewCache(func(in pipeline.Input) (*pipeline.Graph, error) {
			return pipeline.CompileGradient(p, weights, in, g.adjust)
		}),
		upstream: func(graph *pipeline.Graph) (func() (*tensor.Tensor, error), error) {
			return a.pipelineUpstream(g, graph)
		}}
	if g.dry.Only {
		return j.dryRun(&g.dry, &g.batch, inputs)
	}
	sum, err := batch.Hash(g.Upstream)
	if err != nil {
		return err
	}
	key, err := pipelineKey(p, "grad run", fmt.Sprint(g.NoOrient, g.Target, g.Relu), sum)
	if err != nil {
		return err
	}
	files := a.readsPipeline(p, file)
	files.Read("upstream gradient", g.Upstream, imgio.ExternalData(g.Upstream))
	return j.run(&g.batch, inputs, work{"grad run", file, productsOf(pipeline.GradientProducts(p)), key, files})
}

// adjust applies --relu to an operation that has such a rule.
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
		source, err := imgio.Open(g.Upstream, a.files(false, graph.File.RawType()))
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

package cli

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"github.com/poolctl/poolctl/internal/config"
	"github.com/poolctl/poolctl/internal/imgio"
	"github.com/poolctl/poolctl/internal/ops"
	"github.com/poolctl/poolctl/internal/pipeline"
)

// running is the run command.
type running struct {
	Output   string
	NoOrient bool
}

func (a *app) newRunCommand() *cobra.Command {
	r := &running{}
	cmd := &cobra.Command{
		Use:   "run PIPELINE INPUT… -o FOLDER",
		Short: "run the steps of a pipeline file over files",
		Long: `Runs a pipeline file on every input and writes what the file says is to be saved of each step: FOLDER/STEM/STEP.npy and the like, STEM being the input's name without its extension; the last step's output unless the file has a save section.

A pipeline file has a version (1), a list of steps, and where needed an input section and a save section. Every step has a name, an operation (op) and that operation's flags as keys; it takes the output of the step before it, or of those that from names. Names of files are relative to the pipeline file. Everything that is wrong with it is told at once, before anything is computed.`,
		GroupID: "look",
		Args:    pipelineOperands,
		RunE:    func(_ *cobra.Command, args []string) error { return a.runPipeline(r, args[0], args[1:]) },
	}
	flags := cmd.Flags()
	flags.SortFlags = false
	flags.StringVarP(&r.Output, "output", "o", "", "`FOLDER` to write to; it is made where it is missing")
	flags.BoolVar(&r.NoOrient, "no-orient", false, "ignore a JPEG's EXIF orientation")
	return cmd
}

func (a *app) runPipeline(r *running, file string, inputs []string) error {
	if r.Output == "" {
		return usagef("run: output: missing, want -o FOLDER")
	}
	p, err := config.ReadPipeline(file)
	if err != nil {
		return err
	}
	weights := pipeline.NewWeights(imgio.Options{MaxPixels: a.MaxPixels})
	engine := pipeline.NewEngine(a.Threads)
	defer engine.Close()
	graphs := pipeline.NewCache(func(in pipeline.Input) (*pipeline.Graph, error) { return pipeline.Compile(p, weights, in) })
	for _, name := range inputs {
		if err := a.runInput(r, graphs, engine, name); err != nil {
			return err
		}
	}
	return nil
}

// runInput runs a pipeline on one file.
func (a *app) runInput(r *running, graphs *pipeline.Cache, engine *pipeline.Engine, name string) error {
	source, err := imgio.Open(name, imgio.Options{Stdin: a.in, NoOrient: r.NoOrient, MaxPixels: a.MaxPixels})
	if err != nil {
		return err
	}
	defer source.Close()
	g, err := graphs.Graph(pipeline.Input{Spec: source.Info.Spec, Picture: source.Info.Picture})
	if err != nil {
		return err
	}
	if err := a.checkPipelineMemory(g); err != nil {
		return err
	}
	folder := filepath.Join(r.Output, stem(name))
	if err := os.MkdirAll(folder, 0o777); err != nil {
		return err
	}
	if err := imgio.CheckOutputs([]string{name}, savedFiles(g, folder), a.NoClobber); err != nil {
		return err
	}
	runner, err := engine.Runner(g)
	if err != nil {
		return err
	}
	x, err := source.Read()
	if err != nil {
		return err
	}
	before := runner.Clipped()
	if err := runner.Run(x); err != nil {
		return err
	}
	if n := runner.Clipped() - before; n > 0 {
		a.note("%s: %d values did not fit their integer type and were clipped", printable(name), n)
	}
	outputs, err := savedOutputs(runner, folder, max(8, source.Info.Depth))
	if err != nil {
		return err
	}
	return a.writeAll(outputs)
}

// stem returns the name of a file without its folder and its extension.
func stem(name string) string {
	if name == "-" {
		return "stdin"
	}
	base := filepath.Base(name)
	if s := strings.TrimSuffix(base, filepath.Ext(base)); s != "" {
		return s
	}
	return base
}

// checkPipelineMemory refuses a graph that needs more than --max-memory.
func (a *app) checkPipelineMemory(g *pipeline.Graph) error {
	need, err := g.Memory(a.Threads).Total()
	if err != nil {
		return &limitError{g.File.File + ": " + err.Error(), ""}
	}
	if a.MaxMemory > 0 && need > int(a.MaxMemory) {
		return &limitError{
			fmt.Sprintf("%s: needs %s of memory for an input of %s, the limit is %s", g.File.File, formatBytes(need), g.Input.Spec, formatBytes(int(a.MaxMemory))),
			"--max-memory raises the limit; fewer --threads need less scratch memory"}
	}
	return nil
}

// pipelineFault reports whether an error says that a pipeline file is wrong by
// itself.
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

package cli

import (
	"os"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/poolctl/poolctl/internal/ops"
	"github.com/poolctl/poolctl/internal/ops/kernel"
	"github.com/poolctl/poolctl/internal/tensor"
	"github.com/poolctl/poolctl/internal/timing"
)

// benchFlags are the flags of every form of `bench`.
type benchFlags struct {
	minTime    time.Duration
	cpu        string
	noRoofline bool
	format     string // of a table
}

func (b *benchFlags) add(flags *pflag.FlagSet) {
	flags.DurationVar(&b.minTime, "min-time", time.Second, "measure for at least `TIME`")
	flags.Var(&choiceValue{&b.cpu, []string{"generic", "avx2", "avx512"}}, "cpu", "use kernels of this `LEVEL` at most: generic, avx2 or avx512 (default the machine's)")
	flags.BoolVar(&b.noRoofline, "no-roofline", false, "do not measure the machine's limits")
	flags.SetNormalizeFunc(benchFlagName)
	flags.Var(&choiceValue{&b.format, reportFormats}, "report", "print the result as `FORMAT`: text, json, csv or markdown; --format is another name (default text on a terminal and for tables, else json)")
}

// benchFlagName gives the flags of `bench` that have another name the name that
// they have in every command.
func benchFlagName(_ *pflag.FlagSet, name string) pflag.NormalizedName {
	switch name {
	case "shape":
		name = "input-shape"
	case "format":
		name = "report"
	}
	return pflag.NormalizedName(name)
}

// apply checks the flags and caps the CPU level.
func (b *benchFlags) apply(a *app, name string) error {
	if b.minTime <= 0 {
		return usagef("%s: min-time: got %s, want > 0", name, b.minTime)
	}
	if b.cpu == "" {
		return nil
	}
	if detected := kernel.Detected(); b.cpu > detected.String() && b.cpu != kernel.Generic.String() {
		a.note("bench: the machine has %s, not %s", detected, b.cpu)
	}
	return os.Setenv(kernel.Variable, b.cpu)
}

func (a *app) newBenchCommand() *cobra.Command {
	var (
		options benchFlags
		suite   bool
		match   string
	)
	cmd := &cobra.Command{
		Use:   "bench {OPERATION --input-shape SHAPE | --suite} [flags]",
		Short: "time an operation on random data in memory",
		Long: `Plans the operation once and runs it again and again on random data, outputs reused, for at least --min-time. On a terminal it prints the times, the data rate and the share of the machine's limit. In a pipe, and with --json, it prints one JSON object: op, shape, out_shape, impl, isa, threads, iterations, seconds (min, median, max, mean, deviation), bytes, flops, gb_per_s, gflop_per_s, roofline. --report chooses, and makes CSV and Markdown too.

roofline has the machine's limits, with --threads: copy_gb_per_s, the fastest copy of large buffers (bytes read and written); plain_copy_gb_per_s, the same with ordinary stores; gflop_per_s, multiply-adds in registers. limit_seconds is the least time that these allow, and bound says which of them decides (memory or compute). ratio is the time of the fastest run divided by limit_seconds. Data that fit in the caches, and algorithms that multiply less than the definition, may take less than the limit.

--compare-impls runs all implementations that can do the operation, in turn. --suite runs twenty-four operations of common networks and of picture processing. Both print a table, with --json one object.`,
		Example: examples([]ops.Example{
			{Does: "max pooling", Command: "poolctl bench pool --type max --window 2 --shape 4,112,112,16 --min-time 200ms"},
			{Does: "a convolution on one thread", Command: "poolctl bench conv2d --shape 1,28,28,16 --filter-shape 3,3,16,16 --padding SAME --threads 1 --min-time 200ms"},
			{Does: "what the vector instructions gain", Command: "poolctl bench pool --type max --window 2 --shape 4,112,112,16 --cpu generic --min-time 200ms"},
			{Does: "every implementation, in turn", Command: "poolctl bench conv2d --shape 1,28,28,16 --filter-shape 3,3,16,16 --padding SAME --compare-impls --min-time 100ms"},
			{Does: "the depthwise row of the suite", Command: "poolctl bench --suite --match depthwise --min-time 100ms"},
		}),
		GroupID: "look",
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) > 0 {
				return unknownOperation(cmd, args[0])
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, _ []string) error {
			if !suite {
				return &usageError{"bench: operation missing, want one of " + strings.Join(operationNames(), ", ") + ", or --suite", "`" + cmd.CommandPath() + " --help` shows examples"}
			}
			if err := options.apply(a, "bench"); err != nil {
				return err
			}
			return a.runSuite(options, match)
		},
	}
	flags := cmd.Flags()
	flags.SortFlags = false
	flags.BoolVar(&suite, "suite", false, "run the workloads that poolctl is judged by, and print a table")
	flags.StringVar(&match, "match", "", "with --suite: only workloads whose name holds `TEXT`")
	options.add(flags)
	for _, spec := range ops.Table {
		cmd.AddCommand(a.newBenchOperationCommand(spec))
	}
	return cmd
}

// benched is an operation to time, with shapes in place of files.
type benched struct {
	op     ops.Op
	spec   ops.Spec
	shapes shapeFlags
	grad   string
}

func (b *benched) add(cmd *cobra.Command) {
	b.op = b.spec.New()
	flags := cmd.Flags()
	flags.SortFlags = false
	flags.SetNormalizeFunc(benchFlagName)
	flags.Var(&intsValue{&b.shapes.Input}, "input-shape", "`SHAPE` of the input, such as 32,112,112,64; --shape is another name (required)")
	b.shapes.add(cmd, b.spec, b.op, "compute the argmax too")
	if _, ok := b.op.(ops.Differentiable); ok {
		flags.Var(&choiceValue{&b.grad, gradientsOf(b.op)}, "grad", "time the gradient with respect to `TENSOR` instead: "+strings.Join(gradientsOf(b.op), " or "))
	}
}

// plan plans the operation or its gradient for an implementation, or for the
// best if impl is "".
func (b *benched) plan(a *app, impl string) (*ops.Plan, []tensor.Spec, error) {
	plan, specs, err := b.shapes.plan(b.op, b.spec, "input-shape", a)
	if err != nil {
		return nil, nil, err
	}
	if b.grad != "" {
		specs = append(specs, tensor.Spec{DType: specs[0].DType.Averaged(), Shape: plan.Outputs[0].Shape})
		plan, err = b.op.(ops.Differentiable).PlanGrad(specs, ops.WantGrad{Input: b.grad == "input", Filter: b.grad == "filter", Impl: impl})
	} else if impl != "" {
		plan, err = b.op.Plan(specs, ops.Want{Argmax: b.shapes.Argmax, Impl: impl})
	}
	if err == nil {
		err = plan.Force(impl)
	}
	return plan, specs, err
}

func (a *app) newBenchOperationCommand(spec ops.Spec) *cobra.Command {
	var (
		b       = benched{spec: spec}
		options benchFlags
		impl    string
		compare bool
	)
	cmd := &cobra.Command{
		Use:   spec.Name + " --input-shape SHAPE [flags]",
		Short: spec.Summary,
		Args:  noInput,
		RunE: func(*cobra.Command, []string) error {
			if err := options.apply(a, spec.Name); err != nil {
				return err
			}
			if compare && impl != "" {
				return usagef("%s: impl: cannot be used with --compare-impls, which runs all", spec.Name)
			}
			plan, specs, err := b.plan(a, impl)
			if err != nil {
				return err
			}
			plans := []*ops.Plan{plan}
			if compare {
				if plans, err = b.others(a, plan); err != nil {
					return err
				}
			}
			results, err := a.bench(plans, specs, options)
			if err != nil {
				return err
			}
			if compare {
				return a.writeComparison(results, a.reportFormat(options.format, true))
			}
			return a.writeTimes(&results[0], a.timesFormat(options.format))
		},
	}
	b.add(cmd)
	flags := cmd.Flags()
	flags.StringVar(&impl, "impl", "", "run the implementation `NAME`, as --compare-impls lists them (default the best)")
	flags.BoolVar(&compare, "compare-impls", false, "run every implementation that can do it, in turn, and print a table")
	options.add(flags)
	return cmd
}

// others returns plans for every implementation of an operation. The given plan
// comes first.
func (b *benched) others(a *app, plan *ops.Plan) ([]*ops.Plan, error) {
	plans := []*ops.Plan{plan}
	for _, impl := range plan.Impls {
		if impl == plan.Impl {
			continue
		}
		other, _, err := b.plan(a, impl)
		if err != nil {
			return nil, err
		}
		plans = append(plans, other)
	}
	return plans, nil
}

// gradientsOf returns the names of the tensors that have a gradient to time.
func gradientsOf(op ops.Op) []string {
	if slices.Contains(ops.Gradients(op), "filter") {
		return []string{"input", "filter"}
	}
	return []string{"input"}
}

// noisy is the ratio of upper to lower quartile of the times above which a
// warning is printed.
const noisy = 1.3

// bench times plans of one operation in turn, and compares them with the
// roofline unless --no-roofline is given.
func (a *app) bench(plans []*ops.Plan, specs []tensor.Spec, options benchFlags) ([]timing.Result, error) {
	for _, plan := range plans {
		if err := a.checkMemory(plan); err != nil {
			return nil, err
		}
	}
	team := ops.NewTeam(a.Threads)
	defer team.Close()
	limits, err := a.roofline(team, options)
	if err != nil {
		return nil, err
	}
	results, err := timing.InTurn(team, plans, specs, options.minTime)
	if err != nil {
		return nil, err
	}
	for i := range results {
		results[i].SetRoofline(limits, plans[i])
		if results[i].Noise > noisy {
			a.note("noisy: the upper quartile of the times is %.1f times the lower one", results[i].Noise)
		}
	}
	return results, nil
}

// roofline measures the machine. It returns nil with --no-roofline, and if the
// measurement would need too much memory.
func (a *app) roofline(team *ops.Team, options benchFlags) (*ops.Roofline, error) {
	level, err := cpuLevel()
	if err != nil {
		return nil, err
	}
	if options.noRoofline {
		return nil, nil
	}
	if a.MaxMemory > 0 && ops.RooflineBytes > int(a.MaxMemory) {
		a.note("no roofline: it needs %s of memory, the limit is %s", formatBytes(ops.RooflineBytes), formatBytes(int(a.MaxMemory)))
		return nil, nil
	}
	limits := ops.MeasureRoofline(team, level)
	return &limits, nil
}

package cli

import (
	"encoding/json"
	"math/rand/v2"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"gonum.org/v1/gonum/stat"

	"github.com/poolctl/poolctl/internal/ops"
	"github.com/poolctl/poolctl/internal/ops/kernel"
	"github.com/poolctl/poolctl/internal/tensor"
)

func (a *app) newBenchCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "bench OPERATION --shape SHAPE [flags]",
		Short: "time an operation on random data in memory",
		Long:  "Plans the operation once and runs it again and again on random data, outputs reused, for at least --min-time. Prints one JSON object: op, shape, out_shape, impl, isa, threads, iterations, seconds (min, median, max), bytes, flops, gb_per_s, gflop_per_s.",
		Example: examples([]ops.Example{
			{Does: "max pooling", Command: "poolctl bench pool --type max --window 2 --shape 4,112,112,16 --min-time 200ms"},
			{Does: "a convolution on one thread", Command: "poolctl bench conv2d --shape 1,28,28,16 --filter-shape 3,3,16,16 --padding SAME --threads 1 --min-time 200ms"},
		}),
		GroupID: "look",
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) > 0 {
				return unknownOperation(cmd, args[0])
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, _ []string) error {
			return &usageError{"bench: operation missing, want one of " + strings.Join(operationNames(), ", "), "`" + cmd.CommandPath() + " --help` shows examples"}
		},
	}
	for _, spec := range ops.Table {
		cmd.AddCommand(a.newBenchOperationCommand(spec))
	}
	return cmd
}

func (a *app) newBenchOperationCommand(spec ops.Spec) *cobra.Command {
	var (
		op      = spec.New()
		shapes  shapeFlags
		grad    string
		minTime time.Duration
	)
	cmd := &cobra.Command{
		Use:   spec.Name + " --shape SHAPE [flags]",
		Short: spec.Summary,
		Args:  noInput,
		RunE: func(*cobra.Command, []string) error {
			if minTime <= 0 {
				return usagef("%s: min-time: got %s, want > 0", spec.Name, minTime)
			}
			plan, specs, err := shapes.plan(op, spec, "shape", a)
			if err != nil {
				return err
			}
			if grad != "" {
				if plan, specs, err = planGradient(op, plan, specs, grad); err != nil {
					return err
				}
			}
			return a.runBench(plan, specs, minTime)
		},
	}
	flags := cmd.Flags()
	flags.SortFlags = false
	flags.Var(&intsValue{&shapes.Input}, "shape", "`SHAPE` of the input, such as 32,112,112,64 (required)")
	shapes.add(cmd, spec, op, "compute the argmax too")
	if _, ok := op.(ops.Differentiable); ok {
		flags.Var(&choiceValue{&grad, gradientsOf(op)}, "grad", "time the gradient with respect to `TENSOR` instead: "+strings.Join(gradientsOf(op), " or "))
	}
	flags.DurationVar(&minTime, "min-time", time.Second, "measure for at least `TIME`")
	return cmd
}

// gradientsOf names the tensors that an operation can be differentiated by.
func gradientsOf(op ops.Op) []string {
	if hasParam(op, "filter") {
		return []string{"input", "filter"}
	}
	return []string{"input"}
}

// planGradient plans one gradient of an operation that was planned forward.
func planGradient(op ops.Op, forward *ops.Plan, specs []tensor.Spec, which string) (*ops.Plan, []tensor.Spec, error) {
	upstream := tensor.Spec{DType: specs[0].DType.Averaged(), Shape: forward.Outputs[0].Shape}
	specs = append(specs, upstream)
	plan, err := op.(ops.Differentiable).PlanGrad(specs, ops.WantGrad{Input: which == "input", Filter: which == "filter"})
	return plan, specs, err
}

// benchResult is what `bench` prints.
type benchResult struct {
	Schema     string  `json:"schema"`
	Op         string  `json:"op"`
	Shape      []int   `json:"shape"`
	OutShape   []int   `json:"out_shape"`
	DType      string  `json:"dtype"`
	Impl       string  `json:"impl"`
	ISA        string  `json:"isa"`
	Threads    int     `json:"threads"`
	Iterations int     `json:"iterations"`
	Seconds    seconds `json:"seconds"`
	Bytes      int64   `json:"bytes"`
	Flops      int64   `json:"flops"`
	GBPerS     float64 `json:"gb_per_s"`
	GFlopPerS  float64 `json:"gflop_per_s"`
}

type seconds struct {
	Min    float64 `json:"min"`
	Median float64 `json:"median"`
	Max    float64 `json:"max"`
}

// leastIterations is how often an operation is timed at least, however slow.
const leastIterations = 3

func (a *app) runBench(plan *ops.Plan, specs []tensor.Spec, minTime time.Duration) error {
	if err := a.checkMemory(plan, 0); err != nil {
		return err
	}
	level, err := kernel.Capped()
	if err != nil {
		return usagef("%v", err)
	}
	in := make([]*tensor.Tensor, len(specs))
	for i, spec := range specs {
		in[i] = randomTensor(spec, plan.Index.Limit())
	}
	var out []*tensor.Tensor
	for _, o := range plan.Outputs {
		out = append(out, tensor.New(o.Spec))
	}
	runner := ops.NewRunner(plan, a.Threads)
	defer runner.Close()
	if err := runner.Run(in, out); err != nil { // warm up: pages, caches, threads
		return err
	}
	var times []float64
	for begin := time.Now(); time.Since(begin) < minTime || len(times) < leastIterations; {
		start := time.Now()
		if err := runner.Run(in, out); err != nil {
			return err
		}
		times = append(times, time.Since(start).Seconds())
	}
	slices.Sort(times)
	if spread := times[len(times)*3/4] / times[len(times)/4]; spread > 1.3 {
		a.note("noisy: the upper quartile of the times is %.1f times the lower one", spread)
	}
	r := benchResult{
		Schema: "poolctl.bench/v1", Op: plan.Op, Shape: specs[0].Shape, OutShape: plan.Outputs[0].Shape, DType: specs[0].DType.String(),
		Impl: plan.Impl, ISA: level.String(), Threads: a.Threads, Iterations: len(times),
		Seconds: seconds{times[0], stat.Quantile(0.5, stat.Empirical, times, nil), times[len(times)-1]},
		Flops:   flops(plan),
	}
	for _, spec := range plan.Buffers[:plan.Inputs+len(plan.Outputs)] {
		n, _ := spec.Bytes()
		r.Bytes += int64(n)
	}
	r.GBPerS = float64(r.Bytes) / r.Seconds.Median / 1e9
	r.GFlopPerS = float64(r.Flops) / r.Seconds.Median / 1e9
	return json.NewEncoder(a.out).Encode(r)
}

// flops counts two for each multiply-add, or one comparison or addition for
// each tap of a pooling window.
func flops(plan *ops.Plan) int64 {
	if plan.MultiplyAdds > 0 {
		return 2 * int64(plan.MultiplyAdds)
	}
	n, _ := plan.Outputs[0].Shape.Elements()
	return int64(n) * int64(max(1, plan.Geometry.Taps()))
}

// randomTensor fills a tensor with uniform numbers: in [-1, 1), or over the
// range of a small integer type, or valid indices below limit.
func randomTensor(spec tensor.Spec, limit int) *tensor.Tensor {
	wide := tensor.New(tensor.Spec{DType: tensor.Float64, Shape: spec.Shape})
	random := rand.New(rand.NewPCG(1, 2))
	data := tensor.Of[float64](wide)
	for i := range data {
		switch {
		case spec.DType.IsFloat():
			data[i] = 2*random.Float64() - 1
		case spec.DType == tensor.Int64 && limit > 0:
			data[i] = float64(random.IntN(limit))
		default:
			data[i] = float64(random.IntN(100))
		}
	}
	t, _ := tensor.Converted(wide, spec.DType)
	return t
}

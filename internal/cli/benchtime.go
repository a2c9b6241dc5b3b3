package cli

import (
	"fmt"
	"math/rand/v2"
	"runtime"
	"slices"
	"time"

	"github.com/poolctl/poolctl/internal/ops"
	"github.com/poolctl/poolctl/internal/ops/kernel"
	"github.com/poolctl/poolctl/internal/tensor"
	"gonum.org/v1/gonum/stat"
)

// benchResult is what `bench` tells of an operation.
type benchResult struct {
	Schema     string         `json:"schema"`
	Op         string         `json:"op"`
	Shape      []int          `json:"shape"`
	OutShape   []int          `json:"out_shape"`
	DType      string         `json:"dtype"`
	Impl       string         `json:"impl"`
	ISA        string         `json:"isa"`
	Threads    int            `json:"threads"`
	Iterations int            `json:"iterations"`
	Seconds    seconds        `json:"seconds"`
	Bytes      int64          `json:"bytes"`
	Flops      int64          `json:"flops"`
	GBPerS     float64        `json:"gb_per_s"`
	GFlopPerS  float64        `json:"gflop_per_s"`
	Roofline   *benchRoofline `json:"roofline,omitempty"`

	noise    float64 // upper quartile of the times by the lower
	relative float64 // time by that of the first implementation, median over rounds
}

type seconds struct {
	Min    float64 `json:"min"`
	Median float64 `json:"median"`
	Max    float64 `json:"max"`
}

// machineLimits are a machine's, with the threads in use.
type machineLimits struct {
	CopyGBPerS      float64 `json:"copy_gb_per_s"`
	PlainCopyGBPerS float64 `json:"plain_copy_gb_per_s"`
	GFlopPerS       float64 `json:"gflop_per_s"`
}

type benchRoofline struct {
	machineLimits
	LimitSeconds float64 `json:"limit_seconds"`
	Bound        string  `json:"bound"`
	Ratio        float64 `json:"ratio"`
}

const (
	// leastIterations is how often an operation is timed at least, however slow.
	leastIterations = 3

	// noisy is the ratio of the quartiles of the times from which a warning is
	// given.
	noisy = 1.3
)

// bench times plans of one operation, in turn, with the roofline unless it is
// not wanted.
func (a *app) bench(plans []*ops.Plan, specs []tensor.Spec, options benchFlags) ([]benchResult, error) {
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
	results, err := a.timeInTurn(team, plans, specs, options.minTime)
	if err != nil {
		return nil, err
	}
	for i := range results {
		results[i].setRoofline(limits, plans[i])
		if results[i].noise > noisy {
			a.note("noisy: the upper quartile of the times is %.1f times the lower one", results[i].noise)
		}
	}
	return results, nil
}

// roofline measures the machine, or returns nil if that is not wanted or memory
// is too short.
func (a *app) roofline(team *ops.Team, options benchFlags) (*ops.Roofline, error) {
	level, err := kernel.Capped()
	if err != nil {
		return nil, usagef("%v", err)
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

// timeInTurn runs the plans one after another, again and again, each for
// minTime at least, on the same random data.
func (a *app) timeInTurn(team *ops.Team, plans []*ops.Plan, specs []tensor.Spec, minTime time.Duration) ([]benchResult, error) {
	in := make([]*tensor.Tensor, len(specs))
	for i, spec := range specs {
		in[i] = randomTensor(spec, plans[0].Index.Limit())
	}
	var out []*tensor.Tensor
	for _, o := range plans[0].Outputs {
		out = append(out, tensor.New(o.Spec))
	}
	words := 0
	for _, plan := range plans {
		words = max(words, plan.TemporaryWords())
	}
	memory := tensor.Zeros[uint64](words)
	var runners []*ops.Runner
	for _, plan := range plans {
		runner := ops.NewRunnerOn(team, plan, memory)
		if err := runner.Run(in, out); err != nil { // warm up: pages, caches, threads
			return nil, err
		}
		runners = append(runners, runner)
	}
	runtime.GC() // not while the clock runs
	times := make([][]float64, len(plans))
	for begin := time.Now(); time.Since(begin) < minTime*time.Duration(len(plans)) || len(times[0]) < leastIterations; {
		for i, runner := range runners {
			start := time.Now()
			if err := runner.Run(in, out); err != nil {
				return nil, err
			}
			times[i] = append(times[i], time.Since(start).Seconds())
		}
	}
	var results []benchResult
	for i, plan := range plans {
		relative := make([]float64, len(times[i]))
		for round := range relative {
			relative[round] = times[i][round] / times[0][round]
		}
		r := newBenchResult(plan, team.Threads(), slices.Clone(times[i]))
		r.relative = median(relative)
		results = append(results, r)
	}
	return results, nil
}

func median(values []float64) float64 {
	slices.Sort(values)
	return stat.Quantile(0.5, stat.Empirical, values, nil)
}

// newBenchResult sums up the times of a plan, and sorts them.
func newBenchResult(plan *ops.Plan, threads int, times []float64) benchResult {
	level, _ := kernel.Capped() // checked before
	r := benchResult{
		Schema: "poolctl.bench/v1", Op: plan.Op, Shape: plan.Buffers[0].Shape, OutShape: plan.Outputs[0].Shape, DType: plan.Buffers[0].DType.String(),
		Impl: plan.Impl, ISA: level.String(), Threads: threads, Iterations: len(times), Flops: flops(plan),
	}
	r.Seconds.Median = median(times)
	r.Seconds.Min, r.Seconds.Max = times[0], times[len(times)-1]
	r.noise = times[len(times)*3/4] / times[len(times)/4]
	for _, spec := range plan.Buffers[:plan.Inputs+len(plan.Outputs)] {
		n, _ := spec.Bytes()
		r.Bytes += int64(n)
	}
	r.GBPerS = float64(r.Bytes) / r.Seconds.Median / 1e9
	r.GFlopPerS = float64(r.Flops) / r.Seconds.Median / 1e9
	return r
}

// setRoofline compares the fastest run with the machine's limits, if they were
// measured.
func (r *benchResult) setRoofline(limits *ops.Roofline, plan *ops.Plan) {
	if limits == nil {
		return
	}
	bound := limits.Bound(plan, r.Bytes)
	r.Roofline = &benchRoofline{limitsOf(limits), bound.Seconds, bound.Name, r.Seconds.Min / bound.Seconds}
}

func limitsOf(r *ops.Roofline) machineLimits {
	return machineLimits{r.Copy / 1e9, r.PlainCopy / 1e9, r.Flops / 1e9}
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

// randomPeriod is after how many numbers random data repeat; making them takes
// longer than most operations. It is odd, so that rows differ.
const randomPeriod = 1<<20 - 1

// randomTensor fills a tensor with uniform numbers: in [-1, 1), or over the
// range of a small integer type, or valid indices below limit.
func randomTensor(spec tensor.Spec, limit int) *tensor.Tensor {
	t := tensor.New(spec)
	n := t.Len()
	wide := tensor.New(tensor.Spec{DType: tensor.Float64, Shape: tensor.Shape{min(n, randomPeriod)}})
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
	period, _ := tensor.Converted(wide, spec.DType)
	switch from := period.Data.(type) {
	case []uint8:
		repeat(tensor.Of[uint8](t), from)
	case []int8:
		repeat(tensor.Of[int8](t), from)
	case []uint16:
		repeat(tensor.Of[uint16](t), from)
	case []int16:
		repeat(tensor.Of[int16](t), from)
	case []uint32:
		repeat(tensor.Of[uint32](t), from)
	case []int32:
		repeat(tensor.Of[int32](t), from)
	case []uint64:
		repeat(tensor.Of[uint64](t), from)
	case []int64:
		repeat(tensor.Of[int64](t), from)
	case []tensor.Float16:
		repeat(tensor.Of[tensor.Float16](t), from)
	case []float32:
		repeat(tensor.Of[float32](t), from)
	case []float64:
		repeat(tensor.Of[float64](t), from)
	default:
		panic(fmt.Sprintf("bench: no random data of %s", spec.DType))
	}
	return t
}

func repeat[T any](to, period []T) {
	for len(to) > 0 && len(period) > 0 {
		to = to[copy(to, period):]
	}
}

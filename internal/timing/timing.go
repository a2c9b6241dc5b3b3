package timing

import (
	"runtime"
	"slices"
	"time"

	"gonum.org/v1/gonum/stat"

	"github.com/poolctl/poolctl/internal/ops"
	"github.com/poolctl/poolctl/internal/tensor"
)

// Result is how long an operation took, compared with what the machine can do.
type Result struct {
	Schema     string    `json:"schema"`
	Op         string    `json:"op"`
	Shape      []int     `json:"shape"`
	OutShape   []int     `json:"out_shape"`
	DType      string    `json:"dtype"`
	Impl       string    `json:"impl"`
	ISA        string    `json:"isa"`
	Threads    int       `json:"threads"`
	Iterations int       `json:"iterations"`
	Seconds    Seconds   `json:"seconds"`
	Bytes      int64     `json:"bytes"`
	Flops      int64     `json:"flops"`
	GBPerS     float64   `json:"gb_per_s"`
	GFlopPerS  float64   `json:"gflop_per_s"`
	Roofline   *Roofline `json:"roofline,omitempty"`

	Noise    float64 `json:"-"` // upper quartile of the times divided by the lower one
	Relative float64 `json:"-"` // time divided by that of the first plan, median over rounds
}

// Seconds are the times of the runs of a plan. Deviation is the standard
// deviation of one run, divided by n-1.
type Seconds struct {
	Min       float64 `json:"min"`
	Median    float64 `json:"median"`
	Max       float64 `json:"max"`
	Mean      float64 `json:"mean"`
	Deviation float64 `json:"deviation"`
}

// Machine is what the machine can do with the threads in use.
type Machine struct {
	CopyGBPerS      float64 `json:"copy_gb_per_s"`
	PlainCopyGBPerS float64 `json:"plain_copy_gb_per_s"`
	GFlopPerS       float64 `json:"gflop_per_s"`
}

// Roofline compares the fastest run with the machine. LimitSeconds is the least
// time that Bound (memory or compute) allows; Ratio is the time divided by it.
type Roofline struct {
	Machine
	LimitSeconds float64 `json:"limit_seconds"`
	Bound        string  `json:"bound"`
	Ratio        float64 `json:"ratio"`
}

// leastIterations is the least number of runs, however slow they are.
const leastIterations = 3

// InTurn runs the plans in turn on the same random data, each for at least
// minTime. All plans must take and make the same tensors.
func InTurn(team *ops.Team, plans []*ops.Plan, specs []tensor.Spec, minTime time.Duration) ([]Result, error) {
	in := make([]*tensor.Tensor, len(specs))
	for i, spec := range specs {
		in[i] = Random(spec, plans[0].Index.Limit())
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
	runtime.GC() // so that it does not run while times are taken
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
	var results []Result
	for i, plan := range plans {
		relative := make([]float64, len(times[i]))
		for round := range relative {
			relative[round] = times[i][round] / times[0][round]
		}
		r := newResult(plan, team.Threads(), slices.Clone(times[i]))
		r.Relative = median(relative)
		results = append(results, r)
	}
	return results, nil
}

func median(values []float64) float64 {
	slices.Sort(values)
	return stat.Quantile(0.5, stat.Empirical, values, nil)
}

// newResult summarises the times of a plan. It sorts them.
func newResult(plan *ops.Plan, threads int, times []float64) Result {
	r := Result{
		Schema: "poolctl.bench/v1", Op: plan.Op, Shape: plan.Buffers[0].Shape, OutShape: plan.Outputs[0].Shape, DType: plan.Buffers[0].DType.String(),
		Impl: plan.Impl, ISA: plan.Level.String(), Threads: threads, Iterations: len(times), Flops: flops(plan),
	}
	r.Seconds.Median = median(times)
	r.Seconds.Min, r.Seconds.Max = times[0], times[len(times)-1]
	r.Seconds.Mean, r.Seconds.Deviation = stat.MeanStdDev(times, nil)
	r.Noise = times[len(times)*3/4] / times[len(times)/4]
	for _, spec := range plan.Buffers[:plan.Inputs+len(plan.Outputs)] {
		n, _ := spec.Bytes()
		r.Bytes += int64(n)
	}
	r.GBPerS = float64(r.Bytes) / r.Seconds.Median / 1e9
	r.GFlopPerS = float64(r.Flops) / r.Seconds.Median / 1e9
	return r
}

// SetRoofline compares the fastest run with the limits of the machine; nil
// means that they were not measured.
func (r *Result) SetRoofline(limits *ops.Roofline, plan *ops.Plan) {
	if limits == nil {
		return
	}
	bound := limits.Bound(plan, r.Bytes)
	r.Roofline = &Roofline{MachineOf(limits), bound.Seconds, bound.Name, r.Seconds.Min / bound.Seconds}
}

// MachineOf returns the limits in the units of a report.
func MachineOf(r *ops.Roofline) Machine {
	return Machine{r.Copy / 1e9, r.PlainCopy / 1e9, r.Flops / 1e9}
}

// flops counts two operations for each multiply-add, or one comparison or
// addition for each cell of a pooling window.
func flops(plan *ops.Plan) int64 {
	if plan.MultiplyAdds > 0 {
		return 2 * int64(plan.MultiplyAdds)
	}
	n, _ := plan.Outputs[0].Shape.Elements()
	return int64(n) * int64(max(1, plan.Geometry.Taps()))
}

package pipeline

import (
	"fmt"
	"slices"

	"github.com/poolctl/poolctl/internal/ops"
	"github.com/poolctl/poolctl/internal/tensor"
)

// Engine runs graphs, one at a time, with one team of threads in one arena that
// all of them share: running graphs for inputs of many shapes takes the memory
// of the largest.
type Engine struct {
	team    *ops.Team
	arena   []uint64
	runners []*Runner // the last one used at the end
}

// mostRunners bounds the graphs that an engine keeps ready, and mostPacked the
// bytes of packed weights that those beside the newest keep.
const (
	mostRunners = 8
	mostPacked  = 64 << 20
)

// NewEngine starts the threads, at least one.
func NewEngine(threads int) *Engine { return &Engine{team: ops.NewTeam(threads)} }

// Close ends the threads. Runners of the engine must not run again.
func (e *Engine) Close() { e.team.Close() }

// Runner returns a runner for a graph: the one that it returned last time, or a
// new one. Making a runner reads weights that were not read yet. The results of
// runners returned earlier may be lost after the next call of Run.
func (e *Engine) Runner(g *Graph) (*Runner, error) {
	if i := slices.IndexFunc(e.runners, func(r *Runner) bool { return r.graph == g }); i >= 0 {
		r := e.runners[i]
		e.runners = append(slices.Delete(e.runners, i, i+1), r)
		return r, nil
	}
	if g.program.words > len(e.arena) {
		e.runners, e.arena = nil, nil // first free the old memory
		e.arena = tensor.Zeros[uint64](g.program.words)
	}
	r, err := newRunner(g, e.team, e.arena)
	if err != nil {
		return nil, err
	}
	e.runners = append(e.runners, r)
	e.forget()
	return r, nil
}

// forget drops the least recently used runners until those beside the newest
// are few and keep little memory.
func (e *Engine) forget() {
	packed := 0
	for i := len(e.runners) - 2; i >= 0; i-- {
		packed += e.runners[i].graph.program.memory(0).Packed
		if packed > mostPacked || len(e.runners)-i > mostRunners {
			e.runners = slices.Delete(e.runners, 0, i+1)
			return
		}
	}
}

// Runner runs a graph again and again without allocating.
type Runner struct {
	graph   *Graph
	tensors []*tensor.Tensor // the program's slots
	tasks   []bound
	clipped int
}

// bound is a task with its tensors.
type bound struct {
	task
	runner  *ops.Runner
	in, out []*tensor.Tensor
}

func newRunner(g *Graph, team *ops.Team, arena []uint64) (*Runner, error) {
	r := &Runner{graph: g}
	for i := range g.program.slots {
		s := &g.program.slots[i]
		var t *tensor.Tensor
		switch {
		case s.given || !s.used:
			t = &tensor.Tensor{Spec: s.spec}
		case s.operand != nil:
			var err error
			if t, err = g.weights.load(s.operand, s.spec); err != nil {
				return nil, &StepError{s.operand.step.At(s.operand.name), s.operand.step.Name, s.operand.name, err}
			}
		default:
			t = tensor.Over(arena[s.at:], s.spec)
		}
		r.tensors = append(r.tensors, t)
	}
	for _, t := range g.program.tasks {
		b := bound{task: t, runner: ops.NewRunnerOn(team, t.plan, arena[t.temporaries.at:][:t.temporaries.words])}
		for _, i := range t.in {
			b.in = append(b.in, r.tensors[i])
		}
		for _, i := range t.out {
			b.out = append(b.out, r.tensors[i])
		}
		r.tasks = append(r.tasks, b)
	}
	return r, nil
}

// Graph returns the graph that the runner runs.
func (r *Runner) Graph() *Graph { return r.graph }

// Run computes the graph for an input of the type and shape that it was compiled
// for; for a graph of gradients, the upstream gradient comes after it. The only
// errors are a *StepError about indices (of unpool) that are out of range.
func (r *Runner) Run(given ...*tensor.Tensor) error {
	if len(given) != r.graph.program.inputs() {
		panic(fmt.Sprintf("pipeline: %d tensors where the graph takes %d", len(given), r.graph.program.inputs()))
	}
	for i, t := range given {
		if want := r.tensors[i].Spec; t.DType != want.DType || t.Len() != r.tensors[i].Len() {
			panic(fmt.Sprintf("pipeline: tensor %d is %s, the graph has %s", i, t.Spec, want))
		}
		r.tensors[i].Data = t.Data
	}
	for i := range r.tasks {
		t := &r.tasks[i]
		before := t.runner.Clipped()
		if err := t.runner.Run(t.in, t.out); err != nil {
			return located(t.node.Step, err)
		}
		r.clipped += t.runner.Clipped() - before
	}
	return nil
}

// Clipped returns how many values did not fit the integer type that they were
// converted to, since the runner was made.
func (r *Runner) Clipped() int { return r.clipped }

// Tensor returns a saved tensor of the last run. The next run, of any runner of
// the engine, overwrites it.
func (r *Runner) Tensor(s Saved) *tensor.Tensor { return r.tensors[s.slot] }

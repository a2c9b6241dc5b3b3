package ops

import (
	"fmt"

	"github.com/poolctl/poolctl/internal/tensor"
)

// smallWork is the Work of a stage below which it runs on the calling thread
// alone: waking another one costs more than it saves.
const smallWork = 200_000

// Runner executes a plan again and again. Its temporaries live as long as it
// does, threads and scratch memory as long as its team; Run itself allocates
// nothing.
type Runner struct {
	plan    *Plan
	team    *Team
	owned   bool // the team is closed with the runner
	buffers []*tensor.Tensor
	stage   *Stage
	exec    func(worker, lo, hi int)
	began   bool // Plan.Once has run
	clipped int
}

// NewRunner books the plan's memory and starts a team of its own: of so many
// threads as find work, at least one and no more than given.
func NewRunner(plan *Plan, threads int) *Runner {
	r := NewRunnerOn(NewTeam(plan.threads(threads)), plan, nil)
	r.owned = true
	return r
}

// NewRunnerOn runs a plan on a team that other runners may share, one at a
// time. Its temporaries lie in memory, which is at least as long as
// Plan.TemporaryWords says and only used within Run; nil allocates it.
func NewRunnerOn(team *Team, plan *Plan, memory []uint64) *Runner {
	if memory == nil {
		memory = tensor.Zeros[uint64](plan.TemporaryWords())
	}
	r := &Runner{plan: plan, team: team, buffers: make([]*tensor.Tensor, len(plan.Buffers))}
	plan.temporaries(func(i int, kept bool) {
		if kept {
			r.buffers[i] = tensor.New(plan.Buffers[i])
			return
		}
		r.buffers[i] = tensor.Over(memory, plan.Buffers[i])
		memory = memory[tensor.Words(plan.Buffers[i]):]
	})
	r.exec = func(worker, lo, hi int) { r.stage.Exec(r.team.workers[worker], r.buffers, lo, hi) }
	team.reserve(plan.Scratch())
	return r
}

// Close ends the runner's own team; one that was given stays.
func (r *Runner) Close() {
	if r.owned {
		r.team.Close()
	}
}

// Run computes out from in. Both must have the types and shapes that the plan
// says, out in the order of Plan.Outputs; their memory must not overlap. The
// only error is that of Plan.Validate.
func (r *Runner) Run(in, out []*tensor.Tensor) error {
	r.bind(0, in, r.plan.Inputs)
	r.bind(r.plan.Inputs, out, len(r.plan.Outputs))
	if r.plan.Validate != nil {
		if err := r.plan.Validate(in); err != nil {
			return err
		}
	}
	if !r.began {
		r.execute(r.plan.Once)
		r.began = true
	}
	r.execute(r.plan.Stages)
	for _, w := range r.team.workers {
		r.clipped += w.Clipped
		w.Clipped = 0
	}
	return nil
}

// execute runs stages one after the other.
func (r *Runner) execute(stages []Stage) {
	for i := range stages {
		s := &stages[i]
		r.stage = s
		chunk := 0
		if s.small() {
			chunk = s.Units
		}
		r.team.Do(s.Units, chunk, r.exec)
	}
}

func (r *Runner) bind(at int, given []*tensor.Tensor, want int) {
	if len(given) != want {
		panic(fmt.Sprintf("ops: %s: %d tensors where the plan has %d", r.plan.Op, len(given), want))
	}
	for i, t := range given {
		if spec := r.plan.Buffers[at+i]; !t.Equal(spec) {
			panic(fmt.Sprintf("ops: %s: tensor %d is %s, the plan has %s", r.plan.Op, i, t.Spec, spec))
		}
		r.buffers[at+i] = t
	}
}

// Clipped returns how many values did not fit the integer type that they were
// converted to, since the runner was made.
func (r *Runner) Clipped() int { return r.clipped }

// Run executes a plan once: it allocates the outputs and returns them with the
// number of values that were clipped.
func Run(plan *Plan, threads int, in ...*tensor.Tensor) (out []*tensor.Tensor, clipped int, err error) {
	for _, o := range plan.Outputs {
		out = append(out, tensor.New(o.Spec))
	}
	r := NewRunner(plan, threads)
	defer r.Close()
	if err := r.Run(in, out); err != nil {
		return nil, 0, err
	}
	return out, r.Clipped(), nil
}

package ops

import (
	"fmt"

	"github.com/poolctl/poolctl/internal/tensor"
)

// smallWork is the Work below which a stage runs on the calling thread only:
// waking another would cost more than it saves.
const smallWork = 200_000

// Runner runs a plan again and again. Temporaries live as long as the runner,
// threads and scratch memory as long as its team. Run does not allocate.
type Runner struct {
	plan    *Plan
	team    *Team
	owned   bool // the runner closes the team
	buffers []*tensor.Tensor
	stage   *Stage
	exec    func(worker, lo, hi int)
	began   bool // whether Plan.Once has run
	clipped int
}

// NewRunner allocates the memory of the plan and starts a team: at most the
// given number of threads, and no more than have work.
func NewRunner(plan *Plan, threads int) *Runner {
	r := NewRunnerOn(NewTeam(plan.threads(threads)), plan, nil)
	r.owned = true
	return r
}

// NewRunnerOn returns a runner on a team that other runners may share, one at a
// time. Its temporaries are in memory, which has at least Plan.TemporaryWords
// words and is used within Run only. If memory is nil, it is allocated.
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

// Close stops the runner's own team. A team that was given goes on.
func (r *Runner) Close() {
	if r.owned {
		r.team.Close()
	}
}

// Run computes out from in. Types and shapes must be those of the plan, out in
// the order of Plan.Outputs, and memory must not overlap. The only error is
// that of Plan.Validate.
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

// execute runs stages one after another.
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

// Clipped returns how many values were out of the range of the integer type
// that they were converted to, since the runner was made.
func (r *Runner) Clipped() int { return r.clipped }

// Run runs a plan once. It allocates the outputs and returns them with the
// number of clipped values.
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

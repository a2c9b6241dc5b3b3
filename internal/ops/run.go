package ops

import (
	"fmt"
	"sync"
	"sync/atomic"

	"github.com/poolctl/poolctl/internal/ops/kernel"
	"github.com/poolctl/poolctl/internal/tensor"
)

// smallWork is the number of elementary steps below which a stage runs on the
// calling thread alone: waking another one costs more than it saves.
const smallWork = 1 << 15

// Runner executes a plan again and again. Its threads, temporaries and scratch
// memory live as long as it does; Run itself allocates nothing.
type Runner struct {
	plan    *Plan
	buffers []*tensor.Tensor
	workers []*Worker
	wake    []chan struct{} // one a helping thread
	done    sync.WaitGroup
	stage   *Stage
	chunk   int64
	next    atomic.Int64
	failure atomic.Pointer[failure]
}

type failure struct{ cause any }

// NewRunner books the plan's memory and starts its threads; at least one.
func NewRunner(plan *Plan, threads int) *Runner {
	r := &Runner{plan: plan, buffers: make([]*tensor.Tensor, len(plan.Buffers))}
	for i := plan.Inputs + len(plan.Outputs); i < len(plan.Buffers); i++ {
		r.buffers[i] = tensor.New(plan.Buffers[i])
	}
	for i := range max(1, threads) {
		r.workers = append(r.workers, &Worker{Scratch: kernel.NewScratch(plan.scratch())})
		if i > 0 {
			wake := make(chan struct{}, 1)
			r.wake = append(r.wake, wake)
			go r.help(r.workers[i], wake)
		}
	}
	return r
}

// Close ends the runner's threads.
func (r *Runner) Close() {
	for _, wake := range r.wake {
		close(wake)
	}
	r.wake = nil
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
	for i := range r.plan.Stages {
		r.runStage(&r.plan.Stages[i])
	}
	return nil
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
func (r *Runner) Clipped() int {
	n := 0
	for _, w := range r.workers {
		n += w.Clipped
	}
	return n
}

func (r *Runner) runStage(s *Stage) {
	if s.Units == 0 {
		return
	}
	if len(r.wake) == 0 || s.Units == 1 || s.Work < smallWork {
		s.Exec(r.workers[0], r.buffers, 0, s.Units)
		return
	}
	// Chunks of an eighth of a fair share keep threads busy to the end
	// without making them meet at the counter often.
	r.stage, r.chunk = s, max(1, int64(s.Units/(8*len(r.workers))))
	r.next.Store(0)
	r.done.Add(len(r.wake))
	for _, wake := range r.wake {
		wake <- struct{}{}
	}
	r.work(r.workers[0])
	r.done.Wait()
	if f := r.failure.Swap(nil); f != nil {
		panic(f.cause)
	}
}

func (r *Runner) help(w *Worker, wake chan struct{}) {
	for range wake {
		r.work(w)
		r.done.Done()
	}
}

// work takes chunks of the current stage until none is left. A panic is kept
// for the thread that called Run.
func (r *Runner) work(w *Worker) {
	defer func() {
		if cause := recover(); cause != nil {
			r.failure.CompareAndSwap(nil, &failure{cause})
		}
	}()
	for {
		lo := r.next.Add(r.chunk) - r.chunk
		if lo >= int64(r.stage.Units) {
			return
		}
		r.stage.Exec(w, r.buffers, int(lo), min(int(lo+r.chunk), r.stage.Units))
	}
}

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

package ops

import (
	"errors"

	"github.com/poolctl/poolctl/internal/tensor"
)

// Follows reports whether Follow can run the plan: it has one input, one output
// and one stage whose units go through them from front to back.
func (p *Plan) Follows() bool {
	return p.Inputs == 1 && len(p.Outputs) == 1 && len(p.Stages) == 1 && p.Stages[0].Reach != nil && p.Validate == nil
}

var errStopped = errors.New("the computation was stopped")

// Follow computes out from in while in is still being written, close behind the
// writer. read returns how much of the input is there; written is told how much
// of the output is final. Follow ends with the input, and returns its error.
// The results are those of Run.
func Follow(plan *Plan, threads int, in, out *tensor.Tensor, read, written *tensor.Progress) (err error) {
	err = errStopped // for waiting readers, in case of a panic
	defer func() { written.End(err) }()
	r := NewRunner(plan, threads)
	defer r.Close()
	r.bind(0, []*tensor.Tensor{in}, 1)
	r.bind(1, []*tensor.Tensor{out}, 1)
	r.stage = &plan.Stages[0]
	for first := 0; first < r.stage.Units; {
		need, _ := r.stage.Reach(first)
		there, stopped := read.Wait(need)
		if stopped != nil {
			err = stopped
			return err
		}
		next := first + 1
		for next < r.stage.Units {
			if need, _ := r.stage.Reach(next); need > there {
				break
			}
			next++
		}
		chunk := 0
		if next-first < chunksPerThread { // not worth waking other threads, which the decoder needs
			chunk = next - first
		}
		r.team.Do(next-first, chunk, func(worker, lo, hi int) { r.exec(worker, first+lo, first+hi) })
		_, done := r.stage.Reach(next - 1)
		written.Reach(done)
		first = next
	}
	err = read.Ended()
	return err
}

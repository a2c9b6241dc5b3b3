package pipeline

import (
	"errors"
	"slices"

	"github.com/poolctl/poolctl/internal/ops"
	"github.com/poolctl/poolctl/internal/tensor"
)

// program is a list of plans to be run one after another, and the tensors
// between them. Tensors share one arena by their lifetimes: one may take the
// place of another that is no longer needed.
type program struct {
	slots []slot
	tasks []task
	words int // of the arena
}

// slot is a tensor of a program.
type slot struct {
	spec    tensor.Spec
	given   bool     // the caller's memory
	operand *operand // a tensor beside a step's main inputs
	kept    bool     // it lasts until the next run
	used    bool     // a task makes or reads it; otherwise it has no memory
	region           // of the arena, for a task's outputs
}

// task is a plan on some of the tensors.
type task struct {
	plan        *ops.Plan
	node        *Node // that its errors are about; nil for the input section
	in, out     []int
	temporaries region
}

// inArena reports whether the tensor lies in the arena.
func (s *slot) inArena() bool { return s.used && !s.given && s.operand == nil }

// forever is later than every task.
const forever = int(^uint(0) >> 1)

// given adds a tensor that the caller supplies for each run.
func (p *program) given(spec tensor.Spec) int {
	p.slots = append(p.slots, slot{spec: spec, given: true})
	return len(p.slots) - 1
}

// constant adds a tensor beside a step's main inputs. An equal one is used
// again.
func (p *program) constant(o *operand, spec tensor.Spec) int {
	for i := range p.slots {
		if known := p.slots[i].operand; known != nil && known.key == o.key && p.slots[i].spec.Equal(spec) {
			return i
		}
	}
	p.slots = append(p.slots, slot{spec: spec, operand: o})
	return len(p.slots) - 1
}

// add appends a plan and returns the tensors that it makes.
func (p *program) add(plan *ops.Plan, node *Node, in []int) []int {
	t := task{plan: plan, node: node, in: in}
	for _, o := range plan.Outputs {
		t.out = append(t.out, len(p.slots))
		p.slots = append(p.slots, slot{spec: o.Spec})
	}
	p.tasks = append(p.tasks, t)
	return t.out
}

// keep makes a tensor last until the next run.
func (p *program) keep(slot int) { p.slots[slot].kept = true }

// finish drops the tasks whose results nobody reads, determines how long every
// tensor lives, and lays them out.
func (p *program) finish() error {
	p.prune()
	for now := range p.tasks {
		t := &p.tasks[now]
		t.temporaries = region{words: t.plan.TemporaryWords(), first: now, last: now}
		for _, i := range t.out {
			s := &p.slots[i]
			s.used, s.region = true, region{words: tensor.Words(s.spec), first: now, last: now}
			if s.kept {
				s.last = forever
			}
		}
		t.reads(func(i int) {
			p.slots[i].used, p.slots[i].last = true, max(p.slots[i].last, now)
		})
	}
	return p.place()
}

// prune drops the tasks whose results nobody reads.
func (p *program) prune() {
	needed := make([]bool, len(p.slots))
	for i := range p.slots {
		needed[i] = p.slots[i].kept
	}
	var live []task
	for _, t := range slices.Backward(p.tasks) {
		if slices.ContainsFunc(t.out, func(i int) bool { return needed[i] }) {
			live = append(live, t)
			t.reads(func(i int) { needed[i] = true })
		}
	}
	slices.Reverse(live)
	p.tasks = live
}

// reads calls do for every tensor that the task reads.
func (t *task) reads(do func(slot int)) {
	for k, i := range t.in {
		if !slices.Contains(t.plan.Unread, k) {
			do(i)
		}
	}
}

var errTooLarge = errors.New("the tensors' bytes do not fit in 63 bits")

// place lays the tensors out.
func (p *program) place() error {
	var regions []*region
	for i := range p.slots {
		if s := &p.slots[i]; s.inArena() {
			regions = append(regions, &s.region)
		}
	}
	for i := range p.tasks {
		regions = append(regions, &p.tasks[i].temporaries)
	}
	words, ok := place(regions)
	if p.words = words; !ok {
		return errTooLarge
	}
	return nil
}

// Memory is the memory for running a graph, exact to the byte.
type Memory struct {
	Arena    int // every tensor between the steps, and their temporaries
	Separate int // the arena's size if no two of them shared memory
	Scratch  int // of all threads
	Weights  int // filters, biases and the like
	Packed   int // the same, as the kernels pack them
	Input    int // one input as stored in its file, and the upstream gradient
}

// Total returns the sum, or an error when it does not fit an int.
func (m Memory) Total() (int, error) {
	total := m.Arena
	for _, n := range []int{m.Scratch, m.Weights, m.Packed, m.Input} {
		if total += n; total < 0 {
			return 0, errTooLarge
		}
	}
	return total, nil
}

// memory returns the program's memory with the given number of threads.
func (p *program) memory(threads int) Memory {
	m := Memory{Arena: 8 * p.words}
	for _, s := range p.slots {
		n, _ := s.spec.Bytes() // checked by the plan that uses it
		switch {
		case s.given:
			m.Input += n
		case s.operand != nil && s.used:
			m.Weights += n
		case s.inArena():
			m.Separate += 8 * s.words
		}
	}
	for _, t := range p.tasks {
		m.Separate += 8 * t.temporaries.words
		m.Packed += 8 * t.plan.KeptWords()
		m.Scratch = max(m.Scratch, threads*t.plan.Scratch())
	}
	return m
}

// inputs returns how many tensors the caller supplies: the first slots.
func (p *program) inputs() int {
	n := 0
	for n < len(p.slots) && p.slots[n].given {
		n++
	}
	return n
}

package pipeline

import (
	"errors"

	"github.com/poolctl/poolctl/internal/ops"
	"github.com/poolctl/poolctl/internal/tensor"
)

// program is plans to be run one after another, and the tensors between them.
// Tensors are laid out in one arena by how long they live: where one is needed
// no more, another may lie.
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
	region           // of the arena, for all others
}

// task is a plan on some of the tensors.
type task struct {
	plan        *ops.Plan
	node        *Node // that its errors are about; nil for the input section
	in, out     []int
	temporaries region
}

// forever is a task after every other.
const forever = int(^uint(0) >> 1)

// given adds a tensor that the caller supplies for each run.
func (p *program) given(spec tensor.Spec) int {
	p.slots = append(p.slots, slot{spec: spec, given: true})
	return len(p.slots) - 1
}

// constant adds a tensor beside a step's main inputs; one that is there already
// is used again.
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
	now := len(p.tasks)
	t := task{plan: plan, node: node, in: in, temporaries: region{words: plan.TemporaryWords(), first: now, last: now}}
	for _, i := range in {
		p.slots[i].last = max(p.slots[i].last, now)
	}
	for _, o := range plan.Outputs {
		t.out = append(t.out, len(p.slots))
		p.slots = append(p.slots, slot{spec: o.Spec, region: region{words: tensor.Words(o.Spec), first: now, last: now}})
	}
	p.tasks = append(p.tasks, t)
	return t.out
}

// keep makes a tensor last until the next run.
func (p *program) keep(slot int) { p.slots[slot].last = forever }

var errTooLarge = errors.New("the tensors' bytes do not fit in 63 bits")

// place lays the tensors out.
func (p *program) place() error {
	var regions []*region
	for i := range p.slots {
		if s := &p.slots[i]; !s.given && s.operand == nil {
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

// Memory is what running a graph takes, in bytes, to the byte.
type Memory struct {
	Arena    int // every tensor between the steps, and their temporaries
	Separate int // what the arena would be if no two of them shared a place
	Scratch  int // of all threads
	Weights  int // filters, biases and the like
	Packed   int // the same as the kernels want them
	Input    int // one input as its file has it, and the upstream gradient
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

// memory returns what the program takes with the given number of threads.
func (p *program) memory(threads int) Memory {
	m := Memory{Arena: 8 * p.words}
	for _, s := range p.slots {
		n, _ := s.spec.Bytes() // checked by the plan that uses it
		switch {
		case s.given:
			m.Input += n
		case s.operand != nil:
			m.Weights += n
		default:
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

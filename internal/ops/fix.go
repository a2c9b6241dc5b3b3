package ops

import "github.com/poolctl/poolctl/internal/tensor"

// Fix returns the plan for runners that get the same tensors at the given
// inputs in every run, such as a filter. What depends on those inputs only
// (conversion, packing) is computed in the first run and kept.
func (p *Plan) Fix(inputs ...int) *Plan {
	fixed := make([]bool, len(p.Buffers))
	for _, i := range inputs {
		fixed[i] = true
	}
	q := *p
	q.Stages, q.Once, q.kept = nil, nil, make([]bool, len(p.Buffers))
	for _, s := range p.Stages {
		if !p.onlyOf(&s, fixed) {
			q.Stages = append(q.Stages, s)
			continue
		}
		q.Once = append(q.Once, s)
		for _, i := range s.Made {
			fixed[i], q.kept[i] = true, true
		}
	}
	return &q
}

// onlyOf reports whether a stage makes temporaries from fixed buffers only.
func (p *Plan) onlyOf(s *Stage, fixed []bool) bool {
	for _, i := range s.Of {
		if !fixed[i] {
			return false
		}
	}
	for _, i := range s.Made {
		if i < p.Inputs+len(p.Outputs) {
			return false // outputs are the caller's and differ from run to run
		}
	}
	return s.Made != nil
}

// temporaries calls do for every temporary.
func (p *Plan) temporaries(do func(buffer int, kept bool)) {
	for i := p.Inputs + len(p.Outputs); i < len(p.Buffers); i++ {
		do(i, p.kept != nil && p.kept[i])
	}
}

// TemporaryWords returns the size of the temporaries that live within a run, in
// words of eight bytes.
func (p *Plan) TemporaryWords() int { return p.words(false) }

// KeptWords returns the size of the temporaries that a runner keeps between
// runs, in words of eight bytes.
func (p *Plan) KeptWords() int { return p.words(true) }

func (p *Plan) words(which bool) int {
	words := 0
	p.temporaries(func(i int, kept bool) {
		if kept == which {
			words += tensor.Words(p.Buffers[i])
		}
	})
	return words
}

package tensor

import (
	"math"
	"sync"
)

// Progress says how much of a tensor is ready while another goroutine is still
// writing it: a number of elements from the front, in memory order. The writer
// calls Reach and, once, End. Any number of readers call Wait and Ended. A nil
// Progress belongs to a complete tensor; telling it anything has no effect.
type Progress struct {
	mu      sync.Mutex
	changed sync.Cond
	reached int
	wanted  int // the smallest count that a reader waits for
	ended   bool
	err     error
}

// NewProgress returns the progress of a tensor of which nothing is ready.
func NewProgress() *Progress {
	p := &Progress{wanted: math.MaxInt}
	p.changed.L = &p.mu
	return p
}

// Reach says that the first n elements have their final values.
func (p *Progress) Reach(n int) {
	if p == nil {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.reached = max(p.reached, n)
	if p.reached >= p.wanted {
		p.wake()
	}
}

// End says that nothing more will be written: the tensor is complete, or err
// says why it never will be.
func (p *Progress) End(err error) {
	if p == nil {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.ended, p.err = true, err
	p.wake()
}

// wake wakes all readers. Those that must go on waiting set wanted again.
func (p *Progress) wake() {
	p.wanted = math.MaxInt
	p.changed.Broadcast()
}

// Wait returns when the first n elements are ready, and how many are, which may
// be more. If writing ended with an error, it returns that.
func (p *Progress) Wait(n int) (int, error) {
	if p == nil {
		return n, nil
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	for p.reached < n && !p.ended {
		p.wanted = min(p.wanted, n)
		p.changed.Wait()
	}
	return max(n, p.reached), p.err
}

// Ended waits for the end of the writing and returns its error.
func (p *Progress) Ended() error {
	if p == nil {
		return nil
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	for !p.ended {
		p.changed.Wait()
	}
	return p.err
}

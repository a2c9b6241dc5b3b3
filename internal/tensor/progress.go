package tensor

import (
	"math"
	"sync"
)

// Progress tells how much of a tensor is there while another goroutine is still
// writing it: so many elements from the front, in memory order. The writer calls
// Reach and, once, End; any number of readers call Wait and Ended. A nil Progress
// takes what it is told and belongs to a tensor that is complete.
type Progress struct {
	mu      sync.Mutex
	changed sync.Cond
	reached int
	wanted  int // the least that somebody waits for
	ended   bool
	err     error
}

// NewProgress returns the progress of a tensor of which nothing is there.
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

// wake wakes all who wait. They say again what they want.
func (p *Progress) wake() {
	p.wanted = math.MaxInt
	p.changed.Broadcast()
}

// Wait returns when the first n elements are there, with how many are, which may
// be more; or with the error that ended the writing.
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

// Ended returns when the writing has ended, with its error.
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

package ops

import (
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	"github.com/poolctl/poolctl/internal/ops/kernel"
)

// spinning is how long a thread looks for more work before it sleeps: about as
// long as waking it takes.
const spinning = 60 * time.Microsecond

// chunksPerThread makes chunks small enough for threads to end together, and
// large enough for them to seldom meet at the counter.
const chunksPerThread = 8

// Team is a set of threads, including the caller, that work on one thing at a
// time. Many runners may share a team, one after another. Between two calls of
// Do the other threads spin for a moment, in case the next call is near, and
// then sleep. A team with more threads than cores does not spin.
type Team struct {
	workers []*Worker
	scratch int // bytes of each worker
	spin    time.Duration

	// The current call of Do. It is written while no helper works on it.
	work  func(worker, lo, hi int)
	units int64
	chunk int64

	next    atomic.Int64  // the first unit that is not taken
	inside  atomic.Int64  // helpers in the current call; closed is added when it takes no more
	round   atomic.Uint64 // changes with each call
	closing atomic.Bool
	waiting atomic.Bool   // the caller sleeps until the last helper has left
	left    chan struct{} // wakes the caller
	helpers []helper
	ended   sync.WaitGroup
	failure atomic.Pointer[failure]
}

// helper is a thread of a team other than the caller's.
type helper struct {
	asleep atomic.Bool
	wake   chan struct{}
}

type failure struct{ cause any }

// apart separates the workers of different threads by a cache line.
type apart struct {
	Worker
	_ [128]byte
}

// closed makes Team.inside negative, however many helpers there are.
const closed = -1 << 32

// NewTeam starts threads-1 helpers; a team has at least one thread.
func NewTeam(threads int) *Team {
	threads = max(1, threads)
	t := &Team{left: make(chan struct{}, 1), helpers: make([]helper, threads-1)}
	if threads <= min(runtime.NumCPU(), runtime.GOMAXPROCS(0)) {
		t.spin = spinning
	}
	t.inside.Store(closed)
	for range threads {
		t.workers = append(t.workers, &new(apart).Worker)
	}
	for i := range t.helpers {
		h := &t.helpers[i]
		h.wake = make(chan struct{}, 1)
		t.ended.Go(func() { t.help(h, i+1) })
	}
	return t
}

// Threads returns the number of threads, including the caller.
func (t *Team) Threads() int { return len(t.workers) }

// Close stops the helpers and waits for them. The team must be idle.
func (t *Team) Close() {
	if t.closing.Swap(true) {
		return
	}
	t.call()
	t.ended.Wait()
}

// Do splits units 0 to units-1 into runs and calls work for each of them, on
// any thread and in any order. worker is the number of the thread. A run has at
// most chunk units (0 means an eighth of the fair share of a thread); runs get
// shorter towards the end, so that no thread waits long for the last one. Do
// returns when all units are done, and does not wait for helpers that wake too
// late. A panic of work ends the call early and continues in the caller. Only
// one call may run at a time, and work must not call Do of the same team. Do
// does not allocate.
func (t *Team) Do(units, chunk int, work func(worker, lo, hi int)) {
	if units <= 0 {
		return
	}
	if chunk <= 0 {
		chunk = max(1, units/(chunksPerThread*len(t.workers)))
	}
	if len(t.helpers) == 0 || units <= chunk {
		work(0, 0, units)
		return
	}
	t.work, t.units, t.chunk = work, int64(units), int64(chunk)
	t.next.Store(0)
	t.inside.Store(0)
	t.call()
	t.take(0)
	if t.inside.Add(closed) != closed {
		t.await()
	}
	t.work = nil // let its memory go
	if f := t.failure.Swap(nil); f != nil {
		panic(f.cause)
	}
}

// call starts a round and wakes the sleeping helpers.
func (t *Team) call() {
	t.round.Add(1)
	for i := range t.helpers {
		if h := &t.helpers[i]; h.asleep.CompareAndSwap(true, false) {
			h.wake <- struct{}{}
		}
	}
}

// take works on chunks until none is left. It keeps a panic for the caller.
func (t *Team) take(worker int) {
	defer func() {
		if cause := recover(); cause != nil {
			t.failure.CompareAndSwap(nil, &failure{cause})
			t.next.Store(t.units)
		}
	}()
	for {
		lo := t.next.Load()
		if lo >= t.units {
			return
		}
		hi := lo + min(t.chunk, max(1, (t.units-lo)/int64(2*len(t.workers))))
		if t.next.CompareAndSwap(lo, hi) {
			t.work(worker, int(lo), int(hi))
		}
	}
}

// await returns when the last helper has left.
func (t *Team) await() {
	if t.spins(func() bool { return t.inside.Load() == closed }) {
		return
	}
	t.waiting.Swap(true) // see help
	if t.inside.Load() == closed && t.waiting.CompareAndSwap(true, false) {
		return
	}
	<-t.left
}

// spins reports whether done becomes true within the time for spinning.
func (t *Team) spins(done func() bool) bool {
	if t.spin == 0 {
		return done()
	}
	for start := time.Now(); ; {
		for range 64 {
			if done() {
				return true
			}
		}
		if time.Since(start) > t.spin {
			return false
		}
	}
}

// help runs a helper until the team is closed.
func (t *Team) help(h *helper, worker int) {
	seen := uint64(0)
	called := func() bool { return t.round.Load() != seen }
	for {
		if !t.spins(called) {
			// Swap, not Store: the load after it must not move ahead. Go orders
			// both, but a team hung once where arm64 was emulated on amd64.
			h.asleep.Swap(true)
			if !called() || !h.asleep.CompareAndSwap(true, false) {
				<-h.wake
			}
		}
		// The order matters: closing is set before the round that wakes the
		// helper.
		seen = t.round.Load()
		if t.closing.Load() {
			return
		}
		if t.enter() {
			t.take(worker)
			if t.inside.Add(-1) == closed && t.waiting.CompareAndSwap(true, false) {
				t.left <- struct{}{}
			}
		}
	}
}

// enter reports whether the current call still takes helpers.
func (t *Team) enter() bool {
	for {
		n := t.inside.Load()
		if n < 0 {
			return false
		}
		if t.inside.CompareAndSwap(n, n+1) {
			return true
		}
	}
}

// reserve gives every worker at least that many bytes of scratch memory. The
// runners of a team share it.
func (t *Team) reserve(bytes int) {
	if bytes <= t.scratch {
		return
	}
	t.scratch = bytes
	for _, w := range t.workers {
		w.Scratch = kernel.NewScratch(bytes)
	}
}

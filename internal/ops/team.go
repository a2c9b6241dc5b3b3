package ops

import (
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	"github.com/poolctl/poolctl/internal/ops/kernel"
)

// spinning is how long a thread looks for more work before it sleeps. Waking a
// sleeping one takes about as long.
const spinning = 60 * time.Microsecond

// chunksPerThread divides work finely enough that threads end together, and
// coarsely enough that they seldom meet at the counter.
const chunksPerThread = 8

// Team is a set of threads, the caller's among them, that work on one thing at
// a time: many runners may share a team, one after another. Between two calls
// of Do the others spin for a moment, in case the next call is near, then sleep.
// A team with more threads than cores does not spin.
type Team struct {
	workers []*Worker
	scratch int // bytes that each worker has
	spin    time.Duration

	// What the current call of Do is about; written while no helper is in.
	work  func(worker, lo, hi int)
	units int64
	chunk int64

	next    atomic.Int64  // the first unit that nobody took
	inside  atomic.Int64  // helpers that work on the current call; closed is added when it takes no more
	round   atomic.Uint64 // changes with each call
	closing atomic.Bool
	waiting atomic.Bool   // the caller sleeps until the last helper has left
	left    chan struct{} // wakes it
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

// apart keeps the workers of different threads off each other's cache lines.
type apart struct {
	Worker
	_ [128]byte
}

// closed makes Team.inside negative whatever the number of helpers.
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

// Threads returns how many threads work, the caller's included.
func (t *Team) Threads() int { return len(t.workers) }

// Close ends the helpers and waits for them. The team must be idle.
func (t *Team) Close() {
	if t.closing.Swap(true) {
		return
	}
	t.call()
	t.ended.Wait()
}

// Do splits units 0 to units-1 into runs of at most chunk (0: an eighth of a
// thread's fair share), shorter towards the end, so that no thread waits long for
// the last one, and calls work for each run, on any thread and in any order;
// worker is the thread's number. It returns when all are done. Helpers that wake
// too late to find anything left are not waited for. A panic of work ends the
// call early and goes on in the caller. One call at a time; work must not call
// Do of the same team. Nothing is allocated.
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
	t.work = nil // do not keep its memory alive
	if f := t.failure.Swap(nil); f != nil {
		panic(f.cause)
	}
}

// call begins a round and wakes the helpers that sleep.
func (t *Team) call() {
	t.round.Add(1)
	for i := range t.helpers {
		if h := &t.helpers[i]; h.asleep.CompareAndSwap(true, false) {
			h.wake <- struct{}{}
		}
	}
}

// take works on chunks until none is left. A panic is kept for the caller.
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

// spins reports whether done comes true within the time for spinning.
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

// help is the life of a helper.
func (t *Team) help(h *helper, worker int) {
	seen := uint64(0)
	called := func() bool { return t.round.Load() != seen }
	for {
		if !t.spins(called) {
			// Swap and not Store: the load behind it must not come first. Go orders
			// both, but a team hung once where arm64 was emulated on amd64.
			h.asleep.Swap(true)
			if !called() || !h.asleep.CompareAndSwap(true, false) {
				<-h.wake
			}
		}
		// In this order: whoever closes says so before the round that wakes for it.
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

// reserve gives every worker scratch memory of so many bytes at least. Runners
// of a team share it.
func (t *Team) reserve(bytes int) {
	if bytes <= t.scratch {
		return
	}
	t.scratch = bytes
	for _, w := range t.workers {
		w.Scratch = kernel.NewScratch(bytes)
	}
}

package ops

import (
	"fmt"
	"runtime"
	"sync/atomic"
	"testing"
	"time"
)

// Every unit is done exactly once, in runs of at most chunk that get shorter
// towards the end, by workers of the team, whatever the numbers, and the team can be
// used again at once.
func TestTeamDoesEveryUnitOnce(t *testing.T) {
	for _, threads := range []int{0, 1, 2, 3, 8} {
		team := NewTeam(threads)
		for _, units := range []int{0, 1, 2, 3, 7, 16, 257, 4096} {
			for _, chunk := range []int{0, 1, 5, 5000} {
				done := make([]atomic.Int32, units)
				team.Do(units, chunk, func(worker, lo, hi int) {
					if worker < 0 || worker >= team.Threads() {
						panic(fmt.Sprintf("worker %d of %d", worker, team.Threads()))
					}
					if chunk > 0 && team.Threads() > 1 && hi-lo > max(chunk, 1) {
						panic(fmt.Sprintf("units %d to %d, the chunk is %d", lo, hi, chunk))
					}
					if team.Threads() > 1 && chunk < units && (hi-lo-1)*2*team.Threads() > units-lo {
						panic(fmt.Sprintf("units %d to %d, so near the end of %d", lo, hi, units))
					}
					for i := lo; i < hi; i++ {
						done[i].Add(1)
					}
				})
				for i := range done {
					if n := done[i].Load(); n != 1 {
						t.Fatalf("%d threads, %d units, chunk %d: unit %d done %d times", threads, units, chunk, i, n)
					}
				}
			}
		}
		team.Close()
	}
}

// Helpers take part: with one chunk for each thread, each of which waits for
// the others, the call can only end when all of them are in.
func TestTeamWorksTogether(t *testing.T) {
	const threads = 4
	team := NewTeam(threads)
	defer team.Close()
	for range 50 {
		var inside atomic.Int32
		var workers [threads]atomic.Int32
		team.Do(threads, 1, func(worker, _, _ int) {
			workers[worker].Add(1)
			inside.Add(1)
			for inside.Load() < threads {
				runtime.Gosched()
			}
		})
		for i := range workers {
			if n := workers[i].Load(); n != 1 {
				t.Fatalf("worker %d took %d units, want 1", i, n)
			}
		}
	}
}

// Calls follow each other without pause and after pauses long enough for the
// helpers to fall asleep; plain memory written by one is read by the next.
func TestTeamCallsInARow(t *testing.T) {
	team := NewTeam(3)
	defer team.Close()
	sums := make([]int, 64)
	for i := range 3000 {
		if i%500 == 0 {
			time.Sleep(time.Millisecond)
		}
		team.Do(len(sums), 1+i%7, func(_, lo, hi int) {
			for u := lo; u < hi; u++ {
				sums[u]++
			}
		})
	}
	for u, n := range sums {
		if n != 3000 {
			t.Fatalf("unit %d ran %d times, want 3000", u, n)
		}
	}
}

// A panic on any thread reaches the caller with its cause, and the team goes on
// working.
func TestTeamCarriesPanics(t *testing.T) {
	team := NewTeam(3)
	defer team.Close()
	for unit := range 40 {
		func() {
			defer func() {
				if cause := recover(); cause != unit {
					t.Errorf("unit %d: recovered %v", unit, cause)
				}
			}()
			team.Do(40, 1, func(_, lo, _ int) {
				if lo == unit {
					panic(unit)
				}
			})
			t.Errorf("unit %d: no panic", unit)
		}()
		var n atomic.Int32
		team.Do(40, 1, func(_, lo, hi int) { n.Add(int32(hi - lo)) })
		if n.Load() != 40 {
			t.Fatalf("after a panic: %d units, want 40", n.Load())
		}
	}
}

// Helpers sleep when nothing comes, at once where there are more threads than
// cores, and closing wakes them.
func TestTeamSleepsWhenIdle(t *testing.T) {
	crowd := runtime.NumCPU() + 1
	for _, threads := range []int{2, crowd} {
		team := NewTeam(threads)
		if threads == crowd && team.spin != 0 {
			t.Errorf("%d threads on %d cores spin", threads, runtime.NumCPU())
		}
		for range 3 {
			team.Do(64, 1, func(int, int, int) {})
			for deadline := time.Now().Add(10 * time.Second); ; time.Sleep(time.Millisecond) {
				sleeping := 0
				for i := range team.helpers {
					if team.helpers[i].asleep.Load() {
						sleeping++
					}
				}
				if sleeping == len(team.helpers) {
					break
				}
				if time.Now().After(deadline) {
					t.Fatalf("%d of %d helpers sleep", sleeping, len(team.helpers))
				}
			}
		}
		team.Close()
		team.Close()
	}
}

func TestTeamAllocatesNothing(t *testing.T) {
	team := NewTeam(2)
	defer team.Close()
	work := func(int, int, int) {}
	if n := testing.AllocsPerRun(200, func() { team.Do(32, 1, work) }); n >= 1 {
		t.Errorf("a call allocates %v times", n)
	}
}

// BenchmarkTeam is what a call costs by itself, helpers awake.
func BenchmarkTeam(b *testing.B) {
	team := NewTeam(runtime.NumCPU())
	defer team.Close()
	work := func(int, int, int) {}
	b.ReportAllocs()
	for b.Loop() {
		team.Do(16, 1, work)
	}
}

// TestTeamClosesRightAfterACall: a helper that wakes late for a call finds that
// the team closes.
func TestTeamClosesRightAfterACall(t *testing.T) {
	for i := range 20_000 {
		team := NewTeam(2 + i%8)
		team.Do(2, 1, func(_, _, _ int) {})
		ended := make(chan struct{})
		go func() { team.Close(); close(ended) }()
		select {
		case <-ended:
		case <-time.After(10 * time.Second):
			t.Fatalf("team %d does not close", i)
		}
	}
}

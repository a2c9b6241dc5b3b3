package batch

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"
)

func TestLocks(t *testing.T) {
	type run struct{ job, shard string }
	for _, c := range []struct {
		name          string
		first, second run
		busy          bool
	}{
		{"two whole runs", run{"a", ""}, run{"a", ""}, true},
		{"a whole run and a shard", run{"a", ""}, run{"a", "1-of-2"}, true},
		{"a shard and a whole run", run{"a", "1-of-2"}, run{"a", ""}, true},
		{"two shards", run{"a", "1-of-2"}, run{"a", "2-of-2"}, false},
		{"one shard twice", run{"a", "1-of-2"}, run{"a", "1-of-2"}, true},
		{"shards of two jobs", run{"a", "1-of-2"}, run{"b", "2-of-2"}, true},
	} {
		folder := t.TempDir()
		first, err := Acquire(t.Context(), folder, c.first.job, c.first.shard, false)
		if err != nil {
			t.Fatal(err)
		}
		second, err := Acquire(t.Context(), folder, c.second.job, c.second.shard, false)
		var busy *BusyError
		if errors.As(err, &busy) != c.busy || (err != nil) != c.busy {
			t.Errorf("%s: got %v, want busy %v", c.name, err, c.busy)
		}
		first.Release()
		if err == nil {
			second.Release()
		}
		third, err := Acquire(t.Context(), folder, c.second.job, c.second.shard, false)
		if err != nil {
			t.Errorf("%s: after the first has ended: %v", c.name, err)
			continue
		}
		third.Release()
	}
}

func TestWaitingForALock(t *testing.T) {
	folder := t.TempDir()
	first, err := Acquire(t.Context(), folder, "a", "", false)
	if err != nil {
		t.Fatal(err)
	}
	cause := errors.New("interrupted")
	ctx, cancel := context.WithCancelCause(t.Context())
	time.AfterFunc(50*time.Millisecond, func() { cancel(cause) })
	if _, err := Acquire(ctx, folder, "b", "", true); !errors.Is(err, cause) {
		t.Errorf("a wait that is interrupted: got %v", err)
	}
	time.AfterFunc(50*time.Millisecond, first.Release)
	second, err := Acquire(t.Context(), folder, "b", "", true)
	if err != nil {
		t.Fatal(err)
	}
	second.Release()
}

// TestShardsComeInTogether: shards of one job that start at the same time do not
// lock each other out.
func TestShardsComeInTogether(t *testing.T) {
	for range 50 {
		folder := t.TempDir()
		const n = 8
		var together sync.WaitGroup
		errs := make([]error, n)
		locks := make([]*Lock, n)
		for i := range n {
			together.Go(func() { locks[i], errs[i] = Acquire(t.Context(), folder, "a", fmt.Sprintf("%d-of-%d", i+1, n), false) })
		}
		together.Wait()
		for i, err := range errs {
			if err != nil {
				t.Fatalf("shard %d: %v", i+1, err)
			}
			locks[i].Release()
		}
	}
}

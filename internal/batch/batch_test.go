package batch

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/poolctl/poolctl/internal/imgio"
)

// upper is a job that writes the contents of a file in upper case.
var upper = Job[[]byte]{
	Load: func(i *Item) ([]byte, error) { return os.ReadFile(i.Path) },
	Compute: func(i *Item, text []byte) error {
		for _, name := range i.Outputs() {
			if err := os.MkdirAll(filepath.Dir(name), 0o777); err != nil {
				return err
			}
			if err := os.WriteFile(name, []byte(strings.ToUpper(string(text))), 0o666); err != nil {
				return err
			}
		}
		return nil
	},
}

// inputs writes n files into a new folder, and names their outputs in another.
func inputs(t *testing.T, n int) (items []Item, in, out string) {
	t.Helper()
	in, out = t.TempDir(), t.TempDir()
	for i := range n {
		write(t, filepath.Join(in, fmt.Sprintf("f%04d.png", i)), fmt.Sprintf("text %d", i))
	}
	return gather(t, in, out), in, out
}

func gather(t *testing.T, in, out string) []Item {
	t.Helper()
	items, err := Gather(Sources{Args: []string{in}, Output: out})
	if err != nil {
		t.Fatal(err)
	}
	namer, err := NewNamer(out, DefaultTemplate, []Product{{"a", ".npy"}, {"b", ".png"}})
	if err != nil {
		t.Fatal(err)
	}
	if err := namer.Name(items, imgio.NewFiles(false), false); err != nil {
		t.Fatal(err)
	}
	return items
}

func write(t *testing.T, name, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(name), 0o777); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(name, []byte(text), 0o666); err != nil {
		t.Fatal(err)
	}
}

// classes counts results.
func classes(results []Result) map[Class]int {
	count := map[Class]int{}
	for _, r := range results {
		count[r.Class]++
	}
	return count
}

func TestOneFailureDoesNotStopTheRest(t *testing.T) {
	items, _, _ := inputs(t, 10)
	job := upper
	job.Load = func(i *Item) ([]byte, error) {
		switch i.Index {
		case 3:
			return nil, errors.New("bad file")
		case 5:
			panic("bad reader")
		}
		return upper.Load(i)
	}
	resets := 0
	job.Reset = func() { resets++ }
	job.Compute = func(i *Item, text []byte) error {
		if i.Index == 7 {
			return fmt.Errorf("%d", text[i.Index*100]) // panics
		}
		return upper.Compute(i, text)
	}
	results, err := Run(t.Context(), items, job, Options{})
	if err != nil {
		t.Fatal(err)
	}
	for i, r := range results {
		index := i + 1
		wants := index == 3 || index == 5 || index == 7
		if (r.Class == Failed) != wants || (r.Err != nil) != wants {
			t.Errorf("input %d: %s, %v", index, r.Class, r.Err)
		}
	}
	for _, index := range []int{5, 7} {
		var fault *PanicError
		if err := results[index-1].Err; !errors.As(err, &fault) || !strings.Contains(err.Error(), "internal/batch/batch_test.go:") {
			t.Errorf("input %d: got %v, want an internal error with its place", index, err)
		}
	}
	if resets != 1 {
		t.Errorf("the job was reset %d times, want once, after the panic that computed", resets)
	}
}

func TestFailFastStopsAtTheFirstFailure(t *testing.T) {
	items, _, _ := inputs(t, 10)
	job := upper
	job.Load = func(i *Item) ([]byte, error) {
		if i.Index == 4 {
			return nil, errors.New("bad file")
		}
		return upper.Load(i)
	}
	results, err := Run(t.Context(), items, job, Options{FailFast: true})
	if !errors.Is(err, ErrStopped) {
		t.Fatalf("got %v, want %v", err, ErrStopped)
	}
	if got := classes(results); got[Done] != 3 || got[Failed] != 1 || got[Pending] != 6 {
		t.Errorf("got %v", got)
	}
}

// TestTheNextIsReadMeanwhile delays every computation until the next input has been
// read, and checks that no more than one is read ahead.
func TestTheNextIsReadMeanwhile(t *testing.T) {
	items, _, _ := inputs(t, 20)
	var read atomic.Int64
	arrived := make(chan struct{}, len(items))
	job := Job[int]{
		Load: func(i *Item) (int, error) {
			read.Add(1)
			arrived <- struct{}{}
			return i.Index, nil
		},
		Compute: func(_ *Item, index int) error {
			for int(read.Load()) < min(index+1, len(items)) {
				<-arrived
			}
			time.Sleep(time.Millisecond)
			if n := int(read.Load()); n > index+1 {
				return fmt.Errorf("%d were read while number %d was computed", n, index)
			}
			return nil
		},
	}
	results, err := Run(t.Context(), items, job, Options{})
	if err != nil || classes(results)[Done] != len(items) {
		t.Fatalf("got %v, %v", results, err)
	}
}

// TestInterruptionReturnsInTime stops a batch whose computation hangs, and one whose
// computation ends.
func TestInterruptionReturnsInTime(t *testing.T) {
	cause := errors.New("interrupted")
	for _, ends := range []bool{true, false} {
		items, _, _ := inputs(t, 10)
		ctx, cancel := context.WithCancelCause(t.Context())
		release := make(chan struct{})
		job := upper
		job.Compute = func(i *Item, text []byte) error {
			if i.Index == 4 {
				cancel(cause)
				if !ends {
					<-release
				}
			}
			return upper.Compute(i, text)
		}
		start := time.Now()
		results, err := Run(ctx, items, job, Options{Grace: 100 * time.Millisecond})
		took := time.Since(start)
		close(release)
		if !errors.Is(err, cause) || took > 5*time.Second {
			t.Fatalf("got %v after %s, want %v", err, took, cause)
		}
		want := map[Class]int{Done: 4, Pending: 6}
		if !ends {
			want = map[Class]int{Done: 3, Dropped: 1, Pending: 6}
		}
		if got := classes(results); fmt.Sprint(got) != fmt.Sprint(want) {
			t.Errorf("computation ends %v: got %v, want %v", ends, got, want)
		}
	}
}

// TestInterruptionDoesNotWaitForAReader stops a batch that waits for an input.
func TestInterruptionDoesNotWaitForAReader(t *testing.T) {
	items, _, _ := inputs(t, 3)
	ctx, cancel := context.WithCancelCause(t.Context())
	release := make(chan struct{})
	defer close(release)
	job := upper
	job.Load = func(i *Item) ([]byte, error) {
		if i.Index == 2 {
			cancel(errors.New("interrupted"))
			<-release
		}
		return upper.Load(i)
	}
	results, err := Run(ctx, items, job, Options{Grace: time.Second})
	if err == nil || classes(results)[Pending] < 2 {
		t.Errorf("got %v, %v", classes(results), err)
	}
}

// TestGoroutinesDoNotGrow counts goroutines during a batch.
func TestGoroutinesDoNotGrow(t *testing.T) {
	items, _, _ := inputs(t, 200)
	before, most := runtime.NumGoroutine(), 0
	_, err := Run(t.Context(), items, upper, Options{Finished: func(*Item, Result) { most = max(most, runtime.NumGoroutine()) }})
	if err != nil {
		t.Fatal(err)
	}
	if most > before+3 {
		t.Errorf("%d goroutines at work, %d before", most, before)
	}
	for start := time.Now(); runtime.NumGoroutine() > before; {
		if time.Since(start) > 5*time.Second {
			t.Fatalf("%d goroutines afterwards, %d before", runtime.NumGoroutine(), before)
		}
		time.Sleep(time.Millisecond)
	}
}

func TestShardsPartTheBatch(t *testing.T) {
	items, _, _ := inputs(t, 23)
	for n := 1; n <= 30; n++ {
		var all []int
		for i := 1; i <= n; i++ {
			part := Shard(items, i, n)
			if len(part) > (len(items)+n-1)/n {
				t.Errorf("shard %d/%d has %d of %d", i, n, len(part), len(items))
			}
			for _, item := range part {
				all = append(all, item.Index)
			}
		}
		slices.Sort(all)
		for i, index := range all {
			if index != i+1 {
				t.Fatalf("%d shards hold %v", n, all)
			}
		}
		if len(all) != len(items) {
			t.Fatalf("%d shards hold %d of %d", n, len(all), len(items))
		}
	}
}

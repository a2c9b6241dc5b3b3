package batch

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"strings"
	"time"
)

// Item is one input.
type Item struct {
	Path  string // the name to open
	Dir   string // its folder, relative to the folder that was given; "" for a file that was given by name
	Stem  string // the file's name without extension
	Index int    // in the whole batch, from 1

	namer *Namer
	hash  string // of the content; set only if outputs are named by it
}

// Outputs returns the names of the item's outputs, in the order of the products.
func (i *Item) Outputs() []string { return i.namer.outputs(i) }

// Output returns the name of one output.
func (i *Item) Output(p Product) string { return i.namer.path(i, p) }

// Job is the work on an input. Load runs for the next item while Compute runs for
// the current one. Neither runs twice at the same time.
type Job[T any] struct {
	Load    func(*Item) (T, error)
	Compute func(*Item, T) error // and write the item's Outputs

	// Reset is called after a panic of Compute, before Compute is called again.
	Reset func()
}

// Options say how a batch runs.
type Options struct {
	FailFast bool          // stop at the first failure
	Grace    time.Duration // how long Compute may continue after the context ends
	Journal  *Journal      // nil: nothing is recorded
	Resume   bool          // skip items that the journal proves to be done

	// Started and Finished report progress. They are called on one goroutine.
	Started  func(*Item)
	Finished func(*Item, Result)
}

// Class is the outcome of an input.
type Class uint8

// The classes. A Dropped input was in progress when the run was stopped, a Pending
// one had not been started.
const (
	Pending Class = iota
	Done
	Skipped
	Failed
	Dropped
)

var classNames = [...]string{"pending", "done", "skipped", "failed", "dropped"}

// String returns the class's name in lower case.
func (c Class) String() string { return classNames[c] }

// Result is the outcome of an input and its cause.
type Result struct {
	Class   Class
	Err     error         // of a failed one
	Elapsed time.Duration // loading, computing and writing
}

// PanicError reports a bug in the program that an input triggered.
type PanicError struct {
	Cause any
	Where string // file:line of the function that panicked
}

func (e *PanicError) Error() string {
	return fmt.Sprintf("internal error, please report it with this input and the pipeline file: %v (%s)", e.Cause, e.Where)
}

// ErrStopped is the error of a batch that FailFast stopped.
var ErrStopped = errors.New("stopped at the first failure")

// loaded is an item that the reading goroutine passes to the computing one.
type loaded[T any] struct {
	item    *Item
	data    T
	input   fingerprint
	skip    bool
	err     error
	elapsed time.Duration
}

// Run works through the items in order and returns a result for each. The error is
// ErrStopped, the cause of the context, or a *JournalError. Failures of items are
// reported in the results only.
func Run[T any](ctx context.Context, items []Item, job Job[T], o Options) ([]Result, error) {
	results := make([]Result, len(items))
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	queue := make(chan loaded[T]) // unbuffered: one item is being computed, one is ready
	go func() {
		defer close(queue)
		for i := range items {
			if ctx.Err() != nil {
				return
			}
			next := load(&items[i], job, o)
			select {
			case queue <- next:
			case <-ctx.Done():
				return
			}
		}
	}()
	for i := range items {
		item := &items[i]
		next, ok := receive(ctx, queue)
		if !ok {
			break
		}
		if o.Started != nil {
			o.Started(item)
		}
		finished := make(chan Result, 1)
		go func() { finished <- compute(next, job, o) }()
		r, ok := await(ctx, finished, o.Grace)
		if !ok {
			r = Result{Class: Dropped}
		}
		results[i] = r
		if o.Finished != nil {
			o.Finished(item, r)
		}
		var journal *JournalError
		switch {
		case !ok:
			return results, context.Cause(ctx)
		case errors.As(r.Err, &journal):
			return results, journal
		case r.Class == Failed && o.FailFast:
			return results, ErrStopped
		}
	}
	return results, context.Cause(ctx)
}

// receive returns the next item from the reading goroutine, unless the context ends
// first.
func receive[T any](ctx context.Context, queue <-chan loaded[T]) (next loaded[T], ok bool) {
	if ctx.Err() != nil {
		return next, false
	}
	select {
	case next, ok = <-queue:
		return next, ok
	case <-ctx.Done():
		return next, false
	}
}

// await waits for a result, but no longer than grace after the context ends.
func await(ctx context.Context, finished <-chan Result, grace time.Duration) (Result, bool) {
	select {
	case r := <-finished:
		return r, true
	case <-ctx.Done():
	}
	timer := time.NewTimer(grace)
	defer timer.Stop()
	select {
	case r := <-finished:
		return r, true
	case <-timer.C:
		return Result{}, false
	}
}

// load reads an item unless it is done already.
func load[T any](item *Item, job Job[T], o Options) (l loaded[T]) {
	start := time.Now()
	l.item = item
	defer func() { l.elapsed = time.Since(start) }()
	l.err = guarded(func() (err error) {
		if o.Journal != nil {
			if l.input, err = fingerprintOf(item.Path); err != nil {
				return err
			}
			if item.hash != "" && l.input.SHA256 != item.hash {
				return errChanged
			}
			if o.Resume && o.Journal.done(item, l.input) {
				l.skip = true
				return nil
			}
		}
		l.data, err = job.Load(item)
		return err
	})
	return l
}

// compute computes an item and records it.
func compute[T any](l loaded[T], job Job[T], o Options) Result {
	start := time.Now()
	if l.skip {
		return Result{Class: Skipped, Elapsed: l.elapsed}
	}
	err := l.err
	if err == nil {
		err = guarded(func() error { return job.Compute(l.item, l.data) })
		var fault *PanicError
		if errors.As(err, &fault) && job.Reset != nil {
			job.Reset()
		}
	}
	if err == nil && o.Journal != nil {
		if err = l.input.unchanged(l.item.Path); err == nil {
			err = o.Journal.record(l.item, l.input)
		}
	}
	r := Result{Class: Done, Err: err, Elapsed: l.elapsed + time.Since(start)}
	if err != nil {
		r.Class = Failed
	}
	return r
}

// guarded calls work and converts a panic to a *PanicError.
func guarded(f func() error) (err error) {
	defer func() {
		if cause := recover(); cause != nil {
			err = &PanicError{cause, origin()}
		}
	}()
	return f()
}

// origin returns the place of the panic that was just recovered: the innermost
// function of this program on the stack.
func origin() string {
	var pcs [64]uintptr
	frames := runtime.CallersFrames(pcs[:runtime.Callers(0, pcs[:])])
	panicked := false
	for {
		frame, more := frames.Next()
		if frame.Function == "runtime.gopanic" {
			panicked = true
		} else if _, place, ours := strings.Cut(frame.File, "/internal/"); panicked && ours && strings.HasPrefix(frame.Function, module) {
			return fmt.Sprintf("internal/%s:%d", place, frame.Line)
		}
		if !more {
			return runtime.Version()
		}
	}
}

// module is the prefix of the names of this program's functions.
const module = "github.com/poolctl/poolctl/"

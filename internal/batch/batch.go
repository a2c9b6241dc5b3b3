// Package batch works through many inputs: it finds them, names their outputs,
// reads one while the one before is computed, goes on after a failure, remembers
// what is done, and keeps other runs out of the folder that it writes to.
//
// What is done with an input is a Job, two functions; the package knows nothing
// of tensors or pipelines, and prints nothing.
//
// It promises: memory and descriptors do not grow with the number of inputs, but
// for their names and some fifty bytes each; a panic of a job is the failure of
// one input; when the context ends, Run returns within Options.Grace; an input
// counts as done in the journal only after its outputs have their names.
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
	Path  string // as it is opened
	Dir   string // the folder that holds it, relative to the one that was given; "" for a file that was given itself
	Stem  string // the file's name without extension
	Index int    // in the whole batch, from 1

	namer *Namer
	hash  string // of the content; only when the outputs are named by it
}

// Outputs returns the names of the item's outputs, in the order of the namer's
// products.
func (i *Item) Outputs() []string { return i.namer.outputs(i) }

// Output returns the name of one of the item's outputs.
func (i *Item) Output(p Product) string { return i.namer.path(i, p) }

// Job is what is done with an input. Load of the next item runs while Compute
// works on the one before; neither runs twice at once.
type Job[T any] struct {
	Load    func(*Item) (T, error)
	Compute func(*Item, T) error // and write the item's Outputs

	// Reset is called after Compute has panicked, before it is called again.
	Reset func()
}

// Options say how a batch runs.
type Options struct {
	FailFast bool          // stop at the first failure
	Grace    time.Duration // how long Compute may go on after the context ended
	Journal  *Journal      // nil: nothing is remembered
	Resume   bool          // skip what the journal has and is still so

	// Started and Finished tell of progress, from one goroutine.
	Started  func(*Item)
	Finished func(*Item, Result)
}

// Class is what became of an input.
type Class uint8

// The classes. Dropped is an input that was being worked on when the run was
// stopped, Pending one that was not begun.
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

// Result is what became of an input, and why.
type Result struct {
	Class   Class
	Err     error         // of a failed one
	Elapsed time.Duration // loading, computing and writing
}

// PanicError is a fault of the program's own that one input met.
type PanicError struct {
	Cause any
	Where string // file:line of the function that panicked
}

func (e *PanicError) Error() string {
	return fmt.Sprintf("internal error, please report it with this input and the pipeline file: %v (%s)", e.Cause, e.Where)
}

// ErrStopped is the error of a batch that ended at a failure as FailFast asks.
var ErrStopped = errors.New("stopped at the first failure")

// loaded is an item on its way from the reading goroutine to the computing one.
type loaded[T any] struct {
	item    *Item
	data    T
	input   fingerprint
	skip    bool
	err     error
	elapsed time.Duration
}

// Run works through the items in their order and returns what became of each.
// The error is ErrStopped, the context's cause, or that of the journal; failures
// of items are in the results alone.
func Run[T any](ctx context.Context, items []Item, job Job[T], o Options) ([]Result, error) {
	results := make([]Result, len(items))
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	queue := make(chan loaded[T]) // unbuffered: one is computed, one is ready
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

// receive returns what the reading goroutine sends, unless the context ends
// before.
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

// await waits for a result; when the context ends, for no longer than grace.
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

// load reads an item, or finds that it need not be.
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

// compute finishes what load began.
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

// guarded turns a panic into an error.
func guarded(f func() error) (err error) {
	defer func() {
		if cause := recover(); cause != nil {
			err = &PanicError{cause, origin()}
		}
	}()
	return f()
}

// origin returns where in this program a panic arose that was just recovered
// from: the innermost function of its own that was at work.
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

// module begins the names of the program's own functions.
const module = "github.com/poolctl/poolctl/"

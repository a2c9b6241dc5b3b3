package cli

import (
	"context"
	"os"
	"os/signal"
	"sync"
	"syscall"
	"time"

	"github.com/poolctl/poolctl/internal/imgio"
)

// signalError is a signal that ended the program.
type signalError struct {
	word string
	code int
}

func (e *signalError) Error() string { return e.word }

// endsOn are the signals that end the program, each with the error that it ends
// with. SIGHUP, a closed terminal, counts as SIGTERM.
var endsOn = map[os.Signal]*signalError{
	os.Interrupt:    {"interrupted", exitInterrupted},
	syscall.SIGTERM: {"terminated", exitTerminated},
	syscall.SIGHUP:  {"terminated", exitTerminated},
}

// lastWord is how long a batch may take to stop and report after a signal.
const lastWord = 900 * time.Millisecond

// interrupts holds the function that a signal calls.
type interrupts struct {
	mutex  sync.Mutex
	cancel context.CancelCauseFunc // nil: the program ends at once
}

// watchSignals ends the program with the documented code when it is interrupted
// or terminated, leaving no temporary file behind: at once, or, when a batch is
// at work, after the batch has stopped and reported. A second signal always
// ends it at once. A signal that was ignored when the program started, as under
// nohup, stays ignored. It returns a function that stops watching.
func (a *app) watchSignals() (stop func()) {
	signals := make(chan os.Signal, 2)
	for s := range endsOn {
		if !signal.Ignored(s) {
			signal.Notify(signals, s)
		}
	}
	done := make(chan struct{})
	stderr := a.err
	go func() {
		var end *signalError
		select {
		case s := <-signals:
			end = endsOn[s]
		case <-done:
			return
		}
		a.interrupts.mutex.Lock()
		cancel := a.interrupts.cancel
		a.interrupts.mutex.Unlock()
		if cancel != nil {
			cancel(end)
			select {
			case s := <-signals:
				end = endsOn[s]
			case <-time.After(lastWord):
			case <-done:
				return
			}
		}
		imgio.RemoveTemporaries()
		_, _ = stderr.Write([]byte("poolctl: error: " + end.word + "\n"))
		os.Exit(end.code)
	}()
	return func() {
		signal.Stop(signals)
		close(done)
	}
}

// interruptible returns a context. The first signal then cancels it, with a
// *signalError as the cause, and does not end the program. The caller must then
// finish within lastWord. release gives signals their usual effect back.
func (a *app) interruptible() (ctx context.Context, release func()) {
	ctx, cancel := context.WithCancelCause(context.Background())
	set := func(c context.CancelCauseFunc) {
		a.interrupts.mutex.Lock()
		defer a.interrupts.mutex.Unlock()
		a.interrupts.cancel = c
	}
	set(cancel)
	return ctx, func() {
		set(nil)
		cancel(nil)
	}
}

package cli

import (
	"os"
	"os/signal"
	"syscall"

	"github.com/poolctl/poolctl/internal/imgio"
)

// watchSignals ends the program with the documented code when it is interrupted
// or terminated, leaving no temporary file behind. It returns a function that
// stops watching.
func (a *app) watchSignals() (stop func()) {
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM)
	done := make(chan struct{})
	go func() {
		select {
		case s := <-signals:
			imgio.RemoveTemporaries()
			code, word := exitInterrupted, "interrupted"
			if s == syscall.SIGTERM {
				code, word = exitTerminated, "terminated"
			}
			_, _ = a.err.Write([]byte("poolctl: error: " + word + "\n"))
			os.Exit(code)
		case <-done:
		}
	}()
	return func() {
		signal.Stop(signals)
		close(done)
	}
}

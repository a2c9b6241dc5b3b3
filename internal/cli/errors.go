package cli

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"unicode"

	"github.com/spf13/cobra"

	"github.com/poolctl/poolctl/internal/batch"
	"github.com/poolctl/poolctl/internal/config"
	"github.com/poolctl/poolctl/internal/imgio"
	"github.com/poolctl/poolctl/internal/pipeline"
)

// The exit codes. They are part of the contract with scripts.
const (
	exitDone        = 0
	exitData        = 1 // input, output or data error
	exitUsage       = 2 // the command line or the configuration is invalid
	exitDiffers     = 3 // a comparison or a check differs
	exitPartial     = 4 // part of a batch failed
	exitLimit       = 5 // refused by a limit before any work
	exitInterrupted = 130
	exitTerminated  = 143
)

// usageError is an invalid command line, whatever the input.
type usageError struct{ text, hint string }

func (e *usageError) Error() string { return e.text }
func (e *usageError) Hint() string  { return e.hint }

func usagef(format string, args ...any) error { return &usageError{fmt.Sprintf(format, args...), ""} }

// limitError is work refused by a limit.
type limitError struct{ text, hint string }

func (e *limitError) Error() string { return e.text }
func (e *limitError) Hint() string  { return e.hint }

// hinted adds a hint to an error.
type hinted struct {
	error
	hint string
}

func (e *hinted) Unwrap() error { return e.error }
func (e *hinted) Hint() string  { return e.hint }

// commandError is an error of a command below another one, such as `grad pool`.
type commandError struct {
	error
	parents string
}

func (e *commandError) Error() string { return e.parents + " " + e.error.Error() }
func (e *commandError) Unwrap() error { return e.error }

// ofSubcommand makes an error that begins with the name of its command begin
// with the names of the commands above it too: `grad pool: …`.
func ofSubcommand(cmd *cobra.Command, err error) error {
	if err == nil || !cmd.HasParent() || !cmd.Parent().HasParent() || !strings.HasPrefix(err.Error(), cmd.Name()+": ") {
		return err
	}
	return &commandError{err, strings.TrimPrefix(cmd.Parent().CommandPath(), cmd.Root().Name()+" ")}
}

// batchError ends a batch that has reported the result of each input: some of
// them failed, or it was stopped early.
type batchError struct {
	text, hint string
	code       int
}

func (e *batchError) Error() string { return e.text }
func (e *batchError) Hint() string  { return e.hint }

// errDiffers ends a command that found a difference and has reported it.
var errDiffers = errors.New("differs")

// keepsReport reports whether a command's output is kept although it ends with
// this error.
func keepsReport(err error) bool {
	var batch *batchError
	return errors.Is(err, errDiffers) || errors.As(err, &batch)
}

// mostFaults bounds the faults of a pipeline file that are printed; JSON has all
// of them.
const mostFaults = 20

// report prints an error, if there is one, and returns the exit code.
func (a *app) report(err error) int {
	if err == nil {
		return exitDone
	}
	code := exitCode(err)
	if errors.Is(err, errDiffers) {
		return code
	}
	text, more, hint := printable(err.Error()), []string(nil), hintFor(err)
	if faults := faultsOf(err); len(faults) > 1 {
		text, more = fmt.Sprintf("%s (and %d more)", faults[0], len(faults)-1), faults[1:]
	}
	if a.JSON {
		line, _ := json.Marshal(errorReport{"poolctl.error/v1", text, more, hint, code})
		fmt.Fprintf(a.err, "%s\n", line)
		return code
	}
	fmt.Fprintf(a.err, "poolctl: error: %s\n", text)
	for i, line := range more {
		if i == mostFaults-1 {
			fmt.Fprintf(a.err, "  and %d more\n", len(more)-i)
			break
		}
		fmt.Fprintf(a.err, "  %s\n", line)
	}
	if hint != "" {
		fmt.Fprintf(a.err, "poolctl: hint: %s\n", hint)
	}
	return code
}

// faultsOf returns the errors of a pipeline file, ready to print.
func faultsOf(err error) []string {
	var (
		file  config.PipelineFaults
		steps pipeline.Faults
		list  []string
	)
	switch {
	case errors.As(err, &file):
		for _, f := range file {
			list = append(list, printable(f.Error()))
		}
	case errors.As(err, &steps):
		for _, f := range steps {
			list = append(list, printable(f.Error()))
		}
	}
	return list
}

// exitCode classifies an error.
func exitCode(err error) int {
	var (
		usage     *usageError
		fileUsage *imgio.UsageError
		limit     *limitError
		fileLimit *imgio.LimitError
		runs      *batch.UsageError
		runsLimit *batch.LimitError
		stopped   *batchError
		ended     *signalError
	)
	switch {
	case errors.Is(err, errDiffers):
		return exitDiffers
	case errors.As(err, &stopped):
		return stopped.code
	case errors.As(err, &ended):
		return ended.code
	case errors.As(err, &usage), pipelineFault(err), errors.As(err, &fileUsage), errors.As(err, &runs):
		return exitUsage
	case errors.As(err, &limit), errors.As(err, &fileLimit), errors.As(err, &runsLimit):
		return exitLimit
	default:
		return exitData
	}
}

// hinting is an error that knows what to do about it.
type hinting interface {
	error
	Hint() string // on the command line; may be empty
}

// hintFor returns what the error, or one that it wraps, says to do about it; ""
// for faults of a pipeline file, which has no flags.
func hintFor(err error) string {
	if faultsOf(err) != nil {
		return ""
	}
	var h hinting
	for errors.As(err, &h) {
		if h.Hint() != "" {
			return h.Hint()
		}
		err = errors.Unwrap(h)
	}
	return ""
}

// printable escapes control characters, so that a file's name cannot steer the
// terminal or break the line.
func printable(text string) string {
	var b strings.Builder
	for _, r := range text {
		if unicode.IsControl(r) || r == unicode.ReplacementChar {
			fmt.Fprintf(&b, "\\u%04x", r)
			continue
		}
		b.WriteRune(r)
	}
	return b.String()
}

// errorReport is the JSON of an error.
type errorReport struct {
	Schema string   `json:"schema"`
	Error  string   `json:"error"`
	More   []string `json:"more,omitempty"` // the other errors of a pipeline file
	Hint   string   `json:"hint,omitempty"`
	Code   int      `json:"exit_code"`
}

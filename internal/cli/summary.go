package cli

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"strings"
	"time"

	"github.com/jedib0t/go-pretty/v6/table"
	"github.com/jedib0t/go-pretty/v6/text"

	"github.com/poolctl/poolctl/internal/batch"
	"github.com/poolctl/poolctl/internal/report"
)

// summary is the report of a batch. Only Started, Seconds and the inputs'
// Seconds differ between two runs that do the same.
type summary struct {
	Schema   string       `json:"schema"`
	Version  string       `json:"version"`
	Command  string       `json:"command"`
	Pipeline batch.Name   `json:"pipeline"`
	Job      string       `json:"job"` // identifies the pipeline, its weights, the settings and the version
	Output   batch.Name   `json:"output"`
	Shard    string       `json:"shard,omitempty"`
	Started  time.Time    `json:"started"`
	Seconds  float64      `json:"seconds"`
	Stopped  string       `json:"stopped,omitempty"` // why some inputs were not computed
	ExitCode int          `json:"exit_code"`
	Counts   batchCounts  `json:"counts"`
	Inputs   []batchInput `json:"inputs"`

	failures []failure
	began    time.Time
}

type batchCounts struct {
	Inputs  int `json:"inputs"`
	Done    int `json:"done"`
	Skipped int `json:"skipped"` // done by an earlier run
	Failed  int `json:"failed"`
	Dropped int `json:"dropped"` // being worked on when the run was stopped
	Pending int `json:"pending"` // not begun
}

// batchInput is the result of one input.
type batchInput struct {
	Input   batch.Name   `json:"input"`
	Class   string       `json:"class"`
	Fault   string       `json:"fault,omitempty"` // of a failed one: input, usage, limit or internal
	Error   string       `json:"error,omitempty"`
	Seconds float64      `json:"seconds,omitempty"` // reading, computing and writing
	Outputs []batch.Name `json:"outputs,omitempty"` // of one that is done, now or by an earlier run
}

// failure is an input that failed.
type failure struct {
	name string
	err  error
}

func newSummary(w work, b *batchFlags) *summary {
	now := time.Now()
	return &summary{began: now, Schema: "poolctl.run/v1", Version: versionText(), Command: w.command, Pipeline: batch.Name(w.pipeline), Job: w.key,
		Output: batch.Name(b.Output), Shard: b.Shard.String(), Started: now.UTC().Truncate(time.Millisecond), Inputs: []batchInput{}}
}

// finish fills in the counts and, if each is set, the result of each input.
func (s *summary) finish(items []batch.Item, results []batch.Result, each bool) {
	s.Seconds = inSeconds(time.Since(s.began))
	s.Counts.Inputs = len(items)
	for i, r := range results {
		switch r.Class {
		case batch.Pending:
			s.Counts.Pending++
		case batch.Done:
			s.Counts.Done++
		case batch.Skipped:
			s.Counts.Skipped++
		case batch.Failed:
			s.Counts.Failed++
			s.failures = append(s.failures, failure{items[i].Path, r.Err})
		case batch.Dropped:
			s.Counts.Dropped++
		}
		if each {
			s.Inputs = append(s.Inputs, became(&items[i], r))
		}
	}
}

// became describes the result of one input.
func became(item *batch.Item, r batch.Result) batchInput {
	in := batchInput{Input: batch.Name(item.Path), Class: r.Class.String(), Seconds: inSeconds(r.Elapsed)}
	switch r.Class {
	case batch.Failed:
		in.Fault, in.Error = faultClass(r.Err), errorLine(r.Err)
	case batch.Done, batch.Skipped:
		for _, name := range item.Outputs() {
			in.Outputs = append(in.Outputs, batch.Name(name))
		}
	case batch.Pending, batch.Dropped:
	}
	return in
}

// inSeconds returns a time to the microsecond.
func inSeconds(d time.Duration) float64 { return math.Round(d.Seconds()*1e6) / 1e6 }

// faultClass classifies an error by where its fault lies.
func faultClass(err error) string {
	var internal *batch.PanicError
	if errors.As(err, &internal) {
		return "internal"
	}
	switch exitCode(err) {
	case exitUsage:
		return "usage"
	case exitLimit:
		return "limit"
	default:
		return "input"
	}
}

// errorLine returns an error as one printable line.
func errorLine(err error) string {
	if faults := faultsOf(err); len(faults) > 1 {
		return fmt.Sprintf("%s (and %d more)", faults[0], len(faults)-1)
	}
	return printable(err.Error())
}

// outcome returns the error that a batch ends with; stopped is why it ended
// early.
func (s *summary) outcome(stopped error) error {
	var signal *signalError
	done := fmt.Sprintf("%s of %s inputs are done", report.Count(s.Counts.Done+s.Counts.Skipped), report.Count(s.Counts.Inputs))
	switch {
	case errors.As(stopped, &signal):
		s.Stopped = signal.word
		if s.Counts.Inputs == 1 {
			return signal
		}
		return &batchError{signal.word + ": " + done, "--resume goes on from there", signal.code}
	case errors.Is(stopped, batch.ErrStopped):
		s.Stopped = "first failure"
		f := s.failures[len(s.failures)-1]
		return &batchError{fmt.Sprintf("%s: stopped at the first failure; %s", withName(f), done), "--resume goes on from there", exitPartial}
	case stopped != nil:
		s.Stopped = errorLine(stopped)
		return &batchError{s.Stopped + "; " + done, hintFor(stopped), exitCode(stopped)}
	case s.Counts.Failed == 0:
		return nil
	}
	usage := 0 // errors of the pipeline itself that only an input revealed
	for _, f := range s.failures {
		if exitCode(f.err) == exitUsage {
			usage++
		}
	}
	if usage == s.Counts.Inputs {
		return s.failures[0].err
	}
	return &batchError{fmt.Sprintf("%s of %s inputs failed", report.Count(s.Counts.Failed), report.Count(s.Counts.Inputs)), "", exitPartial}
}

// withName returns a failure's reason with the input's name in front.
func withName(f failure) string {
	text, name := errorLine(f.err), printable(f.name)
	if strings.Contains(text, name) {
		return text
	}
	return name + ": " + text
}

// write writes the summary as JSON.
func (s *summary) write(w io.Writer) error { return json.NewEncoder(w).Encode(s) }

// mostRows bounds the table of failures; the summary has all of them.
const mostRows = 50

// noteSummary prints the table of failures and the counts.
func (a *app) noteSummary(s *summary) {
	if a.Quiet {
		return
	}
	if len(s.failures) > 0 {
		t := table.NewWriter()
		t.SetStyle(table.StyleLight)
		t.SetColumnConfigs([]table.ColumnConfig{
			{Number: 1, WidthMax: 60, WidthMaxEnforcer: text.WrapHard},
			{Number: 3, WidthMax: 80, WidthMaxEnforcer: text.WrapSoft},
		})
		t.AppendHeader(table.Row{"failed", "fault", "why"})
		for i, f := range s.failures {
			if i == mostRows {
				break
			}
			name := printable(f.name)
			t.AppendRow(table.Row{name, faultClass(f.err), strings.TrimPrefix(errorLine(f.err), name+": ")})
		}
		fmt.Fprintln(a.err, t.Render())
		if more := len(s.failures) - mostRows; more > 0 {
			a.note("%s more failed; --summary FILE lists all", report.Count(more))
		}
	}
	var parts []string
	for _, c := range []struct {
		n    int
		word string
	}{{s.Counts.Done, "done"}, {s.Counts.Skipped, "done before"}, {s.Counts.Failed, "failed"}, {s.Counts.Dropped, "dropped"}, {s.Counts.Pending, "not begun"}} {
		if c.n > 0 {
			parts = append(parts, report.Count(c.n)+" "+c.word)
		}
	}
	if parts == nil {
		parts = []string{"no inputs"}
	}
	a.note("%s, in %s", strings.Join(parts, ", "), shortTime(time.Duration(s.Seconds*float64(time.Second))))
}

package cli

import (
	"fmt"

	"github.com/spf13/pflag"

	"github.com/poolctl/poolctl/internal/batch"
	"github.com/poolctl/poolctl/internal/imgio"
	"github.com/poolctl/poolctl/internal/pipeline"
)

// dryRun holds the flags of a command that can stop before it computes.
type dryRun struct {
	Only   bool
	Report string
	Why    bool
}

func (d *dryRun) add(flags *pflag.FlagSet) {
	flags.BoolVar(&d.Only, "dry-run", false, "print the shape report for every type and shape among the inputs, and stop; only headers are read")
	flags.Var(&choiceValue{&d.Report, reportFormats}, "report", "with --dry-run, print the shape report as `FORMAT`: text, json, csv or markdown")
	flags.BoolVar(&d.Why, "why", false, "with --dry-run, say which kernels run and why faster ones do not")
}

// checkRun refuses wrong flags of a batch. --dry-run needs fewer of them.
func checkRun(command string, b *batchFlags, d *dryRun, inputs []string) error {
	switch {
	case d.Only:
		return nil
	case d.Report != "":
		return usagef("%s: report: only applies with --dry-run", command)
	case d.Why:
		return usagef("%s: why: only applies with --dry-run", command)
	}
	return b.check(command, inputs)
}

// dryRun prints the report of every graph that the inputs need. An input that
// fails does not stop the others.
func (j *pipelineJob) dryRun(d *dryRun, b *batchFlags, inputs []string) error {
	items, err := batch.Gather(b.sources(j.a, inputs))
	if err != nil {
		return err
	}
	s := summary{Counts: batchCounts{Inputs: len(items)}}
	seen := map[string]bool{} // types and shapes
	for _, item := range items {
		err := j.dryRunOne(d, &item, len(items) > 1, seen)
		if err != nil && len(items) == 1 {
			return err
		}
		if err != nil {
			s.failures = append(s.failures, failure{item.Path, err})
			s.Counts.Failed++
		}
	}
	outcome := s.outcome(nil)
	if keepsReport(outcome) {
		for _, f := range s.failures {
			j.a.report(&namedError{f})
		}
	}
	return outcome
}

// dryRunOne prints the report of the graph for one input, unless it was printed
// before.
func (j *pipelineJob) dryRunOne(d *dryRun, item *batch.Item, several bool, seen map[string]bool) error {
	source, err := imgio.Open(item.Path, j.files)
	if err != nil {
		return err
	}
	defer source.Close()
	in := pipeline.Input{Spec: source.Info.Spec, Picture: source.Info.Picture}
	key := fmt.Sprint(in)
	if seen[key] {
		return nil
	}
	g, err := j.graphs.Graph(in)
	if err != nil {
		return err
	}
	seen[key] = true
	j.a.noteInputLayout(item.Path, g)
	return j.a.writeNetwork(g, j.form(&source.Info), &source.Info, several, j.a.reportFormat(d.Report, true), d.Why)
}

// namedError is a failure that names its input.
type namedError struct{ failure }

func (e *namedError) Error() string { return withName(e.failure) }

// Unwrap returns the cause, which has the exit code and the hint.
func (e *namedError) Unwrap() error { return e.err }

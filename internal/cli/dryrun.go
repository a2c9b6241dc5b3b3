package cli

import (
	"fmt"

	"github.com/spf13/pflag"

	"github.com/poolctl/poolctl/internal/batch"
	"github.com/poolctl/poolctl/internal/imgio"
	"github.com/poolctl/poolctl/internal/pipeline"
)

// dryRun are the flags of a command that can stop before it computes.
type dryRun struct {
	Only   bool
	Report string
	Why    bool
}

func (d *dryRun) add(flags *pflag.FlagSet) {
	flags.BoolVar(&d.Only, "dry-run", false, "print the shape report for every type and shape among the inputs, and stop; nothing is read but headers")
	flags.Var(&choiceValue{&d.Report, networkFormats}, "report", "with --dry-run, print the shape report as `FORMAT`: text, json, csv or markdown")
	flags.BoolVar(&d.Why, "why", false, "with --dry-run, say which kernels run and why faster ones do not")
}

// checkRun refuses what is wrong with the flags of a batch, which --dry-run asks
// less of.
func checkRun(command string, b *batchFlags, d *dryRun, inputs []string) error {
	switch {
	case d.Only:
		return nil
	case d.Report != "":
		return usagef("%s: report: has a meaning only with --dry-run", command)
	case d.Why:
		return usagef("%s: why: has a meaning only with --dry-run", command)
	}
	return b.check(command, inputs)
}

// dryRun prints the report of every graph that the inputs need.
func (j *pipelineJob) dryRun(d *dryRun, b *batchFlags, inputs []string) error {
	items, err := batch.Gather(b.sources(j.a, inputs))
	if err != nil {
		return err
	}
	seen := map[string]bool{} // types and shapes
	for _, item := range items {
		source, err := imgio.Open(item.Path, j.a.files(j.noOrient))
		if err != nil {
			return err
		}
		in := pipeline.Input{Spec: source.Info.Spec, Picture: source.Info.Picture}
		_ = source.Close()
		key := fmt.Sprint(in)
		if seen[key] {
			continue
		}
		seen[key] = true
		g, err := j.graphs.Graph(in)
		if err != nil {
			return err
		}
		if err := j.a.writeNetwork(g, &source.Info, len(items) > 1, j.a.reportFormat(d.Report, true), d.Why); err != nil {
			return err
		}
	}
	return nil
}

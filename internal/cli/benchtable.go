package cli

import (
	"encoding/json"
	"fmt"
	"strings"

	"github.com/jedib0t/go-pretty/v6/table"
	"github.com/spf13/cobra"

	"github.com/poolctl/poolctl/bench"
	"github.com/poolctl/poolctl/internal/ops"
	"github.com/poolctl/poolctl/internal/tensor"
	"github.com/poolctl/poolctl/internal/timing"
)

// workloadResult is a row of the suite.
type workloadResult struct {
	Name    string  `json:"name"`
	Command string  `json:"command"`
	Goal    float64 `json:"goal"` // for the ratio to the limit
	timing.Result
}

// runSuite times the workloads whose names contain match, and prints their
// table.
func (a *app) runSuite(options benchFlags, match string) error {
	var rows []plannedWorkload
	for _, w := range bench.Workloads() {
		if !strings.Contains(w.Name, match) {
			continue
		}
		row, err := a.planWorkload(w)
		if err != nil {
			return fmt.Errorf("%s: %w", w.Name, err)
		}
		rows = append(rows, row)
	}
	if len(rows) == 0 {
		var names []string
		for _, w := range bench.Workloads() {
			names = append(names, w.Name)
		}
		return &usageError{fmt.Sprintf("bench: match: no workload has %q in its name", match), "the workloads are: " + strings.Join(names, "; ")}
	}
	team := ops.NewTeam(a.Threads)
	defer team.Close()
	limits, err := a.roofline(team, options)
	if err != nil {
		return err
	}
	var results []workloadResult
	var unsteady []string
	for _, row := range rows {
		timed, err := timing.InTurn(team, []*ops.Plan{row.plan}, row.specs, options.minTime)
		if err != nil {
			return err
		}
		r := workloadResult{row.Name, strings.Join(row.Args, " "), row.Goal.Limit, timed[0]}
		r.SetRoofline(limits, row.plan)
		a.verbose("%s: %.2f ms", r.Name, r.Seconds.Min*1e3)
		if r.Noise > noisy {
			unsteady = append(unsteady, r.Name)
		}
		results = append(results, r)
	}
	if len(unsteady) > 0 {
		a.note("noisy, the upper quartile of the times more than %.1f times the lower one: %s", noisy, strings.Join(unsteady, "; "))
	}
	return a.writeSuite(results, limits, a.reportFormat(options.format, true))
}

// plannedWorkload is a workload that is ready to be run.
type plannedWorkload struct {
	bench.Workload
	plan  *ops.Plan
	specs []tensor.Spec
}

func (a *app) planWorkload(w bench.Workload) (plannedWorkload, error) {
	row := plannedWorkload{Workload: w}
	spec, err := ops.Lookup(w.Args[0])
	if err != nil {
		return row, err
	}
	b, cmd := benched{spec: spec}, &cobra.Command{}
	b.add(cmd)
	if err := cmd.ParseFlags(w.Args[1:]); err != nil {
		return row, err
	}
	if row.plan, row.specs, err = b.plan(a, ""); err != nil {
		return row, err
	}
	return row, a.checkMemory(row.plan)
}

func (a *app) writeSuite(rows []workloadResult, limits *ops.Roofline, format string) error {
	if format == "json" {
		report := suiteReport{Schema: "poolctl.bench-suite/v1", Threads: a.Threads, Workloads: rows}
		if limits != nil {
			machine := timing.MachineOf(limits)
			report.Machine = &machine
		}
		return json.NewEncoder(a.out).Encode(report)
	}
	if limits != nil {
		a.note("copy %.1f GB/s (%.1f by ordinary stores), multiply-adds %.0f GFLOP/s with --threads %d", limits.Copy/1e9, limits.PlainCopy/1e9, limits.Flops/1e9, a.Threads)
	}
	columns := []any{"GB/s", "Gop/s", "implementation"}
	if limits != nil {
		columns = append([]any{"goal"}, columns...)
	}
	t := benchTable("workload", limits != nil, columns...)
	for i := range rows {
		r := &rows[i]
		cells := timeCells(&r.Result)
		if limits != nil {
			cells = append(cells, fmt.Sprintf("%.2fx", r.Goal))
		}
		t.AppendRow(append(append(table.Row{r.Name}, cells...), fmt.Sprintf("%.1f", r.GBPerS), fmt.Sprintf("%.1f", r.GFlopPerS), r.Impl))
	}
	return a.writeTable(t, format)
}

// writeComparison prints the implementations of one operation side by side.
func (a *app) writeComparison(results []timing.Result, format string) error {
	if format == "json" {
		var rows []implRow
		for _, r := range results {
			rows = append(rows, implRow{r, r.Relative})
		}
		return json.NewEncoder(a.out).Encode(implsReport{"poolctl.bench-impls/v1", rows})
	}
	t := benchTable("implementation", results[0].Roofline != nil, "relative")
	for i := range results {
		t.AppendRow(append(append(table.Row{results[i].Impl}, timeCells(&results[i])...), fmt.Sprintf("%.2f", results[i].Relative)))
	}
	return a.writeTable(t, format)
}

func benchTable(first string, limits bool, more ...any) table.Writer {
	t := table.NewWriter()
	t.SetStyle(table.StyleLight)
	header := table.Row{first, "fastest ms", "median ms"}
	if limits {
		header = append(header, "limit ms", "bound", "of limit")
	}
	t.AppendHeader(append(header, more...))
	return t
}

// timeCells returns the columns of a result from the fastest time to the ratio
// to the limit.
func timeCells(r *timing.Result) table.Row {
	cells := table.Row{fmt.Sprintf("%.3f", r.Seconds.Min*1e3), fmt.Sprintf("%.3f", r.Seconds.Median*1e3)}
	if r.Roofline != nil {
		cells = append(cells, fmt.Sprintf("%.3f", r.Roofline.LimitSeconds*1e3), r.Roofline.Bound, fmt.Sprintf("%.2fx", r.Roofline.Ratio))
	}
	return cells
}

func (a *app) writeTable(t table.Writer, format string) error {
	text := t.Render
	switch format {
	case "markdown":
		text = t.RenderMarkdown
	case "csv":
		text = t.RenderCSV
	}
	_, err := fmt.Fprintln(a.out, text())
	return err
}

// suiteReport is the JSON of bench --suite.
type suiteReport struct {
	Schema    string           `json:"schema"`
	Threads   int              `json:"threads"`
	Machine   *timing.Machine  `json:"machine,omitempty"`
	Workloads []workloadResult `json:"workloads"`
}

// implsReport is the JSON of bench --compare-impls.
type implsReport struct {
	Schema string    `json:"schema"`
	Impls  []implRow `json:"impls"`
}

// implRow is an implementation; Relative is its time divided by that of the first.
type implRow struct {
	timing.Result
	Relative float64 `json:"relative"`
}

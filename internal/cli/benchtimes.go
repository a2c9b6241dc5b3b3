package cli

import (
	"encoding/json"
	"fmt"
	"strings"

	"github.com/jedib0t/go-pretty/v6/table"

	"github.com/poolctl/poolctl/internal/report"
	"github.com/poolctl/poolctl/internal/tensor"
	"github.com/poolctl/poolctl/internal/timing"
)

// timesFormat returns the format for the times of one operation: the one that was
// asked for, or text on a terminal and JSON elsewhere.
func (a *app) timesFormat(asked string) string {
	switch _, terminal := a.terminal(); {
	case asked != "":
		return asked
	case a.JSON || !terminal:
		return "json"
	}
	return "text"
}

// writeTimes prints the times of one operation.
func (a *app) writeTimes(r *timing.Result, format string) error {
	switch format {
	case "json":
		if r.Roofline != nil {
			a.note("%.3g times the %s limit", r.Roofline.Ratio, r.Roofline.Bound)
		}
		return json.NewEncoder(a.out).Encode(r)
	case "text":
		_, err := fmt.Fprint(a.out, timesText(r))
		return err
	}
	s := r.Seconds
	header := table.Row{"operation", "implementation", "runs", "fastest ms", "median ms", "mean ms", "deviation ms", "slowest ms", "GB/s", "Gop/s"}
	row := table.Row{r.Op, r.Impl, r.Iterations}
	for _, seconds := range []float64{s.Min, s.Median, s.Mean, s.Deviation, s.Max} {
		row = append(row, fmt.Sprintf("%.4f", seconds*1e3))
	}
	row = append(row, fmt.Sprintf("%.1f", r.GBPerS), fmt.Sprintf("%.1f", r.GFlopPerS))
	if l := r.Roofline; l != nil {
		header = append(header, "limit ms", "bound", "of limit")
		row = append(row, fmt.Sprintf("%.4f", l.LimitSeconds*1e3), l.Bound, fmt.Sprintf("%.2fx", l.Ratio))
	}
	t := table.NewWriter()
	t.AppendHeader(header)
	t.AppendRow(row)
	return a.writeTable(t, format)
}

// timesText returns the times of one operation for people.
func timesText(r *timing.Result) string {
	s := r.Seconds
	unit := unitOf(s.Median)
	var b strings.Builder
	fmt.Fprintf(&b, "%s  %s %s to %s\n", r.Op, r.DType, tensor.Shape(r.Shape), tensor.Shape(r.OutShape))
	fmt.Fprintf(&b, "  kernel      %s (%s), %s\n", r.Impl, r.ISA, report.Counted(r.Threads, "thread"))
	fmt.Fprintf(&b, "  median      %s\n", unit.text(s.Median))
	fmt.Fprintf(&b, "  mean        %s ± %s\n", unit.text(s.Mean), unit.text(s.Deviation))
	fmt.Fprintf(&b, "  range       %s to %s, %d runs\n", unit.text(s.Min), unit.text(s.Max), r.Iterations)
	fmt.Fprintf(&b, "  throughput  %.1f GB/s, %.1f Gop/s\n", r.GBPerS, r.GFlopPerS)
	if l := r.Roofline; l != nil {
		fmt.Fprintf(&b, "  limit       %s by %s: the fastest run took %.2f times that\n", unit.text(l.LimitSeconds), l.Bound, l.Ratio)
	}
	return b.String()
}

// timeUnit is a unit of time, with how many of it make a second.
type timeUnit struct {
	name      string
	perSecond float64
}

// unitOf returns the unit in which a time has one to three digits before its
// point.
func unitOf(seconds float64) timeUnit {
	switch {
	case seconds >= 1:
		return timeUnit{"s", 1}
	case seconds >= 1e-3:
		return timeUnit{"ms", 1e3}
	}
	return timeUnit{"µs", 1e6}
}

func (u timeUnit) text(seconds float64) string {
	return fmt.Sprintf("%.2f %s", seconds*u.perSecond, u.name)
}

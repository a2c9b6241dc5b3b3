package cli

import (
	"fmt"
	"io"
	"math"
	"os"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/vbauerster/mpb/v8"
	"github.com/vbauerster/mpb/v8/decor"
	"golang.org/x/term"

	"github.com/poolctl/poolctl/internal/batch"
	"github.com/poolctl/poolctl/internal/report"
)

// progress shows how far a batch is: a bar on a terminal, otherwise a line now
// and then.
type progress struct {
	a         *app
	total     int
	finish    int // inputs so far
	failed    int
	worked    int           // those not left out as done
	leftOut   time.Duration // the time spent on those
	start     time.Time
	last      time.Time // of the newest line
	terminal  *os.File
	bars      *mpb.Progress
	bar       *mpb.Bar
	switching *switchedWriter
	mutex     sync.Mutex // the bar asks for its text at its own times
}

// lineEvery is the least time between two lines of progress.
const lineEvery = time.Second

// newProgress begins to show the progress of a batch; quietly for one input.
func (a *app) newProgress(total int, single bool) *progress {
	p := &progress{a: a, total: total, start: time.Now(), last: time.Now()}
	if file, ok := a.err.(*os.File); ok && !single && !a.Quiet && total > 0 && term.IsTerminal(int(file.Fd())) && os.Getenv("TERM") != "dumb" {
		p.terminal = file
		p.bars = mpb.New(mpb.WithOutput(file), mpb.WithAutoRefresh(), mpb.WithRefreshRate(100*time.Millisecond))
		p.bar = p.bars.AddBar(int64(total), mpb.BarRemoveOnComplete(),
			mpb.PrependDecorators(decor.CountersNoUnit("%d of %d ")),
			mpb.AppendDecorators(decor.Any(func(decor.Statistics) string { return " " + strings.TrimPrefix(p.text(), ", ") })))
		p.switching = &switchedWriter{to: p.bars}
		a.err = p.switching
	}
	if single {
		p.total = 0
	}
	return p
}

// started records an input that is about to be computed.
func (p *progress) started(item *batch.Item) {
	p.a.verbose("%s", printable(item.Path))
}

// finished records the end of an input.
func (p *progress) finished(item *batch.Item, r batch.Result) {
	p.mutex.Lock()
	p.finish++
	switch r.Class {
	case batch.Skipped:
		p.leftOut += r.Elapsed
	case batch.Failed:
		p.failed++
		p.worked++
	case batch.Done, batch.Dropped, batch.Pending:
		p.worked++
	}
	p.mutex.Unlock()
	switch {
	case r.Class == batch.Failed && p.total > 0:
		p.a.verbose("%s", withName(failure{item.Path, r.Err}))
	case r.Class == batch.Skipped:
		p.a.verbose("%s: done before", printable(item.Path))
	}
	switch {
	case p.bar != nil:
		p.bar.Increment()
	case p.total > 0 && p.finish < p.total && time.Since(p.last) >= lineEvery:
		p.last = time.Now()
		p.a.note("%s of %s%s", report.Count(p.finish), report.Count(p.total), p.text())
	}
}

// text returns the rate, the time left and the number of failures.
func (p *progress) text() string {
	p.mutex.Lock()
	defer p.mutex.Unlock()
	text := ""
	took := time.Since(p.start) - p.leftOut
	if p.worked > 0 && took > 0 {
		rate := float64(p.worked) / took.Seconds()
		left := time.Duration(float64(p.total-p.finish) / rate * float64(time.Second))
		text = fmt.Sprintf(", %s/s, %s left", figures(rate), shortTime(left))
	}
	if p.failed > 0 {
		text += fmt.Sprintf(", %s failed", report.Count(p.failed))
	}
	return text
}

// end removes the bar.
func (p *progress) end() {
	if p.bar == nil {
		return
	}
	p.bar.Abort(true)
	p.bars.Wait()
	p.switching.change(p.terminal)
}

// switchedWriter writes to a writer that may be changed while others write.
type switchedWriter struct {
	mutex sync.Mutex
	to    io.Writer
}

// Write implements io.Writer.
func (w *switchedWriter) Write(text []byte) (int, error) {
	w.mutex.Lock()
	defer w.mutex.Unlock()
	return w.to.Write(text)
}

func (w *switchedWriter) change(to io.Writer) {
	w.mutex.Lock()
	defer w.mutex.Unlock()
	w.to = to
}

// shortTime formats a time to two or three figures.
func shortTime(d time.Duration) string {
	switch {
	case d < 100*time.Second:
		return figures(d.Seconds()) + " s"
	case d < 100*time.Minute:
		return fmt.Sprintf("%d:%02d min", int(d.Minutes()), int(d.Seconds())%60)
	default:
		return fmt.Sprintf("%d:%02d h", int(d.Hours()), int(d.Minutes())%60)
	}
}

// figures formats a number to two figures, or all before the point.
func figures(x float64) string {
	if x <= 0 {
		return "0"
	}
	digits := max(0, 1-int(math.Floor(math.Log10(x))))
	return strconv.FormatFloat(x, 'f', min(digits, 3), 64)
}

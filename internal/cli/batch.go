package cli

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"runtime/debug"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/pflag"

	"github.com/poolctl/poolctl/internal/batch"
	"github.com/poolctl/poolctl/internal/imgio"
)

// batchFlags are the flags of a command that works on many inputs.
type batchFlags struct {
	Output    string
	Template  string
	FilesFrom string
	OnError   string
	FailFast  bool
	Resume    bool
	Shard     shardValue
	Wait      bool
	Summary   string
}

func (b *batchFlags) add(flags *pflag.FlagSet) {
	flags.StringVarP(&b.Output, "output", "o", "", "`FOLDER` to write to, created if missing")
	b.Template = batch.DefaultTemplate
	flags.StringVar(&b.Template, "output-template", b.Template, "names of the outputs in the folder, a `TEMPLATE`")
	flags.StringVar(&b.FilesFrom, "files-from", "", "take inputs from `FILE` too, one per line or each followed by a NUL; - is standard input")
	b.OnError = "skip"
	flags.Var(&choiceValue{&b.OnError, []string{"skip", "stop"}}, "on-error", "what to `DO` after an input fails: skip (go on with the others) or stop")
	flags.BoolVar(&b.FailFast, "fail-fast", false, "the same as --on-error stop")
	flags.BoolVar(&b.Resume, "resume", false, "leave out inputs that are done: same content, same pipeline, unchanged outputs")
	flags.Var(&b.Shard, "shard", "take a part of the inputs: `PART` is I/N, every N-th from the I-th; shards may write to the same folder at the same time")
	flags.BoolVar(&b.Wait, "wait", false, "wait while another run is writing to the folder")
	flags.StringVar(&b.Summary, "summary", "", "write the result of each input to `FILE`, as JSON")
}

// batchHelp is the part of such a command's help about inputs and outputs.
func batchHelp() string {
	return `INPUT is a file, a folder (all files below it, in the order of their names, except hidden files and those of other formats), or a quoted pattern: *, ?, [a-z], {a,b}, ** for any number of folders. An input that fails does not stop the others: at the end a table tells which failed and why, and the exit code is 4.

While one input is computed, the next is read. A journal in the output folder (.poolctl) remembers which inputs are done; --resume computes only those that are not done or have changed since. A folder that another run is writing to is refused, unless it has other shards of the same job. The first Ctrl-C stops after the current input and reports, a second one ends at once.

Fields of an output template:
` + batch.Fields()
}

// shardValue is a flag that takes I/N.
type shardValue struct{ i, n int }

func (v *shardValue) Type() string { return "shard" }

func (v *shardValue) String() string {
	if v.n == 0 {
		return ""
	}
	return fmt.Sprintf("%d/%d", v.i, v.n)
}

func (v *shardValue) Set(text string) error {
	first, second, _ := strings.Cut(text, "/")
	i, err := strconv.Atoi(first)
	n, err2 := strconv.Atoi(second)
	if err != nil || err2 != nil || n < 1 || i < 1 || i > n {
		return fmt.Errorf("got %q, want I/N with 1 <= I <= N, such as 2/8", text)
	}
	v.i, v.n = i, n
	return nil
}

// name names the shard in the output folder; "" when there is none.
func (v *shardValue) name() string {
	if v.n == 0 {
		return ""
	}
	return fmt.Sprintf("%d-of-%d", v.i, v.n)
}

// work describes a batch.
type work struct {
	command  string
	pipeline string // the file
	products []batch.Product
	key      string       // identifies everything beside the inputs that decides the outputs
	files    *imgio.Files // with those that are read beside the inputs
}

// jobKey returns one word that identifies a job: its parts, and the program's
// version.
func jobKey(parts ...string) string {
	sum := sha256.New()
	for _, part := range append(parts, versionText()) {
		fmt.Fprintf(sum, "%d:%s\n", len(part), part)
	}
	return hex.EncodeToString(sum.Sum(nil))
}

// grace is how long the current input may take after a signal; the rest of
// lastWord is for the report.
const grace = 500 * time.Millisecond

// check refuses flags that are wrong whatever the inputs.
func (b *batchFlags) check(command string, args []string) error {
	if b.FilesFrom == "-" && slices.Contains(args, "-") {
		return usagef("%s: the input: got -, but --files-from is read from standard input already", command)
	}
	if b.Output == "" {
		return usagef("%s: output: missing, want -o FOLDER", command)
	}
	if b.Output == "-" {
		return usagef("%s: output: got -, want a folder", command)
	}
	return nil
}

// sources says where inputs come from.
func (b *batchFlags) sources(a *app, args []string) batch.Sources {
	return batch.Sources{Args: args, FilesFrom: b.FilesFrom, Stdin: a.in, Output: b.Output}
}

// runBatch runs a job on every input and reports.
func runBatch[T any](a *app, b *batchFlags, args []string, w work, job batch.Job[T]) error {
	sources := b.sources(a, args)
	items, err := batch.Gather(sources)
	if err != nil {
		return err
	}
	namer, err := batch.NewNamer(b.Output, b.Template, w.products)
	if err != nil {
		return err
	}
	w.files.Read("list of inputs", b.FilesFrom)
	if err := namer.Name(items, w.files, b.Resume); err != nil {
		return err
	}
	if b.Summary != "" {
		if err := w.files.Write(b.Summary); err != nil {
			return err
		}
	}
	single := sources.Single() && !b.Resume
	if b.Shard.n > 0 {
		items, single = batch.Shard(items, b.Shard.i, b.Shard.n), false
	}
	ctx, release := a.interruptible()
	defer release()
	o := batch.Options{FailFast: b.FailFast || b.OnError == "stop", Resume: b.Resume, Grace: grace}
	if !single {
		for _, name := range batch.StateFiles(b.Output, b.Shard.name()) {
			if err := w.files.Append(name); err != nil {
				return err
			}
		}
		lock, err := a.lockFolder(ctx, b, w.key)
		if err != nil {
			return err
		}
		defer lock.Release()
		if o.Journal, err = batch.OpenJournal(b.Output, jobKey(w.key, b.Template), b.Shard.name(), b.Resume); err != nil {
			return err
		}
		if n := o.Journal.Damaged; n > 0 {
			a.note("%s: the journal has %d lines that cannot be read; their inputs are computed again", printable(b.Output), n)
		}
	}
	s := newSummary(w, b)
	// A batch makes the same garbage for every input. Collecting it at half of
	// the memory in use, rather than at all of it, keeps resident memory closer
	// to what is needed.
	defer debug.SetGCPercent(debug.SetGCPercent(50))
	show := a.newProgress(len(items), single)
	o.Started, o.Finished = show.started, show.finished
	results, err := batch.Run(ctx, items, job, o)
	show.end()
	if o.Journal != nil {
		err = errors.Join(err, o.Journal.Close())
	}
	s.finish(items, results, a.JSON || b.Summary != "")
	return a.reportBatch(b, s, single, err)
}

// lockFolder takes the lock of the output folder, or waits for it as --wait
// asks.
func (a *app) lockFolder(ctx context.Context, b *batchFlags, key string) (*batch.Lock, error) {
	lock, err := batch.Acquire(ctx, b.Output, key, b.Shard.name(), false)
	var busy *batch.BusyError
	if errors.As(err, &busy) {
		if !b.Wait {
			return nil, &hinted{err, "--wait waits until it has ended, or choose another output folder"}
		}
		a.note("%s; waiting", printable(busy.Error()))
		lock, err = batch.Acquire(ctx, b.Output, key, b.Shard.name(), true)
	}
	if err != nil {
		return nil, err
	}
	if lock.Unlocked != nil {
		a.note("%s: the file system has no locks (%v): nothing keeps other runs out", printable(b.Output), lock.Unlocked)
	}
	return lock, nil
}

// reportBatch prints the results of the inputs and returns the command's error.
func (a *app) reportBatch(b *batchFlags, s *summary, single bool, stopped error) error {
	defer func() {
		if s.Counts.Dropped > 0 { // it may still be computed
			imgio.RemoveTemporaries()
		}
	}()
	if single && stopped == nil && len(s.failures) == 1 {
		return s.failures[0].err
	}
	end := s.outcome(stopped)
	s.ExitCode = exitCode(end)
	if end == nil {
		s.ExitCode = exitDone
	}
	if b.Summary != "" {
		if err := imgio.WriteFile(b.Summary, a.NoClobber, s.write); err != nil {
			return err
		}
	}
	switch {
	case a.JSON:
		if err := s.write(a.out); err != nil {
			return err
		}
	case !single:
		a.noteSummary(s)
	}
	return end
}

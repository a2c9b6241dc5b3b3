package cli

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"strings"
	"testing"

	"github.com/poolctl/poolctl/internal/batch"
	"github.com/poolctl/poolctl/internal/geom"
	"github.com/poolctl/poolctl/internal/imgio"
	"github.com/poolctl/poolctl/internal/ops"
	"github.com/poolctl/poolctl/internal/pipeline"
)

func TestByteSize(t *testing.T) {
	for text, want := range map[string]byteSize{
		"1": 1, "1000000": 1_000_000, "512MiB": 512 << 20, "4GiB": 4 << 30, "1TiB": 1 << 40, "2kib": 2048, "1.5KiB": 1536,
		"3KB": 3000, "3 MB": 3_000_000, "1GB": 1_000_000_000, "1TB": 1_000_000_000_000, "10B": 10,
		"4G": 4 << 30, "512m": 512 << 20, "2K": 2048, "1T": 1 << 40,
	} {
		var got byteSize
		if err := got.Set(text); err != nil || got != want {
			t.Errorf("%q: got %d, %v, want %d", text, got, err, want)
		}
	}
	for _, text := range []string{"", "0", "-1", "x", "MiB", "1XB", "G", "4X", "nan", "inf", "9e18GiB", "8EiB", "1 2", "1e30"} {
		var got byteSize
		if err := got.Set(text); err == nil {
			t.Errorf("%q: got %d, want an error", text, got)
		}
	}
}

func TestFormatBytes(t *testing.T) {
	for n, want := range map[int]string{0: "0 B", 1023: "1023 B", 1024: "1 KiB", 1536: "1.5 KiB", 5 << 20: "5 MiB", 3 << 30: "3 GiB", 5 << 40: "5 TiB", 5 << 50: "5120 TiB"} {
		if got := formatBytes(n); got != want {
			t.Errorf("%d: got %s, want %s", n, got, want)
		}
	}
}

// TestExitCodes checks the exit codes that scripts rely on.
func TestExitCodes(t *testing.T) {
	for _, c := range []struct {
		err  error
		want int
	}{
		{nil, 0},
		{errors.New("disk full"), 1},
		{fs.ErrExist, 1},
		{&ops.DataError{Op: "pool", Err: errors.New("does not fit")}, 1},
		{&ops.UsageError{Op: "pool", Err: errors.New("wrong")}, 2},
		{&imgio.UsageError{Name: "x", Detail: "wrong"}, 2},
		{usagef("wrong"), 2},
		{errDiffers, 3},
		{&imgio.LimitError{Name: "x", Detail: "too large"}, 5},
		{&limitError{"too large", ""}, 5},
	} {
		for _, err := range []error{c.err, wrapped(c.err)} {
			var notes bytes.Buffer
			a := &app{err: &notes}
			if got := a.report(err); got != c.want {
				t.Errorf("%v: got %d, want %d", err, got, c.want)
			}
			lines := strings.Count(notes.String(), "poolctl: error: ")
			if silent := c.err == nil || errors.Is(c.err, errDiffers); silent != (lines == 0) || lines > 1 {
				t.Errorf("%v: printed %q", err, &notes)
			}
		}
	}
}

func wrapped(err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("while working: %w", err)
}

func TestPanicsBecomeOneLine(t *testing.T) {
	var notes bytes.Buffer
	a := &app{err: &notes}
	code := 0
	func() {
		defer a.recoverPanic(&code)
		panic("index out of range\ngoroutine 1 [running]")
	}()
	if code != exitData || strings.Count(notes.String(), "\n") != 1 || !strings.HasPrefix(notes.String(), "poolctl: error: internal error, please report it") {
		t.Errorf("got %d and %q, want one line and exit code 1", code, &notes)
	}
}

func TestPrintable(t *testing.T) {
	for text, want := range map[string]string{
		"plain é 漢":     "plain é 漢",
		"a\x1b[31mb":    `a\u001b[31mb`,
		"two\nlines\t.": `two\u000alines\u0009.`,
		"\x7f\u0085":    `\u007f\u0085`,
		"bad\xffutf8":   `bad\ufffdutf8`,
	} {
		if got := printable(text); got != want {
			t.Errorf("%q: got %s, want %s", text, got, want)
		}
	}
}

func TestChoicesTakeAnyCase(t *testing.T) {
	field := "auto"
	v := &choiceValue{&field, []string{"auto", "always"}}
	if err := v.Set("ALWAYS"); err != nil || field != "always" || v.String() != "always" {
		t.Errorf("got %q, %v, want always", field, err)
	}
	if err := v.Set("blue"); err == nil || err.Error() != `got "blue", want one of auto, always` {
		t.Errorf("got %v", err)
	}
}

func TestListsAreWrittenAsTheyAreRead(t *testing.T) {
	var list []int
	v := &intsValue{&list}
	for text, want := range map[string]string{"1,2,3": "1,2,3", "4x5": "4,5", "7": "7", "1, 2": "1,2"} {
		if err := v.Set(text); err != nil || v.String() != want {
			t.Errorf("%q: got %s, %v, want %s", text, v, err, want)
		}
	}
	for _, text := range []string{"", "1,", "a", "1.5", "1;2"} {
		if err := v.Set(text); err == nil {
			t.Errorf("%q: got %s, want an error", text, v)
		}
	}
}

// TestErrorsCarryTheirHint: the hint of an error is its own, or that of the first
// error which it wraps that has one, whatever its words; a pipeline file has no
// flags to hint at.
func TestErrorsCarryTheirHint(t *testing.T) {
	field := &geom.Error{Field: "window", Problem: "got 7", Advice: "take another"}
	data := &ops.DataError{Op: "pool", Err: field}
	for _, c := range []struct {
		err  error
		want string
	}{
		{usagef("wrong"), ""},
		{&usageError{"wrong", "do this"}, "do this"},
		{&limitError{"too large", "allow more"}, "allow more"},
		{&hinted{data, "try that"}, "try that"},
		{&hinted{data, ""}, "take another"},
		{&batchError{"stopped", "go on", exitPartial}, "go on"},
		{&batch.UsageError{Text: "wrong", Advice: "another folder"}, "another folder"},
		{data, "take another"},
		{&ops.UsageError{Op: "pool", Err: field}, "take another"},
		{&ops.DataError{Op: "pool", Err: errors.New("window: got 7 cells, want <= 6")}, ""},
		{imgio.ErrExists, "leave --no-clobber out to replace it"},
		{pipeline.Faults{{Step: "a", Err: data}}, ""},
		{errors.New("disk full"), ""},
	} {
		for _, err := range []error{c.err, wrapped(c.err)} {
			if got := hintFor(err); got != c.want {
				t.Errorf("%v: got the hint %q, want %q", err, got, c.want)
			}
		}
	}
}

// TestHints checks the hints for misspelt words.
func TestHints(t *testing.T) {
	for _, c := range []struct{ args, want string }{
		{"poool", `did you mean "pool"?`},
		{"inspct x", `did you mean "inspect"?`},
		{"pool --pading SAME", "did you mean --padding?"},
		{"pool --thread 2", "did you mean --threads?"},
		{"bench con2d", `did you mean "conv2d"?`},
		{"ops describe unpol", `did you mean "unpool"?`},
		{"ops desribe unpool", `did you mean "describe"?`},
	} {
		var out, notes bytes.Buffer
		if code := Main(strings.Fields(c.args), Streams{nil, &out, &notes}); code != exitUsage || out.Len() > 0 {
			t.Errorf("%s: exit code %d, printed %q", c.args, code, &out)
		}
		if !strings.Contains(notes.String(), "poolctl: hint: "+c.want+"\n") {
			t.Errorf("%s: got %q, want the hint %s", c.args, &notes, c.want)
		}
	}
}

// TestFullDiskOnStandardOutput makes every write fail.
func TestFullDiskOnStandardOutput(t *testing.T) {
	var notes bytes.Buffer
	if code := Main([]string{"version"}, Streams{nil, full{}, &notes}); code != exitData || notes.String() != "poolctl: error: standard output: no space left\n" {
		t.Errorf("got %d and %q, want 1 and the cause", code, &notes)
	}
}

type full struct{}

func (full) Write([]byte) (int, error) { return 0, errors.New("no space left") }

package config

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/spf13/pflag"
)

// values are settings of each type that the tool has.
type values struct {
	Threads int
	Quiet   bool
	Color   string
	Ratio   float64
}

// flagSet declares them; the environment that could reach them is cleared.
func flagSet(t *testing.T) (*pflag.FlagSet, *values) {
	t.Helper()
	for _, name := range []string{"POOLCTL_CONFIG", "POOLCTL_MAX_THREADS", "POOLCTL_QUIET", "POOLCTL_COLOR", "POOLCTL_RATIO"} {
		t.Setenv(name, "")
	}
	home := t.TempDir()
	for _, name := range []string{"HOME", "XDG_CONFIG_HOME", "AppData"} {
		t.Setenv(name, home)
	}
	v := &values{}
	f := pflag.NewFlagSet("test", pflag.ContinueOnError)
	f.IntVar(&v.Threads, "max-threads", 1, "")
	f.BoolVar(&v.Quiet, "quiet", false, "")
	f.StringVar(&v.Color, "color", "auto", "")
	f.Float64Var(&v.Ratio, "ratio", 0.5, "")
	f.String("config", "", "")
	f.BoolP("help", "h", false, "")
	return f, v
}

func write(t *testing.T, text string) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "config.yaml")
	if err := os.WriteFile(file, []byte(text), 0o666); err != nil {
		t.Fatal(err)
	}
	return file
}

func TestFlagBeatsVariableBeatsFileBeatsDefault(t *testing.T) {
	f, v := flagSet(t)
	if err := Apply(f, ""); err != nil || *v != (values{1, false, "auto", 0.5}) {
		t.Errorf("with nothing given: %+v, %v, want the defaults", *v, err)
	}
	file := write(t, "max-threads: 2\ncolor: never\nratio: 0.25\n")
	t.Setenv("POOLCTL_COLOR", "always")
	t.Setenv("POOLCTL_RATIO", "0.75")
	if err := f.Set("ratio", "1"); err != nil {
		t.Fatal(err)
	}
	if err := Apply(f, file); err != nil || *v != (values{2, false, "always", 1}) {
		t.Errorf("got %+v, %v, want threads of the file, colour of the variable, ratio of the flag", *v, err)
	}
}

func TestFileIsNamedByFlagThenVariableThenUser(t *testing.T) {
	f, v := flagSet(t)
	folder, err := os.UserConfigDir()
	if err != nil {
		t.Fatal(err)
	}
	if err := os.MkdirAll(filepath.Join(folder, "poolctl"), 0o777); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(folder, "poolctl", "config.yaml"), []byte("max-threads: 2\n"), 0o666); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		variable, flag string
		want           int
	}{
		{"", "", 2},
		{write(t, "max-threads: 3\n"), "", 3},
		{write(t, "max-threads: 3\n"), write(t, "max-threads: 4\n"), 4},
	} {
		t.Setenv("POOLCTL_CONFIG", c.variable)
		if err := Apply(f, c.flag); err != nil || v.Threads != c.want {
			t.Errorf("variable %q, flag %q: got %d, %v, want %d", c.variable, c.flag, v.Threads, err, c.want)
		}
	}
}

func TestNoHomeFolderMeansNoFile(t *testing.T) {
	f, v := flagSet(t)
	for _, name := range []string{"HOME", "XDG_CONFIG_HOME", "AppData"} {
		t.Setenv(name, "")
	}
	if err := Apply(f, ""); err != nil || v.Threads != 1 {
		t.Errorf("got %d, %v, want the default", v.Threads, err)
	}
}

func TestFaultsNamePlaceAndRule(t *testing.T) {
	for name, c := range map[string]struct{ text, want string }{
		"unknown setting":   {"quiet: true\nmax-thread: 2\n", `:2:1: unknown setting "max-thread", want one of color, max-threads, quiet, ratio (did you mean "max-threads"?)`},
		"far from any":      {"xyz: 2\n", `:1:1: unknown setting "xyz", want one of color, max-threads, quiet, ratio`},
		"config in config":  {"config: other.yaml\n", `:1:1: unknown setting "config"`},
		"help in config":    {"help: true\n", `:1:1: unknown setting "help"`},
		"no whole number":   {"\nmax-threads: 2.5\n", `:2:14: max-threads: got "2.5", want a whole number`},
		"as it is written":  {"max-threads: 1e3\n", `:1:14: max-threads: got "1e3", want a whole number`},
		"no value":          {"max-threads:\n", `max-threads: got "", want a whole number`},
		"no truth value":    {"quiet: perhaps\n", `:1:8: quiet: got "perhaps", want true or false`},
		"no number":         {"ratio: half\n", `:1:8: ratio: got "half", want a number`},
		"a list":            {"max-threads: [1, 2]\n", ":1:14: max-threads: want a single value"},
		"a mapping":         {"max-threads: {a: 1}\n", ":1:14: max-threads: want a single value"},
		"an alias":          {"max-threads: &a 2\nratio: *a\n", ":2:8: ratio: want a single value"},
		"no mapping":        {"- quiet\n", ":1:1: want settings"},
		"a bare word":       {"quiet\n", ":1:1: want settings"},
		"no YAML":           {"quiet: [\n", "line 2"},
		"two documents":     {"quiet: true\n---\nquiet: false\n", "got more than one document, want one"},
		"binary":            {"\x00\x01", "control characters"},
		"too large":         {strings.Repeat("# comment\n", 7000), "got more than 65536 bytes, want at most that"},
		"given twice":       {"quiet: true\nquiet: false\n", "quiet"},
		"case is a mistake": {"Quiet: true\n", `unknown setting "Quiet"`},
	} {
		f, _ := flagSet(t)
		file := write(t, c.text)
		err := Apply(f, file)
		var fault *Error
		if !errors.As(err, &fault) || !strings.HasPrefix(fault.Error(), file) || !strings.Contains(fault.Error(), c.want) {
			t.Errorf("%s: got %v, want %s%s", name, err, file, c.want)
		}
	}
}

func TestVariablesNameThemselves(t *testing.T) {
	f, _ := flagSet(t)
	t.Setenv("POOLCTL_MAX_THREADS", "many")
	err := Apply(f, "")
	if want := `POOLCTL_MAX_THREADS: max-threads: got "many", want a whole number`; err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
}

func TestFilesThatCannotBeRead(t *testing.T) {
	f, _ := flagSet(t)
	missing := filepath.Join(t.TempDir(), "missing.yaml")
	if err := Apply(f, missing); !errors.Is(err, fs.ErrNotExist) || !strings.HasPrefix(err.Error(), missing+": ") {
		t.Errorf("got %v, want that %s does not exist", err, missing)
	}
	t.Setenv("POOLCTL_CONFIG", missing)
	if err := Apply(f, ""); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("got %v, want that POOLCTL_CONFIG's file does not exist", err)
	}
	folder := t.TempDir()
	if err := Apply(f, folder); err == nil || strings.Count(err.Error(), folder) != 1 {
		t.Errorf("got %v, want an error that names %s once", err, folder)
	}
}

func TestEmptyFilesSayNothing(t *testing.T) {
	for _, text := range []string{"", "\n", "# nothing\n", "{}\n"} {
		f, v := flagSet(t)
		if err := Apply(f, write(t, text)); err != nil || v.Threads != 1 {
			t.Errorf("%q: got %d, %v, want the defaults", text, v.Threads, err)
		}
	}
}

func TestFaultKeepsOwnWords(t *testing.T) {
	f, _ := flagSet(t)
	for _, c := range []struct {
		flag, cause, want string
	}{
		{"color", "got \"blue\", want red", `got "blue", want red`},
		{"color", "color: got \"blue\", want red", `got "blue", want red`},
		{"color", "something else", `got "blue", want a string`},
		{"max-threads", "strconv.ParseInt", `got "blue", want a whole number`},
	} {
		if got := Fault(f.Lookup(c.flag), "blue", errors.New(c.cause)).Error(); got != c.want {
			t.Errorf("%s: %s: got %s, want %s", c.flag, c.cause, got, c.want)
		}
	}
}

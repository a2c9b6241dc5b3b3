package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/poolctl/poolctl/internal/testutil"
)

// scriptCommands are the commands of scripts beside testscript's own. None of
// them calls the code that it checks, except to read files.
var scriptCommands = map[string]func(ts *testscript.TestScript, neg bool, args []string){
	"refused":  refused,
	"exits":    exits,
	"array":    array,
	"npy":      npy,
	"npyequal": npyEqual,
	"pixels":   pixels,
	"json":     jsonValue,
	"hardlink": hardlink,
	"cut":      cut,
	"only":     only,
	"orient":   orient,
	"png16":    png16,
	"claim":    claim,
	"odd":      odd,
	"differs":  differs,
}

// positive aborts a script that negates a command for which that is not
// defined, or calls it with too few arguments.
func positive(ts *testscript.TestScript, neg bool, args []string, least int, usage string) {
	if neg || len(args) < least {
		ts.Fatalf("usage: %s", usage)
	}
}

// slow is how long a refusal may take.
const slow = 5 * time.Second

// refused CODE PATTERN COMMAND… runs a command that must fail as documented:
// with that exit code, one line `poolctl: error: …` that the pattern matches,
// at most one hint, nothing on standard output, no file made or changed.
func refused(ts *testscript.TestScript, neg bool, args []string) {
	positive(ts, neg, args, 3, "refused CODE PATTERN COMMAND...")
	before := folder(ts)
	start := time.Now()
	err := ts.Exec(args[2], args[3:]...)
	if took := time.Since(start); took > slow {
		ts.Fatalf("took %s, want less than %s", took, slow)
	}
	var exit *exec.ExitError
	if code := 0; err != nil {
		if !errors.As(err, &exit) {
			ts.Fatalf("%v", err)
		}
		code = exit.ExitCode()
		if strconv.Itoa(code) != args[0] {
			ts.Fatalf("exit code %d, want %s", code, args[0])
		}
	} else {
		ts.Fatalf("exit code 0, want %s", args[0])
	}
	if out := ts.ReadFile("stdout"); out != "" {
		ts.Fatalf("standard output holds %q, want nothing", out)
	}
	lines := strings.SplitAfter(ts.ReadFile("stderr"), "\n")
	lines = lines[:len(lines)-1]
	switch {
	case len(lines) == 0 || !strings.HasPrefix(lines[0], "poolctl: error: "):
		ts.Fatalf("standard error has no line `poolctl: error: ...`")
	case len(lines) > 2 || len(lines) == 2 && !strings.HasPrefix(lines[1], "poolctl: hint: "):
		ts.Fatalf("standard error holds %d lines, want the error and at most one hint", len(lines))
	}
	if matched, err := regexp.MatchString(args[1], strings.Join(lines, "")); err != nil || !matched {
		ts.Fatalf("%q does not match %s %v", lines, args[1], err)
	}
	if after := folder(ts); !slices.Equal(before, after) {
		ts.Fatalf("the folder changed from %q to %q", before, after)
	}
}

// exits CODE COMMAND… runs a command that must end with that exit code.
func exits(ts *testscript.TestScript, neg bool, args []string) {
	positive(ts, neg, args, 2, "exits CODE COMMAND...")
	var exit *exec.ExitError
	code := 0
	if err := ts.Exec(args[1], args[2:]...); errors.As(err, &exit) {
		code = exit.ExitCode()
	} else {
		ts.Check(err)
	}
	if strconv.Itoa(code) != args[0] {
		ts.Fatalf("exit code %d, want %s", code, args[0])
	}
}

// folder lists the files below the script's folder with sizes and times.
func folder(ts *testscript.TestScript) []string {
	var list []string
	ts.Check(filepath.WalkDir(ts.Getenv("WORK"), func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		info, err := d.Info()
		if err != nil {
			return err
		}
		list = append(list, fmt.Sprintf("%s %d %s", path, info.Size(), info.ModTime()))
		return nil
	}))
	return list
}

// npyEqual A B checks that two files hold equal tensors, to the bit.
func npyEqual(ts *testscript.TestScript, neg bool, args []string) {
	if len(args) != 2 {
		ts.Fatalf("usage: npyequal A B")
	}
	err := testutil.Equal(load(ts, args[0]), load(ts, args[1]), 0)
	switch {
	case neg && err == nil:
		ts.Fatalf("%s equals %s", args[0], args[1])
	case !neg && err != nil:
		ts.Fatalf("%s: %v", args[0], err)
	}
}

// jsonValue FILE PATH VALUE checks one value of a JSON document: PATH is a list
// of keys, joined by dots; in a list a key is an index or the element's name.
// VALUE is JSON, or * for any value.
func jsonValue(ts *testscript.TestScript, neg bool, args []string) {
	positive(ts, neg, args, 3, "json FILE PATH VALUE")
	decoder := json.NewDecoder(strings.NewReader(ts.ReadFile(args[0])))
	decoder.UseNumber()
	var at any
	ts.Check(decoder.Decode(&at))
	if decoder.More() {
		ts.Fatalf("%s holds more than one JSON document", args[0])
	}
	for key := range strings.SplitSeq(args[1], ".") {
		switch node := at.(type) {
		case map[string]any:
			next, ok := node[key]
			if !ok {
				ts.Fatalf("%s: no key %q in %v", args[1], key, node)
			}
			at = next
		case []any:
			i, err := strconv.Atoi(key)
			if err != nil {
				i = slices.IndexFunc(node, func(each any) bool {
					object, ok := each.(map[string]any)
					return ok && object["name"] == key
				})
			}
			if i < 0 || i >= len(node) {
				ts.Fatalf("%s: no element %q in a list of %d", args[1], key, len(node))
			}
			at = node[i]
		default:
			ts.Fatalf("%s: %v has no key %q", args[1], at, key)
		}
	}
	if want := strings.Join(args[2:], " "); want != "*" {
		got, err := json.Marshal(at)
		ts.Check(err)
		if string(got) != want {
			ts.Fatalf("%s: got %s, want %s", args[1], got, want)
		}
	}
}

// differs COMMAND… runs a comparison that must end with exit code 3, a report
// and no error.
func differs(ts *testscript.TestScript, neg bool, args []string) {
	positive(ts, neg, args, 1, "differs COMMAND...")
	var exit *exec.ExitError
	if err := ts.Exec(args[0], args[1:]...); !errors.As(err, &exit) || exit.ExitCode() != 3 {
		ts.Fatalf("got %v, want exit code 3", err)
	}
	if ts.ReadFile("stdout") == "" || ts.ReadFile("stderr") != "" {
		ts.Fatalf("want a report on standard output and nothing on standard error")
	}
}

// odd sets ODD to a file name that scripts cannot spell: with an escape sequence
// and a line break in it.
func odd(ts *testscript.TestScript, neg bool, args []string) {
	positive(ts, neg, args, 0, "odd")
	ts.Setenv("ODD", "a\x1b[31mb\nc.npy")
}

// only FILE… checks that the folder holds those files, the link to samples and
// nothing else, hidden ones included.
func only(ts *testscript.TestScript, neg bool, args []string) {
	positive(ts, neg, args, 0, "only FILE...")
	var got []string
	root := ts.MkAbs(".")
	ts.Check(filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || d.Name() == "samples" {
			return err
		}
		name, err := filepath.Rel(root, path)
		got = append(got, filepath.ToSlash(name))
		return err
	}))
	slices.Sort(args)
	if !slices.Equal(got, args) {
		ts.Fatalf("got files %q, want %q", got, args)
	}
}

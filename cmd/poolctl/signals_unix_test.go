//go:build unix

package main

import (
	"os"
	"os/signal"
	"strings"
	"syscall"
	"testing"
)

// heedSignals gives signals their ordinary effect on the programs that a test
// starts. A signal that the test's own parent ignores, as nohup ignores hangups,
// stays ignored in them unless the test catches it.
func heedSignals(t *testing.T) {
	t.Helper()
	caught := make(chan os.Signal, 1)
	signal.Notify(caught, syscall.SIGHUP, syscall.SIGINT, syscall.SIGTERM)
	t.Cleanup(func() { signal.Stop(caught) })
}

// TestSignals ends a program that waits for its input: it stops with the
// documented code and one line, and leaves no file behind.
func TestSignals(t *testing.T) {
	heedSignals(t)
	for _, c := range []struct {
		signal os.Signal
		code   int
		word   string
	}{{os.Interrupt, 130, "interrupted"}, {syscall.SIGTERM, 143, "terminated"}} {
		folder := t.TempDir()
		cmd := program(t, folder, "pool", "-", "--type", "max", "--window", "2", "-o", "y.npy")
		var notes strings.Builder
		cmd.Stderr = &notes
		stdin, err := cmd.StdinPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		// A header for 4 MB, and more data than a pipe holds: when all of it is
		// written the program is reading.
		header := "{'descr': '<f4', 'fortran_order': False, 'shape': (1, 1000, 1000, 1), }"
		header += strings.Repeat(" ", 117-len(header)) + "\n"
		file := "\x93NUMPY\x01\x00\x76\x00" + header + strings.Repeat("\x00", 1<<20)
		if _, err := stdin.Write([]byte(file)); err != nil {
			t.Fatal(err)
		}
		if err := cmd.Process.Signal(c.signal); err != nil {
			t.Fatal(err)
		}
		_ = cmd.Wait() // says the exit code, which is checked below
		if code := cmd.ProcessState.ExitCode(); code != c.code {
			t.Errorf("%s: exit code %d, want %d", c.word, code, c.code)
		}
		if want := "poolctl: error: " + c.word + "\n"; notes.String() != want {
			t.Errorf("%s: standard error holds %q, want %q", c.word, notes.String(), want)
		}
		if files := tree(t, folder); len(files) != 0 {
			t.Errorf("%s: left %d files", c.word, len(files))
		}
	}
}

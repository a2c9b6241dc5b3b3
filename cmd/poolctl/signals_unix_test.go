//go:build unix

package main

import (
	"os"
	"strings"
	"syscall"
	"testing"
)

// TestSignals ends a program that waits for its input: it stops with the
// documented code and one line, and leaves no file behind.
func TestSignals(t *testing.T) {
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

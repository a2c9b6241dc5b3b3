package main

import (
	"bytes"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/poolctl/poolctl/internal/imgio"
	"github.com/poolctl/poolctl/internal/tensor"
)

// program returns the real program, to be run in a folder: this test's own
// binary, which TestMain makes behave as poolctl when it has that name.
func program(t *testing.T, folder string, args ...string) *exec.Cmd {
	t.Helper()
	binary, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), binary)
	cmd.Args = append([]string{"poolctl"}, args...)
	cmd.Dir = folder
	for _, kv := range os.Environ() {
		if !strings.HasPrefix(kv, "POOLCTL_") {
			cmd.Env = append(cmd.Env, kv)
		}
	}
	cmd.Env = append(cmd.Env, "XDG_CONFIG_HOME="+folder, "HOME="+folder, "AppData="+folder)
	return cmd
}

// run runs the program to its end.
func run(t *testing.T, folder string, args ...string) (stdout, stderr string, code int) {
	t.Helper()
	var out, notes bytes.Buffer
	cmd := program(t, folder, args...)
	cmd.Stdout, cmd.Stderr = &out, &notes
	err := cmd.Run()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	return out.String(), notes.String(), cmd.ProcessState.ExitCode()
}

// succeed runs the program, which must exit with 0 and no error, and returns
// its standard output.
func succeed(t *testing.T, folder string, args ...string) string {
	t.Helper()
	stdout, stderr, code := run(t, folder, args...)
	if code != 0 {
		t.Fatalf("poolctl %s: exit code %d, %s", strings.Join(args, " "), code, stderr)
	}
	return stdout
}

// workFolder returns a new folder with a link to the samples in it.
func workFolder(t *testing.T) string {
	t.Helper()
	folder := t.TempDir()
	samples, err := filepath.Abs("../../samples")
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(samples, filepath.Join(folder, "samples")); err != nil {
		t.Fatal(err)
	}
	return folder
}

// read reads a tensor from a file.
func read(t *testing.T, name string) *tensor.Tensor {
	t.Helper()
	source, err := imgio.Open(name, imgio.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer source.Close()
	x, err := source.Read()
	if err != nil {
		t.Fatal(err)
	}
	return x
}

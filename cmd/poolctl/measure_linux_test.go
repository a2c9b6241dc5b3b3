//go:build !race

package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"syscall"
	"testing"
	"time"
)

func init() { otherPrograms["measure"] = runMeasured }

// measured is the outcome of a run of the program.
type measured struct {
	Code   int
	Took   time.Duration
	Peak   int // bytes, resident
	Stderr string
}

// measure runs the program and returns its peak memory. A process begins with
// the peak of the one that started it, so a small process starts the program,
// which is this test's binary under the name measure.
func measure(t *testing.T, folder string, args ...string) measured {
	t.Helper()
	cmd := program(t, folder, args...)
	cmd.Args[0] = "measure"
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	var m measured
	if err := json.Unmarshal(out, &m); err != nil {
		t.Fatal(err)
	}
	return m
}

// runMeasured is the program that measure runs.
func runMeasured() {
	binary, err := os.Executable()
	if err != nil {
		panic(err)
	}
	var notes bytes.Buffer
	cmd := exec.Command(binary)
	cmd.Args = append([]string{"poolctl"}, os.Args[1:]...)
	cmd.Stderr = &notes
	began := time.Now()
	if err := cmd.Run(); cmd.ProcessState == nil {
		panic(err)
	}
	usage := cmd.ProcessState.SysUsage().(*syscall.Rusage)
	text, _ := json.Marshal(measured{cmd.ProcessState.ExitCode(), time.Since(began), int(usage.Maxrss) << 10, notes.String()})
	fmt.Printf("%s\n", text)
}

package main

import (
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// repeats returns how often a test of random cases runs: a few times, or the
// promised number under POOLCTL_TORTURE=1, which `make torture` sets.
func repeats(few, all int) int {
	if os.Getenv("POOLCTL_TORTURE") == "1" {
		return all
	}
	return few
}

// within returns the time that a test allows for a promised time: the promise
// itself under POOLCTL_TORTURE=1, when nothing else runs on the machine, and
// ten times that when tests of other packages run beside it.
func within(promise time.Duration) time.Duration {
	if os.Getenv("POOLCTL_TORTURE") == "1" {
		return promise
	}
	return 10 * promise
}

// victim is a folder with an input and two outputs of an earlier run, which a
// run replaces together while it is killed, interrupted or starved. check
// reports what is wrong then.
type victim struct {
	*testing.T
	folder    string
	args      []string
	old, want map[string]string // contents by name
}

func newVictim(t *testing.T) *victim {
	t.Helper()
	folder := workFolder(t)
	before := strings.Fields("pool samples/chelsea.png --type max --window 3 -o y.png --argmax at.npy --quiet")
	v := &victim{T: t, folder: folder, args: strings.Fields("pool samples/chelsea.png --type max --window 2 -o y.png --argmax at.npy --quiet")}
	succeed(t, folder, v.args...)
	v.want = v.outputs()
	succeed(t, folder, before...)
	v.old = v.outputs()
	if len(v.want) != 2 || len(v.old) != 2 {
		t.Fatalf("got %d and %d outputs, want 2", len(v.old), len(v.want))
	}
	return v
}

// outputs reads the existing outputs.
func (v *victim) outputs() map[string]string {
	files := map[string]string{}
	for _, name := range []string{"y.png", "at.npy"} {
		if data, err := os.ReadFile(filepath.Join(v.folder, name)); err == nil {
			files[name] = string(data)
		}
	}
	return files
}

// reset puts the old outputs back.
func (v *victim) reset() {
	for name, text := range v.old {
		if err := os.WriteFile(filepath.Join(v.folder, name), []byte(text), 0o666); err != nil {
			v.Fatal(err)
		}
	}
}

// check compares every output with its old and its new content; after exit code
// 0 only the new one is right.
func (v *victim) check(label string, code int) {
	v.Helper()
	for name, got := range v.outputs() {
		if got != v.want[name] && (code == 0 || got != v.old[name]) {
			v.Errorf("%s: exit code %d, %s holds %d bytes that are neither its old content nor the new one", label, code, name, len(got))
		}
	}
	if n := len(v.outputs()); n != 2 {
		v.Errorf("%s: %d outputs are there, want 2", label, n)
	}
}

// temporaries lists the temporary files in the folder.
func (v *victim) temporaries() []string {
	list, _ := filepath.Glob(filepath.Join(v.folder, ".poolctl-*"))
	return list
}

// recovers runs once more, which must end as if nothing had happened.
func (v *victim) recovers(label string) {
	v.Helper()
	succeed(v.T, v.folder, v.args...)
	v.check(label+", then a whole run", 0)
	if left := v.temporaries(); len(left) > 0 {
		v.Errorf("%s: after the next run there are %v", label, left)
	}
}

// TestKills kills the program at random moments: no final name holds a partial
// file, and the next run removes the leftovers.
func TestKills(t *testing.T) {
	v := newVictim(t)
	random := rand.New(rand.NewPCG(5, 6))
	began := time.Now()
	succeed(t, v.folder, v.args...)
	whole := time.Since(began)
	killed, left := 0, 0
	for i := range repeats(25, 1000) {
		v.reset()
		cmd := program(t, v.folder, v.args...)
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Duration(random.Int64N(int64(whole))))
		_ = cmd.Process.Kill()
		_ = cmd.Wait() // says that it was killed
		if cmd.ProcessState.ExitCode() != 0 {
			killed++
		}
		left += len(v.temporaries())
		v.check(fmt.Sprintf("kill %d", i), cmd.ProcessState.ExitCode())
		if i%10 == 9 {
			v.recovers(fmt.Sprintf("kill %d", i))
		}
	}
	t.Logf("%d killed in time, %d temporary files seen", killed, left)
	if killed == 0 {
		t.Error("every run ended before it was killed")
	}
}

// TestInterrupts interrupts the program at random moments: it ends within a
// second with the documented code, and leaves nothing.
func TestInterrupts(t *testing.T) {
	heedSignals(t)
	v := newVictim(t)
	random := rand.New(rand.NewPCG(7, 8))
	for i := range repeats(15, 200) {
		v.reset()
		cmd := program(t, v.folder, v.args...)
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		time.Sleep(15*time.Millisecond + time.Duration(random.Int64N(int64(60*time.Millisecond)))) // not before signals are watched
		signal, want := os.Interrupt, 130
		if i%2 == 1 {
			signal, want = syscall.SIGTERM, 143
		}
		sent := time.Now()
		_ = cmd.Process.Signal(signal)
		_ = cmd.Wait() // says the exit code
		code, label := cmd.ProcessState.ExitCode(), fmt.Sprintf("signal %d", i)
		if took, most := time.Since(sent), within(time.Second); took > most {
			t.Errorf("%s: took %v to end, want at most %v", label, took, most)
		}
		if code != 0 && code != want && code != -1 { // -1: before the program had begun
			t.Errorf("%s: exit code %d, want %d, or 0 when it was done", label, code, want)
		}
		v.check(label, code)
		if left := v.temporaries(); len(left) > 0 && code != -1 {
			t.Errorf("%s: left %v", label, left)
		}
	}
}

// TestFileSizeLimit lets every write beyond a size fail.
func TestFileSizeLimit(t *testing.T) {
	v := newVictim(t)
	blocks := max(len(v.want["y.png"]), len(v.want["at.npy"])) / 1024
	for i, n := 0, repeats(6, 60); i < n; i++ {
		v.reset()
		limit := blocks * i / n
		label := fmt.Sprintf("at most %d KiB a file", limit)
		stderr, code := v.under("sh", "-c", fmt.Sprintf(`ulimit -f %d; exec "$0" "$@"`, limit))
		v.check(label, code)
		if code != 1 || !strings.Contains(stderr, "file too large") || strings.Count(stderr, "\n") != 1 {
			t.Errorf("%s: exit code %d, %q, want 1 and one line with the cause", label, code, stderr)
		}
		if left := v.temporaries(); len(left) > 0 {
			t.Errorf("%s: left %v", label, left)
		}
	}
	v.recovers("sizes")
}

// under runs the program through another one, which gets its command line, and
// returns its standard error.
func (v *victim) under(command ...string) (stderr string, code int) {
	v.Helper()
	cmd := program(v.T, v.folder, v.args...)
	link := filepath.Join(v.T.TempDir(), "poolctl") // the name decides how the binary behaves
	if err := os.Symlink(cmd.Path, link); err != nil {
		v.Fatal(err)
	}
	path, err := exec.LookPath(command[0])
	if err != nil {
		v.Fatal(err)
	}
	cmd.Path, cmd.Args = path, append(append(command, link), v.args...)
	cmd.Env = append(cmd.Env, "GOMAXPROCS=1")
	var notes strings.Builder
	cmd.Stderr = &notes
	if err := cmd.Run(); cmd.ProcessState == nil {
		v.Fatal(err)
	}
	return notes.String(), cmd.ProcessState.ExitCode()
}

// TestConcurrentRuns lets several programs write the same outputs at once.
func TestConcurrentRuns(t *testing.T) {
	v := newVictim(t)
	for round := range repeats(2, 20) {
		v.reset()
		var all []*exec.Cmd
		for range 8 {
			cmd := program(t, v.folder, v.args...)
			cmd.Stderr = &strings.Builder{}
			if err := cmd.Start(); err != nil {
				t.Fatal(err)
			}
			all = append(all, cmd)
		}
		for _, cmd := range all {
			if err := cmd.Wait(); err != nil {
				t.Errorf("round %d: %v: %s", round, err, cmd.Stderr)
			}
		}
		v.check(fmt.Sprintf("round %d", round), 0)
		if left := v.temporaries(); len(left) > 0 {
			t.Errorf("round %d: left %v", round, left)
		}
	}
}

package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// calls are the system calls by which the program opens, writes and names files.
var calls = []string{"openat", "write", "fchmod", "fsync", "close", "flock", "renameat,renameat2,rename", "unlinkat"}

// TestSystemCalls kills the program at each of its system calls that concern
// files, and lets each of them fail, once or from then on. It needs strace,
// which `make torture` requires; the tests of internal/imgio inject the same
// faults without it.
func TestSystemCalls(t *testing.T) {
	if _, err := exec.LookPath("strace"); err != nil {
		if os.Getenv("POOLCTL_TORTURE") == "1" {
			t.Fatal("strace is not installed")
		}
		t.Log("strace is not installed: only the faults of internal/imgio were tried")
		return
	}
	v := newVictim(t)
	step, runs := repeats(5, 1), 0 // every step-th call

	// each injects a fault at one call after the other, until there are no
	// more, and then runs undisturbed. It fails if check objects to an exit
	// code other than 0 and to standard error.
	each := func(call, fault, when string, check func(stderr string, code int) string) {
		for n := 1; ; n += step {
			v.reset()
			label := fmt.Sprintf("%s of %s %d%s", fault, call, n, when)
			stderr, code, injected := v.inject(fmt.Sprintf("%s:%s:when=%d%s", call, fault, n, when))
			v.check(label, code)
			runs++
			if wrong := check(stderr, code); code != 0 && wrong != "" {
				t.Errorf("%s: exit code %d, %q, want %s", label, code, stderr, wrong)
			}
			if code != 137 && code != -1 && call != "unlinkat" {
				if left := v.temporaries(); len(left) > 0 {
					t.Errorf("%s: left %v", label, left)
				}
			}
			if !injected {
				break
			}
			if n > 500 {
				t.Fatalf("%s: the program does not end", label)
			}
		}
		v.recovers(fault + " of " + call)
	}

	killed := func(_ string, code int) string {
		if code != 137 && code != -1 {
			return "137"
		}
		return ""
	}
	named := func(stderr string, code int) string {
		if code == 127 || code == 1 && stderr == "" { // its loader failed, or writing the message did: threads are counted apart
			return ""
		}
		if code != 1 && code != 2 || strings.Count(stderr, "poolctl: error: ") != 1 || strings.Count(stderr, "\n") != 1 {
			return "1 or 2, and one line"
		}
		for _, name := range []string{"y.png", "at.npy", "chelsea.png", "config.yaml"} {
			if strings.Contains(stderr, name) {
				return ""
			}
		}
		return "a file's name"
	}
	harmless := func(string, int) string { return "0" }
	for _, call := range calls {
		each(call, "signal=SIGKILL", "", killed)
	}
	for _, call := range calls {
		for _, fault := range []string{"EIO", "ENOSPC", "EDQUOT"} {
			if call == "close" && fault != "EIO" { // the others concern writing
				continue
			}
			each(call, "error="+fault, "", named)
		}
	}
	for _, call := range []string{"fsync", "renameat,renameat2,rename"} {
		each(call, "error=ENOSPC", "+", named)
	}
	for _, call := range []string{"openat", "write", "fsync"} {
		each(call, "error=EINTR", "", harmless)
	}
	for _, call := range calls { // a fault while the leftovers of a killed run are removed
		for n := 1; n <= 12; n += step {
			v.reset()
			v.inject("fsync:signal=SIGKILL:when=2")
			stderr, code, _ := v.inject(fmt.Sprintf("%s:error=EIO:when=%d", call, n))
			label := fmt.Sprintf("killed, then EIO of %s %d", call, n)
			v.check(label, code)
			if wrong := named(stderr, code); code != 0 && wrong != "" {
				t.Errorf("%s: exit code %d, %q, want %s", label, code, stderr, wrong)
			}
			v.recovers(label)
			runs++
		}
	}
	t.Logf("%d runs", runs)
}

// inject runs the program under strace, with one fault, and reports whether
// there was a call for it. Strace counts the calls of each thread.
func (v *victim) inject(fault string) (stderr string, code int, injected bool) {
	v.Helper()
	call, _, _ := strings.Cut(fault, ":")
	log := filepath.Join(v.T.TempDir(), "strace")
	stderr, code = v.under("strace", "-f", "-qq", "-o", log, "-e", "trace="+call, "-e", "inject="+fault)
	text, _ := os.ReadFile(log)
	return stderr, code, strings.Contains(string(text), "(INJECTED)") || strings.Contains(string(text), "killed by SIGKILL")
}

// TestFullDisk writes to file systems of every small size, which the kernel
// keeps in memory. It needs a mount namespace, which `make torture` requires.
func TestFullDisk(t *testing.T) {
	if err := exec.Command("unshare", "-Urm", "true").Run(); err != nil {
		if os.Getenv("POOLCTL_TORTURE") == "1" {
			t.Fatalf("unshare: %v", err)
		}
		t.Logf("unshare: %v: only the faults of internal/imgio were tried", err)
		return
	}
	v := newVictim(t)
	size := 0 // of the old and the new outputs together
	for name := range v.want {
		size += len(v.want[name]) + len(v.old[name])
	}
	// The old outputs are copied onto the small disk, the program runs there,
	// and its files are copied back.
	const script = `set -e; mkdir -p disk; mount -t tmpfs -o "$1" none disk; cp y.png at.npy disk; ln -s ../samples disk; shift
cd disk; set +e; "$@" 2>../notes; code=$?; set -e; ls -A > ../listing; cp y.png at.npy ..; exit $code`
	room := func(options string) (stderr string, code int) {
		_, code = v.under("unshare", "-Urm", "sh", "-c", script, "sh", options)
		notes, _ := os.ReadFile(filepath.Join(v.folder, "notes"))
		return string(notes), code
	}
	full := 0
	for kib := 8 * (size/8192 + 1) / 2; ; kib += repeats(256, 32) {
		v.reset()
		options := fmt.Sprintf("size=%dk", kib)
		stderr, code := room(options)
		v.check(options, code)
		listing, _ := os.ReadFile(filepath.Join(v.folder, "listing"))
		if got := strings.Fields(string(listing)); len(got) != 3 {
			t.Errorf("%s: left %v", options, got)
		}
		if code == 0 {
			break
		}
		if full++; code != 1 || !strings.Contains(stderr, "no space left on device") {
			t.Fatalf("%s: exit code %d, %q, want 1 and the cause", options, code, stderr)
		}
	}
	v.reset()
	stderr, code := room("size=64m,nr_inodes=5") // the folder, three files, one temporary file: one too few
	v.check("inodes", code)
	if code != 1 || !strings.Contains(stderr, "no space left on device") {
		t.Errorf("inodes: exit code %d, %q, want 1 and the cause", code, stderr)
	}
	if full == 0 {
		t.Error("no disk was too small")
	}
	t.Logf("%d disks were full", full)
}

// TestNothingElseIsTouched checks that the program opens no connection, starts
// no other program, and writes only to the folder of its outputs.
func TestNothingElseIsTouched(t *testing.T) {
	if _, err := exec.LookPath("strace"); err != nil {
		if os.Getenv("POOLCTL_TORTURE") == "1" {
			t.Fatal("strace is not installed")
		}
		t.Log("strace is not installed")
		return
	}
	v := newVictim(t)
	pipeline := "version: 1\nsteps:\n  - {name: a, op: pool, type: max, window: 2}\nsave:\n  a: [npy, png, argmax]\n"
	if err := os.WriteFile(filepath.Join(v.folder, "net.yaml"), []byte(pipeline), 0o666); err != nil {
		t.Fatal(err)
	}
	for _, command := range []string{
		"pool samples/chelsea.png --type max --window 2 -o y.png --argmax at.npy",
		"run net.yaml samples/chelsea.png samples/camera.png -o out --summary s.json",
		"grad pool samples/camera.png --type max --window 2 -o dx.npy",
		"inspect samples/camera.png", "bench pool --shape 1,32,32,3 --type max --window 2 --min-time 10ms",
	} {
		log := filepath.Join(t.TempDir(), "strace")
		v.args = strings.Fields(command)
		stderr, code := v.under("strace", "-f", "-qq", "-y", "-o", log, "-e", "trace=network,execve,openat,mkdirat,renameat,unlinkat,linkat,symlinkat,truncate")
		if code != 0 {
			t.Fatalf("%s: exit code %d: %s", command, code, stderr)
		}
		text, err := os.ReadFile(log)
		if err != nil || len(text) == 0 {
			t.Fatalf("%s: strace wrote nothing: %v", command, err)
		}
		started := 0
		for line := range strings.Lines(string(text)) {
			_, call, _ := strings.Cut(strings.TrimSpace(line), " ") // behind the thread's number
			call = strings.TrimSpace(call)
			name, _, _ := strings.Cut(call, "(")
			switch {
			case strings.HasPrefix(call, "---") || strings.HasPrefix(call, "+++") || strings.HasPrefix(call, "<..."):
			case name == "execve":
				started++
			case name == "openat" && !strings.Contains(call, "O_WRONLY") && !strings.Contains(call, "O_RDWR"):
			case name == "openat" || name == "mkdirat" || name == "renameat" || name == "unlinkat" || name == "linkat":
				quoted := strings.Split(call, `"`)
				for i := 1; i < len(quoted); i += 2 {
					if filepath.IsAbs(quoted[i]) && !strings.HasPrefix(quoted[i], v.folder) || strings.Contains(quoted[i], "..") {
						t.Errorf("%s: %s", command, call)
					}
				}
			default:
				t.Errorf("%s: %s", command, call)
			}
		}
		if started != 1 {
			t.Errorf("%s: %d programs were started, want the one", command, started)
		}
	}
}

// TestFewDescriptors checks that with any number of descriptors that Go's
// runtime can start with, the program does its work or names the file that it
// could not open.
func TestFewDescriptors(t *testing.T) {
	v := newVictim(t)
	done := 0
	for n := 9; n <= 24; n++ {
		v.reset()
		stderr, code := v.under("sh", "-c", fmt.Sprintf(`ulimit -n %d; exec "$0" "$@"`, n))
		label := fmt.Sprintf("%d descriptors", n)
		v.check(label, code)
		if code == 0 {
			done++
			continue
		}
		if code == 127 { // its loader failed
			continue
		}
		if code != 1 && code != 2 || strings.Count(stderr, "poolctl: error: ") != 1 || !strings.Contains(stderr, "too many open files") || strings.Contains(stderr, "goroutine ") {
			t.Errorf("%s: exit code %d, %q, want one line with the cause", label, code, stderr)
		}
	}
	if done == 0 {
		t.Error("24 descriptors were not enough")
	}
}

package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// TestSystemCalls kills the program at each of its system calls that write, and
// lets those that must not fail unnoticed fail. It needs strace; the faults of
// internal/imgio need nothing and are the same. `make torture` insists on it.
func TestSystemCalls(t *testing.T) {
	if _, err := exec.LookPath("strace"); err != nil {
		if os.Getenv("POOLCTL_TORTURE") == "1" {
			t.Fatal("strace is not installed")
		}
		t.Log("strace is not installed: only the faults of internal/imgio were tried")
		return
	}
	v := newVictim(t)
	step := repeats(5, 1) // every so many calls
	runs := 0
	for _, call := range []string{"openat", "write", "fchmod", "fsync", "close", "renameat,renameat2,rename", "unlinkat"} {
		for n := 1; ; n += step {
			v.reset()
			stderr, code := v.inject(call + ":signal=SIGKILL:when=" + fmt.Sprint(n))
			label := fmt.Sprintf("killed at %s %d", call, n)
			v.check(label, code)
			runs++
			if code == 0 { // fewer calls than that
				break
			}
			if code != 137 && code != -1 {
				t.Errorf("%s: exit code %d: %s", label, code, stderr)
			}
			if n > 500 {
				t.Fatalf("%s: the program does not end", label)
			}
		}
		v.recovers("killed at " + call)
	}
	for _, call := range []string{"fsync", "renameat,renameat2,rename"} {
		for _, fault := range []string{"EIO", "ENOSPC", "EDQUOT"} {
			for n := 1; ; n++ {
				v.reset()
				stderr, code := v.inject(call + ":error=" + fault + ":when=" + fmt.Sprint(n))
				label := fmt.Sprintf("%s of %s %d", fault, call, n)
				v.check(label, code)
				runs++
				if code == 0 {
					break
				}
				if code != 1 || strings.Count(stderr, "poolctl: error: ") != 1 || !strings.Contains(stderr, "y.png") && !strings.Contains(stderr, "at.npy") {
					t.Errorf("%s: exit code %d, %q, want 1 and the file's name", label, code, stderr)
				}
				if left := v.temporaries(); len(left) > 0 {
					t.Errorf("%s: left %v", label, left)
				}
			}
		}
	}
	v.recovers("faults")
	t.Logf("%d runs", runs)
}

// inject runs the program under strace, with one fault.
func (v *victim) inject(fault string) (stderr string, code int) {
	v.Helper()
	call, _, _ := strings.Cut(fault, ":")
	log := filepath.Join(v.T.TempDir(), "strace")
	return v.under("strace", "-f", "-qq", "-o", log, "-e", "trace="+call, "-e", "inject="+fault)
}

// TestFullDisk writes to file systems of every small size, which the kernel
// keeps in memory. It needs a mount namespace; `make torture` insists on it.
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
	// The old outputs are copied onto the small disk, and what is there in the
	// end is copied back; the program runs on the disk.
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

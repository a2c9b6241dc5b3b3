//go:build unix

package imgio

import (
	"errors"
	"net"
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/poolctl/poolctl/internal/imgio/imgiotest"
)

// TestSpecialInputs refuses special files without waiting, and reads a pipe.
func TestSpecialInputs(t *testing.T) {
	dir := t.TempDir()
	pipe := filepath.Join(dir, "pipe")
	if err := syscall.Mkfifo(pipe, 0o666); err != nil {
		t.Fatal(err)
	}
	socket, err := net.Listen("unix", filepath.Join(dir, "socket"))
	if err != nil {
		t.Fatal(err)
	}
	defer socket.Close()
	if err := os.Symlink("loop", filepath.Join(dir, "loop")); err != nil {
		t.Fatal(err)
	}
	start := time.Now()
	for name, says := range map[string]string{
		dir:                          "is a directory",
		pipe:                         "the file is empty",
		filepath.Join(dir, "socket"): "is a socket, want a file",
		"/dev/zero":                  "is a device, want a file",
		filepath.Join(dir, "loop"):   "too many levels of symbolic links",
		filepath.Join(dir, "none"):   "no such file or directory",
	} {
		_, err := Open(name, Options{})
		imgiotest.WantError(t, err, name+": "+says)
	}
	if d := time.Since(start); d > 10*time.Second {
		t.Errorf("took %v, want much less than a second", d)
	}

	content, err := os.ReadFile("png/testdata/rgb8.png")
	if err != nil {
		t.Fatal(err)
	}
	writer, err := os.OpenFile(pipe, os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	go func() {
		time.Sleep(20 * time.Millisecond) // the reader waits for its writer
		_, _ = writer.Write(content[:50])
		time.Sleep(20 * time.Millisecond)
		_, _ = writer.Write(content[50:])
		_ = writer.Close()
	}()
	want, _ := mustRead(t, "png/testdata/rgb8.png", Options{})
	got, _ := mustRead(t, pipe, Options{})
	imgiotest.SameBits(t, got, want)
}

// TestCutWhileRead truncates a file between Open and Read.
func TestCutWhileRead(t *testing.T) {
	for _, name := range []string{"a.npy", "a.png"} {
		path := filepath.Join(t.TempDir(), name)
		save(t, Output{Name: path, Tensor: imgiotest.RandomPicture(1, 8, 200, 200, 3)})
		s, err := Open(path, Options{})
		if err != nil {
			t.Fatal(err)
		}
		defer s.Close()
		if err := os.Truncate(path, 1000); err != nil {
			t.Fatal(err)
		}
		_, err = s.Read()
		if name == "a.png" && errors.Is(err, nil) {
			continue // small enough to have been buffered
		}
		imgiotest.WantError(t, err, path, "cut")
	}
}

// TestUnwritable refuses a folder and a file without write permission. The superuser
// may write anywhere but in /proc, where no file can be created.
func TestUnwritable(t *testing.T) {
	if os.Geteuid() == 0 {
		if _, err := os.Stat("/proc/self"); err == nil {
			imgiotest.WantError(t, NewFiles(false).CheckOutputs("/proc/a.npy"), "/proc/a.npy: folder /proc: ")
		}
		return
	}
	dir := t.TempDir()
	file := filepath.Join(dir, "a.npy")
	if err := os.WriteFile(file, nil, 0o444); err != nil {
		t.Fatal(err)
	}
	imgiotest.WantError(t, NewFiles(false).CheckOutputs(file), "permission denied")
	if err := os.Chmod(dir, 0o555); err != nil {
		t.Fatal(err)
	}
	imgiotest.WantError(t, NewFiles(false).CheckOutputs(filepath.Join(dir, "b.npy")), "permission denied")
}

// TestFullDevice: an error of a failed write has the name and the cause.
func TestFullDevice(t *testing.T) {
	if _, err := os.Stat("/dev/full"); err != nil {
		return // Linux has it
	}
	link := filepath.Join(t.TempDir(), "full.npy")
	if err := os.Symlink("/dev/full", link); err != nil {
		t.Fatal(err)
	}
	_, err := WriteAll([]Output{{Name: link, Tensor: small}}, WriteOptions{})
	imgiotest.WantError(t, err, "full.npy: no space left on device")
}

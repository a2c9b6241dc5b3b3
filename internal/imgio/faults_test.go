package imgio

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/poolctl/poolctl/internal/imgio/imgiotest"
)

// fault is a way in which calls fail.
type fault struct {
	name  string
	err   error
	short bool // a write takes half of its bytes and says so
	stuck bool // all calls from the first one on fail
}

var faults = []fault{
	{name: "I/O error", err: syscall.EIO},
	{name: "no space", err: syscall.ENOSPC},
	{name: "no space from then on", err: syscall.ENOSPC, stuck: true},
	{name: "quota", err: syscall.EDQUOT},
	{name: "short write", err: io.ErrShortWrite, short: true},
}

// faulty is a disk on which call number at fails, and perhaps all after it.
type faulty struct {
	fault
	at     int
	calls  int
	failed []string // the calls that did
}

// fails counts a call and says whether it fails.
func (f *faulty) fails(call string) error {
	f.calls++
	if f.calls == f.at || f.stuck && f.calls > f.at {
		f.failed = append(f.failed, call)
		return f.err
	}
	return nil
}

func (f *faulty) create(name string) (temporary, error) {
	if err := f.fails("create"); err != nil {
		return nil, err
	}
	t, err := disk{}.create(name)
	return &faultyFile{t, f}, err
}

func (f *faulty) rename(from, to string) error {
	if err := f.fails("rename"); err != nil {
		return err
	}
	return disk{}.rename(from, to)
}

func (f *faulty) link(from, to string) error {
	if err := f.fails("link"); err != nil {
		return err
	}
	return disk{}.link(from, to)
}

func (f *faulty) remove(name string) error {
	if err := f.fails("remove"); err != nil {
		return err
	}
	return disk{}.remove(name)
}

func (f *faulty) syncFolder(name string) error {
	if err := f.fails("sync folder"); err != nil {
		return err
	}
	return nil // the machine does not fail, and the disk is slow
}

type faultyFile struct {
	temporary
	f *faulty
}

func (t *faultyFile) Write(p []byte) (int, error) {
	if err := t.f.fails("write"); err != nil {
		if !t.f.short {
			return 0, err
		}
		n, _ := t.temporary.Write(p[:len(p)/2])
		return n, err
	}
	return t.temporary.Write(p)
}

func (t *faultyFile) Chmod(mode fs.FileMode) error {
	if err := t.f.fails("chmod"); err != nil {
		return err
	}
	return t.temporary.Chmod(mode)
}

func (t *faultyFile) Sync() error {
	if err := t.f.fails("sync"); err != nil {
		return err
	}
	return nil
}

func (t *faultyFile) Close() error {
	if err := t.f.fails("close"); err != nil {
		_ = t.temporary.Close()
		return err
	}
	return t.temporary.Close()
}

// forgetSweeps makes this process sweep folders again, as a new process would.
func forgetSweeps() {
	temporaries.Lock()
	defer temporaries.Unlock()
	clear(temporaries.swept)
}

// TestEveryCallFails writes outputs while call N fails, for every N and every kind
// of failure. Every file has its old or its complete new content, the error names
// the file and the cause, and a later run succeeds and leaves no temporary files.
func TestEveryCallFails(t *testing.T) {
	noisy := imgiotest.RandomPicture(9, 8, 200, 200, 3)
	const old = "what was there before"
	for name, c := range map[string]struct {
		outputs []Output
		fresh   bool
	}{
		"one":                {outputs: []Output{{Name: "a.npy", Tensor: noisy}}},
		"picture":            {outputs: []Output{{Name: "a.png", Tensor: noisy}}},
		"several":            {outputs: []Output{{Name: "a.png", Tensor: noisy}, {Name: "b.npz#x", Tensor: small}, {Name: "b.npz#y", Tensor: noisy}, {Name: "c.npy", Tensor: small}}},
		"without clobbering": {outputs: []Output{{Name: "a.npy", Tensor: small}, {Name: "b.npy", Tensor: noisy}}, fresh: true},
	} {
		for _, replace := range []bool{false, true} {
			if replace && c.fresh {
				continue
			}
			dir := t.TempDir()
			want := map[string]string{}
			in := func(dir string) []Output {
				list := append([]Output{}, c.outputs...)
				for i := range list {
					list[i].Name = filepath.Join(dir, list[i].Name)
				}
				return list
			}
			count := &faulty{}
			if _, err := WriteAll(in(dir), WriteOptions{NoClobber: c.fresh, files: count}); err != nil {
				t.Fatal(err)
			}
			for file := range strings.FieldsSeq(listing(t, dir)) {
				want[file] = contents(t, filepath.Join(dir, file))
			}
			for _, fault := range faults {
				last := count.calls
				if replace {
					last += len(want) // chmod
				}
				for at := 1; at <= last; at++ {
					label := fmt.Sprintf("%s, replacing %v, %s at call %d of %d", name, replace, fault.name, at, last)
					dir := filepath.Join(t.TempDir(), "out")
					if err := os.Mkdir(dir, 0o777); err != nil {
						t.Fatal(err)
					}
					for file := range want {
						if replace {
							if err := os.WriteFile(filepath.Join(dir, file), []byte(old), 0o666); err != nil {
								t.Fatal(err)
							}
						}
					}
					files := &faulty{fault: fault, at: at}
					_, err := WriteAll(in(dir), WriteOptions{NoClobber: c.fresh, files: files})
					checkFault(t, label, dir, files, err)
					done := 0
					for file := range want {
						switch got := contents(t, filepath.Join(dir, file)); {
						case got == want[file]:
							done++
						case got == old && replace, got == "" && !replace:
						default:
							t.Errorf("%s: %s holds %d bytes that are neither the old nor the new content", label, file, len(got))
						}
					}
					if err == nil && done != len(want) {
						t.Errorf("%s: no error, but %d of %d files are new", label, done, len(want))
					}
					forgetSweeps()
					again := WriteOptions{files: &faulty{}} // --no-clobber would refuse what the first run finished
					if _, err := WriteAll(in(dir), again); err != nil {
						t.Fatalf("%s: the next run: %v", label, err)
					}
					if got := strings.Fields(listing(t, dir)); len(got) != len(want) {
						t.Errorf("%s: after the next run: got files %q, want %d", label, got, len(want))
					}
				}
			}
		}
	}
}

// contents returns the contents of a file, "" if it does not exist.
func contents(t *testing.T, name string) string {
	t.Helper()
	data, err := os.ReadFile(name)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		t.Fatal(err)
	}
	return string(data)
}

// checkFault checks the error of WriteAll after calls have failed.
func checkFault(t *testing.T, label, dir string, files *faulty, err error) {
	t.Helper()
	if len(files.failed) == 0 {
		t.Fatalf("%s: no call failed", label)
	}
	if err == nil && len(files.failed) == 1 && files.failed[0] == "link" {
		return // a file system without hard links: renamed instead
	}
	if err == nil {
		t.Errorf("%s: got no error although %v failed", label, files.failed)
		return
	}
	if !errors.Is(err, files.err) || !strings.Contains(err.Error(), dir) {
		t.Errorf("%s: got %q, want the file and %q", label, err, files.err)
	}
}

// TestPartOfSeveral: if a rename fails, the outputs before it stay, those after it
// do not appear, and the error says so.
func TestPartOfSeveral(t *testing.T) {
	dir := t.TempDir()
	var outputs []Output
	for _, name := range []string{"a.npy", "b.npy", "c.npy"} {
		outputs = append(outputs, Output{Name: filepath.Join(dir, name), Tensor: small})
	}
	renames := 0
	files := &blocked{faulty: faulty{at: -1}, deny: func() bool { renames++; return renames == 2 }}
	_, err := WriteAll(outputs, WriteOptions{files: files})
	imgiotest.WantError(t, err, "b.npy: permission denied (written already: "+outputs[0].Name+")")
	if got := listing(t, dir); got != "a.npy" {
		t.Errorf("got files %q, want a.npy alone", got)
	}
	got, _ := mustRead(t, outputs[0].Name, Options{})
	imgiotest.SameBits(t, got, small)
}

// blocked is a disk that refuses some renames.
type blocked struct {
	faulty
	deny func() bool
}

func (b *blocked) rename(from, to string) error {
	if b.deny() {
		return &os.LinkError{Op: "rename", Old: from, New: to, Err: fs.ErrPermission}
	}
	return disk{}.rename(from, to)
}

// TestSweep removes the temporary files of killed runs, and nothing else.
func TestSweep(t *testing.T) {
	dir := t.TempDir()
	stays := []string{".poolctl-0123456789abcde", ".poolctl-0123456789abcdefg", ".poolctl-0123456789abcdxy", "poolctl-0123456789abcdef", ".poolctl-config", "0123456789abcdef"}
	for _, name := range append(stays, ".poolctl-0123456789abcdef") {
		if err := os.WriteFile(filepath.Join(dir, name), []byte("x"), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	folder, link := ".poolctl-00000000000000ff", ".poolctl-00000000000000fe"
	if err := os.Mkdir(filepath.Join(dir, folder), 0o777); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink("0123456789abcdef", filepath.Join(dir, link)); err != nil {
		t.Fatal(err)
	}
	busy, err := disk{}.create(filepath.Join(dir, ".poolctl-1111111111111111")) // of another run that is at work
	if err != nil {
		t.Fatal(err)
	}
	if err := busy.Close(); err != nil { // and waits to be renamed
		t.Fatal(err)
	}
	save(t, Output{Name: filepath.Join(dir, "y.npy"), Tensor: small})
	got := listing(t, dir)
	for _, name := range append(stays, folder, link, filepath.Base(busy.Name()), "y.npy") {
		if !strings.Contains(" "+got+" ", " "+name+" ") {
			t.Errorf("%s was removed", name)
		}
	}
	if strings.Contains(got, ".poolctl-0123456789abcdef ") {
		t.Error("an abandoned temporary file stays")
	}
	busy.release()
	forgetSweeps()
	save(t, Output{Name: filepath.Join(dir, "y.npy"), Tensor: small})
	if strings.Contains(listing(t, dir), "1111") {
		t.Error("a temporary file that its owner let go of stays")
	}
}

// TestOrderOfWriting: a file is synced before it is renamed, and the folder after
// that.
func TestOrderOfWriting(t *testing.T) {
	var calls recorded
	dir := t.TempDir()
	if _, err := WriteAll([]Output{{Name: filepath.Join(dir, "a.npy"), Tensor: small}, {Name: filepath.Join(dir, "b.npy"), Tensor: small}}, WriteOptions{files: &calls}); err != nil {
		t.Fatal(err)
	}
	const each = "create write sync close "
	if got, want := calls.String(), each+each+"rename sync-folder rename sync-folder "; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

// recorded is a disk that records calls.
type recorded struct {
	strings.Builder
	disk
}

func (r *recorded) note(call string) { r.WriteString(call + " ") }

func (r *recorded) create(name string) (temporary, error) {
	r.note("create")
	t, err := r.disk.create(name)
	return &recordedFile{t, r}, err
}

func (r *recorded) rename(from, to string) error {
	r.note("rename")
	return r.disk.rename(from, to)
}

func (r *recorded) syncFolder(name string) error {
	r.note("sync-folder")
	return r.disk.syncFolder(name)
}

type recordedFile struct {
	temporary
	r *recorded
}

func (t *recordedFile) Write(p []byte) (int, error) { t.r.note("write"); return t.temporary.Write(p) }
func (t *recordedFile) Sync() error                 { t.r.note("sync"); return t.temporary.Sync() }
func (t *recordedFile) Close() error                { t.r.note("close"); return t.temporary.Close() }

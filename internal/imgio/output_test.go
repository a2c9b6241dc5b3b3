package imgio

import (
	"bytes"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/poolctl/poolctl/internal/imgio/imgiotest"
	"github.com/poolctl/poolctl/internal/tensor"
)

var small = tensor.From([]uint8{1, 2, 3, 4}, 1, 2, 2, 1)

// listing returns the names in a folder.
func listing(t *testing.T, dir string) string {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, e := range entries {
		names = append(names, e.Name())
	}
	return strings.Join(names, " ")
}

// TestAllOrNothing: if the last output fails, no other one appears, existing files
// stay, and no temporary file is left.
func TestAllOrNothing(t *testing.T) {
	dir := t.TempDir()
	old := filepath.Join(dir, "old.npy")
	if err := os.WriteFile(old, []byte("old"), 0o644); err != nil {
		t.Fatal(err)
	}
	_, err := WriteAll([]Output{
		{Name: old, Tensor: small},
		{Name: filepath.Join(dir, "new.png"), Tensor: small},
		{Name: filepath.Join(dir, "a.npz#w"), Tensor: small},
		{Name: filepath.Join(dir, "bad.jpg"), Tensor: small, Quality: -1},
	}, WriteOptions{})
	imgiotest.WantError(t, err, "bad.jpg: jpeg: got quality -1")
	if got := listing(t, dir); got != "old.npy" {
		t.Errorf("got files %q, want old.npy alone", got)
	}
	if content, _ := os.ReadFile(old); string(content) != "old" {
		t.Errorf("the old file was changed to %q", content)
	}
	_, err = WriteAll([]Output{{Name: filepath.Join(dir, "none", "a.npy"), Tensor: small}}, WriteOptions{})
	imgiotest.WantError(t, err, "none")
	if !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("got %v, want one that is fs.ErrNotExist", err)
	}
}

// failing is an output that fails after so many bytes.
type failing struct{ left int }

func (f *failing) Write(p []byte) (int, error) {
	if len(p) > f.left {
		return f.left, errors.New("no space")
	}
	f.left -= len(p)
	return len(p), nil
}

// TestStandardOutputFirst checks that a failing standard output leaves no file.
func TestStandardOutputFirst(t *testing.T) {
	dir := t.TempDir()
	outputs := []Output{{Name: filepath.Join(dir, "a.npy"), Tensor: small}, {Name: "-", Tensor: small}}
	_, err := WriteAll(outputs, WriteOptions{Stdout: &failing{100}})
	imgiotest.WantError(t, err, "standard output: no space")
	_, err = WriteAll(outputs, WriteOptions{})
	imgiotest.WantError(t, err, "-: there is no standard output")
	if got := listing(t, dir); got != "" {
		t.Errorf("got files %q, want none", got)
	}
	var out bytes.Buffer
	if _, err := WriteAll(outputs, WriteOptions{Stdout: &out}); err != nil {
		t.Fatal(err)
	}
	if file, _ := os.ReadFile(outputs[0].Name); !bytes.Equal(file, out.Bytes()) {
		t.Error("standard output and file differ")
	}
}

// TestArchive writes members of two archives at once.
func TestArchive(t *testing.T) {
	dir := t.TempDir()
	a, b := filepath.Join(dir, "a.npz"), filepath.Join(dir, "B.NPZ")
	wide := tensor.From([]float64{1, 2, 3}, 3)
	if _, err := WriteAll([]Output{{Name: a, Tensor: small}, {Name: b + "#x", Tensor: wide}, {Name: a + "#y.npy", Tensor: wide}}, WriteOptions{}); err != nil {
		t.Fatal(err)
	}
	members, err := List(a, tensor.Invalid)
	if err != nil || len(members) != 2 || members[0].Name != "arr_0" || members[1].Name != "y" || !members[1].Spec.Equal(wide.Spec) {
		t.Errorf("got %+v, %v", members, err)
	}
	got, info := mustRead(t, b, Options{})
	imgiotest.SameBits(t, got, wide)
	if info.Format != "npz" {
		t.Errorf("got format %s", info.Format)
	}
	got, _ = mustRead(t, a+"#arr_0.npy", Options{})
	imgiotest.SameBits(t, got, small)
	first, _ := os.ReadFile(b)
	save(t, Output{Name: b + "#x", Tensor: wide})
	if second, _ := os.ReadFile(b); !bytes.Equal(first, second) {
		t.Error("the same array made two different archives")
	}
}

func TestPermissions(t *testing.T) {
	if runtime.GOOS == "windows" {
		return // has none
	}
	dir := t.TempDir()
	name := filepath.Join(dir, "a.npy")
	reference := filepath.Join(dir, "reference")
	if err := os.WriteFile(reference, nil, 0o666); err != nil {
		t.Fatal(err)
	}
	save(t, Output{Name: name, Tensor: small})
	if got, want := mode(t, name), mode(t, reference); got != want {
		t.Errorf("new file: got %v, want %v by the umask", got, want)
	}
	for _, m := range []fs.FileMode{0o600, 0o664, 0o755} {
		if err := os.Chmod(name, m); err != nil {
			t.Fatal(err)
		}
		save(t, Output{Name: name, Tensor: small})
		if got := mode(t, name); got != m {
			t.Errorf("replaced file: got %v, want %v as before", got, m)
		}
	}
}

func mode(t *testing.T, name string) fs.FileMode {
	t.Helper()
	info, err := os.Stat(name)
	if err != nil {
		t.Fatal(err)
	}
	return info.Mode()
}

// TestSymbolicLinks replaces the target of a link and keeps the link, even if the
// target does not exist yet.
func TestSymbolicLinks(t *testing.T) {
	dir := t.TempDir()
	far := filepath.Join(dir, "far")
	if err := os.Mkdir(far, 0o777); err != nil {
		t.Fatal(err)
	}
	link, second := filepath.Join(dir, "link.npy"), filepath.Join(dir, "second.npy")
	if err := os.Symlink("link.npy", second); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(filepath.Join("far", "target.npy"), link); err != nil {
		t.Fatal(err)
	}
	for range 2 { // first dangling, then not
		save(t, Output{Name: second, Tensor: small})
		if got := listing(t, far); got != "target.npy" {
			t.Fatalf("got files %q beside the target", got)
		}
		if mode := lstat(t, second).Mode() & lstat(t, link).Mode(); mode&fs.ModeSymlink == 0 {
			t.Fatal("a link was replaced")
		}
	}
	loop := filepath.Join(dir, "loop.npy")
	if err := os.Symlink("loop.npy", loop); err != nil {
		t.Fatal(err)
	}
	_, err := WriteAll([]Output{{Name: loop, Tensor: small}}, WriteOptions{})
	imgiotest.WantError(t, err, "loop.npy: too many symbolic links")
}

func lstat(t *testing.T, name string) fs.FileInfo {
	t.Helper()
	info, err := os.Lstat(name)
	if err != nil {
		t.Fatal(err)
	}
	return info
}

// TestNoClobber never replaces a file, not even one that appears at the last
// moment.
func TestNoClobber(t *testing.T) {
	name := filepath.Join(t.TempDir(), "a.npy")
	if _, err := WriteAll([]Output{{Name: name, Tensor: small}}, WriteOptions{NoClobber: true}); err != nil {
		t.Fatal(err)
	}
	before, _ := os.ReadFile(name)
	_, err := WriteAll([]Output{{Name: name, Tensor: imgiotest.RandomPicture(1, 8, 3, 3, 1)}}, WriteOptions{NoClobber: true})
	imgiotest.WantError(t, err, "a.npy: exists already (--no-clobber)")
	if after, _ := os.ReadFile(name); !bytes.Equal(before, after) {
		t.Error("the file was replaced")
	}
	if got := listing(t, filepath.Dir(name)); got != "a.npy" {
		t.Errorf("got files %q", got)
	}
}

func TestCheckOutputs(t *testing.T) {
	dir := t.TempDir()
	t.Chdir(dir)
	for _, name := range []string{"in.npy", "in.npz", "odd#name.npy"} {
		if err := os.WriteFile(name, nil, 0o666); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Mkdir("folder.npy", 0o777); err != nil {
		t.Fatal(err)
	}
	if err := os.Link("in.npy", "hard.npy"); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink("in.npy", "soft.npy"); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(".", "here"); err != nil {
		t.Fatal(err)
	}
	inputs := []string{"in.npy", "in.npz#w", "odd#name.npy"}
	cases := []struct {
		outputs   []string
		noClobber bool
		usage     bool
		says      string // "" for none
	}{
		{[]string{"out.npy", "out.png", "-", "out.npz", "out.npz#b", "other.npz#arr_0"}, false, false, ""},
		{[]string{"out.xyz"}, false, true, `out.xyz: got extension ".xyz", want one of .npy, .npz, .png, .jpg, .gif, .bmp, .tif, `},
		{[]string{"out.webp"}, false, true, `got extension ".webp"`},
		{[]string{"out"}, false, true, `got extension ""`},
		{[]string{"out.npz#../x"}, false, true, `member "../x": want a name that is no path out of the archive`},
		{[]string{"out.npz#"}, false, true, `member "": want a name`},
		{[]string{"in.npy"}, false, true, "in.npy: is also the input in.npy, want another name"},
		{[]string{"./in.npy"}, false, true, "is also the input in.npy"},
		{[]string{"hard.npy"}, false, true, "is also the input in.npy"},
		{[]string{"soft.npy"}, false, true, "is also the input in.npy"},
		{[]string{filepath.Join(dir, "here", "in.npy")}, false, true, "is also the input in.npy"},
		{[]string{"in.npz#other"}, false, true, "is also the input in.npz#w"},
		{[]string{"odd#name.npy"}, false, true, "is also the input odd#name.npy"},
		{[]string{"a.npy", "here/a.npy"}, false, true, "here/a.npy: is the same output as a.npy, want two names"},
		{[]string{"-", "-"}, false, true, "-: is the same output as -"},
		{[]string{"a.npz", "a.npz#arr_0"}, false, true, "is the same output as a.npz"},
		{[]string{"folder.npy"}, false, false, "folder.npy: is a directory"},
		{[]string{"none/a.npy"}, false, false, "none/a.npy: folder none: no such file"},
		{[]string{"in.npy/a.npy"}, false, false, "in.npy/a.npy: "},
		{[]string{"soft.npy"}, true, false, "soft.npy: exists already (--no-clobber)"},
		{[]string{"new.npy"}, true, false, ""},
	}
	for _, c := range cases {
		files := NewFiles(c.noClobber)
		files.Read("input", inputs...)
		err := files.CheckOutputs(c.outputs...)
		if c.says == "" {
			if err != nil {
				t.Errorf("%q: got %v, want no error", c.outputs, err)
			}
			continue
		}
		imgiotest.WantError(t, err, c.says)
		var usage *UsageError
		if errors.As(err, &usage) != c.usage {
			t.Errorf("%q: got %T (%v), want a usage error: %v", c.outputs, err, err, c.usage)
		}
	}
	if got := listing(t, dir); got != "folder.npy hard.npy here in.npy in.npz odd#name.npy soft.npy" {
		t.Errorf("the check left files: %q", got)
	}
}

// TestSpecialTargets writes to devices and pipes directly.
func TestSpecialTargets(t *testing.T) {
	if runtime.GOOS == "windows" {
		return // has other ones
	}
	link := filepath.Join(t.TempDir(), "null.npy")
	if err := os.Symlink(os.DevNull, link); err != nil {
		t.Fatal(err)
	}
	files := NewFiles(false)
	files.Read("input", os.DevNull)
	if err := files.CheckOutputs(link, link); err != nil {
		t.Errorf("got %v, want the null device taken", err)
	}
	save(t, Output{Name: link, Tensor: small})
	if mode(t, os.DevNull)&fs.ModeDevice == 0 {
		t.Fatal("the null device is gone")
	}
}

func TestIsPicture(t *testing.T) {
	for name, want := range map[string]bool{"a.png": true, "a.JPG": true, "a.npy": false, "a.npz#x.png": false, "-": false, "a.xyz": false} {
		if got := IsPicture(name); got != want {
			t.Errorf("%s: got %v, want %v", name, got, want)
		}
	}
}

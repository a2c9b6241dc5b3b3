package imgio

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/poolctl/poolctl/internal/imgio/imgiotest"
)

// TestFilesThatAreOne finds one file behind two names, among folders that exist
// and folders that do not.
func TestFilesThatAreOne(t *testing.T) {
	dir := t.TempDir()
	t.Chdir(dir)
	if err := os.Mkdir("real", 0o777); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink("real", "alias"); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile("weights.npy", nil, 0o666); err != nil {
		t.Fatal(err)
	}
	f := NewFiles(true)
	f.Read("input", "", "missing.npy")
	f.Read("weights file", "weights.npy#w")
	for _, name := range []string{"real/new/a.npy", "real/new/b.npy"} {
		if err := f.Write(name); err != nil {
			t.Fatal(err)
		}
	}
	for _, name := range []string{"alias/new/a.npy", filepath.Join(dir, "alias", "new", "a.npy"), "real/./new//a.npy"} {
		imgiotest.WantError(t, f.Write(name), "is the same output as real/new/a.npy, want two names")
	}
	imgiotest.WantError(t, f.Write("weights.npy"), "exists already (--no-clobber)")
	imgiotest.WantError(t, f.Append("weights.npy"), "is also the weights file weights.npy#w, want another name")
	imgiotest.WantError(t, f.Write("real"), "exists already")
	imgiotest.WantError(t, f.Append("real"), "is a directory")
}

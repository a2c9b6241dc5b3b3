package imgio

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/poolctl/poolctl/internal/tensor"
)

// mustRead opens and reads a file.
func mustRead(t testing.TB, name string, o Options) (*tensor.Tensor, Info) {
	t.Helper()
	s, err := Open(name, o)
	if err != nil {
		t.Fatalf("open: %v", err)
	}
	defer s.Close()
	got, err := s.Read()
	if err != nil {
		t.Fatalf("read: %v", err)
	}
	if !got.Spec.Equal(s.Info.Spec) {
		t.Fatalf("the header says %s, the data is %s", s.Info.Spec, got.Spec)
	}
	return got, s.Info
}

// readError opens and reads a file that must be refused, and returns why.
func readError(t testing.TB, name string, o Options) error {
	t.Helper()
	s, err := Open(name, o)
	if err != nil {
		return err
	}
	defer s.Close()
	got, err := s.Read()
	if err == nil {
		t.Fatalf("%s: read as %s, want an error", name, got.Spec)
	}
	return err
}

// writeFile puts content into a file of its own folder and returns its name.
func writeFile(t testing.TB, name string, content []byte) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	writeTo(t, path, content)
	return path
}

// writeTo puts content into a file.
func writeTo(t testing.TB, path string, content []byte) {
	t.Helper()
	if err := os.WriteFile(path, content, 0o666); err != nil {
		t.Fatal(err)
	}
}

// save writes one output and returns the notes.
func save(t testing.TB, o Output) []Note {
	t.Helper()
	notes, err := WriteAll([]Output{o}, WriteOptions{})
	if err != nil {
		t.Fatalf("write: %v", err)
	}
	return notes
}

func abs(x int) int { return max(x, -x) }

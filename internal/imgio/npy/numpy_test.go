package npy

import (
	"archive/zip"
	"bytes"
	"io"
	"os"
	"strings"
	"testing"

	"github.com/poolctl/poolctl/internal/imgio/imgiotest"
)

// arrayValue is what arrays.py puts at index i of its arrays.
func arrayValue(code string, i int) float64 {
	switch code[0] {
	case 'f':
		return float64(i-5) / 4
	case 'i':
		return float64(i - 5)
	case 'b':
		return float64(min(i, 1))
	default:
		return float64(i)
	}
}

// TestNumPyArrays reads what NumPy writes: every type, both byte orders, both
// memory orders, all versions, as members of an archive and as plain files.
func TestNumPyArrays(t *testing.T) {
	data, err := os.ReadFile("testdata/arrays.npz") // made by tools/fixtures/arrays.py
	if err != nil {
		t.Fatal(err)
	}
	archive, err := zip.NewReader(bytes.NewReader(data), int64(len(data)))
	if err != nil {
		t.Fatal(err)
	}
	members, err := Members(imgiotest.File(data))
	if err != nil || len(members) != 49 || len(archive.File) != 49 {
		t.Fatalf("got %d members of %d (%v), want the 49 that the script makes", len(members), len(archive.File), err)
	}
	for i, m := range members {
		t.Run(m.Name, func(t *testing.T) {
			array, err := m.Open()
			if err != nil {
				t.Fatal(err)
			}
			got, err := array.Read()
			if err != nil {
				t.Fatal(err)
			}
			content := unzip(t, archive.File[i])
			imgiotest.SameBits(t, mustRead(t, content), got)
			code, rest, typed := strings.Cut(m.Name, "-")
			if code == "shape" {
				code, typed = "f4", false
			}
			if got.DType != types[code] {
				t.Errorf("got type %s for %s", got.DType, code)
			}
			for i := range got.Len() {
				if v := got.At(i); v != arrayValue(code, i) {
					t.Fatalf("element %d: got %v, want %v", i, v, arrayValue(code, i))
				}
			}
			// Little-endian, row-major arrays are written as NumPy writes them.
			if !typed || rest == "le-c-v1" && code != "b1" {
				var again bytes.Buffer
				if err := Write(&again, got); err != nil || !bytes.Equal(again.Bytes(), content) {
					t.Errorf("wrote %q (%v), NumPy wrote %q", again.Bytes(), err, content)
				}
			}
		})
	}
}

func unzip(t *testing.T, f *zip.File) []byte {
	r, err := f.Open()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	content, err := io.ReadAll(r)
	if err != nil {
		t.Fatal(err)
	}
	return content
}

package npy

import (
	"archive/zip"
	"bytes"
	"io"
	"os"
	"strings"
	"testing"

	"github.com/poolctl/poolctl/internal/imgio/imgiotest"
	"github.com/poolctl/poolctl/internal/tensor"
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
			if want, _ := typeOf(code); got.DType != want {
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

// TestBFloat16Arrays reads what NumPy writes of ml_dtypes' bfloat16 arrays, and of
// their raw bytes, if it is told what they are. Written they are the same file.
func TestBFloat16Arrays(t *testing.T) {
	data, err := os.ReadFile("testdata/bfloat16.npz") // made by tools/fixtures/bfloat16.py
	if err != nil {
		t.Fatal(err)
	}
	archive, err := zip.NewReader(bytes.NewReader(data), int64(len(data)))
	if err != nil {
		t.Fatal(err)
	}
	contents := map[string][]byte{}
	for _, f := range archive.File {
		contents[memberName(f)] = unzip(t, f)
	}
	numbers := mustRead(t, contents["numbers"])
	for _, name := range []string{"saved", "fortran", "void"} {
		for _, raw := range []tensor.DType{tensor.Invalid, tensor.Float32, tensor.Float16} {
			in := imgiotest.File(contents[name])
			in.Raw = raw
			if _, err := Open(in); err == nil || !strings.Contains(err.Error(), "V2: raw bytes are not numbers, unless --dtype bfloat16 says what they are") {
				t.Errorf("%s as %s: %v", name, raw, err)
			}
		}
		in := imgiotest.File(contents[name])
		in.Raw = tensor.BFloat16
		array, err := Open(in)
		if err != nil {
			t.Fatal(err)
		}
		got, err := array.Read()
		if err != nil {
			t.Fatal(err)
		}
		if !got.Equal(tensor.Spec{DType: tensor.BFloat16, Shape: tensor.Shape{2, 3, 4}}) {
			t.Fatalf("%s is %s", name, got.Spec)
		}
		for i := range numbers.Len() {
			if got.At(i) != numbers.At(i) {
				t.Errorf("%s: element %d is %v, want %v", name, i, got.At(i), numbers.At(i))
			}
		}
		var again bytes.Buffer
		if err := Write(&again, got); err != nil || !bytes.Equal(again.Bytes(), contents["saved"]) {
			t.Errorf("wrote %q (%v), NumPy wrote %q", again.Bytes(), err, contents["saved"])
		}
	}
	// An archive, and a file of another type, whatever raw bytes are.
	in := imgiotest.File(data)
	in.Raw = tensor.BFloat16
	members, err := Members(in)
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range members {
		array, err := m.Open()
		if want := map[bool]tensor.DType{false: tensor.BFloat16, true: tensor.Float32}[m.Name == "numbers"]; err != nil || array.Spec.DType != want {
			t.Errorf("%s is %s (%v), want %s", m.Name, array.Spec, err, want)
		}
	}
}

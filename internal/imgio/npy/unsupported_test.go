package npy

import (
	"archive/zip"
	"errors"
	"testing"

	"github.com/poolctl/poolctl/internal/imgio/imgiotest"
	"github.com/poolctl/poolctl/internal/imgio/input"
	"github.com/poolctl/poolctl/internal/tensor"
)

// TestUnsupportedTypes lists the arrays that tools/fixtures/unsupported.py makes
// with NumPy, without the readme beside them. Those of other types are refused by
// type and shape; the two of numbers are read.
func TestUnsupportedTypes(t *testing.T) {
	file, _, err := input.Open("testdata/unsupported.npz", nil)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	members, err := Members(file)
	if err != nil {
		t.Fatal(err)
	}
	want := []struct {
		name    string
		refused input.TypeError
		numbers []float64
	}{
		{name: "names", refused: input.TypeError{Type: "<U5", Shape: tensor.Shape{2}, Why: "strings are not numbers"}},
		{name: "first", numbers: []float64{0, .25, .5, .75, 1, 1.25}},
		{name: "z", refused: input.TypeError{Type: "<c8", Shape: tensor.Shape{2, 2}, Why: "complex numbers are not supported"}},
		{name: "when", refused: input.TypeError{Type: "<M8[D]", Shape: tensor.Shape{1}, Why: "dates are not supported"}},
		{name: "table", refused: input.TypeError{Type: "[('x', '<f4'), ('y', '<i2')]", Shape: tensor.Shape{3}, Why: "structured arrays are not supported"}},
		{name: "last", numbers: []float64{1, -2}},
	}
	if len(members) != len(want) {
		t.Fatalf("got %d arrays, want %d", len(members), len(want))
	}
	for i, w := range want {
		if members[i].Name != w.name {
			t.Errorf("array %d: got %q, want %q", i, members[i].Name, w.name)
		}
		array, err := members[i].Open()
		if w.numbers == nil {
			var refused *input.TypeError
			if !errors.As(err, &refused) {
				t.Errorf("%s: got %v, want a *TypeError", w.name, err)
			} else if refused.Type != w.refused.Type || !refused.Shape.Equal(w.refused.Shape) || refused.Why != w.refused.Why {
				t.Errorf("%s: got %+v, want %+v", w.name, *refused, w.refused)
			}
			continue
		}
		if err != nil {
			t.Errorf("%s: %v", w.name, err)
			continue
		}
		got, err := array.Read()
		if err != nil {
			t.Fatal(err)
		}
		imgiotest.SameBits(t, got, numbers(got.Spec, w.numbers))
	}
}

// numbers makes a tensor of these values.
func numbers(spec tensor.Spec, values []float64) *tensor.Tensor {
	t := tensor.New(tensor.Spec{DType: tensor.Float64, Shape: spec.Shape})
	copy(tensor.Of[float64](t), values)
	t, _ = tensor.Converted(t, spec.DType)
	return t
}

// TestMembersBesideArrays: what an archive holds beside its arrays, and one array
// that cannot be opened, leaves the others as they are.
func TestMembersBesideArrays(t *testing.T) {
	data := npyFile(1, dict("'<f4'", "False", "(3, 4)"), 48)
	for _, c := range []struct {
		name   string
		beside member
		says   string // of the array that it is, or empty if it is none
	}{
		{"readme", member{name: "readme.txt", data: []byte("two arrays of numbers")}, ""},
		{"short", member{name: "a", data: []byte("\x93NUM")}, ""},
		{"empty", member{name: "notes"}, ""},
		{"folder", member{name: "folder/"}, ""},
		{"same name", member{name: "x", data: []byte("no array")}, ""},
		{"encrypted readme", member{name: "readme.txt", data: data, flags: 1}, ""},
		{"no array", member{name: "y.npy", data: []byte("GIF89a, not NumPy")}, `begins with "GIF89a"`},
		{"damaged stream", member{name: "y", data: []byte{0xff, 0xff}, method: zip.Deflate}, "flate: corrupt input"},
		{"encrypted", member{name: "y.npy", data: data, flags: 1}, "encrypted members are not supported"},
		{"method", member{name: "y.npy", data: data, method: 99}, "got compression method 99, want stored or deflated"},
		{"bomb", member{name: "y.npy", data: data, claims: 1 << 32, method: zip.Deflate}, "want what deflate can hold"},
		{"cut", member{name: "y.npy", data: data[:60]}, "the file is cut"},
	} {
		t.Run(c.name, func(t *testing.T) {
			members, err := Members(imgiotest.File(archive(t, c.beside, member{name: "x.npy", data: data})))
			if err != nil {
				t.Fatal(err)
			}
			if c.says != "" {
				if len(members) != 2 {
					t.Fatalf("got %d arrays, want 2", len(members))
				}
				_, err := members[0].Open()
				imgiotest.WantError(t, err, c.says)
				members = members[1:]
			}
			if len(members) != 1 || members[0].Name != "x" {
				t.Fatalf("got %v, want x", members)
			}
			array, err := members[0].Open()
			if err == nil {
				_, err = array.Read()
			}
			if err != nil {
				t.Error(err)
			}
		})
	}
}

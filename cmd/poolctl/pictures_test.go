package main

import (
	"encoding/json"
	"math"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/poolctl/poolctl/internal/tensor"
	"github.com/poolctl/poolctl/internal/testutil"
)

// TestPictures compares pooled photographs with NumPy's own pooling of the same
// files (tools/samples/pooled.py), to the bit.
func TestPictures(t *testing.T) {
	text, err := os.ReadFile("testdata/pictures/expected.json")
	if err != nil {
		t.Fatal(err)
	}
	var list struct {
		Cases []struct {
			Key, File, Command string
			Flags              []string
		}
	}
	if err := json.Unmarshal(text, &list); err != nil {
		t.Fatal(err)
	}
	if len(list.Cases) == 0 {
		t.Fatal("no cases")
	}
	expected := testutil.Arrays(t, "testdata/pictures/expected.npz")
	for _, c := range list.Cases {
		t.Run(c.Key, func(t *testing.T) {
			t.Parallel()
			want := expected[c.Key]
			if want == nil {
				t.Fatal("no array of that name")
			}
			folder := workFolder(t)
			command := append([]string{c.Command, c.File}, c.Flags...)
			succeed(t, folder, append(slices.Clone(command), "-o", "y.png")...)
			if err := testutil.Equal(read(t, filepath.Join(folder, "y.png")), want, 0); err != nil {
				t.Errorf("as PNG: %v", err)
			}
			succeed(t, folder, append(command, "-o", "y.npy")...)
			array := read(t, filepath.Join(folder, "y.npy"))
			if array.DType.IsFloat() { // an average: NumPy's was rounded half to even
				array = rounded(array, want.DType)
			}
			if err := testutil.Equal(array, want, 0); err != nil {
				t.Errorf("as array: %v", err)
			}
		})
	}
}

// rounded returns x rounded half to even, in an integer type.
func rounded(x *tensor.Tensor, d tensor.DType) *tensor.Tensor {
	wide := tensor.New(tensor.Spec{DType: tensor.Float64, Shape: x.Shape})
	for i := range wide.Len() {
		tensor.Of[float64](wide)[i] = math.RoundToEven(x.At(i))
	}
	y, _ := tensor.Converted(wide, d)
	return y
}

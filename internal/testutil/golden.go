package testutil

import (
	"archive/zip"
	"encoding/json"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/poolctl/poolctl/internal/imgio"
	"github.com/poolctl/poolctl/internal/tensor"
)

// Family is one golden file: results of an operation that another program
// computed.
type Family struct {
	Generator   string
	Versions    map[string]string
	Environment map[string]string
	Cases       []Case

	Name   string                    `json:"-"`
	Arrays map[string]*tensor.Tensor `json:"-"`
}

// Case is one golden result. In and Out map the names of tensors to arrays.
type Case struct {
	Name, Oracle, Op string
	Params           map[string]string
	In, Out          map[string]string
	Tolerance        float64 // relative to the largest expected magnitude; 0: to the bit
}

// Families reads every golden family of a folder.
func Families(t *testing.T, folder string) []Family {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(folder, "*.json"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no golden data in %s: %v", folder, err)
	}
	var list []Family
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		f := Family{Name: strings.TrimSuffix(filepath.Base(file), ".json")}
		if err := json.Unmarshal(text, &f); err != nil {
			t.Fatalf("%s: %v", file, err)
		}
		if len(f.Cases) == 0 || len(f.Versions) == 0 {
			t.Fatalf("%s: no cases, or no versions in its header", file)
		}
		f.Arrays = Arrays(t, strings.TrimSuffix(file, ".json")+".npz")
		list = append(list, f)
	}
	return list
}

// Arrays reads every array of an .npz archive.
func Arrays(t *testing.T, file string) map[string]*tensor.Tensor {
	t.Helper()
	archive, err := zip.OpenReader(file)
	if err != nil {
		t.Fatal(err)
	}
	defer archive.Close()
	arrays := map[string]*tensor.Tensor{}
	for _, member := range archive.File {
		array, err := readMember(member)
		if err != nil {
			t.Fatalf("%s: %s: %v", file, member.Name, err)
		}
		arrays[strings.TrimSuffix(member.Name, ".npy")] = array
	}
	return arrays
}

func readMember(member *zip.File) (*tensor.Tensor, error) {
	r, err := member.Open()
	if err != nil {
		return nil, err
	}
	defer r.Close()
	source, err := imgio.Open("-", imgio.Options{Stdin: r, Raw: tensor.BFloat16}) // the only type that NumPy lacks
	if err != nil {
		return nil, err
	}
	defer source.Close()
	return source.Read()
}

// Equal returns an error that says how got differs from want, or nil. A
// tolerance is relative to the largest finite magnitude of want; with 0 every
// element must be equal to the bit, except for the payload of NaN. Types and
// shapes must be equal.
func Equal(got, want *tensor.Tensor, tolerance float64) error {
	if !got.Equal(want.Spec) {
		return fmt.Errorf("got %s, want %s", got.Spec, want.Spec)
	}
	scale := 0.0
	for i := range want.Len() {
		if v := math.Abs(want.At(i)); !math.IsInf(v, 0) && v > scale {
			scale = v
		}
	}
	for i := range want.Len() {
		g, w := got.At(i), want.At(i)
		same := g == w && math.Signbit(g) == math.Signbit(w) || g != g && w != w
		if tolerance > 0 {
			same = g == w || g != g && w != w || math.Abs(g-w) <= tolerance*scale
		}
		if !same || want.DType.IsInteger() && exact(got, i) != exact(want, i) {
			return fmt.Errorf("at %v: got %v, want %v (off by %g of %g)", want.Shape.Index(i), g, w, math.Abs(g-w), scale)
		}
	}
	return nil
}

// exact returns an integer element without rounding.
func exact(t *tensor.Tensor, i int) any {
	switch list := t.Data.(type) {
	case []uint64:
		return list[i]
	case []int64:
		return list[i]
	default:
		return t.At(i)
	}
}

package pipeline_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/poolctl/poolctl/internal/config"
	"github.com/poolctl/poolctl/internal/imgio"
	"github.com/poolctl/poolctl/internal/pipeline"
	"github.com/poolctl/poolctl/internal/tensor"
)

// TestWeightsComeFromArchivesByName: a filter in ONNX's layout, from a model or
// an archive of arrays, gives the same result as a file in TensorFlow's layout.
func TestWeightsComeFromArchivesByName(t *testing.T) {
	archives, err := filepath.Abs("../imgio/weights/testdata")
	if err != nil {
		t.Fatal(err)
	}
	source, err := imgio.Open(archives+"/expected.npz#onnx/conv.weight", imgio.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer source.Close()
	filter, err := source.Read()
	if err != nil {
		t.Fatal(err)
	}
	folder := t.TempDir()
	turned := tensor.Permuted(filter, tensor.Permutation("OIHW", "HWIO"))
	write(t, filepath.Join(folder, "hwio.npy"), turned)
	x := noise(1, 1, 8, 8, 3)
	var first *tensor.Tensor
	for _, keys := range []string{
		"filter: hwio.npy",
		"filter: '" + archives + "/model.onnx#conv.weight', filter-format: OIHW",
		"filter: '" + archives + "/expected.npz#onnx/conv.weight', filter-format: oihw",
	} {
		text := "version: 1\nsteps:\n  - {name: conv, op: conv2d, padding: SAME, " + keys + "}\n"
		p, err := config.ParsePipeline(filepath.Join(folder, "net.yaml"), []byte(text))
		if err != nil {
			t.Fatal(err)
		}
		g, err := pipeline.Compile(p, pipeline.NewWeights(imgio.Options{}), pipeline.Input{Spec: x.Spec})
		if err != nil {
			t.Fatal(err)
		}
		r := ready(t, g, 2)
		if err := r.Run(x); err != nil {
			t.Fatal(err)
		}
		if y := r.Tensor(g.Saved[0]); first == nil {
			first = y
		} else if !equal(y, first) {
			t.Errorf("%s gives something else", keys)
		}
	}
}

// write writes a tensor as a file.
func write(t *testing.T, name string, x *tensor.Tensor) {
	t.Helper()
	if _, err := imgio.WriteAll([]imgio.Output{{Name: name, Tensor: x}}, imgio.WriteOptions{}); err != nil {
		t.Fatal(err)
	}
}

// TestWeightsAreReadOnce: graphs for other shapes do not read a file again, and
// steps that do not run read none.
func TestWeightsAreReadOnce(t *testing.T) {
	folder := t.TempDir()
	for _, name := range []string{"a.npy", "b.npy"} {
		write(t, filepath.Join(folder, name), noise(1, 3, 3, 1, 2))
	}
	p, err := config.ParsePipeline(filepath.Join(folder, "net.yaml"), []byte(`
version: 1
steps:
  - {name: a, op: conv2d, filter: a.npy}
  - {name: twice, op: conv2d, filter: a.npy, from: input, strides: 2}
  - {name: idle, op: conv2d, filter: b.npy, from: input}
save: {a: npy, twice: npy}
`))
	if err != nil {
		t.Fatal(err)
	}
	w := pipeline.NewWeights(imgio.Options{})
	run := func(size int) error {
		x := noise(1, 1, size, size, 1)
		g, err := pipeline.Compile(p, w, pipeline.Input{Spec: x.Spec})
		if err != nil {
			return err
		}
		if got := g.Memory(1).Weights; got != 4*3*3*2 {
			t.Errorf("weights take %d bytes, want those of one filter", got)
		}
		e := pipeline.NewEngine(1)
		defer e.Close()
		r, err := e.Runner(g)
		if err != nil {
			return err
		}
		return r.Run(x)
	}
	if _, err := pipeline.Compile(p, w, pipeline.Input{Spec: noise(1, 1, 9, 9, 1).Spec}); err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(filepath.Join(folder, "b.npy")); err != nil {
		t.Fatal(err)
	}
	if err := run(9); err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(filepath.Join(folder, "a.npy")); err != nil {
		t.Fatal(err)
	}
	if err := run(7); err != nil {
		t.Error(err)
	}
}

// TestWeightsThatChangeAreRefused: a graph planned for one shape does not run
// with another.
func TestWeightsThatChangeAreRefused(t *testing.T) {
	folder := t.TempDir()
	file := filepath.Join(folder, "w.npy")
	write(t, file, noise(1, 3, 3, 1, 2))
	p, err := config.ParsePipeline(filepath.Join(folder, "net.yaml"), []byte("version: 1\nsteps:\n  - {name: a, op: conv2d, filter: w.npy}\n"))
	if err != nil {
		t.Fatal(err)
	}
	g, err := pipeline.Compile(p, pipeline.NewWeights(imgio.Options{}), pipeline.Input{Spec: noise(1, 1, 9, 9, 1).Spec})
	if err != nil {
		t.Fatal(err)
	}
	write(t, file, noise(1, 3, 3, 1, 4))
	e := pipeline.NewEngine(1)
	defer e.Close()
	_, err = e.Runner(g)
	if want := fmt.Sprintf(":3:35: a: filter: %s: got float32 (3,3,1,4), which was float32 (3,3,1,2) a moment ago", file); err == nil || !strings.HasSuffix(err.Error(), want) {
		t.Errorf("got %v, want %s", err, want)
	}
}

package imgio

import (
	"bytes"
	"math/rand/v2"
	"path/filepath"
	"testing"

	"github.com/poolctl/poolctl/internal/imgio/imgiotest"
	"github.com/poolctl/poolctl/internal/tensor"
	"pgregory.net/rapid"
)

// drawTensor draws a tensor of any type, of up to five small axes and with arbitrary
// bits.
func drawTensor(t *rapid.T) *tensor.Tensor {
	d := rapid.SampledFrom(tensor.DTypes()).Draw(t, "dtype")
	shape := tensor.Shape(rapid.SliceOfN(rapid.IntRange(0, 5), 0, 5).Draw(t, "shape"))
	out := tensor.New(tensor.Spec{DType: d, Shape: shape})
	rng := rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "seed"), 0))
	data := tensor.Bytes(out)
	for i := range data {
		data[i] = byte(rng.Uint32())
	}
	return out
}

func TestNPYRoundTrip(t *testing.T) {
	dir := t.TempDir()
	rapid.Check(t, func(rt *rapid.T) {
		want := drawTensor(rt)
		name := rapid.SampledFrom([]string{"a.npy", "a.npz", "a.npz#weights/w"}).Draw(rt, "name")
		name = filepath.Join(dir, name)
		save(t, Output{Name: name, Tensor: want})
		got, _ := mustRead(t, name, Options{Raw: want.DType})
		imgiotest.SameBits(t, got, want)
	})
}

// TestNPYStream pipes an array from standard output to standard input.
func TestNPYStream(t *testing.T) {
	want := imgiotest.RandomPicture(1, 16, 40, 50, 3)
	var pipe bytes.Buffer
	if _, err := WriteAll([]Output{{Name: "-", Tensor: want}}, WriteOptions{Stdout: &pipe}); err != nil {
		t.Fatal(err)
	}
	whole := bytes.Clone(pipe.Bytes())
	got, info := mustRead(t, "-", Options{Stdin: &pipe})
	imgiotest.SameBits(t, got, want)
	if info.Picture || info.Format != "npy" {
		t.Errorf("got %+v, want an array", info)
	}
	imgiotest.WantError(t, readError(t, "-", Options{Stdin: bytes.NewReader(whole[:len(whole)-1])}), "-: npy: got 11999 of 12000 bytes of data", "cut")
	imgiotest.WantError(t, readError(t, "-", Options{Stdin: bytes.NewReader(append(whole, 0))}), "after the data")
}

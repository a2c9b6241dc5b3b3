package imgio

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"testing"

	"github.com/poolctl/poolctl/internal/tensor"
	"pgregory.net/rapid"
)

// drawTensor makes a tensor of any type and of up to five small extents, its
// elements any bits at all.
func drawTensor(t *rapid.T) *tensor.Tensor {
	d := rapid.SampledFrom(tensor.DTypes()).Draw(t, "dtype")
	shape := tensor.Shape(rapid.SliceOfN(rapid.IntRange(0, 5), 0, 5).Draw(t, "shape"))
	out := tensor.New(tensor.Spec{DType: d, Shape: shape})
	rng := rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "seed"), 0))
	data := bytesOf(out)
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
		got, _ := mustRead(t, name, Options{})
		sameBits(t, got, want)
	})
}

// TestNPYStream pipes an array from standard output to standard input.
func TestNPYStream(t *testing.T) {
	want := randomPicture(1, 16, 40, 50, 3)
	var pipe bytes.Buffer
	if _, err := WriteAll([]Output{{Name: "-", Tensor: want}}, WriteOptions{Stdout: &pipe}); err != nil {
		t.Fatal(err)
	}
	whole := bytes.Clone(pipe.Bytes())
	got, info := mustRead(t, "-", Options{Stdin: &pipe})
	sameBits(t, got, want)
	if info.Picture || info.Format != NPY {
		t.Errorf("got %+v, want an array", info)
	}
	wantError(t, readError(t, "-", Options{Stdin: bytes.NewReader(whole[:len(whole)-1])}), "-: npy: got 11999 of 12000 bytes of data", "cut")
	wantError(t, readError(t, "-", Options{Stdin: bytes.NewReader(append(whole, 0))}), "after the data")
}

func TestPNGRoundTrip(t *testing.T) {
	dir := t.TempDir()
	for _, depth := range []int{8, 16} {
		for channels := 1; channels <= 4; channels++ {
			for _, size := range [][2]int{{1, 1}, {1, 7}, {9, 1}, {33, 41}, {420, 320}} {
				want := randomPicture(uint64(channels), depth, size[0], size[1], channels)
				name := filepath.Join(dir, fmt.Sprintf("%d-%d-%d.png", depth, channels, size[0]))
				if notes := save(t, Output{Name: name, Tensor: want, Depth: depth}); len(notes) > 0 {
					t.Errorf("got notes %v, want none", notes)
				}
				got, info := mustRead(t, name, Options{})
				sameBits(t, got, want)
				if !info.Picture || info.Depth != depth || info.Format != PNG {
					t.Errorf("got %+v", info)
				}
			}
		}
	}
}

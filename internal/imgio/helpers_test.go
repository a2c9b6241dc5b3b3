package imgio

import (
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
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

// wantError checks that an error says what it must.
func wantError(t testing.TB, err error, parts ...string) {
	t.Helper()
	if err == nil {
		t.Fatalf("got no error, want one with %q", parts)
	}
	for _, p := range parts {
		if !strings.Contains(err.Error(), p) {
			t.Errorf("got error %q, want it to say %q", err, p)
		}
	}
	if strings.Contains(err.Error(), "\n") {
		t.Errorf("got error %q of several lines", err)
	}
}

// writeFile puts content into a file of its own folder and returns its name.
func writeFile(t testing.TB, name string, content []byte) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, content, 0o666); err != nil {
		t.Fatal(err)
	}
	return path
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

// sameBits fails unless both tensors have the same type, shape and bytes.
func sameBits(t testing.TB, got, want *tensor.Tensor) {
	t.Helper()
	if !got.Spec.Equal(want.Spec) {
		t.Fatalf("got %s, want %s", got.Spec, want.Spec)
	}
	g, w := bytesOf(got), bytesOf(want)
	for i := range g {
		if g[i] != w[i] {
			e := i / want.DType.Size()
			t.Fatalf("element %v: got %v, want %v", want.Shape.Index(e), got.At(e), want.At(e))
		}
	}
}

// randomPicture makes a picture of smooth areas and noise.
func randomPicture(seed uint64, depth, height, width, channels int) *tensor.Tensor {
	rng := rand.New(rand.NewPCG(seed, 0))
	level := func(i int) float64 {
		y, x, c := i/channels/width, i/channels%width, i%channels
		smooth := 0.5 + 0.4*math.Sin(float64(x)/17+float64(c))*math.Cos(float64(y)/11)
		return smooth + 0.05*rng.Float64()
	}
	shape := tensor.Shape{1, height, width, channels}
	if depth == 16 {
		t := tensor.New(tensor.Spec{DType: tensor.Uint16, Shape: shape})
		for i := range tensor.Of[uint16](t) {
			tensor.Of[uint16](t)[i] = uint16(level(i) * 65535)
		}
		return t
	}
	t := tensor.New(tensor.Spec{DType: tensor.Uint8, Shape: shape})
	for i := range tensor.Of[uint8](t) {
		tensor.Of[uint8](t)[i] = uint8(level(i) * 255)
	}
	return t
}

package imgiotest

import (
	"bytes"
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/poolctl/poolctl/internal/imgio/input"
	"github.com/poolctl/poolctl/internal/imgio/raster"
	"github.com/poolctl/poolctl/internal/tensor"
)

// File returns bytes as an opened file.
func File(data []byte) *input.File {
	return &input.File{Name: "x", Path: "x", Content: bytes.NewReader(data), Size: int64(len(data)), Close: func() error { return nil }}
}

// Open is how a picture format opens a file.
type Open func(*input.File, raster.Options) (raster.Header, raster.Decoder, error)

// Decode opens and decodes bytes as a picture. A panic is an error, as it is
// where the program opens files.
func Decode(open Open, data []byte, o raster.Options) (t *tensor.Tensor, h raster.Header, err error) {
	defer input.Guard(&err)
	h, decode, err := open(File(data), o)
	if err != nil {
		return nil, h, err
	}
	t = tensor.New(h.Spec())
	return t, h, decode(t, nil)
}

// MustDecode decodes bytes that must be a picture.
func MustDecode(t testing.TB, open Open, data []byte, o raster.Options) *tensor.Tensor {
	t.Helper()
	got, _, err := Decode(open, data, o)
	if err != nil {
		t.Fatal(err)
	}
	return got
}

// Members opens and reads every array of bytes that may be an archive. An array
// is what its header said, or there is an error of one line; a panic is a failure.
func Members(t testing.TB, list func(*input.File) ([]input.Member, error), data []byte) {
	t.Helper()
	all, err := list(File(data))
	CheckError(t, err)
	for _, m := range all[:min(len(all), 20)] {
		Array(t, m.Open)
	}
}

// Array opens and reads an array that may be damaged.
func Array(t testing.TB, open func() (input.Array, error)) {
	t.Helper()
	array, err := open()
	if err == nil {
		var got *tensor.Tensor
		if got, err = array.Read(); err == nil && !got.Spec.Equal(array.Spec) {
			t.Fatalf("the header says %s, the data is %s", array.Spec, got.Spec)
		}
	}
	CheckError(t, err)
}

// CheckError fails for an error of several lines and for a caught panic.
func CheckError(t testing.TB, err error) {
	t.Helper()
	if err != nil && (strings.Contains(err.Error(), "internal error") || strings.Contains(err.Error(), "\n")) {
		t.Fatalf("got error %q", err)
	}
}

// WantError checks that an error says what it must.
func WantError(t testing.TB, err error, parts ...string) {
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

// SameBits fails unless both tensors have the same type, shape and bytes.
func SameBits(t testing.TB, got, want *tensor.Tensor) {
	t.Helper()
	if !got.Spec.Equal(want.Spec) {
		t.Fatalf("got %s, want %s", got.Spec, want.Spec)
	}
	g, w := tensor.Bytes(got), tensor.Bytes(want)
	for i := range g {
		if g[i] != w[i] {
			e := i / want.DType.Size()
			t.Fatalf("element %v: got %v, want %v", want.Shape.Index(e), got.At(e), want.At(e))
		}
	}
}

// Distance returns the share of samples that differ and by how much at most.
func Distance(got, want []uint8) (share float64, far int) {
	n := 0
	for i, g := range got {
		if d := max(int(g)-int(want[i]), int(want[i])-int(g)); d > 0 {
			n++
			far = max(far, d)
		}
	}
	return float64(n) / float64(len(got)), far
}

// RandomPicture makes a picture of smooth areas and noise.
func RandomPicture(seed uint64, depth, height, width, channels int) *tensor.Tensor {
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

// Raster returns a picture of 8 or 16 bits as it is given to encoders.
func Raster(t *tensor.Tensor) *raster.Raster {
	r := &raster.Raster{Width: t.Shape[2], Height: t.Shape[1], Channels: t.Shape[3]}
	if t.DType == tensor.Uint16 {
		r.Pix16 = tensor.Of[uint16](t)
	} else {
		r.Pix8 = tensor.Of[uint8](t)
	}
	return r
}

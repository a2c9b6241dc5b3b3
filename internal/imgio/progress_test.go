package imgio

import (
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/poolctl/poolctl/internal/tensor"
)

// TestDecodeTellsWhatIsFinal: samples that a decoder reports as ready do not change,
// and in the end all are ready.
func TestDecodeTellsWhatIsFinal(t *testing.T) {
	for _, name := range []string{"chelsea.png", "chelsea_rgba.png", "camera_16bit.png", "coffee.jpg", "coffee_orientation6.jpg"} {
		path := filepath.Join("../../samples", name)
		want, _ := mustRead(t, path, Options{})
		s, err := Open(path, Options{})
		if err != nil {
			t.Fatal(err)
		}
		x, told := tensor.New(s.Info.Spec), tensor.NewProgress()
		go func() { _ = s.Decode(x, told) }() // told has the error
		for at := 0; at < x.Len(); {
			there, err := told.Wait(at + 1)
			if err != nil {
				t.Fatal(err)
			}
			for ; at < there; at++ {
				if x.At(at) != want.At(at) {
					t.Fatalf("%s: sample %d of %d that are told is %v, want %v", name, at, there, x.At(at), want.At(at))
				}
			}
		}
		if err := told.Ended(); err != nil {
			t.Error(err)
		}
		_ = s.Close()
	}
}

// TestWriteWaitsForItsTensor: a tensor that is still being written gives the same
// file as the complete tensor, normalised or not. If writing the tensor fails, there
// is no file.
func TestWriteWaitsForItsTensor(t *testing.T) {
	whole, _ := mustRead(t, "../../samples/chelsea.png", Options{})
	for _, name := range []string{"out.png", "out.jpg", "out.tif", "out.ppm", "out.npy"} {
		for _, normalize := range []Normalize{NormalizeNone, NormalizeMinMax} {
			write := func(x *tensor.Tensor, told *tensor.Progress) ([]byte, error) {
				path := filepath.Join(t.TempDir(), name)
				_, err := WriteAll([]Output{{Name: path, Tensor: x, Layout: tensor.NHWC, Normalize: normalize, Progress: told}}, WriteOptions{})
				data, readErr := os.ReadFile(path)
				if err != nil && !errors.Is(readErr, os.ErrNotExist) {
					t.Errorf("%s: after %v the file is there", name, err)
				}
				return data, err
			}
			want, err := write(whole, nil)
			if err != nil {
				t.Fatal(err)
			}
			x, told := tensor.New(whole.Spec), tensor.NewProgress()
			go func() {
				for at := 0; at < x.Len(); {
					next := min(x.Len(), at+10_001)
					tensor.ConvertRange(x, whole, at, next)
					told.Reach(next)
					at = next
				}
				told.End(nil)
			}()
			if got, err := write(x, told); err != nil || string(got) != string(want) {
				t.Errorf("%s, %s: %d bytes (%v) differ from the %d of the complete tensor", name, normalize, len(got), err, len(want))
			}
			cut, told := errors.New("cut"), tensor.NewProgress()
			told.Reach(10_000)
			go told.End(cut)
			if _, err := write(x, told); !errors.Is(err, cut) {
				t.Errorf("%s, %s: got %v, want %v", name, normalize, err, cut)
			}
		}
	}
}

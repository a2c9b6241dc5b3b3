package imgio

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/poolctl/poolctl/internal/imgio/imgiotest"
	"github.com/poolctl/poolctl/internal/imgio/raster"
	"github.com/poolctl/poolctl/internal/tensor"
)

// TestPixelLimit reads a picture of each format at the limit, and refuses it with a
// *LimitError when the limit is lower.
func TestPixelLimit(t *testing.T) {
	for _, name := range []string{"png/testdata/rgb8.png", "jpeg/testdata/exif-6.jpg", "gif/testdata/opaque.gif", "bmp/testdata/bmp-24.bmp", "tiff/testdata/tiff-rgb@raw.tif", "webp/testdata/lossy-rgb.webp", "pnm/testdata/pillow-rgb8.ppm"} {
		_, info := mustRead(t, name, Options{})
		pixels := info.Spec.Shape[1] * info.Spec.Shape[2]
		mustRead(t, name, Options{MaxPixels: pixels})
		_, err := Open(name, Options{MaxPixels: pixels - 1})
		var limit *LimitError
		if !errors.As(err, &limit) {
			t.Errorf("%s: got %v, want a limit error", name, err)
		}
	}
}

// TestCutPictures cuts a picture of each format at every length. The result is an
// error, or the picture if only a trailer is missing.
func TestCutPictures(t *testing.T) {
	for _, name := range []string{"jpeg/testdata/jpeg-progressive.jpg", "jpeg/testdata/exif-6.jpg", "gif/testdata/transparent.gif", "bmp/testdata/bmp-palette.bmp", "bmp/testdata/bmp-rle8.bmp", "tiff/testdata/tiff-rgb@tiff_lzw.tif", "webp/testdata/lossy-rgba.webp", "webp/testdata/lossless-rgb.webp"} {
		whole, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		want, _ := mustRead(t, name, Options{})
		for n := 1; n < len(whole); n++ {
			s, err := Open("-", Options{Stdin: bytes.NewReader(whole[:n])})
			if err == nil {
				var got *tensor.Tensor
				if got, err = s.Read(); err == nil {
					imgiotest.SameBits(t, got, want)
					continue
				}
			}
			imgiotest.WantError(t, err, "-: ")
			if strings.Contains(err.Error(), "internal error") {
				t.Fatalf("%s cut at %d: %v", name, n, err)
			}
		}
	}
}

// TestGuard: a panic of a decoder, on any of its goroutines, becomes an error.
func TestGuard(t *testing.T) {
	s := &Source{Name: "x.png", read: func() (*tensor.Tensor, error) {
		raster.Bands(100, 1, func(lo, hi int) {
			if lo == 57 {
				panic("index out of range")
			}
		})
		return nil, nil
	}}
	_, err := s.Read()
	imgiotest.WantError(t, err, "x.png: internal error, please report it with the file: index out of range")
}

// TestOddNames opens files whose names look like archive members.
func TestOddNames(t *testing.T) {
	dir := t.TempDir()
	for _, name := range []string{"a#b.npy", "a#b.npz"} {
		path := filepath.Join(dir, name)
		save(t, Output{Name: strings.Replace(path, "#", "-", 1), Tensor: small})
		if err := os.Rename(strings.Replace(path, "#", "-", 1), path); err != nil {
			t.Fatal(err)
		}
		got, _ := mustRead(t, path, Options{})
		imgiotest.SameBits(t, got, small)
	}
	got, _ := mustRead(t, filepath.Join(dir, "a#b.npz#arr_0"), Options{})
	imgiotest.SameBits(t, got, small)
	_, err := Open(filepath.Join(dir, "a#b.npy#x"), Options{})
	imgiotest.WantError(t, err, "a#b.npy#x: #x names a member, but the file is npy, want npz, safetensors, onnx or tensorproto")
	_, err = Open("-", Options{})
	imgiotest.WantError(t, err, "-: there is no standard input")
}

// TestUnknownFiles refuses files of no known format, and empty ones.
func TestUnknownFiles(t *testing.T) {
	imgiotest.WantError(t, readError(t, writeFile(t, "x.npy", nil), Options{}), "x.npy: the file is empty")
	imgiotest.WantError(t, readError(t, writeFile(t, "x.npy", []byte("\x80\x04\x95pickle")), Options{}), `x.npy: begins with "\x80\x04\x95pickl", want a file of npy, npz, png,`)
	empty := writeFile(t, "x.npz", []byte("PK\x05\x06"+strings.Repeat("\x00", 18)))
	imgiotest.WantError(t, readError(t, empty, Options{}), "x.npz: npz: the archive holds no arrays")
	none := writeFile(t, "x.safetensors", []byte("\x02\x00\x00\x00\x00\x00\x00\x00{}"))
	imgiotest.WantError(t, readError(t, none, Options{}), "x.safetensors: safetensors: the archive holds no arrays")
}

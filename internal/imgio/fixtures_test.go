package imgio

import (
	"bytes"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/poolctl/poolctl/internal/imgio/imgiotest"
	"github.com/poolctl/poolctl/internal/tensor"
)

// The fixtures are made by tools/fixtures/*.py with NumPy and Pillow.
const arraysNPZ = "npy/testdata/arrays.npz"

// pictures returns the pictures in the testdata of every format.
func pictures(t testing.TB) []string {
	t.Helper()
	files, err := filepath.Glob("*/testdata/*.*")
	if err != nil {
		t.Fatal(err)
	}
	files = slices.DeleteFunc(files, func(name string) bool {
		return filepath.Ext(name) == ".npz" || strings.HasPrefix(name, "weights")
	})
	if len(files) < 160 {
		t.Fatalf("got %d files, want the 160 and more that tools/fixtures makes", len(files))
	}
	return files
}

// TestPictures reads every picture of testdata as Pillow does, to the bit.
func TestPictures(t *testing.T) {
	for _, file := range pictures(t) {
		name := filepath.Base(file)
		t.Run(name, func(t *testing.T) {
			key, _, _ := strings.Cut(strings.TrimSuffix(name, filepath.Ext(name)), "@")
			want, _ := mustRead(t, filepath.Join(filepath.Dir(file), "expected.npz")+"#"+key, Options{})
			got, info := mustRead(t, file, Options{})
			if !info.Picture || info.Depth != 8*got.DType.Size() {
				t.Errorf("got %+v, want a picture of %d bits", info, 8*got.DType.Size())
			}
			imgiotest.SameBits(t, got, want)
		})
	}
}

// TestPictureStreams reads pictures from standard input.
func TestPictureStreams(t *testing.T) {
	for _, name := range []string{"png/testdata/rgba16@interlaced.png", "jpeg/testdata/exif-6.jpg", "gif/testdata/opaque.gif", "bmp/testdata/bmp-24.bmp", "tiff/testdata/tiff-rgb@raw.tif", "webp/testdata/lossy-rgba.webp", "pnm/testdata/grey-1000@plain.pgm", "pnm/testdata/pam4-65535@type.pam"} {
		data, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		want, _ := mustRead(t, name, Options{})
		got, _ := mustRead(t, "-", Options{Stdin: bytes.NewReader(data)})
		imgiotest.SameBits(t, got, want)
	}
}

// TestList lists the members of an archive.
func TestList(t *testing.T) {
	members, err := List(arraysNPZ, tensor.Invalid)
	if err != nil {
		t.Fatal(err)
	}
	if len(members) != 49 || members[0].Name != "b1-le-c-v1" || members[0].Spec.String() != "uint8 (2,3,4)" {
		t.Errorf("got %d members, first %+v", len(members), members[0])
	}
	_, err = List("gif/testdata/opaque.gif", tensor.Invalid)
	imgiotest.WantError(t, err, "gif/testdata/opaque.gif: is gif, want npz")
	_, err = Open(arraysNPZ, Options{})
	imgiotest.WantError(t, err, "npz: holds 49 arrays, want one of them by name, as in FILE#b1-le-c-v1: b1-le-c-v1, ")
	_, err = Open(arraysNPZ+"#w", Options{})
	imgiotest.WantError(t, err, `npz: got member "w", want one of b1-le-c-v1`)
}

// TestWeightsThroughPipes reads weights from standard input.
func TestWeightsThroughPipes(t *testing.T) {
	for _, file := range []string{"weights/testdata/model.onnx", "weights/testdata/arrays.safetensors"} {
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		imgiotest.WantError(t, readError(t, "-", Options{Stdin: bytes.NewReader(data)}), "arrays, want one of them by name")
	}
}

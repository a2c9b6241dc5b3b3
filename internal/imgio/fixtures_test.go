package imgio

import (
	"archive/zip"
	"bytes"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/poolctl/poolctl/internal/tensor"
)

// The fixtures are made by tools/fixtures/*.py with NumPy and Pillow.
const (
	expectedNPZ = "testdata/expected.npz"
	arraysNPZ   = "testdata/arrays.npz"
)

// jpegFar bounds the distance from libjpeg in levels, and jpegShare how many of
// the samples may differ at all, where image/jpeg decodes: its inverse transform
// rounds differently.
const (
	jpegFar   = 3
	jpegShare = 0.05
)

// TestPictures reads every picture of testdata as Pillow does: to the bit, and
// the three JPEGs that are not plain within the stated distance.
func TestPictures(t *testing.T) {
	files, err := filepath.Glob("testdata/*")
	if err != nil || len(files) < 80 {
		t.Fatalf("got %d files (%v), want the 80 and more that the script makes", len(files), err)
	}
	others := 0
	for _, file := range files {
		if ext := filepath.Ext(file); ext == ".npz" || ext == "" { // arrays, a folder
			continue
		}
		name := filepath.Base(file)
		t.Run(name, func(t *testing.T) {
			key, _, _ := strings.Cut(strings.TrimSuffix(name, filepath.Ext(name)), "@")
			want, _ := mustRead(t, expectedNPZ+"#"+key, Options{})
			got, info := mustRead(t, file, Options{})
			if !info.Picture || info.Depth != 8*got.DType.Size() {
				t.Errorf("got %+v, want a picture of %d bits", info, 8*got.DType.Size())
			}
			data, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			if info.Format != JPEG || parsePlainJPEG(data) != nil {
				sameBits(t, got, want)
				return
			}
			others++
			if !got.Spec.Equal(want.Spec) {
				t.Fatalf("got %s, want %s", got.Spec, want.Spec)
			}
			share, far := distance(tensor.Of[uint8](got), tensor.Of[uint8](want))
			limit := jpegShare
			if key == "jpeg-ycck" {
				limit = 0.2 // the decoder converts YCCK to CMYK itself, with its own rounding
			} else if got.Len() < 500 {
				limit = 2 * jpegShare // few samples, wide scatter
			}
			if far > jpegFar || share > limit {
				t.Errorf("got %.1f %% of the samples off, by %d at most, want <= %.0f %%, <= %d", 100*share, far, 100*limit, jpegFar)
			}
		})
	}
	if others != 3 {
		t.Errorf("got %d JPEGs that are not plain, want 3: progressive, CMYK, YCCK", others)
	}
}

// distance returns the share of samples that differ and by how much at most.
func distance(got, want []uint8) (share float64, far int) {
	n := 0
	for i, g := range got {
		if d := abs(int(g) - int(want[i])); d > 0 {
			n++
			far = max(far, d)
		}
	}
	return float64(n) / float64(len(got)), far
}

// TestNoOrient leaves the pictures with an EXIF orientation as they are stored.
func TestNoOrient(t *testing.T) {
	stored, _ := mustRead(t, "testdata/exif-1.jpg", Options{})
	for _, n := range "12345678" {
		got, _ := mustRead(t, "testdata/exif-"+string(n)+".jpg", Options{NoOrient: true})
		sameBits(t, got, stored)
	}
	turned, _ := mustRead(t, "testdata/exif-6.jpg", Options{})
	if want := (tensor.Shape{1, 12, 8, 3}); !turned.Shape.Equal(want) {
		t.Errorf("orientation 6: got shape %s, want %s", turned.Shape, want)
	}
}

// TestPictureStreams reads pictures from standard input.
func TestPictureStreams(t *testing.T) {
	for _, name := range []string{"rgba16@interlaced.png", "exif-6.jpg", "opaque.gif", "bmp-24.bmp", "tiff-rgb@raw.tif", "lossy-rgba.webp"} {
		data, err := os.ReadFile(filepath.Join("testdata", name))
		if err != nil {
			t.Fatal(err)
		}
		want, _ := mustRead(t, filepath.Join("testdata", name), Options{})
		got, _ := mustRead(t, "-", Options{Stdin: bytes.NewReader(data)})
		sameBits(t, got, want)
	}
}

// arrayValue is what arrays.py puts at index i of its arrays.
func arrayValue(code string, i int) float64 {
	switch code[0] {
	case 'f':
		return float64(i-5) / 4
	case 'i':
		return float64(i - 5)
	case 'b':
		return float64(min(i, 1))
	default:
		return float64(i)
	}
}

// TestNumPyArrays reads what NumPy writes: every type, both byte orders, both
// memory orders, all versions, as members of an archive and as plain files.
func TestNumPyArrays(t *testing.T) {
	archive, err := zip.OpenReader(arraysNPZ)
	if err != nil {
		t.Fatal(err)
	}
	defer archive.Close()
	for _, f := range archive.File {
		name := memberName(f)
		t.Run(name, func(t *testing.T) {
			got, _ := mustRead(t, arraysNPZ+"#"+name, Options{})
			content := unzip(t, f)
			plain, info := mustRead(t, writeFile(t, "x.npy", content), Options{})
			sameBits(t, plain, got)
			if info.Picture || info.Depth != 0 {
				t.Errorf("got %+v, want an array", info)
			}
			code, rest, typed := strings.Cut(name, "-")
			if code == "shape" {
				code, typed = "f4", false
			}
			if h, _ := readNPYHeader(bytes.NewReader(content)); h.spec.DType != npyTypes[code] {
				t.Errorf("got type %s for %s", h.spec.DType, code)
			}
			for i := range got.Len() {
				if v := got.At(i); v != arrayValue(code, i) {
					t.Fatalf("element %d: got %v, want %v", i, v, arrayValue(code, i))
				}
			}
			// What NumPy writes little endian and row-major we write to the byte.
			if !typed || rest == "le-c-v1" && code != "b1" {
				path := filepath.Join(t.TempDir(), "y.npy")
				save(t, Output{Name: path, Tensor: got})
				if again, _ := os.ReadFile(path); !bytes.Equal(again, content) {
					t.Errorf("wrote %q, NumPy wrote %q", again, content)
				}
			}
		})
	}
}

func unzip(t *testing.T, f *zip.File) []byte {
	r, err := f.Open()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	content, err := io.ReadAll(r)
	if err != nil {
		t.Fatal(err)
	}
	return content
}

// TestList names the members of an archive.
func TestList(t *testing.T) {
	members, err := List(arraysNPZ)
	if err != nil {
		t.Fatal(err)
	}
	if len(members) != 49 || members[0].Name != "b1-le-c-v1" || members[0].Spec.String() != "uint8 (2,3,4)" {
		t.Errorf("got %d members, first %+v", len(members), members[0])
	}
	_, err = List("testdata/opaque.gif")
	wantError(t, err, "testdata/opaque.gif: is gif, want npz")
	_, err = Open(arraysNPZ, Options{})
	wantError(t, err, "npz: holds 49 arrays, want one of them by name, as in FILE#b1-le-c-v1: b1-le-c-v1, ")
	_, err = Open(arraysNPZ+"#w", Options{})
	wantError(t, err, `npz: got member "w", want one of b1-le-c-v1`)
}

package imgio

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/poolctl/poolctl/internal/tensor"
)

// fuzzRead opens and reads bytes as a file: there is a tensor that is what the
// header said, or an error of one line; never a panic, caught or not.
func fuzzRead(t *testing.T, data []byte) {
	s, err := Open("-", Options{Stdin: bytes.NewReader(data), MaxPixels: 1 << 20})
	if err == nil {
		got, readErr := s.Read()
		if err = readErr; err == nil && !got.Spec.Equal(s.Info.Spec) {
			t.Fatalf("the header says %s, the data is %s", s.Info.Spec, got.Spec)
		}
	}
	if err != nil && (strings.Contains(err.Error(), "internal error") || strings.Contains(err.Error(), "\n")) {
		t.Fatalf("got error %q", err)
	}
}

func FuzzNPYHeader(f *testing.F) {
	f.Add("{'descr': '<f4', 'fortran_order': False, 'shape': (3, 4), }")
	f.Add("{'shape': (3L,), \"descr\": [('a', '|O')], 'fortran_order': None}")
	f.Add("((((((-1, +2, [{}, {'a': ()}])))))")
	f.Fuzz(func(t *testing.T, text string) {
		h, err := parseNPYHeader(text)
		if err != nil {
			return
		}
		if n, err := h.spec.Bytes(); err != nil || n < 0 {
			t.Fatalf("%q: got %s of %d bytes, %v", text, h.spec, n, err)
		}
		again, err := parseNPYHeader(string(npyHeaderBytes(h.spec)[10:]))
		if err != nil || !again.spec.Equal(h.spec) {
			t.Fatalf("%q: got %s, written and read again %s, %v", text, h.spec, again.spec, err)
		}
	})
}

func FuzzNPZ(f *testing.F) {
	var out bytes.Buffer
	if err := writeNPZ(&out, []namedTensor{{"a", small}, {"b/c", small}}); err != nil {
		f.Fatal(err)
	}
	f.Add(out.Bytes())
	f.Add(out.Bytes()[100:])
	f.Fuzz(func(t *testing.T, data []byte) {
		fuzzRead(t, append([]byte("PK\x03\x04"), data[min(4, len(data)):]...))
	})
}

func FuzzPicture(f *testing.F) {
	for _, name := range []string{
		"grey1-trns@interlaced.png", "palette4-trns.png", "rgba16.png", "jpeg-progressive.jpg", "jpeg-cmyk.jpg", "exif-6.jpg",
		"transparent.gif", "canvas.gif", "bmp-palette.bmp", "bmp-rle4.bmp", "bmp-4444.bmp", "tiff-rgb@packbits.tif", "lossy-rgba.webp", "lossless-rgb.webp",
	} {
		data, err := os.ReadFile(filepath.Join("testdata", name))
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data)
	}
	f.Fuzz(fuzzRead)
}

// FuzzNPY reads whole .npy files, also through what a named file would be.
func FuzzNPY(f *testing.F) {
	f.Add(npyFile(1, header("'<f4'", "False", "(3, 4)"), 48))
	f.Add(npyFile(2, header("'>u2'", "True", "(2, 3, 1)"), 12))
	f.Add(npyFile(3, header("'|b1'", "False", "()"), 1))
	f.Fuzz(func(t *testing.T, data []byte) {
		data = append([]byte(npyMagic), data[min(len(npyMagic), len(data)):]...)
		fuzzRead(t, data)
		fuzzMembers(t, data)
	})
}

// FuzzSafetensors reads every array of a safetensors file.
func FuzzSafetensors(f *testing.F) {
	data, err := os.ReadFile("testdata/weights/arrays.safetensors")
	if err != nil {
		f.Fatal(err)
	}
	f.Add(data)
	f.Add([]byte("\x08\x00\x00\x00\x00\x00\x00\x00{      }"))
	f.Fuzz(fuzzMembers)
}

// FuzzONNX reads every array of a model.
func FuzzONNX(f *testing.F) {
	data, err := os.ReadFile("testdata/weights/model.onnx")
	if err != nil {
		f.Fatal(err)
	}
	f.Add(data)
	f.Add([]byte("\x08\x07\x3a\x02\x0a\x00"))
	f.Fuzz(fuzzMembers)
}

// fuzzMembers opens bytes as a file that is on disk, and reads each of its
// arrays when it is an archive.
func fuzzMembers(t *testing.T, data []byte) {
	check := func(err error) {
		if err != nil && (strings.Contains(err.Error(), "internal error") || strings.Contains(err.Error(), "\n")) {
			t.Fatalf("got error %q", err)
		}
	}
	opened := func() *input {
		return &input{name: "x", path: "x", file: bytes.NewReader(data), size: int64(len(data)), close: func() error { return nil }}
	}
	in := opened()
	format, err := in.sniff()
	if err != nil || !format.isArchive() {
		s, err := open(in, "", Options{MaxPixels: 1 << 20})
		if err == nil {
			_, err = s.Read()
		}
		check(err)
		return
	}
	all, err := members(in, format)
	check(err)
	for _, m := range all[:min(len(all), 20)] {
		s, err := open(opened(), m.name, Options{})
		if err == nil {
			var got *tensor.Tensor
			if got, err = s.Read(); err == nil && !got.Spec.Equal(s.Info.Spec) {
				t.Fatalf("%q: the header says %s, the data is %s", m.name, s.Info.Spec, got.Spec)
			}
		}
		check(err)
	}
}

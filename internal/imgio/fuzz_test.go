package imgio

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
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

package imgio

import (
	"bytes"
	"os"
	"strings"
	"testing"
)

// fuzzRead opens and reads bytes as a file. It wants a tensor of the header's spec
// or an error of one line, and no panic, not even a recovered one.
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

func FuzzPicture(f *testing.F) {
	for _, name := range []string{
		"png/testdata/grey1-trns@interlaced.png", "png/testdata/palette4-trns.png", "png/testdata/rgba16.png", "jpeg/testdata/jpeg-progressive.jpg", "jpeg/testdata/jpeg-cmyk.jpg", "jpeg/testdata/exif-6.jpg",
		"gif/testdata/transparent.gif", "gif/testdata/canvas.gif", "bmp/testdata/bmp-palette.bmp", "bmp/testdata/bmp-rle4.bmp", "bmp/testdata/bmp-4444.bmp", "tiff/testdata/tiff-rgb@packbits.tif", "webp/testdata/lossy-rgba.webp", "pnm/testdata/bits@dense.pbm", "pnm/testdata/grey-1000@plain.pgm", "pnm/testdata/rgb-100@raw.ppm", "pnm/testdata/pam4-65535@type.pam", "webp/testdata/lossless-rgb.webp",
	} {
		data, err := os.ReadFile(name)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data)
	}
	f.Fuzz(fuzzRead)
}

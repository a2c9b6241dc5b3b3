//go:build zz

package imgio

import (
	"bytes"
	"image"
	"image/jpeg"
	"io"
	"os"
	"testing"

	"github.com/klauspost/compress/zlib"
)

func BenchmarkJ(b *testing.B) {
	data, _ := os.ReadFile("/tmp/files/photo.jpg")
	b.Run("decode", func(b *testing.B) {
		for b.Loop() {
			jpeg.Decode(bytes.NewReader(data))
		}
	})
	img, _ := jpeg.Decode(bytes.NewReader(data))
	dst := make([]uint8, 36000000)
	b.Run("convert", func(b *testing.B) {
		for b.Loop() {
			convertYCbCr(dst, img.(*image.YCbCr), nil)
		}
	})
}

func BenchmarkI(b *testing.B) {
	data, _ := os.ReadFile("/tmp/files/photo.png")
	var z []byte
	for p := 8; p < len(data); {
		n := int(data[p])<<24 | int(data[p+1])<<16 | int(data[p+2])<<8 | int(data[p+3])
		if string(data[p+4:p+8]) == "IDAT" {
			z = append(z, data[p+8:p+8+n]...)
		}
		p += 12 + n
	}
	b.SetBytes(36003000)
	b.Run("inflate", func(b *testing.B) {
		for b.Loop() {
			r, _ := zlib.NewReader(bytes.NewReader(z))
			io.Copy(io.Discard, r)
		}
	})
	r, _ := zlib.NewReader(bytes.NewReader(z))
	raw, _ := io.ReadAll(r)
	b.SetBytes(36003000)
	b.Run("unfilter", func(b *testing.B) {
		for b.Loop() {
			above := make([]byte, 12000)
			row := make([]byte, 12000)
			for y := range 3000 {
				copy(row, raw[y*12001+1:])
				unfilter(raw[y*12001], row, above, 3)
				row, above = above, row
			}
		}
	})
	counts := [5]int{}
	for y := range 3000 {
		counts[raw[y*12001]]++
	}
	b.Log(counts)
}

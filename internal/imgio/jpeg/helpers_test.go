package jpeg

import (
	"bytes"
	"os"
	"testing"

	"github.com/poolctl/poolctl/internal/imgio/imgiotest"
)

// largeFile makes a file of 1600x1200: grey, rgb (written as YCbCr) or progressive.
func largeFile(t *testing.T, kind string) []byte {
	t.Helper()
	if kind == "progressive" {
		return progressiveFile(1600, 1200, 4)
	}
	channels := 3
	if kind == "grey" {
		channels = 1
	}
	var file bytes.Buffer
	if err := Write(&file, imgiotest.Raster(imgiotest.RandomPicture(1, 8, 1200, 1600, channels)), 0); err != nil {
		t.Fatal(err)
	}
	return file.Bytes()
}

// progressiveFile makes a uniform grey picture: a scan for DC, one for AC, and so many
// more scans that refine AC by nothing.
func progressiveFile(width, height, more int) []byte {
	b := []byte{0xff, soi, 0xff, dqt, 0, 67, 0}
	b = append(b, bytes.Repeat([]byte{1}, 64)...)
	b = append(b, 0xff, sof2, 0, 11, 8, byte(height>>8), byte(height), byte(width>>8), byte(width), 1, 1, 0x11, 0)
	// One code of one bit for each table: DC of 0 bits, and the end of 2^14 blocks.
	b = append(b, 0xff, dht, 0, 20, 0x00, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0)
	b = append(b, 0xff, dht, 0, 20, 0x10, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xe0)
	blocks := (width + 7) / 8 * ((height + 7) / 8)
	b = append(b, 0xff, sos, 0, 8, 1, 1, 0, 0, 0, 0)
	b = append(b, make([]byte, (blocks+7)/8)...)
	for i := range 1 + more {
		low := byte(0x00)
		if i > 0 {
			low = 0x10
		} else if more > 0 {
			low = 0x01
		}
		b = append(b, 0xff, sos, 0, 8, 1, 1, 0, 1, 63, low)
		b = append(b, make([]byte, 2*(blocks/(1<<14)+1))...)
	}
	return append(b, 0xff, eoi)
}

func fixture(t *testing.T, name string) []byte {
	t.Helper()
	data, err := os.ReadFile("testdata/" + name)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

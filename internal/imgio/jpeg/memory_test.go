package jpeg

import (
	"encoding/binary"
	"os"
	"path/filepath"
	"runtime"
	"testing"

	"github.com/poolctl/poolctl/internal/imgio/imgiotest"
	"github.com/poolctl/poolctl/internal/imgio/raster"
	"github.com/poolctl/poolctl/internal/tensor"
)

// claiming changes the size in a file's frame header.
func claiming(t *testing.T, name string, width, height int) []byte {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	for at := 2; ; at += 2 + int(binary.BigEndian.Uint16(data[at+2:])) {
		if marker := data[at+1]; 0xc0 <= marker && marker <= 0xc2 {
			binary.BigEndian.PutUint16(data[at+5:], uint16(height))
			binary.BigEndian.PutUint16(data[at+7:], uint16(width))
			return data
		}
	}
}

// TestDecodingIsCounted: the header alone tells the decoder's planes, and the
// coefficients of a progressive file, two bytes each.
func TestDecodingIsCounted(t *testing.T) {
	const width, height = 4000, 3000
	for name, perPixel := range map[string]float64{
		"jpeg-grey.jpg": 1, "jpeg-444.jpg": 3, "jpeg-422.jpg": 2, "jpeg-440.jpg": 2, "jpeg-420.jpg": 1.5,
		"jpeg-progressive.jpg": 1.5 * 3,
		"jpeg-cmyk.jpg":        4, "jpeg-ycck.jpg": 4,
	} {
		data := claiming(t, name, width, height)
		h, _, err := Open(imgiotest.File(data), raster.Options{})
		if err != nil {
			t.Fatal(err)
		}
		want := int(perPixel * width * height)
		if extra := h.Decoding - want; extra < 0 || extra > want/50+len(data) {
			t.Errorf("%s: got %d bytes for %dx%d, want %d or little more", name, h.Decoding, width, height, want)
		}
	}
}

// TestDecoderTakesWhatIsCounted measures the decoder on files of 1 and 3 channels, the
// latter progressive, too.
func TestDecoderTakesWhatIsCounted(t *testing.T) {
	for _, name := range []string{"grey", "rgb", "progressive"} {
		data := largeFile(t, name)
		h, decode, err := Open(imgiotest.File(data), raster.Options{})
		if err != nil {
			t.Fatal(err)
		}
		got := tensor.New(h.Spec())
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		if err := decode(got, nil); err != nil {
			t.Fatal(err)
		}
		runtime.ReadMemStats(&after)
		taken := int(after.TotalAlloc - before.TotalAlloc)
		if taken > h.Decoding+1<<20 || 2*taken < h.Decoding {
			t.Errorf("%s: %d bytes were allocated, %d counted", name, taken, h.Decoding)
		}
	}
}

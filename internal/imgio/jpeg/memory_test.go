package jpeg

import (
	"bytes"
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
// coefficients of a progressive file, four bytes each.
func TestDecodingIsCounted(t *testing.T) {
	const width, height = 4000, 3000
	for name, perPixel := range map[string]float64{
		"jpeg-grey.jpg": 1, "jpeg-444.jpg": 3, "jpeg-422.jpg": 2, "jpeg-440.jpg": 2, "jpeg-420.jpg": 1.5,
		"jpeg-progressive.jpg": 1.5 * 5,
		"jpeg-cmyk.jpg":        4 + 4, "jpeg-ycck.jpg": 4 + 4, // the planes, and the inks joined
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

// TestDecodersTakeWhatIsCounted measures both decoders: ours, and image/jpeg on a
// file that ours leaves to it.
func TestDecodersTakeWhatIsCounted(t *testing.T) {
	for _, channels := range []int{1, 3} {
		x := imgiotest.RandomPicture(1, 8, 1200, 1600, channels)
		var file bytes.Buffer
		if err := Write(&file, imgiotest.Raster(x), 0); err != nil {
			t.Fatal(err)
		}
		odd := bytes.Replace(file.Bytes(), []byte("\xff\xda"), []byte("\xff\xff\xda"), 1) // a fill byte
		if parsePlain(file.Bytes()) == nil || parsePlain(odd) != nil {
			t.Fatal("want a plain file, and one that is not")
		}
		for _, data := range [][]byte{file.Bytes(), odd} {
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
				t.Errorf("%d channels, plain %v: %d bytes were allocated, %d counted", channels, len(data) == file.Len(), taken, h.Decoding)
			}
		}
	}
}

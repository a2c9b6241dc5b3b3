package tiff

import (
	"encoding/binary"
	"os"
	"strings"
	"testing"

	"github.com/poolctl/poolctl/internal/imgio/imgiotest"
	"github.com/poolctl/poolctl/internal/imgio/npy"
	"github.com/poolctl/poolctl/internal/imgio/raster"
	"github.com/poolctl/poolctl/internal/tensor"
)

// table returns the arrays of testdata/table.npz, which tools/fixtures/tiff.py made.
func table(t testing.TB) (files map[string][]byte, samples map[string]*tensor.Tensor) {
	t.Helper()
	return filesOf(t, "testdata/table.npz")
}

// filesOf returns the arrays of an archive: the files, by KIND@HOW.tif, and the
// samples that Pillow, OpenCV or tifffile reads, by KIND.
func filesOf(t testing.TB, name string) (files map[string][]byte, samples map[string]*tensor.Tensor) {
	t.Helper()
	data, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	members, err := npy.Members(imgiotest.File(data))
	if err != nil {
		t.Fatal(err)
	}
	files, samples = map[string][]byte{}, map[string]*tensor.Tensor{}
	for _, m := range members {
		array, err := m.Open()
		if err != nil {
			t.Fatal(err)
		}
		values, err := array.Read()
		if err != nil {
			t.Fatal(err)
		}
		if strings.Contains(m.Name, "@") {
			files[m.Name] = tensor.Of[uint8](values)
		} else {
			samples[m.Name] = values
		}
	}
	return files, samples
}

// TestTable reads each photometric interpretation with each compression, depth and
// fill order, with each extra sample, and in tiles.
func TestTable(t *testing.T) {
	files, samples := table(t)
	if len(files) < 166 {
		t.Fatalf("got %d files, want 166 or more", len(files))
	}
	for name, data := range files {
		t.Run(name, func(t *testing.T) {
			kind, _, _ := strings.Cut(name, "@")
			imgiotest.SameBits(t, imgiotest.MustDecode(t, Open, data, raster.Options{}), samples[kind])
		})
	}
}

// TestSamples reads every type of samples, in strips and tiles, with one plane and
// with several, in both byte orders, of TIFF and BigTIFF.
func TestSamples(t *testing.T) {
	files, samples := filesOf(t, "testdata/samples.npz")
	if len(files) < 400 {
		t.Fatalf("got %d files, want 400 or more", len(files))
	}
	for name, data := range files {
		t.Run(name, func(t *testing.T) {
			kind, _, _ := strings.Cut(name, "@")
			imgiotest.SameBits(t, imgiotest.MustDecode(t, Open, data, raster.Options{}), samples[kind])
		})
	}
}

// entry returns the 12 bytes of a little-endian file's field.
func entry(t testing.TB, data []byte, tag uint16) []byte {
	t.Helper()
	at := binary.LittleEndian.Uint32(data[4:])
	for i := range int(binary.LittleEndian.Uint16(data[at:])) {
		if e := data[int(at)+2+12*i:][:12]; binary.LittleEndian.Uint16(e) == tag {
			return e
		}
	}
	t.Fatalf("no tag %d", tag)
	return nil
}

// TestCutStrips halves the size of the last strip: rows are missing.
func TestCutStrips(t *testing.T) {
	files, _ := table(t)
	for name, data := range files {
		if data[0] == 'M' || strings.HasPrefix(name, "tiles") {
			continue
		}
		counts := entry(t, data, tagStripByteCounts)
		last := binary.LittleEndian.Uint32(counts[8:]) + 4*binary.LittleEndian.Uint32(counts[4:]) - 4
		cut := binary.LittleEndian.Uint32(data[last:]) / 2
		binary.LittleEndian.PutUint32(data[last:], cut)
		_, _, err := imgiotest.Decode(Open, data, raster.Options{})
		if err == nil {
			t.Errorf("%s: got a picture, want an error", name)
			continue
		}
		imgiotest.CheckError(t, err)
	}
}

// TestRefused changes one field to what is not supported or not valid.
func TestRefused(t *testing.T) {
	const tiles = "tiles-black0-8@lzw.tif"
	for _, c := range []struct {
		file  string
		tag   uint16
		value uint16
		want  string
	}{
		{"black0-8@none-fill1.tif", tagWidth, 0, "got size 0x9, want at least 1x1"},
		{"black0-8@none-fill1.tif", tagWidth, 60000, "the file is cut"},
		{"black0-8@none-fill1.tif", tagBitsPerSample, 24, "got 24 bits per sample of unsigned integers, want one of [1 2 4 8 10 12 14 16 32 64]"},
		{"black0-8@none-fill1.tif", tagSamplesPerPixel, 2, "got 2 samples per pixel and the bits of 1, want as many"},
		{"black0-8@none-fill1.tif", tagPhotometric, 5, "got 1 samples per pixel, want 4 to 1024 with photometric interpretation 5"},
		{"black0-8@none-fill1.tif", tagPhotometric, 2, "got 1 samples per pixel, want 3 to 1024"},
		{"black0-8@none-fill1.tif", tagPhotometric, 3, "got a colour map of 0 values"},
		{"black0-8@none-fill1.tif", tagCompression, 6, "got compression 6 (old-style JPEG), want none, CCITT, LZW, JPEG, deflate, PackBits or Zstandard"},
		{"black0-8@none-fill1.tif", tagCompression, 4, "got 8 bits per sample and photometric interpretation 1, want 1 bit of grey for CCITT compression"},
		{"black0-8@none-fill1.tif", tagFillOrder, 3, "got fill order 3, want 1 or 2"},
		{"black0-8@none-fill1.tif", tagRowsPerStrip, 0, "got 0 rows per strip, want >= 1"},
		{"black0-8@none-fill1.tif", tagRowsPerStrip, 1, "got the offsets and sizes of 3 strips or tiles, want 9"},
		{"palette-8-predictor@lzw.tif", tagPredictor, 3, "got predictor 3 with samples of uint8, want floating point"},
		{"rgb-8-extra0@lzw.tif", tagExtraSamples, 3, "got extra sample 3, want 0 to 2"},
		{tiles, tagTileWidth, 2000, "got tiles of 2000x16 in a picture of 37x9, want 8 to 1024 or the picture's size"},
		{tiles, tagTileLength, 1, "got tiles of 32x1 in a picture of 37x9"},
	} {
		files, _ := table(t)
		data := files[c.file]
		binary.LittleEndian.PutUint16(entry(t, data, c.tag)[8:], c.value)
		_, _, err := imgiotest.Decode(Open, data, raster.Options{})
		imgiotest.WantError(t, err, c.want)
	}
}

// TestChecksum: a deflated strip with a wrong checksum is an error.
func TestChecksum(t *testing.T) {
	files, _ := table(t)
	data := files["rgb-8@deflate-fill1.tif"]
	offsets, counts := entry(t, data, tagStripOffsets), entry(t, data, tagStripByteCounts)
	order := binary.LittleEndian
	data[order.Uint32(data[order.Uint32(offsets[8:]):])+order.Uint32(data[order.Uint32(counts[8:]):])-1] ^= 1
	_, _, err := imgiotest.Decode(Open, data, raster.Options{})
	imgiotest.WantError(t, err, "row ", "checksum")
}

// FuzzTIFF reads damaged files of every kind of the table.
func FuzzTIFF(f *testing.F) {
	for _, name := range []string{"testdata/table.npz", "testdata/samples.npz"} {
		files, _ := filesOf(f, name)
		for _, data := range files {
			f.Add(data)
		}
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		h, _, err := Open(imgiotest.File(data), raster.Options{MaxPixels: 1 << 20})
		if err == nil {
			if n, err := h.Spec().Bytes(); err != nil || n > 1<<26 {
				return // the program's limit on memory refuses it
			}
		}
		_, _, err = imgiotest.Decode(Open, data, raster.Options{MaxPixels: 1 << 20})
		imgiotest.CheckError(t, err)
	})
}

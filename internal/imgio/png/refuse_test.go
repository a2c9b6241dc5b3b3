package png

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/adler32"
	"os"
	"runtime"
	"strings"
	"testing"

	"github.com/poolctl/poolctl/internal/imgio/imgiotest"
	"github.com/poolctl/poolctl/internal/imgio/input"
	"github.com/poolctl/poolctl/internal/imgio/raster"
)

// pngFile assembles a PNG from its header's fields and further chunks.
func pngFile(width, height uint32, depth, colour, interlace byte, chunks ...string) []byte {
	var out bytes.Buffer
	out.WriteString(magic)
	ihdr := binary.BigEndian.AppendUint32(nil, width)
	ihdr = binary.BigEndian.AppendUint32(ihdr, height)
	_ = writeChunk(&out, "IHDR", append(ihdr, depth, colour, 0, 0, interlace))
	for _, c := range chunks {
		_ = writeChunk(&out, c[:4], []byte(c[4:]))
	}
	return out.Bytes()
}

// idat compresses raw rows.
func idat(raw string) string {
	data := deflate([]byte(raw), true)
	return "IDAT\x78\x5e" + string(binary.BigEndian.AppendUint32(data, adler32.Checksum([]byte(raw))))
}

func TestRefusals(t *testing.T) {
	row := idat("\x00\x05")
	palette := "PLTE\x01\x02\x03\x04\x05\x06"
	for _, c := range []struct {
		file []byte
		says string
	}{
		{pngFile(0, 1, 8, 0, 0, row, "IEND"), "got size 0x1, want at least 1x1"},
		{pngFile(1<<31, 1, 8, 0, 0, row, "IEND"), "got size 2147483648x1, want < 2^31"},
		{pngFile(1, 1, 3, 0, 0, row, "IEND"), "got colour type 0 with 3 bits"},
		{pngFile(1, 1, 4, 2, 0, row, "IEND"), "got colour type 2 with 4 bits"},
		{pngFile(1, 1, 8, 5, 0, row, "IEND"), "got colour type 5 with 8 bits"},
		{pngFile(1, 1, 8, 0, 2, row, "IEND"), "got compression 0, filter 0, interlace 2"},
		{pngFile(1, 1, 8, 3, 0, row, "IEND"), "the palette is missing"},
		{pngFile(1, 1, 8, 3, 0, palette, row, "IEND"), "row 0 of 1: got palette index 5, want < 2"},
		{pngFile(1, 1, 8, 3, 1, palette, row, "IEND"), "interlace pass 1 of 7: row 0 of 1: got palette index 5, want < 2"},
		{pngFile(1, 1, 8, 3, 0, palette, palette, row), "want at most one"},
		{pngFile(1, 1, 8, 0, 0, palette, row), "in a colour picture"},
		{pngFile(1, 1, 8, 3, 0, "PLTE\x01\x02", row), "chunk PLTE: got 2 bytes, want 3 for each of 1 to 256 colours"},
		{pngFile(1, 1, 1, 3, 0, "PLTE123456789", row), "chunk PLTE: got 9 bytes, want 3 for each of 1 to 2 colours"},
		{pngFile(1, 1, 8, 3, 0, "tRNS\x01", palette, row), "chunk tRNS: got 1 entries, want at most the palette's 0"},
		{pngFile(1, 1, 8, 0, 0, "tRNS\x01", row), "chunk tRNS: got 1 bytes, want 2"},
		{pngFile(1, 1, 8, 4, 0, "tRNS\x01\x02", row), "which has its own alpha"},
		{pngFile(1, 1, 8, 0, 0, "tRNS\x01\x02", "tRNS\x01\x02", row), "got chunk tRNS twice"},
		{pngFile(1, 1, 8, 0, 0, "ABCDx", row), `got chunk "ABCD", want IHDR, PLTE, IDAT, IEND once`},
		{pngFile(1, 1, 8, 0, 0, idat("\x07\x05"), "IEND"), "row 0 of 1: got filter 7, want 0 to 4"},
		{pngFile(1, 400, 8, 0, 0, idat(strings.Repeat("\x00\x05", 388)), "IEND"), "12 of 400 rows missing, the file is cut"},
		{pngFile(1, 1, 8, 0, 0, idat("\x00\x05\x00\x05"), "IEND"), "got more pixels than the 1x1 of the header"},
		{pngFile(1, 1, 8, 0, 0, row[:len(row)-1]+"!", "IEND"), "compressed data: zlib: invalid checksum"},
		{pngFile(1, 1, 8, 0, 0, "IDATnonsense", "IEND"), "compressed data: zlib: invalid header"},
		{pngFile(1, 1, 8, 0, 0, row), "the file is cut"},
		{append(pngFile(1, 1, 8, 0, 0), "\x80\x00\x00\x00IDAT"...), `chunk "IDAT": got length 2147483648, want < 2^31`},
	} {
		_, _, err := imgiotest.Decode(Open, c.file, raster.Options{})
		imgiotest.WantError(t, err, c.says)
	}
	whole, err := os.ReadFile("testdata/rgba16@interlaced.png")
	if err != nil {
		t.Fatal(err)
	}
	for n := range whole {
		_, _, err := imgiotest.Decode(Open, whole[:n], raster.Options{})
		imgiotest.WantError(t, err, "")
	}
	for i := 8; i < len(whole); i++ { // a checksum covers every byte but the signature
		flipped := bytes.Clone(whole)
		flipped[i] ^= 0x10
		if _, _, err := imgiotest.Decode(Open, flipped, raster.Options{}); err == nil {
			t.Errorf("byte %d flipped: got no error", i)
		}
	}
}

// TestLimits reads a picture at each limit, and refuses one that is larger by one
// with a *LimitError.
func TestLimits(t *testing.T) {
	black := func(width, height int) []byte { // grey
		return pngFile(uint32(width), uint32(height), 8, 0, 0, idat(strings.Repeat("\x00"+strings.Repeat("\x00", width), height)), "IEND")
	}
	for _, c := range []struct {
		name         string
		fits, larger []byte
		options      raster.Options
		says         string
	}{
		{"pixels", black(4, 3), black(13, 1), raster.Options{MaxPixels: 12}, "got 13x1 = 13 pixels, want <= 12 (--max-pixels)"},
		{"width", black(12, 1), black(13, 1), raster.Options{MaxSide: 12}, "got size 13x1, want sides <= 12 (--max-side)"},
		{"height", black(1, raster.DefaultMaxSide), black(1, raster.DefaultMaxSide+1), raster.Options{}, "got size 1x65536, want sides <= 65535 (--max-side)"},
	} {
		t.Run(c.name, func(t *testing.T) {
			imgiotest.MustDecode(t, Open, c.fits, c.options)
			_, _, err := imgiotest.Decode(Open, c.larger, c.options)
			imgiotest.WantError(t, err, c.says)
			var limit *input.LimitError
			if !errors.As(err, &limit) {
				t.Errorf("got %T, want a *LimitError", err)
			}
		})
	}
}

// TestLargePicturesAreRefused by their headers: with a typed error, naming the
// flag, and without allocating what they claim.
func TestLargePicturesAreRefused(t *testing.T) {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	for _, size := range [][2]uint32{{100000, 100000}, {1<<31 - 1, 1<<31 - 1}, {1<<31 - 1, 1}, {10001, 10000}} {
		_, _, err := imgiotest.Decode(Open, pngFile(size[0], size[1], 16, 6, 0, idat("\x00"), "IEND"), raster.Options{})
		var limit *input.LimitError
		if !errors.As(err, &limit) {
			t.Fatalf("%v: got %v, want a limit error", size, err)
		}
		imgiotest.WantError(t, err, fmt.Sprintf("got %dx%d = ", size[0], size[1]), "pixels, want <= 100000000 (--max-pixels)")
	}
	runtime.ReadMemStats(&after)
	if got := after.TotalAlloc - before.TotalAlloc; got > 32<<20 {
		t.Errorf("allocated %d bytes, want less than 32 MiB", got)
	}
}

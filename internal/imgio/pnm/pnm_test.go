package pnm

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/poolctl/poolctl/internal/imgio/format"
	"github.com/poolctl/poolctl/internal/imgio/imgiotest"
	"github.com/poolctl/poolctl/internal/imgio/input"
	"github.com/poolctl/poolctl/internal/imgio/raster"
	"github.com/poolctl/poolctl/internal/tensor"
)

// testdata returns a file that tools/fixtures/pnm.py made.
func testdata(t testing.TB, name string) []byte {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// written returns the file of a picture under an extension.
func written(t testing.TB, x *tensor.Tensor, ext string) []byte {
	t.Helper()
	var out bytes.Buffer
	if err := Write(&out, imgiotest.Raster(x), format.Options{Extension: ext}); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// TestWritesWhatPillowWrites, and OpenCV, to the byte: from what their files hold.
func TestWritesWhatPillowWrites(t *testing.T) {
	for _, name := range []string{
		"pillow-bits.pbm", "pillow-grey8.pgm", "pillow-grey16.pgm", "pillow-rgb8.ppm",
		"opencv-1-8.pam", "opencv-1-16.pam", "opencv-3-8.pam", "opencv-3-16.pam", "opencv-4-8.pam", "opencv-4-16.pam",
	} {
		want := testdata(t, name)
		got := written(t, imgiotest.MustDecode(t, Open, want, raster.Options{}), filepath.Ext(name))
		if !bytes.Equal(got, want) {
			t.Errorf("%s: got %q, want %q", name, got, want)
		}
	}
}

// TestRoundTrip writes and reads pictures of every kind.
func TestRoundTrip(t *testing.T) {
	for ext, counts := range held {
		if ext == ".pbm" {
			continue
		}
		for _, channels := range counts {
			for _, depth := range []int{8, 16} {
				for _, size := range [][2]int{{1, 1}, {7, 1}, {1, 9}, {33, 41}} {
					want := imgiotest.RandomPicture(3, depth, size[0], size[1], channels)
					imgiotest.SameBits(t, imgiotest.MustDecode(t, Open, written(t, want, ext), raster.Options{}), want)
				}
			}
		}
	}
	for _, width := range []int{1, 7, 8, 9, 17} {
		want := tensor.New(tensor.Spec{DType: tensor.Uint8, Shape: tensor.Shape{1, 3, width, 1}})
		for i := range tensor.Of[uint8](want) {
			tensor.Of[uint8](want)[i] = uint8(i%3%2) * 255
		}
		imgiotest.SameBits(t, imgiotest.MustDecode(t, Open, written(t, want, ".pbm"), raster.Options{}), want)
		wide, _ := tensor.Converted(want, tensor.Uint16)
		for i := range tensor.Of[uint16](wide) {
			tensor.Of[uint16](wide)[i] *= 257
		}
		imgiotest.SameBits(t, imgiotest.MustDecode(t, Open, written(t, wide, ".pbm"), raster.Options{}), want)
	}
}

// TestChoosesByExtension: what each extension holds, and why it does not hold the
// rest.
func TestChoosesByExtension(t *testing.T) {
	e := Format.Picture.Encoder
	for _, c := range []struct {
		ext      string
		channels int
		begins   string // or the error
	}{
		{".pgm", 1, "P5\n"}, {".ppm", 3, "P6\n"}, {".pnm", 1, "P5\n"}, {".pnm", 3, "P6\n"}, {".pam", 2, "P7\n"}, {".pam", 1, "P7\n"},
		{".pbm", 3, "got 3 channels, want 1 for a .pbm: write a .ppm, .pam or .pnm"},
		{".pgm", 2, "got 2 channels, the last of them alpha, which a .pgm cannot hold: write a .pam, or drop the channel"},
		{".pgm", 3, "got 3 channels, want 1 for a .pgm"},
		{".ppm", 1, "got 1 channel, want 3 for a .ppm: write a .pgm, .pam or .pnm"},
		{".ppm", 4, "which a .ppm cannot hold"},
		{".pnm", 4, "which a .pnm cannot hold"},
	} {
		n, err := e.Channels(c.channels, format.Options{Extension: c.ext})
		if !strings.HasPrefix(c.begins, "P") {
			imgiotest.WantError(t, err, c.begins)
			continue
		}
		got := written(t, imgiotest.RandomPicture(1, 8, 2, 2, c.channels), c.ext)
		if err != nil || n != c.channels || !strings.HasPrefix(string(got), c.begins) {
			t.Errorf("%s, %d channels: got %q, %v", c.ext, c.channels, got, err)
		}
	}
	grey := func(r *raster.Raster) error {
		_, err := e.Check(r, format.Options{Extension: ".pbm"})
		return err
	}
	imgiotest.WantError(t, grey(&raster.Raster{Width: 2, Height: 2, Channels: 1, Pix8: []uint8{0, 255, 0, 1}}),
		"got level 1 in row 1, column 1, want 0 and 255 alone for a .pbm", "--normalize minmax", "write a .pgm")
	imgiotest.WantError(t, grey(&raster.Raster{Width: 2, Height: 1, Channels: 1, Pix16: []uint16{65535, 255}}),
		"got level 255 in row 0, column 1, want 0 and 65535 alone")
	if err := grey(&raster.Raster{Width: 2, Height: 1, Channels: 1, Pix16: []uint16{65535, 0}}); err != nil {
		t.Error(err)
	}
}

func TestRefusals(t *testing.T) {
	pam := func(lines ...string) string { return "P7\n" + strings.Join(lines, "\n") + "\nENDHDR\n" }
	const size = "WIDTH 1\nHEIGHT 1\nDEPTH 1\nMAXVAL 255"
	for _, c := range []struct{ file, says string }{
		{"P5", "EOF"},
		{"P5 ", "EOF"},
		{"P5 1 1 255", "EOF"},
		{"P5 # endless", "EOF"},
		{"P5 x", `header: got 'x' in the width, want a number`},
		{"P5 1 -1 255 a", `header: got '-' in the height, want a number`},
		{"P5 1 1 2.5 a", `header: got '.' in the maxval, want a number`},
		{"P5 1x 1 255 a", `header: got 'x' in the width, want a number`},
		{"P5 0 1 255 a", "got size 0x1, want at least 1x1"},
		{"P5 1 0 255 a", "got size 1x0"},
		{"P5 99999999999999999999 1 255 a", "header: got width 9999999999…, want < 2^31"},
		{"P5 1 1 0 a", "header: got maxval 0, want 1 to 65535"},
		{"P5 1 1 65536 aa", "header: got maxval 65536, want 1 to 65535"},
		{"P5 1 2 255 a", "1 of 2 rows missing, the file is cut"},
		{"P5 1 2 256 aaa", "1 of 2 rows missing, the file is cut"},
		{"P6 1 1 255 aa", "1 of 1 rows missing, the file is cut"},
		{"P4 9 2 aaa", "1 of 2 rows missing, the file is cut"},
		{"P5 2 1 9 \x09\x0a", "row 0 of 1: got sample 10, want <= 9, the header's maxval"},
		{"P5 1 2 300 \x01\x2c\x01\x2d", "row 1 of 2: got sample 301, want <= 300, the header's maxval"},
		{"P2 2 1 9 9 10", "row 0 of 1: got a sample of 10 or more, want <= 9, the header's maxval"},
		{"P2 2 1 9 " + strings.Repeat("9", 100), "got a sample of 99 or more"},
		{"P2 1 2 9 9 -1", "row 1 of 2: got '-', want a number"},
		{"P2 3 1 9 9 8", "1 of 1 rows missing, the file is cut"},
		{"P2 1 3 255 1000 2 ", "got a sample of 1000 or more"},
		{"P2 1 3 255  100   2  ", "1 of 3 rows missing, the file is cut"},
		{"P1 2 2 1 0 2 1", "row 1 of 2: got a sample of 2 or more, want <= 1"},
		{"P1 2 2 110", "1 of 2 rows missing, the file is cut"},
		{"P1 2 2 1 1 # 0 1", "1 of 2 rows missing, the file is cut"},
		{"P7\n", "EOF"},
		{"P7\nWIDTH 1\n", "EOF"},
		{pam("WIDTH 1", "HEIGHT 1", "DEPTH 1"), "header: MAXVAL is missing"},
		{pam(size, "WIDTH 1"), "header: got WIDTH twice"},
		{pam("WIDTH -1"), `header: got WIDTH "-1", want a number < 2^31`},
		{pam("WIDTH 4294967296"), `header: got WIDTH "4294967296", want a number < 2^31`},
		{pam("WIDTH"), `header: got WIDTH "", want a number`},
		{pam("WIDTH 1 2"), `header: got WIDTH "1 2", want a number`},
		{pam("COLOUR 3"), `header: got line "COLOUR 3", want WIDTH, HEIGHT,`},
		{pam("width 3"), `header: got line "width 3"`},
		{pam("WIDTH 1", "HEIGHT 1", "DEPTH 5", "MAXVAL 255") + "aaaaa", "header: got depth 5, want 1 (grey), 2 (grey, alpha), 3 (RGB) or 4 (RGB, alpha)"},
		{pam("WIDTH 1", "HEIGHT 1", "DEPTH 0", "MAXVAL 255"), "header: got depth 0"},
		{pam(size, "TUPLTYPE CMYK") + "a", `header: got tuple type "CMYK", want BLACKANDWHITE, GRAYSCALE or RGB`},
		{pam(size, "TUPLTYPE RGB", "TUPLTYPE ALPHA") + "a", `header: got tuple type "RGB ALPHA"`},
		{pam(size, "TUPLTYPE RGB") + "a", "header: got depth 1 with tuple type RGB, want 3"},
		{pam("WIDTH 1", "HEIGHT 1", "DEPTH 1", "MAXVAL 70000") + "aaa", "header: got maxval 70000"},
	} {
		_, _, err := imgiotest.Decode(Open, []byte(c.file), raster.Options{})
		imgiotest.WantError(t, err, c.says)
	}
}

// TestLimits refuses a large picture and a long header with a *LimitError, before
// anything large is allocated.
func TestLimits(t *testing.T) {
	isLimit := func(file, says string, o raster.Options) {
		t.Helper()
		_, _, err := imgiotest.Decode(Open, []byte(file), o)
		imgiotest.WantError(t, err, says)
		var limit *input.LimitError
		if !errors.As(err, &limit) {
			t.Errorf("got %T, want a *LimitError", err)
		}
	}
	isLimit("P6 100000 100000 255 a", "got 100000x100000 = 10000000000 pixels, want <= 100000000 (--max-pixels)", raster.Options{})
	isLimit("P5 3 1 255 abc", "got size 3x1, want sides <= 2 (--max-side)", raster.Options{MaxSide: 2})
	isLimit("P7\nWIDTH 2147483647\nHEIGHT 2147483647\nDEPTH 4\nMAXVAL 65535\nENDHDR\n", "pixels, want <=", raster.Options{})
	// "P5 #", the comment and its line feed, "1 1 1 " make the header.
	long := func(n int) string { return "P5 #" + strings.Repeat("x", n-11) + "\n1 1 1 " + "\x01" }
	imgiotest.MustDecode(t, Open, []byte(long(maxHeader)), raster.Options{})
	isLimit(long(maxHeader+1), "header: got more than 65536 bytes", raster.Options{})
	isLimit("P7\n#"+strings.Repeat("x", maxHeader), "header: got more than 65536 bytes", raster.Options{})
}

// TestCuts cuts a file of each kind at every length. A plain one may end in the
// last of its numbers.
func TestCuts(t *testing.T) {
	for _, name := range []string{"bits@spaced.pbm", "bits@raw.pbm", "grey-100@plain.pgm", "grey-1000@raw.pgm", "rgb-255@raw.ppm", "pam2-65535@type.pam"} {
		whole := testdata(t, name)
		end := len(whole)
		if whole[1] <= '3' {
			end = bytes.LastIndexAny(bytes.TrimRight(whole, blanks), blanks) + 2
		}
		for n := 2; n < end; n++ {
			_, _, err := imgiotest.Decode(Open, whole[:n], raster.Options{})
			if err == nil {
				t.Errorf("%s cut at %d of %d: got no error", name, n, len(whole))
			}
			imgiotest.CheckError(t, err)
		}
	}
}

// TestEverySampleOfEveryMaxval: samples are scaled to the nearest level, 0 to
// black and maxval to white, and never back.
func TestEverySampleOfEveryMaxval(t *testing.T) {
	for _, maxval := range []int{1, 2, 7, 15, 63, 127, 254, 255, 256, 511, 1023, 4095, 16383, 65534, 65535} {
		var file bytes.Buffer
		fmt.Fprintf(&file, "P5 %d 1 %d\n", maxval+1, maxval)
		for v := range maxval + 1 {
			if maxval > 255 {
				file.WriteByte(byte(v >> 8))
			}
			file.WriteByte(byte(v))
		}
		got := imgiotest.MustDecode(t, Open, file.Bytes(), raster.Options{MaxSide: 1 << 17})
		most := 255
		if maxval > 255 {
			most = 65535
		}
		for v := range maxval + 1 {
			// Twice the distance to v/maxval of the full range is at most 1 level.
			if d := 2 * (int(got.At(v))*maxval - v*most); d > maxval || d < -maxval {
				t.Fatalf("maxval %d, sample %d: got level %v of %d", maxval, v, got.At(v), most)
			}
		}
	}
}

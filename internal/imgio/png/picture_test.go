package png

import (
	"bytes"
	"image/png"
	"testing"

	"github.com/poolctl/poolctl/internal/imgio/imgiotest"
	"github.com/poolctl/poolctl/internal/imgio/raster"
	"github.com/poolctl/poolctl/internal/tensor"
)

// TestAgainstStandardLibrary decodes our files by image/png, and its files by our
// decoder.
func TestAgainstStandardLibrary(t *testing.T) {
	for _, depth := range []int{8, 16} {
		for _, channels := range []int{1, 3, 4} {
			want := imgiotest.RandomPicture(5, depth, 200, 160, channels)
			data := written(t, want)
			img, err := png.Decode(bytes.NewReader(data))
			if err != nil {
				t.Fatalf("the standard library: %v", err)
			}
			got := tensor.New(want.Spec)
			if err := raster.Convert(got, img); err != nil {
				t.Fatal(err)
			}
			imgiotest.SameBits(t, got, want)
			var again bytes.Buffer
			if err := png.Encode(&again, img); err != nil {
				t.Fatal(err)
			}
			theirs := again.Len()
			got = imgiotest.MustDecode(t, Open, again.Bytes(), raster.Options{})
			imgiotest.SameBits(t, got, want)
			if len(data) > theirs*11/10 {
				t.Errorf("%d channels of %d bits: got %d bytes, the standard library needs %d", channels, depth, len(data), theirs)
			}
		}
	}
}

func TestRoundTrip(t *testing.T) {
	for _, depth := range []int{8, 16} {
		for channels := 1; channels <= 4; channels++ {
			for _, size := range [][2]int{{1, 1}, {1, 7}, {9, 1}, {33, 41}, {420, 320}} {
				want := imgiotest.RandomPicture(uint64(channels), depth, size[0], size[1], channels)
				got, info, err := imgiotest.Decode(Open, written(t, want), raster.Options{})
				if err != nil {
					t.Fatal(err)
				}
				imgiotest.SameBits(t, got, want)
				if info.Depth != depth || info.Channels != channels {
					t.Errorf("got %+v", info)
				}
			}
		}
	}
}

// written returns a picture as a file.
func written(t *testing.T, x *tensor.Tensor) []byte {
	t.Helper()
	var out bytes.Buffer
	if err := Write(&out, imgiotest.Raster(x)); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

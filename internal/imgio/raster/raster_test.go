package raster

import (
	"bytes"
	"image"
	"image/jpeg"
	"testing"
)

// TestEnlargedPixelsAreSquares compares every pixel of enlarged pictures with the
// one that it lies on.
func TestEnlargedPixelsAreSquares(t *testing.T) {
	for channels := 1; channels <= 4; channels++ {
		for _, deep := range []bool{false, true} {
			const width, height = 5, 3
			r := &Raster{Width: width, Height: height, Channels: channels}
			sample := func(r *Raster, i int) int {
				if deep {
					return int(r.Pix16[i])
				}
				return int(r.Pix8[i])
			}
			for i := range width * height * channels {
				if deep {
					r.Pix16 = append(r.Pix16, uint16(1000*i+7))
				} else {
					r.Pix8 = append(r.Pix8, uint8(3*i+1))
				}
			}
			for _, n := range []int{1, 2, 7} {
				got := r.Enlarged(n)
				if got.Width != n*width || got.Height != n*height || got.Channels != channels || got.Depth() != r.Depth() {
					t.Fatalf("%d times: got %dx%dx%d of %d bits", n, got.Width, got.Height, got.Channels, got.Depth())
				}
				for i := range got.Width * got.Height * channels {
					x, y, c := i/channels%got.Width, i/channels/got.Width, i%channels
					if want := sample(r, (y/n*width+x/n)*channels+c); sample(got, i) != want {
						t.Fatalf("%d times, %d channels, pixel %d,%d: got %d, want %d", n, channels, x, y, sample(got, i), want)
					}
				}
			}
		}
	}
}

// TestImageOfRaster checks the input of the standard library's encoders.
func TestImageOfRaster(t *testing.T) {
	r := &Raster{Width: 2, Height: 1, Channels: 3, Pix8: []uint8{1, 2, 3, 4, 5, 6}}
	img := r.Image().(*image.RGBA)
	if !bytes.Equal(img.Pix, []uint8{1, 2, 3, 255, 4, 5, 6, 255}) {
		t.Errorf("got %v", img.Pix)
	}
	if err := jpeg.Encode(&bytes.Buffer{}, img, nil); err != nil {
		t.Error(err)
	}
}

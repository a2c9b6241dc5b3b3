package raster

import (
	"bytes"
	"image"
	"image/jpeg"
	"testing"
)

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

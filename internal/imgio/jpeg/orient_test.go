package jpeg

import (
	"os"
	"testing"

	"github.com/poolctl/poolctl/internal/imgio/imgiotest"
	"github.com/poolctl/poolctl/internal/imgio/raster"
	"github.com/poolctl/poolctl/internal/tensor"
)

// TestNoOrient leaves the pictures with an EXIF orientation as they are stored.
func TestNoOrient(t *testing.T) {
	read := func(n string, o raster.Options) *tensor.Tensor {
		data, err := os.ReadFile("testdata/exif-" + n + ".jpg")
		if err != nil {
			t.Fatal(err)
		}
		return imgiotest.MustDecode(t, Open, data, o)
	}
	stored := read("1", raster.Options{})
	for _, n := range "12345678" {
		imgiotest.SameBits(t, read(string(n), raster.Options{NoOrient: true}), stored)
	}
	turned := read("6", raster.Options{})
	if want := (tensor.Shape{1, 12, 8, 3}); !turned.Shape.Equal(want) {
		t.Errorf("orientation 6: got shape %s, want %s", turned.Shape, want)
	}
}

package report

import (
	"image/png"
	"os"
	"testing"

	"github.com/poolctl/poolctl/internal/geom"
	"github.com/poolctl/poolctl/internal/tensor"
)

// photograph reads a crop of a sample picture as NHWC.
func photograph(t *testing.T, file string, x0, y0, width, height int) *tensor.Tensor {
	t.Helper()
	f, err := os.Open("../../samples/" + file)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	img, err := png.Decode(f)
	if err != nil {
		t.Fatal(err)
	}
	var data []uint8
	for y := range height {
		for x := range width {
			r, g, b, _ := img.At(x0+x, y0+y).RGBA()
			data = append(data, uint8(r>>8), uint8(g>>8), uint8(b>>8))
		}
	}
	return tensor.From(data, 1, height, width, 3)
}

func TestOverlayPictures(t *testing.T) {
	for _, c := range []struct {
		name   string
		input  *tensor.Tensor
		window geom.Window
	}{
		{"overlay_photo", photograph(t, "chelsea.png", 120, 60, 160, 120), geom.Window{Size: []int{5}, Stride: []int{2}, Padding: geom.Same}},
		{"overlay_small", photograph(t, "chelsea.png", 136, 104, 24, 18), geom.Window{Size: []int{3}, Stride: []int{3}}},
		{"overlay_3d", waves(1, 4, 14, 18, 1), geom.Window{Size: []int{2, 3, 3}, Stride: []int{2, 2, 2}, Padding: geom.Same}},
	} {
		t.Run(c.name, func(t *testing.T) {
			layout, err := tensor.DefaultLayout(len(c.input.Shape))
			if err != nil {
				t.Fatal(err)
			}
			e, err := layout.Split(c.input.Shape)
			if err != nil {
				t.Fatal(err)
			}
			p, err := Overlay(c.input, layout, winnersOf(resolve(t, e.N, e.Spatial, e.C, c.window), c.input))
			if err != nil {
				t.Fatal(err)
			}
			golden(t, c.name, p)
		})
	}
}

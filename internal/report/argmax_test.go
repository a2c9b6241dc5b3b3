package report

import (
	"testing"

	"github.com/poolctl/poolctl/internal/geom"
	"github.com/poolctl/poolctl/internal/tensor"
)

func TestArgmaxPictures(t *testing.T) {
	for _, c := range []struct {
		name     string
		channels int
		batch    int
		spatial  []int
		window   geom.Window
	}{
		{"argmax_small", 1, 1, []int{12, 16}, geom.Window{Size: []int{2}, Stride: []int{2}}},
		{"argmax_tiles", 2, 10, []int{9, 9}, geom.Window{Size: []int{2, 2}, Padding: geom.Same}},
		{"argmax_dilated", 1, 1, []int{30, 40}, geom.Window{Size: []int{3}, Dilation: []int{2}, Padding: geom.Same}},
		{"argmax_1d", 3, 1, []int{128}, geom.Window{Size: []int{5}, Stride: []int{2}, Padding: geom.Same}},
		{"argmax_3d", 1, 1, []int{6, 16, 20}, geom.Window{Size: []int{3}, Stride: []int{1, 1, 1}, Padding: geom.Same}},
	} {
		t.Run(c.name, func(t *testing.T) {
			x := waves(append(append([]int{c.batch}, c.spatial...), c.channels)...)
			p, err := winnersOf(resolve(t, c.batch, c.spatial, c.channels, c.window), x).Picture()
			if err != nil {
				t.Fatal(err)
			}
			golden(t, c.name, p)
		})
	}
}

func TestArgmaxPictureOfAPhotograph(t *testing.T) {
	rgb := tensor.Of[uint8](photograph(t, "chelsea.png", 120, 72, 128, 96))
	green := make([]uint8, len(rgb)/3)
	for i := range green {
		green[i] = rgb[3*i+1]
	}
	g := resolve(t, 1, []int{96, 128}, 1, geom.Window{Size: []int{5}, Stride: []int{2}, Padding: geom.Same})
	p, err := winnersOf(g, tensor.From(green, 1, 96, 128, 1)).Picture()
	if err != nil {
		t.Fatal(err)
	}
	golden(t, "argmax_photo", p)
}

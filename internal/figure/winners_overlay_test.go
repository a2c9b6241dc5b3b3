package figure

import (
	"image/color"
	"image/png"
	"os"
	"slices"
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
			p, err := winnersOf(resolve(t, e.N, e.Spatial, e.C, c.window), c.input).Overlay(c.input, layout)
			if err != nil {
				t.Fatal(err)
			}
			golden(t, c.name, p)
		})
	}
}

func TestVotesCountWindowsOnce(t *testing.T) {
	// Two channels of an RGB picture choose the same pixel of the only window,
	// the third another one.
	x := tensor.From([]uint8{9, 9, 0, 1, 1, 7, 0, 0, 0, 0, 0, 0}, 1, 2, 2, 3)
	w := winnersOf(resolve(t, 1, []int{2, 2}, 3, geom.Window{Size: []int{2}}), x)
	p, err := read(x, tensor.NHWC)
	if err != nil {
		t.Fatal(err)
	}
	if got := w.votes(p, plane{}); !slices.Equal(got, []uint32{1, 1, 0, 0}) {
		t.Errorf("votes %v, want 1 1 0 0", got)
	}
	// Overlapping windows over a single peak: all of them choose it.
	y := tensor.From([]float32{0, 0, 0, 0, 1, 0, 0, 0, 0}, 1, 3, 3, 1)
	w = winnersOf(resolve(t, 1, []int{3, 3}, 1, geom.Window{Size: []int{2}, Stride: []int{1}}), y)
	if p, err = read(y, tensor.NHWC); err != nil {
		t.Fatal(err)
	}
	if got := w.votes(p, plane{}); !slices.Equal(got, []uint32{0, 0, 0, 0, 4, 0, 0, 0, 0}) {
		t.Errorf("votes %v, want 4 in the middle", got)
	}
}

func TestAlphaDoesNotChoose(t *testing.T) {
	x := tensor.From([]uint8{1, 0, 2, 0, 3, 0, 4, 255}, 1, 2, 2, 2) // grey and alpha
	w := winnersOf(resolve(t, 1, []int{2, 2}, 2, geom.Window{Size: []int{2}}), x)
	w.Cell[1] = 0 // alpha's winner is elsewhere
	p, err := read(x, tensor.NHWC)
	if err != nil {
		t.Fatal(err)
	}
	if got := w.votes(p, plane{}); !slices.Equal(got, []uint32{0, 0, 0, 1}) {
		t.Errorf("votes %v, want the brightest pixel only", got)
	}
}

func TestMarkedPixels(t *testing.T) {
	orange := color.RGBA{200, 120, 40, 255}
	if got := marked(orange, 1, 9); got != orange {
		t.Errorf("chosen once: %v, want its own colour %v", got, orange)
	}
	if got := marked(orange, 0, 9); max(got.R, got.G, got.B)-min(got.R, got.G, got.B) > 20 {
		t.Errorf("not chosen: %v, want nearly no colour", got)
	}
	if a, b := marked(orange, 3, 9), marked(orange, 9, 9); a.R >= orange.R || b.R >= a.R {
		t.Errorf("chosen 3 and 9 times: %v, %v, want more and more of the highlight", a, b)
	}
	if black := marked(color.RGBA{0, 0, 0, 255}, 0, 1); black == marked(color.RGBA{0, 0, 0, 255}, 1, 1) {
		t.Errorf("a black winner looks like a black loser: %v", black)
	}
}

func TestOverlayRefusesAnotherInput(t *testing.T) {
	g := resolve(t, 1, []int{4, 4}, 1, geom.Window{Size: []int{2}, Stride: []int{2}})
	w := Winners{g, []int64{0, 2, 8, 10}}
	if _, err := w.Overlay(waves(1, 4, 5, 1), tensor.NHWC); err == nil {
		t.Error("an input of another width is not refused")
	}
	if _, err := w.Overlay(waves(4, 4), tensor.NHWC); err == nil {
		t.Error("an input of another rank is not refused")
	}
	a, err := w.Overlay(waves(4, 4), tensor.HW)
	if err != nil {
		t.Fatal(err)
	}
	b, err := w.Overlay(waves(4, 4).Reshaped(tensor.Shape{1, 1, 4, 4}), tensor.NCHW)
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(tensor.Of[uint8](a), tensor.Of[uint8](b)) {
		t.Error("HW and NCHW of the same picture differ")
	}
}

func TestWindowsApart(t *testing.T) {
	for _, c := range []struct {
		axis geom.Axis
		want bool
	}{
		{resolveAxis(t, 9, 3, 3), true}, {resolveAxis(t, 9, 3, 2), false}, {resolveAxis(t, 9, 2, 3), true},
		{geom.Adaptive(8, 4), true}, {geom.Adaptive(7, 4), false},
		{geom.Fractional([]int{0, 2, 3, 5}, false), true}, {geom.Fractional([]int{0, 2, 3, 5}, true), false},
	} {
		if got := apart(c.axis); got != c.want {
			t.Errorf("%+v: apart %t, want %t", c.axis, got, c.want)
		}
	}
}

func resolveAxis(t *testing.T, in, size, stride int) geom.Axis {
	t.Helper()
	g := resolve(t, 1, []int{in}, 1, geom.Window{Size: []int{size}, Stride: []int{stride}})
	return g.Axes[2]
}

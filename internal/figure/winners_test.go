package figure

import (
	"math"
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

func TestOffsetIsMeasuredFromTheMiddleOfTheWindow(t *testing.T) {
	axis := func(in, size, stride, dilation int, p geom.Padding) geom.Axis {
		g := resolve(t, 1, []int{in}, 1, geom.Window{Size: []int{size}, Stride: []int{stride}, Dilation: []int{dilation}, Padding: p})
		return g.Axes[2]
	}
	for _, c := range []struct {
		name    string
		axis    geom.Axis
		o, cell int
		want    float64
	}{
		{"first of 3", axis(9, 3, 3, 1, geom.Valid), 1, 3, -1},
		{"middle of 3", axis(9, 3, 3, 1, geom.Valid), 1, 4, 0},
		{"last of 3", axis(9, 3, 3, 1, geom.Valid), 1, 5, 1},
		{"first of 2", axis(8, 2, 2, 1, geom.Valid), 0, 0, -1},
		{"second of 4", axis(8, 4, 4, 1, geom.Valid), 1, 5, -1.0 / 3},
		{"the only one", axis(8, 1, 1, 1, geom.Valid), 4, 4, 0},
		{"padded: cell 0 is in the middle of window 0", axis(8, 3, 1, 1, geom.Same), 0, 0, 0},
		{"dilated by 2", axis(9, 3, 1, 2, geom.Same), 4, 2, -1},
		{"adaptive, 2 cells", geom.Adaptive(7, 5), 0, 1, 1},
	} {
		if got := offset(c.axis, c.o, c.cell); math.Abs(got-c.want) > 1e-12 {
			t.Errorf("%s: got %g, want %g", c.name, got, c.want)
		}
	}
}

func TestWinnersAreChecked(t *testing.T) {
	g := resolve(t, 1, []int{4, 4}, 1, geom.Window{Size: []int{2}, Stride: []int{2}})
	empty := resolve(t, 0, []int{4, 4}, 1, geom.Window{Size: []int{2}, Stride: []int{2}})
	for _, c := range []struct {
		w    Winners
		want string
	}{
		{Winners{g, []int64{0, 2, 8}}, "argmax picture: got 3 indices, want 4 for n1h4w4c1_k2x2_s2x2_pVALID_d1x1"},
		{Winners{g, []int64{0, 2, 8, 16}}, "argmax picture: index 3: got 16, want 0 to 15"},
		{Winners{g, []int64{0, -1, 8, 10}}, "argmax picture: index 1: got -1, want 0 to 15"},
		{Winners{empty, nil}, "argmax picture: got an output without cells (n0h4w4c1_k2x2_s2x2_pVALID_d1x1), want at least one"},
	} {
		if _, err := c.w.Picture(); err == nil || err.Error() != c.want {
			t.Errorf("got %v, want %s", err, c.want)
		}
	}
}

func BenchmarkPicture(b *testing.B) {
	g, err := geom.Resolve(1, []int{3000, 4000}, 1, geom.Window{Size: []int{3}, Padding: geom.Same, Stride: []int{1}})
	if err != nil {
		b.Fatal(err)
	}
	w := Winners{g, make([]int64, 3000*4000)}
	for i := range w.Cell {
		w.Cell[i] = int64(i)
	}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := w.Picture(); err != nil {
			b.Fatal(err)
		}
	}
}

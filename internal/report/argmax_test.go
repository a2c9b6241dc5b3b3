package report

import (
	"image/color"
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

// wheelFor returns the wheel of square windows of that size.
func wheelFor(t *testing.T, rank, size int) wheel {
	t.Helper()
	g := resolve(t, 1, []int{20, 20, 20}[:rank], 1, geom.Window{Size: []int{size}})
	return wheelOf(&g)
}

// hue returns the direction of a colour from grey in OKLab's plane, by the
// inverse of the transformation that made it.
func hue(c color.RGBA) (degrees, chroma float64) {
	linear := func(v uint8) float64 {
		if f := float64(v) / 255; f > 0.04045 {
			return math.Pow((f+0.055)/1.055, 2.4)
		}
		return float64(v) / 255 / 12.92
	}
	r, g, b := linear(c.R), linear(c.G), linear(c.B)
	l := math.Cbrt(0.4122214708*r + 0.5363325363*g + 0.0514459929*b)
	m := math.Cbrt(0.2119034982*r + 0.6806995451*g + 0.1073969566*b)
	s := math.Cbrt(0.0883024619*r + 0.2817188376*g + 0.6299787005*b)
	alpha := 1.9779984951*l - 2.4285922050*m + 0.4505937099*s
	beta := 0.0259040371*l + 0.7827717662*m - 0.8086757660*s
	return math.Atan2(beta, alpha) * 180 / math.Pi, math.Hypot(alpha, beta)
}

func TestAWinnerInTheMiddleIsNeutral(t *testing.T) {
	for rank := 1; rank <= 3; rank++ {
		w := wheelFor(t, rank, 3)
		if c := w.color(direction{}); c.R != c.G || c.G != c.B {
			t.Errorf("rank %d: the middle is %v, want a grey", rank, c)
		}
	}
}

func TestOppositeDirectionsHaveOppositeHues(t *testing.T) {
	for _, rank := range []int{2, 3} {
		w := wheelFor(t, rank, 5)
		for degrees := 0.0; degrees < 180; degrees += 15 {
			sin, cos := math.Sincos(degrees * math.Pi / 180)
			h1, c1 := hue(w.color(direction{x: cos, y: -sin}))
			h2, c2 := hue(w.color(direction{x: -cos, y: sin}))
			if between := math.Mod(h1-h2+720, 360); math.Abs(between-180) > 4 {
				t.Errorf("rank %d: at %g degrees the hues %.0f and %.0f are %.0f apart, want 180", rank, degrees, h1, h2, between)
			}
			if want := math.Mod(degrees+wheelTurn, 360); math.Abs(math.Mod(h1-want+540, 360)-180) > 4 {
				t.Errorf("rank %d: the hue at %g degrees is %.0f, want %.0f", rank, degrees, h1, want)
			}
			if min(c1, c2) < 0.08 {
				t.Errorf("rank %d: at %g degrees the saturation is %.3f and %.3f, too pale", rank, degrees, c1, c2)
			}
		}
	}
}

func TestSaturationGrowsWithTheDistance(t *testing.T) {
	w, before := wheelFor(t, 2, 9), -1.0
	for _, x := range []float64{0, 0.25, 0.5, 0.75, 1} {
		_, chroma := hue(w.color(direction{x: x}))
		if chroma <= before {
			t.Errorf("at %g the saturation is %.3f, not above %.3f", x, chroma, before)
		}
		before = chroma
	}
}

func TestLightnessIsTheDepth(t *testing.T) {
	w := wheelFor(t, 3, 3)
	front, middle, back := w.color(direction{z: -1}), w.color(direction{}), w.color(direction{z: 1})
	if front.R >= middle.R || middle.R >= back.R {
		t.Errorf("front %v, middle %v, back %v: not from dark to light", front, middle, back)
	}
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

func TestMagnificationKeepsCells(t *testing.T) {
	fill := func(x, y int) color.RGBA { return color.RGBA{uint8(40 * x), uint8(60 * y), 200, 0xff} }
	source := tile{width: 5, height: 3, at: fill}
	for _, size := range []int{1, 2, 7, 8, 20} {
		c := newCanvas(5*size+4, 3*size+4)
		c.magnify(2, 2, source, size, size, 1, true)
		gap := 0
		if size >= 8 {
			gap = 1
		}
		for y := range 3 * size {
			for x := range 5 * size {
				want := fill(x/size, y/size)
				if x%size >= size-gap || y%size >= size-gap {
					want = cardColor
				}
				if got := c.RGBAAt(x+2, y+2); got != want {
					t.Fatalf("size %d: pixel %d,%d is %v, want %v", size, x, y, got, want)
				}
			}
		}
		if c.RGBAAt(1, 1) != cardColor || c.RGBAAt(2+5*size, 2) != cardColor {
			t.Errorf("size %d: drawn outside the tile", size)
		}
	}
}

func TestPicturesHaveTheSizeThatSuitsThem(t *testing.T) {
	for _, c := range []struct{ height, width, cell int }{
		{3, 3, largestDot}, {112, 112, 5}, {280, 560, 1}, {2000, 1500, 1},
	} {
		s := sheet{tiles: []tile{{width: c.width, height: c.height}}}
		if g := s.grid(); g.cellWidth != c.cell || g.step != 1 {
			t.Errorf("%dx%d: %+v, want cells of %d pixels", c.height, c.width, g, c.cell)
		}
	}
	s := sheet{tiles: []tile{{width: 10000, height: 7000}}}
	g := s.grid()
	if w, h := s.size(g); g.step != 5 || max(w, h) > largest {
		t.Errorf("10000x7000: every %d. cell makes %dx%d pixels, want every 5th", g.step, w, h)
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

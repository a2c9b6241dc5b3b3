package report

import (
	"encoding/json"
	"image/color"
	"io"
	"math"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/poolctl/poolctl/internal/geom"
	"github.com/poolctl/poolctl/internal/tensor"
)

func TestReductions(t *testing.T) {
	x := tensor.From([]float32{1, -3, 3, 2, 2, -4, 0, 0, 0, float32(nan), 1, 1}, 1, 2, 2, 3)
	for how, want := range map[Reduction][]float64{
		SumReduction: {1, 0, 0, nan},
		MaxReduction: {-3, -4, 0, nan},
		L2Reduction:  {math.Sqrt(19), math.Sqrt(24), 0, nan},
	} {
		got, layout := Reduce(x, tensor.NHWC, how)
		if layout != tensor.NHWC || !got.Shape.Equal(tensor.Shape{1, 2, 2, 1}) {
			t.Fatalf("reduction %d: got %s %s", how, layout, got.Spec)
		}
		for i, v := range tensor.Of[float64](got) {
			if math.Abs(v-want[i]) > 1e-12 || math.IsNaN(v) != math.IsNaN(want[i]) {
				t.Errorf("reduction %d: value %d is %g, want %g", how, i, v, want[i])
			}
		}
	}
	if got, _ := Reduce(x, tensor.NHWC, NoReduction); got != x {
		t.Error("no reduction is a reduction")
	}
	if got, layout := Reduce(x, tensor.NWC, SumReduction); got != x || layout != tensor.NWC {
		t.Error("a tensor of another layout was reduced")
	}
	large := tensor.From([]float64{3e200, -4e200, 3e-200, 4e-200}, 1, 2, 2)
	got, _ := Reduce(large, tensor.HWC, L2Reduction)
	if data := tensor.Of[float64](got); math.Abs(data[0]/5e200-1) > 1e-15 || math.Abs(data[1]/5e-200-1) > 1e-15 {
		t.Errorf("norms %v, want 5e200 and 5e-200", data)
	}
}

func TestReductionDoesNotDependOnTheLayout(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n, c, h, w := rapid.IntRange(1, 3).Draw(t, "n"), rapid.IntRange(1, 5).Draw(t, "c"), rapid.IntRange(1, 4).Draw(t, "h"), rapid.IntRange(1, 4).Draw(t, "w")
		last := waves(n, h, w, c)
		first := tensor.Permuted(last, tensor.Permutation(string(tensor.NHWC), string(tensor.NCHW)))
		for _, how := range []Reduction{SumReduction, MaxReduction, L2Reduction} {
			a, _ := Reduce(last, tensor.NHWC, how)
			b, _ := Reduce(first, tensor.NCHW, how)
			if !slices.Equal(tensor.Of[float64](a), tensor.Of[float64](b)) || !b.Shape.Equal(tensor.Shape{n, 1, h, w}) {
				t.Fatalf("reduction %d of (%d,%d,%d,%d): channels first give %v %s, last %v", how, n, h, w, c, b.Data, b.Shape, a.Data)
			}
		}
	})
}

// ripples is a gradient that fades and changes its sign from the middle of a
// picture outwards, zero in every third pixel.
func ripples(shape tensor.Shape) *tensor.Tensor {
	g := tensor.New(tensor.Spec{DType: tensor.Float32, Shape: shape})
	for i := range tensor.Of[float32](g) {
		at := shape.Index(i)
		y, x := at[len(at)-3], at[len(at)-2]
		d := math.Hypot(float64(y-shape[len(at)-3]/2), float64(x-shape[len(at)-2]/2))
		if (x+y)%3 != 0 {
			tensor.Of[float32](g)[i] = float32(math.Sin(d/4+float64(at[len(at)-4])) * math.Exp(-d/20))
		}
	}
	return g
}

func TestGradientOverlayPictures(t *testing.T) {
	photo := photograph(t, "chelsea.png", 120, 60, 160, 120)
	small := photograph(t, "chelsea.png", 136, 104, 24, 18)
	volume := waves(1, 3, 14, 18, 1)
	for _, c := range []struct {
		name     string
		input    *tensor.Tensor
		layout   tensor.Layout
		gradient *tensor.Tensor
	}{
		{"gradient_photo", photo, tensor.NHWC, ripples(photo.Shape)},
		{"gradient_small", small, tensor.NHWC, ripples(small.Shape)},
		{"gradient_3d", volume, tensor.NDHWC, ripples(volume.Shape)},
	} {
		t.Run(c.name, func(t *testing.T) {
			p, err := GradientOverlay(c.input, c.gradient, c.layout, "Gradient of max pooling")
			if err != nil {
				t.Fatal(err)
			}
			golden(t, c.name, p)
		})
	}
}

func TestOverlaidColours(t *testing.T) {
	pixel := color.RGBA{180, 90, 30, 255}
	under := laidOver(pixel, 0, 1)
	if max(under.R, under.G, under.B)-min(under.R, under.G, under.B) > 12 {
		t.Errorf("without gradient %v, want nearly a grey", under)
	}
	for _, sign := range []float64{1, -1} {
		last := 0
		for _, v := range []float64{0.05, 0.2, 0.5, 1, inf} {
			c := laidOver(pixel, sign*v, 1)
			warmth := int(sign) * (int(c.R) - int(c.B))
			if warmth < last || (v < inf && warmth == last) {
				t.Errorf("%g is %v, no stronger than what is smaller", sign*v, c)
			}
			last = warmth
		}
	}
	if laidOver(pixel, nan, 1) != nanColor || laidOver(nanColor, 0, 1) != nanColor {
		t.Error("a NaN is not magenta")
	}
}

func TestGradientOverlaySeesTheChannelsTogether(t *testing.T) {
	input := tensor.From([]uint8{10, 20, 30, 255, 40, 50, 60, 0}, 1, 1, 2, 4)
	a := tensor.From([]float32{0, 0, 0, 0, 1, -2, 0, 0}, 1, 1, 2, 4)
	b := tensor.From([]float32{0, 0, 0, 0, -2, 0, 1, 0.5}, 1, 1, 2, 4)
	p, err := GradientOverlay(input, a, tensor.NHWC, "")
	if err != nil {
		t.Fatal(err)
	}
	q, err := GradientOverlay(input, b, tensor.NHWC, "")
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(tensor.Of[uint8](p), tensor.Of[uint8](q)) {
		t.Error("gradients with the same largest values are drawn differently")
	}
	if _, err := GradientOverlay(input, tensor.From([]float32{1, 2}, 1, 1, 2, 1), tensor.NHWC, ""); err == nil ||
		err.Error() != "gradient overlay: got a gradient of shape (1,1,2,1), want the input's (1,1,2,4)" {
		t.Errorf("another shape: %v", err)
	}
	if _, err := GradientOverlay(input, a, tensor.NWC, ""); err == nil {
		t.Error("another layout is not refused")
	}
	empty := tensor.New(tensor.Spec{DType: tensor.Float32, Shape: tensor.Shape{0, 2, 2, 1}})
	if _, err := GradientOverlay(empty, empty, tensor.NHWC, ""); err == nil {
		t.Error("a picture of nothing")
	}
}

func TestGradientStats(t *testing.T) {
	dx := tensor.From([]float32{0, 3, -4, 0, 0, 0}, 1, 2, 3, 1)
	s := GradientStats(dx, tensor.From([]float32{-1}, 1, 1, 1, 1))
	want := Stats{
		Elements: 6, Sum: "-1", L1: "7", L2: "5", Largest: "-4", LargestAt: []int{0, 0, 2, 0}, Zeros: 4, ZeroShare: 4.0 / 6, UpstreamSum: "-1", Conserved: true,
	}
	if g, w := mustJSON(t, s), mustJSON(t, want); g != w {
		t.Errorf("got\n%s, want\n%s", g, w)
	}
	if got, want := textOf(t, s.WriteText), strings.TrimPrefix(`
gradient sum  -1
mass          conserved: the upstream gradient sums to -1
norms         L1 7, L2 5
largest       -4 at (0,0,2,0)
zeros         4 of 6 (66.7 %)
NaN, Inf      none
`, "\n"); got != want {
		t.Errorf("got\n%s, want\n%s", got, want)
	}
	back := strictJSON[Stats](t, func(w io.Writer) error { return writeJSON(w, s) })
	if mustJSON(t, back) != mustJSON(t, s) {
		t.Errorf("read back as %+v", back)
	}
}

func mustJSON(t *testing.T, v any) string {
	t.Helper()
	b, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func TestGradientStatsAreSummedSoundly(t *testing.T) {
	one := tensor.From([]float64{1}, 1)
	for name, c := range map[string]struct {
		dx                *tensor.Tensor
		sum, l1, l2, most Value
		conserved         bool
	}{
		"cancellation": {tensor.From([]float64{1e16, 1, -1e16}, 3), "1", "2e+16", "1.4142135623730952e+16", "1e+16", true},
		"large":        {tensor.From([]float64{3e200, -4e200}, 2), "-1e+200", "7e+200", "5e+200", "-4e+200", false},
		"small":        {tensor.From([]float64{3e-200, -4e-200}, 2), "-1e-200", "7e-200", "5e-200", "-4e-200", false},
		"lost":         {tensor.From([]float64{0.5, 0.499}, 2), "0.999", "0.999", "0.70640003", "0.5", false},
		"rounded":      {tensor.From([]float32{1.0 / 3, 1.0 / 3, 1.0 / 3}, 3), "1", "1", "0.57735029", "0.33333334", true},
		"nothing":      {tensor.From([]float64{}, 0), "0", "0", "0", "", false},
		"NaN":          {tensor.From([]float64{nan, 1}, 2), "1", "1", "1", "1", false},
		"infinity":     {tensor.From([]float64{inf, -inf, 1}, 3), "1", "1", "1", "1", false},
	} {
		s := GradientStats(c.dx, one)
		for what, pair := range map[string][2]Value{"sum": {s.Sum, c.sum}, "L1": {s.L1, c.l1}, "L2": {s.L2, c.l2}, "largest": {s.Largest, c.most}} {
			got, want := pair[0].Float(), pair[1].Float()
			if (math.Abs(got-want) > 1e-7*math.Abs(want) || math.IsNaN(got) != math.IsNaN(want)) && !(got != got && want != want) {
				t.Errorf("%s: %s %s, want %s", name, what, pair[0], pair[1])
			}
		}
		if s.Conserved != c.conserved {
			t.Errorf("%s: conserved %v, want %v", name, s.Conserved, c.conserved)
		}
	}
	if s := GradientStats(tensor.From([]float64{nan, inf, -inf, -inf, 0}, 5), one); s.NaN != 1 || s.PosInf != 1 || s.NegInf != 2 || s.Zeros != 1 {
		t.Errorf("counts %+v", s)
	}
	if s := GradientStats(one, tensor.From([]float64{1, nan}, 2)); s.Conserved {
		t.Error("conserved, with a NaN in the upstream")
	}
}

func TestGradientStatsOfPoolingConserveMass(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		for _, c := range anyCases(t) {
			s := GradientStats(tensor.From(c.Gradient, len(c.Gradient)), tensor.From(c.Upstream, len(c.Upstream)))
			if !s.Conserved {
				t.Fatalf("%s of %s: %+v", c.Title, c.Geometry, s)
			}
		}
	})
	// Many elements in half precision: each is rounded by up to 2^-11 of its size.
	_, c := pooled(resolve(t, 1, []int{32}, 1, geom.Window{Size: []int{3}, Padding: geom.Same}), mixed(32), mixed(32))
	half := make([]tensor.Float16, len(c.Gradient))
	for i, v := range c.Gradient {
		half[i] = tensor.ToFloat16(float32(v))
	}
	if s := GradientStats(tensor.From(half, len(half)), tensor.From(c.Upstream, len(c.Upstream))); !s.Conserved {
		t.Errorf("half precision: sum %s, upstream %s", s.Sum, s.UpstreamSum)
	}
}

package figure

import (
	"image/color"
	"math"
	"slices"
	"testing"

	"github.com/poolctl/poolctl/internal/tensor"
)

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

package figure

import (
	"image/color"
	"math"
	"testing"

	"github.com/poolctl/poolctl/internal/geom"
)

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

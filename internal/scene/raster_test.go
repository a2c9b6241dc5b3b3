package scene

import (
	"image/color"
	"strconv"
	"strings"
	"testing"
)

func TestDashesCoverTheirShareOfTheLine(t *testing.T) {
	length := 0.0
	for _, piece := range dashes([]Point{{0, 0}, {70, 0}, {70, 70}}) {
		for i := 1; i < len(piece); i++ {
			length += max(piece[i].X-piece[i-1].X, piece[i].Y-piece[i-1].Y)
		}
	}
	if want := 140 * dash[0] / (dash[0] + dash[1]); length < want-0.01 || length > want+0.01 {
		t.Errorf("dashes of %s pixels, want %g", strconv.FormatFloat(length, 'g', 6, 64), want)
	}
}

// TestPaperFillsThePicture: a size that is no whole number of pixels leaves no
// edge unpainted.
func TestPaperFillsThePicture(t *testing.T) {
	fonts, err := LoadFonts()
	if err != nil {
		t.Fatal(err)
	}
	paper := color.RGBA{0xf0, 0xee, 0xe0, 0xff}
	for _, size := range [][2]float64{{10, 7}, {10.3, 7.8}, {0.1, 0.1}, {4100.4, 2}, {3000.2, 1}} {
		s := Scene{Width: size[0], Height: size[1], Paper: paper}
		p := s.Raster(fonts)
		if w, h := float64(p.Rect.Dx()), float64(p.Rect.Dy()); w < size[0]*s.Scale()-1e-6 || w >= size[0]*s.Scale()+1 || h < size[1]*s.Scale()-1e-6 || h >= size[1]*s.Scale()+1 {
			t.Errorf("%v at %g: %v", size, s.Scale(), p.Rect)
		}
		for y := range p.Rect.Dy() {
			for x := range p.Rect.Dx() {
				if got := p.RGBAAt(x, y); got != paper {
					t.Fatalf("%v: pixel %d,%d is %v, want %v", size, x, y, got, paper)
				}
			}
		}
		if document := string(s.SVG()); !strings.Contains(document, `fill="#f0eee0"`) {
			t.Errorf("the document has no paper:\n%s", document)
		}
	}
}

func TestScaleIsTwoOrWhatFits(t *testing.T) {
	for _, c := range []struct{ width, height, want float64 }{
		{100, 50, 2}, {2048, 10, 2}, {10, 3072, 4096.0 / 3072}, {4096, 4096, 1}, {9000, 10, 1},
	} {
		s := Scene{Width: c.width, Height: c.height}
		if got := s.Scale(); got != c.want {
			t.Errorf("%g x %g: scale %g, want %g", c.width, c.height, got, c.want)
		}
	}
}

package figure

import (
	"bytes"
	"errors"
	"image/color"
	"math"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/poolctl/poolctl/internal/tensor"
)

func preview(t *testing.T, x *tensor.Tensor, layout tensor.Layout, columns int, mode ColorMode) string {
	t.Helper()
	var b bytes.Buffer
	if err := Preview(&b, x, layout, columns, mode); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func TestPreviewDrawsTwoPixelsACharacter(t *testing.T) {
	x := tensor.From([]uint8{
		255, 0, 0, 0, 255, 0,
		0, 0, 255, 255, 255, 255,
		10, 20, 30, 10, 20, 30,
	}, 3, 2, 3)
	want := "\x1b[38;2;255;0;0m\x1b[48;2;0;0;255m▀\x1b[38;2;0;255;0m\x1b[48;2;255;255;255m▀\x1b[0m\n" +
		"\x1b[38;2;10;20;30m▀▀\x1b[0m\n"
	if got := preview(t, x, tensor.HWC, 2, TrueColor); got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	want = "\x1b[38;5;196m\x1b[48;5;21m▀\x1b[38;5;46m\x1b[48;5;231m▀\x1b[0m\n\x1b[38;5;233m▀▀\x1b[0m\n"
	if got := preview(t, x, tensor.HWC, 2, Color256); got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestPreviewWithoutColours(t *testing.T) {
	x := tensor.From([]uint8{0, 64, 128, 192, 255, 0, 64, 128, 192, 255}, 2, 5)
	if got, want := preview(t, x, tensor.HW, 5, NoColor), " :+#@\n"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestPreviewAveragesAreas(t *testing.T) {
	x := tensor.From([]uint8{0, 255, 0, 255, 0, 255, 0, 255, 0, 255, 0, 255}, 2, 6)
	p, err := read(x, tensor.HW)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range p.resized(plane{}, 3, 1) {
		if c.R < 127 || c.R > 128 {
			t.Errorf("black and white average to %v", c)
		}
	}
	// Four pixels from six: each covers one and a half.
	want := []uint8{85, 85, 170, 170}
	for i, c := range p.resized(plane{}, 4, 1) {
		if int(c.R)-int(want[i]) > 1 || int(want[i])-int(c.R) > 1 {
			t.Errorf("pixel %d of 4 is %d, want %d", i, c.R, want[i])
		}
	}
}

func TestPreviewFitsTheColumns(t *testing.T) {
	for _, c := range []struct {
		shape  []int
		layout tensor.Layout
	}{
		{[]int{1, 30, 40, 1}, tensor.NHWC}, {[]int{1, 3, 30, 40}, tensor.NCHW}, {[]int{1, 8, 8, 64}, tensor.NHWC},
		{[]int{10, 9, 9, 2}, tensor.NHWC}, {[]int{1, 100, 2}, tensor.NWC}, {[]int{1, 4, 9, 9, 1}, tensor.NDHWC}, {[]int{500, 3}, tensor.HW},
	} {
		for _, columns := range []int{1, 7, 40, 80, 200} {
			text := preview(t, waves(c.shape...), c.layout, columns, NoColor)
			for line := range strings.Lines(text) {
				if n := utf8.RuneCountInString(strings.TrimRight(line, "\n")); n > columns && !strings.HasPrefix(line, "+") {
					t.Errorf("%v in %d columns: a line of %d", c.shape, columns, n)
				}
			}
		}
	}
	if text := preview(t, waves(1, 8, 8, 64), tensor.NHWC, 80, NoColor); !strings.HasSuffix(text, "\n+61 more\n") {
		t.Errorf("64 channels in 80 columns end with %q", text[len(text)-20:])
	}
}

func TestPreviewIsNotEndless(t *testing.T) {
	text := preview(t, waves(100000, 2), tensor.HW, 40, NoColor)
	if lines := strings.Count(text, "\n"); lines != 80 {
		t.Errorf("100000 rows take %d lines in 40 columns, want 80", lines)
	}
}

func TestPreviewShowsNaN(t *testing.T) {
	x := tensor.From([]float32{0, float32(nan), 1, float32(inf)}, 1, 4)
	p, err := read(x, tensor.HW)
	if err != nil {
		t.Fatal(err)
	}
	got := p.resized(plane{}, 4, 1)
	white := color.RGBA{255, 255, 255, 255}
	if got[0] != (color.RGBA{0, 0, 0, 255}) || got[1] != nanColor || got[2] != white || got[3] != white {
		t.Errorf("0, NaN, 1, Inf are drawn as %v", got)
	}
	if half := p.resized(plane{}, 2, 1); half[0] != got[0] {
		t.Errorf("NaN beside 0 averages to %v, want the 0 alone", half[0])
	}
}

func TestPreviewOfTheWidestRange(t *testing.T) {
	x := tensor.From([]float64{-math.MaxFloat64, 0, math.MaxFloat64}, 1, 3)
	p, err := read(x, tensor.HW)
	if err != nil {
		t.Fatal(err)
	}
	if got := p.resized(plane{}, 3, 1); got[0].R != 0 || got[1].R != 128 || got[2].R != 255 {
		t.Errorf("got %v", got)
	}
}

func TestXtermColoursAreTheNearest(t *testing.T) {
	levels := []int{0, 95, 135, 175, 215, 255}
	rgb := func(i int) (r, g, b int) {
		if i >= 232 {
			v := 8 + 10*(i-232)
			return v, v, v
		}
		i -= 16
		return levels[i/36], levels[i/6%6], levels[i%6]
	}
	for r := 0; r < 256; r += 15 {
		for g := 0; g < 256; g += 17 {
			for b := 0; b < 256; b += 17 {
				c := color.RGBA{uint8(r), uint8(g), uint8(b), 255}
				best := math.MaxInt
				for i := 16; i < 256; i++ {
					x, y, z := rgb(i)
					best = min(best, squares(c, x, y, z))
				}
				x, y, z := rgb(xterm(c))
				if got := squares(c, x, y, z); got != best {
					t.Errorf("%v: colour %d is %d away, the nearest %d", c, xterm(c), got, best)
				}
			}
		}
	}
}

type brokenPipe struct{}

func (brokenPipe) Write([]byte) (int, error) { return 0, errors.New("broken pipe") }

func TestPreviewErrors(t *testing.T) {
	x := waves(4, 4)
	if err := Preview(brokenPipe{}, x, tensor.HW, 10, TrueColor); err == nil || err.Error() != "broken pipe" {
		t.Errorf("a write error is lost: %v", err)
	}
	if err := Preview(&bytes.Buffer{}, x, tensor.HW, 0, TrueColor); err == nil {
		t.Error("0 columns are not refused")
	}
	if err := Preview(&bytes.Buffer{}, x, tensor.NHWC, 10, TrueColor); err == nil {
		t.Error("a layout of another rank is not refused")
	}
	if err := Preview(&bytes.Buffer{}, tensor.New(tensor.Spec{DType: tensor.Uint8, Shape: tensor.Shape{0, 4}}), tensor.HW, 10, TrueColor); err == nil {
		t.Error("an empty tensor is not refused")
	}
}

func BenchmarkPreview(b *testing.B) {
	x := tensor.New(tensor.Spec{DType: tensor.Float32, Shape: tensor.Shape{1, 3000, 4000, 1}})
	tensor.Of[float32](x)[7] = 1
	b.ReportAllocs()
	for b.Loop() {
		if err := Preview(&bytes.Buffer{}, x, tensor.NHWC, 80, TrueColor); err != nil {
			b.Fatal(err)
		}
	}
}

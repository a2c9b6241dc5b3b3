package figure

import (
	"fmt"
	"image/color"
	"io"
	"math"
	"strings"

	"github.com/poolctl/poolctl/internal/tensor"
)

// ColorMode is how many colours a terminal has.
type ColorMode uint8

// The colour modes. NoColor draws with ASCII characters.
const (
	NoColor ColorMode = iota
	Color256
	TrueColor
)

// smallestPreview is the width in columns to which pictures are shrunk so that
// several fit side by side.
const smallestPreview = 20

// Preview draws a tensor with characters, at most the given number of columns
// wide. With colours a character (U+2580, upper half block) shows two pixels,
// one above the other; without, it is one grey ASCII character. Large pictures
// are shrunk by averaging areas, small ones are magnified up to 4 times. One
// picture of 1 to 4 channels keeps its colours, without alpha. Otherwise
// channels, batch entries and slices stand side by side, as many as fit, and a
// last line says how many do not.
func Preview(w io.Writer, t *tensor.Tensor, layout tensor.Layout, columns int, mode ColorMode) error {
	if columns < 1 {
		return fmt.Errorf("preview: columns: got %d, want >= 1", columns)
	}
	p, err := read(t, layout)
	if err != nil {
		return fmt.Errorf("preview: %w", err)
	}
	planes, more := p.planes()
	fit := min(len(planes), max(1, (columns+1)/(min(smallestPreview, 4*p.width)+1)))
	more += len(planes) - fit
	planes = planes[:fit]
	room := (columns+1)/fit - 1
	width, height := previewSize(p.width, p.height, room)
	pictures := make([][]color.RGBA, len(planes))
	for i, at := range planes {
		pictures[i] = p.resized(at, width, height)
	}
	pen := pen{mode: mode}
	for y := 0; y < height; y += 2 {
		for i, picture := range pictures {
			if i > 0 {
				pen.blank()
			}
			for x := range width {
				upper := picture[y*width+x]
				if y+1 < height {
					pen.pair(upper, picture[(y+1)*width+x])
				} else {
					pen.upper(upper)
				}
			}
		}
		pen.end()
	}
	if more > 0 {
		fmt.Fprintf(&pen.text, "+%d more\n", more)
	}
	_, err = io.WriteString(w, pen.text.String())
	return err
}

// previewSize returns the size in pixels of a drawing that is at most room
// columns wide, with one pixel per column, and at most four times as high.
func previewSize(width, height, room int) (w, h int) {
	w = min(room, width*4)
	if w >= width {
		w = w / width * width // whole pixels
	}
	h = int(math.Round(float64(height) * float64(w) / float64(width)))
	if highest := 4 * room; h > highest {
		w, h = int(math.Round(float64(width)*float64(highest)/float64(height))), highest
	}
	return max(w, 1), max(h, 1)
}

// resized returns a plane at another size. Every pixel is the average of the
// area that it covers, without NaN unless there is nothing else.
func (p *pixels) resized(at plane, width, height int) []color.RGBA {
	channels := []int{at.c}
	if p.picture() {
		channels = []int{0, 1, 2}[:p.colors()]
	}
	out := make([]color.RGBA, 0, width*height)
	for y := range height {
		top, bottom := cover(y, height, p.height)
		for x := range width {
			left, right := cover(x, width, p.width)
			var levels [3]float64
			for i, c := range channels {
				levels[i] = p.average(at, c, top, bottom, left, right)
			}
			if len(channels) == 1 {
				levels[1], levels[2] = levels[0], levels[0]
			}
			out = append(out, levelColor(levels[0], levels[1], levels[2]))
		}
	}
	return out
}

// cover returns the interval of the source that pixel i of size pixels covers.
func cover(i, size, extent int) (from, to float64) {
	scale := float64(extent) / float64(size)
	return float64(i) * scale, min(float64(i+1)*scale, float64(extent))
}

// average returns the mean level of a rectangle with fractional edges.
func (p *pixels) average(at plane, c int, top, bottom, left, right float64) float64 {
	sum, area := 0.0, 0.0
	for y := int(top); float64(y) < bottom; y++ {
		high := min(float64(y+1), bottom) - max(float64(y), top)
		for x := int(left); float64(x) < right; x++ {
			share := high * (min(float64(x+1), right) - max(float64(x), left))
			if l := p.level(p.value(at.n, c, at.z, y, x)); l == l {
				sum += share * l
				area += share
			}
		}
	}
	if area == 0 {
		return math.NaN()
	}
	return min(sum/area, 1)
}

// pen writes characters, and changes a colour only if it differs from that of
// the character before.
type pen struct {
	text     strings.Builder
	mode     ColorMode
	ink      string
	paper    string
	coloured bool
}

// ramp holds the ASCII characters of a grey scale, the darkest on a dark
// terminal first.
const ramp = " .:-=+*#%@"

func (p *pen) pair(upper, lower color.RGBA) {
	if p.mode == NoColor {
		p.ascii((luma(upper) + luma(lower)) / 2)
		return
	}
	p.set(&p.ink, "3", upper)
	p.set(&p.paper, "4", lower)
	p.text.WriteString("▀")
}

// upper draws a pixel that has no pixel below it.
func (p *pen) upper(c color.RGBA) {
	if p.mode == NoColor {
		p.ascii(luma(c))
		return
	}
	if p.paper != "" {
		p.reset()
	}
	p.set(&p.ink, "3", c)
	p.text.WriteString("▀")
}

func (p *pen) ascii(level float64) {
	p.text.WriteByte(ramp[min(int(level*float64(len(ramp))), len(ramp)-1)])
}

func (p *pen) blank() {
	p.reset()
	p.text.WriteByte(' ')
}

func (p *pen) end() {
	p.reset()
	p.text.WriteByte('\n')
}

func (p *pen) reset() {
	if p.coloured {
		p.text.WriteString("\x1b[0m")
	}
	p.ink, p.paper, p.coloured = "", "", false
}

// set changes the foreground colour (layer 3) or the background colour (layer
// 4) by an SGR sequence.
func (p *pen) set(current *string, layer string, c color.RGBA) {
	code := fmt.Sprintf("\x1b[%s8;2;%d;%d;%dm", layer, c.R, c.G, c.B)
	if p.mode == Color256 {
		code = fmt.Sprintf("\x1b[%s8;5;%dm", layer, xterm(c))
	}
	if code != *current {
		p.text.WriteString(code)
		*current, p.coloured = code, true
	}
}

// luma returns the brightness of a colour, 0 to 1 (ITU-R BT.709 weights).
func luma(c color.RGBA) float64 {
	return (0.2126*float64(c.R) + 0.7152*float64(c.G) + 0.0722*float64(c.B)) / 255
}

// xterm returns the nearest of xterm's 256 colours: of the 6x6x6 cube (levels
// 0, 95, 135, 175, 215, 255, from 16) and of the 24 greys (8, 18, … 238, from
// 232).
func xterm(c color.RGBA) int {
	step := func(v uint8) (index, level int) {
		if v < 48 {
			return 0, 0
		}
		index = max(1, (int(v)-35)/40)
		return index, 55 + 40*index
	}
	r, red := step(c.R)
	g, green := step(c.G)
	b, blue := step(c.B)
	mean := (int(c.R) + int(c.G) + int(c.B)) / 3
	grey := min(max((mean-3)/10, 0), 23)
	level := 8 + 10*grey
	if squares(c, level, level, level) < squares(c, red, green, blue) {
		return 232 + grey
	}
	return 16 + 36*r + 6*g + b
}

func squares(c color.RGBA, r, g, b int) int {
	dr, dg, db := int(c.R)-r, int(c.G)-g, int(c.B)-b
	return dr*dr + dg*dg + db*db
}

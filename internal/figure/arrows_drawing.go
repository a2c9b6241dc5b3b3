package figure

import (
	"fmt"
	"image/color"
	"math"
	"slices"
	"strings"

	"github.com/poolctl/poolctl/internal/geom"
	"github.com/poolctl/poolctl/internal/scene"
	"github.com/poolctl/poolctl/internal/tensor"
)

// The colours of a drawing with arrows. The background is light, so that the
// drawing prints well, and opaque, so that it looks the same on a dark page.
var (
	paperColor = color.RGBA{0xf5, 0xf4, 0xf0, 0xff}
	panelColor = color.RGBA{0xff, 0xff, 0xff, 0xff}
	edgeColor  = color.RGBA{0xde, 0xdb, 0xd3, 0xff}
	ruleColor  = color.RGBA{0xc9, 0xc7, 0xc1, 0xff} // lines between cells
	inkColor   = color.RGBA{0x1d, 0x1f, 0x24, 0xff}
	softColor  = color.RGBA{0x63, 0x66, 0x6e, 0xff}
	faintColor = color.RGBA{0x9b, 0x9d, 0xa3, 0xff}
	// silentColor marks output cells whose gradient is 0, and their windows.
	silentColor = color.RGBA{0xb4, 0xb6, 0xbb, 0xff}
)

// outputColors tell output cells apart, for colour-blind readers too: the dark
// colours of Okabe and Ito, "Color Universal Design", 2008, and two of Paul
// Tol's muted scheme ("Colour Schemes", SRON/EPS/TN/09-002, 2021).
var outputColors = []color.RGBA{
	{0x00, 0x72, 0xb2, 0xff}, {0xd5, 0x5e, 0x00, 0xff}, {0x00, 0x8f, 0x68, 0xff}, {0xb8, 0x5a, 0x96, 0xff},
	{0x33, 0x22, 0x88, 0xff}, {0xc4, 0x86, 0x00, 0xff}, {0x88, 0x22, 0x55, 0xff}, {0x2f, 0x8f, 0xc4, 0xff},
}

// The measures of a drawing, in pixels.
const (
	figureMargin = 28.0
	panelPadding = 26.0
	panelGap     = 22.0
	headlineSize = 22.0
	titleSize    = 17.0
	bodySize     = 13.0
	valueSize    = 15.0
	smallSize    = 11.5
	pillHeight   = 14.5 // of a share on an arrow
	noteLine     = 17.0
	captionGap   = 10.0 // between a caption and what it names
)

// drawing is a scene that is being built.
type drawing struct {
	scene.Scene
	fonts  *scene.Fonts
	scale  float64     // largest magnitude of a gradient in all panels
	labels []scene.Box // where shares are written
}

// panel is the drawing of one case.
type panel interface {
	size() (width, height float64)
	draw(f *drawing, x, y float64) // its content; x, y is its top left corner
}

func drawArrows(cases []ArrowCase, fonts *scene.Fonts) *scene.Scene {
	f := &drawing{fonts: fonts}
	m := measureArrows(cases, fonts)
	var panels []panel
	for i := range cases {
		for _, v := range cases[i].Gradient {
			if !math.IsInf(v, 0) && v == v {
				f.scale = max(f.scale, math.Abs(v))
			}
		}
		panels = append(panels, newPanel(&cases[i], m))
	}
	f.Title, f.Paper = headline, paperColor
	top := figureMargin + headlineSize + 10 + bodySize + 18
	widths, heights := make([]float64, len(panels)), make([]float64, len(panels))
	across, below, tallest, widest := -panelGap, -panelGap, 0.0, 0.0
	for i, p := range panels {
		w, h := p.size()
		w = max(w, fonts.Width(cases[i].Title, titleSize, true), fonts.Width(cases[i].Rule, bodySize, false)) + 2*panelPadding
		h += 2*panelPadding + panelHead
		widths[i], heights[i] = w, h
		across, below = across+w+panelGap, below+h+panelGap
		tallest, widest = max(tallest, h), max(widest, w)
	}
	sideways := max(across, tallest) <= max(widest, below) // the more compact way
	if sideways {
		f.Width, f.Height = across, tallest
	} else {
		f.Width, f.Height = widest, below
	}
	f.Width = max(f.Width, fonts.Width(headline, headlineSize, true), fonts.Width(subtitle(cases), bodySize, false))
	notes := f.wrapped(notesFor(cases))
	f.Width += 2 * figureMargin
	bottom := top + f.Height + 10
	f.Height = bottom + noteLine*float64(len(notes)) + figureMargin - 6
	f.Width, f.Height = math.Ceil(f.Width), math.Ceil(f.Height) // whole pixels
	f.write(figureMargin, figureMargin+headlineSize*0.8, scene.Start, headlineSize, true, inkColor, headline)
	f.write(figureMargin, figureMargin+headlineSize*0.8+26, scene.Start, bodySize, false, softColor, subtitle(cases))
	x, y := figureMargin, top
	for i, p := range panels {
		w, h := widths[i], heights[i]
		if sideways {
			h = tallest
		} else {
			w = widest
		}
		f.Add(scene.Box{X: x, Y: y, Width: w, Height: h, Radius: 10, Fill: panelColor, Line: edgeColor, Thickness: 1})
		f.write(x+panelPadding, y+panelPadding+titleSize*0.75, scene.Start, titleSize, true, inkColor, cases[i].Title)
		f.write(x+panelPadding, y+panelPadding+titleSize*0.75+22, scene.Start, bodySize, false, softColor, cases[i].Rule)
		p.draw(f, x+panelPadding, y+panelPadding+panelHead)
		if sideways {
			x += w + panelGap
		} else {
			y += h + panelGap
		}
	}
	for i, note := range notes {
		f.write(figureMargin, bottom+noteLine*float64(i+1), scene.Start, smallSize, false, softColor, note)
	}
	return &f.Scene
}

const (
	headline  = "Where the gradient goes"
	panelHead = 62.0 // height of a panel's title and rule
)

func newPanel(c *ArrowCase, m measures) panel {
	if c.Geometry.Rank == 1 {
		return newSignalPanel(c, m)
	}
	return newPicturePanel(c, m)
}

// subtitle describes the windows, and which part of the data is drawn, when they
// are the same in all cases.
func subtitle(cases []ArrowCase) string {
	words := func(c *ArrowCase) string {
		line := describe(&c.Geometry)
		if c.Part != "" {
			line += " · " + c.Part
		}
		return line
	}
	line := words(&cases[0])
	for i := range cases {
		if words(&cases[i]) != line {
			return "how backpropagation shares the gradient of each output cell among the input cells of its window"
		}
	}
	return line
}

// describe says what the windows are, in words.
func describe(g *geom.Geometry) string {
	var size, stride, dilation, pads []string
	plain := true
	for _, a := range g.Spatial() {
		if a.Bounds != nil {
			return fmt.Sprintf("windows of up to %s cells · input %s · output %s", crossedBy(sizes(g)), crossedBy(g.In()), crossedBy(g.Out()))
		}
		size = append(size, fmt.Sprint(a.Size))
		stride = append(stride, fmt.Sprint(a.Stride))
		dilation = append(dilation, fmt.Sprint(a.Dilation))
		pads = append(pads, fmt.Sprintf("%d:%d", a.Lo, a.Hi))
		plain = plain && a.Dilation == 1
	}
	words := []string{"window " + strings.Join(size, "×"), "strides " + strings.Join(stride, "×")}
	if !plain {
		words = append(words, "dilations "+strings.Join(dilation, "×"))
	}
	if g.Rule == geom.Explicit {
		words = append(words, "padding "+strings.Join(pads, ","))
	} else {
		words = append(words, "padding "+g.Rule.String())
	}
	return strings.Join(append(words, "input "+crossedBy(g.In()), "output "+crossedBy(g.Out())), " · ")
}

func sizes(g *geom.Geometry) (list []int) {
	for _, a := range g.Spatial() {
		list = append(list, a.Size)
	}
	return list
}

func crossedBy(list []int) string { return tensor.Join(list, "×") }

// notesFor explains the marks.
func notesFor(cases []ArrowCase) string {
	notes := "One colour for each output cell, its window and its arrows. ∂: gradient. On an arrow: the share of the output cell's gradient that the input cell gets."
	var padded, silent bool
	for i := range cases {
		silent = silent || slices.Contains(cases[i].Upstream, 0)
		for _, a := range cases[i].Geometry.Spatial() {
			lo, hi := paddingOf(a)
			padded = padded || lo+hi > 0
		}
	}
	if silent {
		notes += " An output cell whose gradient is 0 sends none and has no arrows."
	}
	if padded {
		notes += " Dashed: padding, which keeps none."
	}
	return notes
}

// wrapped breaks a text into lines that fit the drawing's width.
func (f *drawing) wrapped(words string) (lines []string) {
	line := ""
	for word := range strings.FieldsSeq(words) {
		if line != "" && roomy*f.fonts.Width(line+" "+word, smallSize, false) > f.Width {
			lines, line = append(lines, line), ""
		}
		line = strings.TrimPrefix(line+" "+word, " ")
	}
	return append(lines, line)
}

// outputColor returns the colour of an output cell. Neighbours differ, in rows
// and in columns. A cell that sends nothing is grey.
func (c *ArrowCase) outputColor(out int) color.RGBA {
	if c.Upstream[out] == 0 {
		return silentColor
	}
	columns := c.Geometry.Axes[2].Out
	return outputColors[(out%columns+3*(out/columns))%len(outputColors)]
}

// tint returns a pale shade of a colour.
func tint(c color.RGBA, share float64) color.RGBA { return mix(panelColor, c, share) }

// write adds a line of text whose baseline is at y.
func (f *drawing) write(x, y float64, at scene.Anchor, size float64, bold bool, ink color.RGBA, words string) {
	f.Add(scene.Text{X: x, Y: y, Anchor: at, Size: size, Bold: bold, Color: ink, Line: words})
}

// caption writes a caption above a part of the drawing.
func (f *drawing) caption(x, y float64, line string) {
	f.write(x, y, scene.Start, smallSize, false, softColor, line)
}

// gradientCell draws a cell of the resulting gradient: its value and, if
// several shares meet in it, their sum.
func (f *drawing) gradientCell(c *ArrowCase, in int, cell scene.Box) {
	v := c.Gradient[in]
	cell.Fill, cell.Line, cell.Thickness = mix(panelColor, heat(v, f.scale), 0.8), ruleColor, 1
	if v == 0 {
		cell.Fill = panelColor
	}
	ink := inkColor
	if brightness(cell.Fill) < 0.5 {
		ink = panelColor
	}
	f.Add(cell)
	lines := c.sumLines(in, cell.Width, f.fonts)
	x := cell.X + cell.Width/2
	y := cell.Y + cell.Height/2 + 5 - sumLine*float64(len(lines))/2
	value := ink
	if v == 0 && len(lines) == 0 {
		value = faintColor
	}
	f.write(x, y, scene.Middle, valueSize, v != 0, value, brief(v))
	for i, line := range lines {
		f.write(x, y+2+sumLine*float64(i+1), scene.Middle, smallSize, false, ink, line)
	}
}

// brightness returns how bright a colour looks, 0 to 1.
func brightness(c color.RGBA) float64 {
	return (0.2126*float64(c.R) + 0.7152*float64(c.G) + 0.0722*float64(c.B)) / 255
}

// sharePill writes a share on an arrow, at the first of the places where no
// other share stands, or at the last if there is none.
func (f *drawing) sharePill(line string, ink color.RGBA, places ...scene.Point) {
	width := f.fonts.Width(line, smallSize, true) + 6
	pill := scene.Box{Width: width, Height: pillHeight, Radius: 4, Fill: panelColor}
	for _, p := range places {
		pill.X, pill.Y = p.X-width/2, p.Y-pill.Height/2
		if !f.covered(pill) {
			break
		}
	}
	f.labels = append(f.labels, pill)
	f.Add(pill)
	f.write(pill.X+width/2, pill.Y+pill.Height-3.6, scene.Middle, smallSize, true, ink, line)
}

func (f *drawing) covered(b scene.Box) bool {
	for _, o := range f.labels {
		if b.X < o.X+o.Width && o.X < b.X+b.Width && b.Y < o.Y+o.Height && o.Y < b.Y+b.Height {
			return true
		}
	}
	return false
}

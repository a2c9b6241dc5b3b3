package report

import (
	"fmt"
	"image/color"
	"math"
	"slices"
	"strings"

	"github.com/poolctl/poolctl/internal/geom"
	"github.com/poolctl/poolctl/internal/tensor"
)

// The colours of a drawing with arrows: that of paper, so that it prints, and
// opaque, so that it looks the same on a dark page.
var (
	paperColor = color.RGBA{0xf5, 0xf4, 0xf0, 0xff}
	panelColor = color.RGBA{0xff, 0xff, 0xff, 0xff}
	edgeColor  = color.RGBA{0xde, 0xdb, 0xd3, 0xff}
	ruleColor  = color.RGBA{0xc9, 0xc7, 0xc1, 0xff} // lines between cells
	inkColor   = color.RGBA{0x1d, 0x1f, 0x24, 0xff}
	softColor  = color.RGBA{0x63, 0x66, 0x6e, 0xff}
	faintColor = color.RGBA{0x9b, 0x9d, 0xa3, 0xff}
)

// outputColors tell output cells apart, for colour-blind readers too: the dark
// ones of Okabe and Ito, "Color Universal Design", 2008, with two of Paul Tol's
// muted scheme ("Colour Schemes", SRON/EPS/TN/09-002, 2021).
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
	widestRow    = 2100.0 // of panels side by side; beyond that they go below each other
	pillHeight   = 14.5   // of a share on an arrow
	noteLine     = 17.0
	captionGap   = 10.0 // between a caption and what it names
)

// figure is a drawing in the making.
type figure struct {
	scene
	fonts  *fonts
	scale  float64 // largest magnitude of a gradient, in all panels
	labels []box   // where shares are written
}

// panel is the drawing of one case.
type panel interface {
	size() (width, height float64)
	draw(f *figure, x, y float64) // its content, from that corner on
}

func drawArrows(cases []ArrowCase, fonts *fonts) *scene {
	f := &figure{fonts: fonts}
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
	f.title = headline
	top := figureMargin + headlineSize + 10 + bodySize + 18
	widths, heights := make([]float64, len(panels)), make([]float64, len(panels))
	across, below, tallest, widest := -panelGap, -panelGap, 0.0, 0.0
	for i, p := range panels {
		w, h := p.size()
		w = max(w, fonts.width(cases[i].Title, titleSize, true), fonts.width(cases[i].Rule, bodySize, false)) + 2*panelPadding
		h += 2*panelPadding + panelHead
		widths[i], heights[i] = w, h
		across, below = across+w+panelGap, below+h+panelGap
		tallest, widest = max(tallest, h), max(widest, w)
	}
	sideways := across <= widestRow
	if sideways {
		f.width, f.height = across, tallest
	} else {
		f.width, f.height = widest, below
	}
	f.width = max(f.width, fonts.width(headline, headlineSize, true), fonts.width(subtitle(cases), bodySize, false))
	notes := f.wrapped(notesFor(cases))
	f.width += 2 * figureMargin
	bottom := top + f.height + 10
	f.height = bottom + noteLine*float64(len(notes)) + figureMargin - 6
	f.add(box{width: f.width, height: f.height, fill: paperColor})
	f.add(text{figureMargin, figureMargin + headlineSize*0.8, start, headlineSize, true, inkColor, headline})
	f.add(text{figureMargin, figureMargin + headlineSize*0.8 + 26, start, bodySize, false, softColor, subtitle(cases)})
	x, y := figureMargin, top
	for i, p := range panels {
		w, h := widths[i], heights[i]
		if sideways {
			h = tallest
		} else {
			w = widest
		}
		f.add(box{x: x, y: y, width: w, height: h, radius: 10, fill: panelColor, line: edgeColor, thickness: 1})
		f.add(text{x + panelPadding, y + panelPadding + titleSize*0.75, start, titleSize, true, inkColor, cases[i].Title})
		f.add(text{x + panelPadding, y + panelPadding + titleSize*0.75 + 22, start, bodySize, false, softColor, cases[i].Rule})
		p.draw(f, x+panelPadding, y+panelPadding+panelHead)
		if sideways {
			x += w + panelGap
		} else {
			y += h + panelGap
		}
	}
	for i, note := range notes {
		f.add(text{figureMargin, bottom + noteLine*float64(i+1), start, smallSize, false, softColor, note})
	}
	return &f.scene
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

// subtitle describes the windows when all cases have the same.
func subtitle(cases []ArrowCase) string {
	line := describe(&cases[0].Geometry)
	for i := range cases {
		if describe(&cases[i].Geometry) != line {
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
	for i := range cases {
		for _, a := range cases[i].Geometry.Spatial() {
			if lo, hi := paddingOf(a); lo+hi > 0 {
				return notes + " Dashed: padding, which gets none."
			}
		}
	}
	return notes
}

// wrapped breaks a text into lines that fit the drawing's width.
func (f *figure) wrapped(words string) (lines []string) {
	line := ""
	for word := range strings.FieldsSeq(words) {
		if line != "" && roomy*f.fonts.width(line+" "+word, smallSize, false) > f.width {
			lines, line = append(lines, line), ""
		}
		line = strings.TrimPrefix(line+" "+word, " ")
	}
	return append(lines, line)
}

// outputColor returns the colour of an output cell. Neighbours differ, in rows
// and in columns.
func (c *ArrowCase) outputColor(out int) color.RGBA {
	columns := c.Geometry.Axes[2].Out
	return outputColors[(out%columns+3*(out/columns))%len(outputColors)]
}

// tint returns a pale shade of a colour.
func tint(c color.RGBA, share float64) color.RGBA { return mix(panelColor, c, share) }

// caption writes what the part below it is.
func (f *figure) caption(x, y float64, line string) {
	f.add(text{x, y, start, smallSize, false, softColor, line})
}

// gradientCell draws a cell of the resulting gradient: the sum and, where
// windows overlap, what it is the sum of.
func (f *figure) gradientCell(c *ArrowCase, in int, cell box) {
	v := c.Gradient[in]
	cell.fill, cell.line, cell.thickness = mix(panelColor, heat(v, f.scale), 0.8), ruleColor, 1
	if v == 0 {
		cell.fill = panelColor
	}
	ink := inkColor
	if brightness(cell.fill) < 0.5 {
		ink = panelColor
	}
	f.add(cell)
	x, y := cell.x+cell.width/2, cell.y+cell.height/2
	if parts := c.summands(in); parts != "" && f.fonts.width(parts, smallSize, false) < cell.width-6 {
		f.add(text{x, y - 1, middle, valueSize, true, ink, brief(v)})
		f.add(text{x, y + 14, middle, smallSize, false, ink, parts})
		return
	}
	if v == 0 {
		ink = faintColor
	}
	f.add(text{x, y + 5, middle, valueSize, v != 0, ink, brief(v)})
}

// brightness returns how bright a colour looks, 0 to 1.
func brightness(c color.RGBA) float64 {
	return (0.2126*float64(c.R) + 0.7152*float64(c.G) + 0.0722*float64(c.B)) / 255
}

// summands says what the gradient of a cell is the sum of: two or three
// numbers, or any number of equal ones.
func (c *ArrowCase) summands(in int) string {
	var parts []string
	for _, s := range c.Shares {
		if s.In == in {
			parts = append(parts, fraction(s.Weight*c.Upstream[s.Out]))
		}
	}
	n := len(parts)
	equal := n > 0 && !slices.ContainsFunc(parts, func(part string) bool { return part != parts[0] })
	switch {
	case n < 2:
		return ""
	case n > 2 && equal:
		return fmt.Sprintf("%d × %s", n, parts[0])
	case n > 3:
		return ""
	}
	line := parts[0]
	for _, part := range parts[1:] {
		if size, negative := strings.CutPrefix(part, "−"); negative {
			line += " − " + size
		} else {
			line += " + " + part
		}
	}
	return line
}

// sums writes that what comes in goes out.
func (f *figure) sums(c *ArrowCase, x, y float64) {
	total := func(values []float64) (sum float64) {
		for _, v := range values {
			sum += v
		}
		return sum
	}
	for i, row := range []struct {
		name   string
		values []float64
	}{{"∑ upstream", c.Upstream}, {"∑ gradient", c.Gradient}} {
		line := y + 20*float64(i)
		f.add(text{x, line, start, bodySize, false, softColor, row.name})
		f.add(text{x + 84, line, start, bodySize, true, inkColor, brief(total(row.values))})
	}
}

// sharePill writes a share on an arrow, at the first of the places where no other
// share stands, else at the last.
func (f *figure) sharePill(line string, ink color.RGBA, places ...point) {
	width := f.fonts.width(line, smallSize, true) + 6
	pill := box{width: width, height: pillHeight, radius: 4, fill: panelColor}
	for _, p := range places {
		pill.x, pill.y = p.x-width/2, p.y-pill.height/2
		if !f.covered(pill) {
			break
		}
	}
	f.labels = append(f.labels, pill)
	f.add(pill)
	f.add(text{pill.x + width/2, pill.y + pill.height - 3.6, middle, smallSize, true, ink, line})
}

func (f *figure) covered(b box) bool {
	for _, o := range f.labels {
		if b.x < o.x+o.width && o.x < b.x+b.width && b.y < o.y+o.height && o.y < b.y+b.height {
			return true
		}
	}
	return false
}

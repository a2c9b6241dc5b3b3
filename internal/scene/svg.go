package scene

import (
	"bytes"
	"encoding/xml"
	"fmt"
	"image/color"
	"math"
	"strconv"
	"strings"
)

// SVG returns the scene as a self-contained document: no script, no style
// sheet, no font file.
func (s *Scene) SVG() []byte {
	w := &svgWriter{}
	width, height := decimal(s.Width), decimal(s.Height)
	w.tag(`<svg xmlns="http://www.w3.org/2000/svg" width="%s" height="%s" viewBox="0 0 %s %s" role="img" font-family="%s">`,
		width, height, width, height, "Go, Helvetica, Arial, 'Liberation Sans', sans-serif")
	w.tag("<title>%s</title>", escaped(s.Title))
	if s.Paper.A > 0 {
		w.tag(`<rect width="%s" height="%s" fill="%s"/>`, width, height, hex(s.Paper))
	}
	for _, m := range s.Marks {
		m.svg(w)
	}
	w.tag("</svg>")
	return w.Bytes()
}

type svgWriter struct{ bytes.Buffer }

func (w *svgWriter) tag(format string, args ...any) { fmt.Fprintf(w, format+"\n", args...) }

func (b Box) svg(w *svgWriter) {
	attributes := fmt.Sprintf(`x="%s" y="%s" width="%s" height="%s" fill="%s"`, decimal(b.X), decimal(b.Y), decimal(b.Width), decimal(b.Height), hex(b.Fill))
	if b.Radius > 0 {
		attributes += fmt.Sprintf(` rx="%s"`, decimal(b.Radius))
	}
	if b.Line.A > 0 {
		attributes += fmt.Sprintf(` stroke="%s" stroke-width="%s"`, hex(b.Line), decimal(b.Thickness))
	}
	if b.Dashed {
		attributes += fmt.Sprintf(` stroke-dasharray="%s %s"`, decimal(dash[0]), decimal(dash[1]))
	}
	w.tag("<rect %s/>", attributes)
}

func (l Line) svg(w *svgWriter) {
	var d strings.Builder
	for i, s := range l.Path {
		switch {
		case i == 0:
			fmt.Fprintf(&d, "M%s", coordinates(s.to))
		case s.curved:
			fmt.Fprintf(&d, "C%s %s %s", coordinates(s.c1), coordinates(s.c2), coordinates(s.to))
		default:
			fmt.Fprintf(&d, "L%s", coordinates(s.to))
		}
	}
	w.tag(`<path d="%s" fill="none" stroke="%s" stroke-width="%s"/>`, d.String(), hex(l.Color), decimal(l.Thickness))
}

func (h Head) svg(w *svgWriter) {
	c := h.corners()
	points := make([]string, len(c))
	for i, p := range c {
		points[i] = coordinates(p)
	}
	w.tag(`<polygon points="%s" fill="%s"><title>%s</title></polygon>`, strings.Join(points, " "), hex(h.Color), escaped(h.Hint))
}

func (t Text) svg(w *svgWriter) {
	attributes := fmt.Sprintf(`x="%s" y="%s" font-size="%s" fill="%s"`, decimal(t.X), decimal(t.Y), decimal(t.Size), hex(t.Color))
	if t.Anchor != Start {
		attributes += ` text-anchor="` + [...]string{Middle: "middle", End: "end"}[t.Anchor] + `"`
	}
	if t.Bold {
		attributes += ` font-weight="bold"`
	}
	w.tag("<text %s>%s</text>", attributes, escaped(t.Line))
}

// decimal formats a length with at most two decimals.
func decimal(v float64) string {
	return strconv.FormatFloat(math.Round(v*100)/100+0, 'f', -1, 64) // + 0: no negative zero
}

func coordinates(p Point) string { return decimal(p.X) + "," + decimal(p.Y) }

func hex(c color.RGBA) string {
	if c.A == 0 {
		return "none"
	}
	return fmt.Sprintf("#%02x%02x%02x", c.R, c.G, c.B)
}

// escaped returns text for a document: characters that XML reserves become
// references, those that it forbids U+FFFD.
func escaped(line string) string {
	var b strings.Builder
	// Writing to a strings.Builder never fails.
	_ = xml.EscapeText(&b, []byte(line))
	return b.String()
}

package report

import (
	"bytes"
	"encoding/xml"
	"fmt"
	"image/color"
	"math"
	"strconv"
	"strings"
)

// svg returns the scene as a document that needs nothing else: no script, no
// style sheet, no font file.
func (s *scene) svg() []byte {
	w := &svgWriter{}
	width, height := decimal(s.width), decimal(s.height)
	w.tag(`<svg xmlns="http://www.w3.org/2000/svg" width="%s" height="%s" viewBox="0 0 %s %s" role="img" font-family="%s">`,
		width, height, width, height, "Go, Helvetica, Arial, 'Liberation Sans', sans-serif")
	w.tag("<title>%s</title>", escaped(s.title))
	for _, m := range s.marks {
		m.svg(w)
	}
	w.tag("</svg>")
	return w.Bytes()
}

type svgWriter struct{ bytes.Buffer }

func (w *svgWriter) tag(format string, args ...any) { fmt.Fprintf(w, format+"\n", args...) }

func (b box) svg(w *svgWriter) {
	attributes := fmt.Sprintf(`x="%s" y="%s" width="%s" height="%s" fill="%s"`, decimal(b.x), decimal(b.y), decimal(b.width), decimal(b.height), hex(b.fill))
	if b.radius > 0 {
		attributes += fmt.Sprintf(` rx="%s"`, decimal(b.radius))
	}
	if b.line.A > 0 {
		attributes += fmt.Sprintf(` stroke="%s" stroke-width="%s"`, hex(b.line), decimal(b.thickness))
	}
	if b.dashed {
		attributes += fmt.Sprintf(` stroke-dasharray="%s %s"`, decimal(dash[0]), decimal(dash[1]))
	}
	w.tag("<rect %s/>", attributes)
}

func (l line) svg(w *svgWriter) {
	var d strings.Builder
	for i, s := range l.path {
		switch {
		case i == 0:
			fmt.Fprintf(&d, "M%s", coordinates(s.to))
		case s.curved:
			fmt.Fprintf(&d, "C%s %s %s", coordinates(s.c1), coordinates(s.c2), coordinates(s.to))
		default:
			fmt.Fprintf(&d, "L%s", coordinates(s.to))
		}
	}
	w.tag(`<path d="%s" fill="none" stroke="%s" stroke-width="%s"/>`, d.String(), hex(l.color), decimal(l.thickness))
}

func (h head) svg(w *svgWriter) {
	c := h.corners()
	points := make([]string, len(c))
	for i, p := range c {
		points[i] = coordinates(p)
	}
	w.tag(`<polygon points="%s" fill="%s"><title>%s</title></polygon>`, strings.Join(points, " "), hex(h.color), escaped(h.hint))
}

func (t text) svg(w *svgWriter) {
	attributes := fmt.Sprintf(`x="%s" y="%s" font-size="%s" fill="%s"`, decimal(t.x), decimal(t.y), decimal(t.size), hex(t.color))
	if t.anchor != start {
		attributes += ` text-anchor="` + [...]string{middle: "middle", end: "end"}[t.anchor] + `"`
	}
	if t.bold {
		attributes += ` font-weight="bold"`
	}
	w.tag("<text %s>%s</text>", attributes, escaped(t.line))
}

// decimal formats a length with at most two decimals.
func decimal(v float64) string {
	return strconv.FormatFloat(math.Round(v*100)/100+0, 'f', -1, 64) // + 0: no negative zero
}

func coordinates(p point) string { return decimal(p.x) + "," + decimal(p.y) }

func hex(c color.RGBA) string {
	if c.A == 0 {
		return "none"
	}
	return fmt.Sprintf("#%02x%02x%02x", c.R, c.G, c.B)
}

// escaped returns text for a document: what XML reserves as references, what it
// forbids as U+FFFD.
func escaped(line string) string {
	var b strings.Builder
	// A strings.Builder does not fail.
	_ = xml.EscapeText(&b, []byte(line))
	return b.String()
}

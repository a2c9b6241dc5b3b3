package scene

import (
	"image/color"
	"math"
)

// Scene is a drawing: marks in the order in which they are painted. Lengths are
// in pixels of a screen, measured from the top left corner. The SVG document and
// the raster picture are made from the same marks, so they differ in their fonts
// at most.
type Scene struct {
	Width, Height float64
	Paper         color.RGBA // the background, to the last pixel of both forms
	Title         string     // what the drawing shows, for readers who cannot see it
	Marks         []Mark
}

// Mark is a Box, a Line, a Head or a Text.
type Mark interface {
	svg(w *svgWriter)
	raster(r *rasterizer)
}

// Add paints a mark over those that are there.
func (s *Scene) Add(m Mark) { s.Marks = append(s.Marks, m) }

// Point is a place, or a vector.
type Point struct{ X, Y float64 }

// Pt returns the point at x, y.
func Pt(x, y float64) Point { return Point{x, y} }

// Box is a rectangle with rounded corners. A colour with alpha 0 is not
// painted. The line runs on the edge.
type Box struct {
	X, Y, Width, Height float64
	Radius              float64
	Fill, Line          color.RGBA
	Thickness           float64
	Dashed              bool
}

// dash is the length of a dash and of the gap after it.
var dash = [2]float64{4, 3}

// Line is an open path.
type Line struct {
	Path      Path
	Color     color.RGBA
	Thickness float64
}

// Head is the head of an arrow: its tip, and the direction in which it points,
// a vector of length 1.
type Head struct {
	Tip, Direction Point
	Color          color.RGBA
	Hint           string // shown when a pointer rests on it
}

// The size of an arrow head, in pixels.
const (
	HeadLength = 8.0
	HeadWidth  = 6.4
)

// corners returns the head's triangle with a notch at its back.
func (h Head) corners() [4]Point {
	back := func(along, aside float64) Point {
		return Point{h.Tip.X - along*h.Direction.X - aside*h.Direction.Y, h.Tip.Y - along*h.Direction.Y + aside*h.Direction.X}
	}
	return [4]Point{h.Tip, back(HeadLength, HeadWidth/2), back(HeadLength*0.72, 0), back(HeadLength, -HeadWidth/2)}
}

// Anchor says which point of a text its X is.
type Anchor uint8

// A text begins at its X, has its middle there, or ends there.
const (
	Start Anchor = iota
	Middle
	End
)

// Text is one line; Y is its baseline and Size the height of its font in pixels.
type Text struct {
	X, Y   float64
	Anchor Anchor
	Size   float64
	Bold   bool
	Color  color.RGBA
	Line   string
}

// Path is a starting point and the segments that follow it.
type Path []segment

// segment leads to a point, straight or as a cubic Bézier curve.
type segment struct {
	to, c1, c2 Point
	curved     bool
}

// PathFrom returns a path that starts at x, y.
func PathFrom(x, y float64) Path { return Path{{to: Point{x, y}}} }

func (p Path) end() Point { return p[len(p)-1].to }

// LineTo continues to a point in a straight line.
func (p Path) LineTo(x, y float64) Path { return append(p, segment{to: Point{x, y}}) }

// SwingTo continues to a point by a curve that leaves and arrives horizontally.
func (p Path) SwingTo(x, y float64) Path {
	from := p.end()
	half := (x - from.X) / 2
	return append(p, segment{Point{x, y}, Point{from.X + half, from.Y}, Point{x - half, y}, true})
}

// CornerTo continues to a point over a rounded corner at (cx, cy).
func (p Path) CornerTo(cx, cy, x, y, radius float64) Path {
	from := p.end()
	before, after := math.Hypot(cx-from.X, cy-from.Y), math.Hypot(x-cx, y-cy)
	radius = min(radius, before, after)
	if radius <= 0 {
		return p.LineTo(cx, cy).LineTo(x, y)
	}
	in := Point{cx - (cx-from.X)*radius/before, cy - (cy-from.Y)*radius/before}
	out := Point{cx + (x-cx)*radius/after, cy + (y-cy)*radius/after}
	toward := func(q Point) Point { // a quadratic curve as a cubic one: two thirds of the way
		return Point{q.X + (cx-q.X)*2/3, q.Y + (cy-q.Y)*2/3}
	}
	p = p.LineTo(in.X, in.Y)
	return append(p, segment{out, toward(in), toward(out), true}).LineTo(x, y)
}

// flat returns the path as a polyline without repeated points.
func (p Path) flat() []Point {
	const steps = 24
	points := []Point{p[0].to}
	put := func(q Point) {
		if last := points[len(points)-1]; math.Hypot(q.X-last.X, q.Y-last.Y) > 1e-6 {
			points = append(points, q)
		}
	}
	for _, s := range p[1:] {
		if s.curved {
			from := points[len(points)-1]
			for i := 1; i < steps; i++ {
				put(bezier(from, s.c1, s.c2, s.to, float64(i)/steps))
			}
		}
		put(s.to)
	}
	return points
}

func bezier(a, b, c, d Point, t float64) Point {
	u := 1 - t
	p, q, r, s := u*u*u, 3*u*u*t, 3*u*t*t, t*t*t
	return Point{p*a.X + q*b.X + r*c.X + s*d.X, p*a.Y + q*b.Y + r*c.Y + s*d.Y}
}

package report

import (
	"image/color"
	"math"
)

// scene is a drawing: marks in the order in which they are painted, measured
// in pixels of a screen from the top left corner. It is written as SVG and
// rasterised from the same marks, so that the two cannot differ but in their
// fonts.
type scene struct {
	width, height float64
	title         string // what the drawing shows, for readers that do not see it
	marks         []mark
}

// mark is a box, a line, an arrow head or a text.
type mark interface {
	svg(w *svgWriter)
	raster(r *rasterizer)
}

func (s *scene) add(m mark) { s.marks = append(s.marks, m) }

type point struct{ x, y float64 }

// box is a rectangle with rounded corners; a colour whose alpha is 0 is not
// painted. The line runs on its edge.
type box struct {
	x, y, width, height float64
	radius              float64
	fill, line          color.RGBA
	thickness           float64
	dashed              bool
}

// dash is how long a dash and the gap after it are.
var dash = [2]float64{4, 3}

// line is an open path.
type line struct {
	path      path
	color     color.RGBA
	thickness float64
}

// head is the head of an arrow: its tip, and the direction in which it points,
// as a vector of length 1.
type head struct {
	tip, direction point
	color          color.RGBA
	hint           string // shown when a pointer rests on it
}

const (
	headLength = 8.0
	headWidth  = 6.4
)

// corners returns the head's triangle with a notch at its back.
func (h head) corners() [4]point {
	back := func(along, aside float64) point {
		return point{h.tip.x - along*h.direction.x - aside*h.direction.y, h.tip.y - along*h.direction.y + aside*h.direction.x}
	}
	return [4]point{h.tip, back(headLength, headWidth/2), back(headLength*0.72, 0), back(headLength, -headWidth/2)}
}

// anchor says which point of a text its x is.
type anchor uint8

const (
	start anchor = iota
	middle
	end
)

// text is one line; y is its baseline.
type text struct {
	x, y   float64
	anchor anchor
	size   float64
	bold   bool
	color  color.RGBA
	line   string
}

// path is a start and what follows it.
type path []segment

// segment leads to a point: straight, or as a cubic Bézier curve.
type segment struct {
	to, c1, c2 point
	curved     bool
}

func pathFrom(x, y float64) path { return path{{to: point{x, y}}} }

func (p path) end() point { return p[len(p)-1].to }

// lineTo goes on straight.
func (p path) lineTo(x, y float64) path { return append(p, segment{to: point{x, y}}) }

// swingTo goes on to a point in a curve that leaves and arrives level.
func (p path) swingTo(x, y float64) path {
	from := p.end()
	half := (x - from.x) / 2
	return append(p, segment{point{x, y}, point{from.x + half, from.y}, point{x - half, y}, true})
}

// cornerTo goes on to a point over a corner at (cx, cy) that is rounded off.
func (p path) cornerTo(cx, cy, x, y, radius float64) path {
	from := p.end()
	before, after := math.Hypot(cx-from.x, cy-from.y), math.Hypot(x-cx, y-cy)
	radius = min(radius, before, after)
	if radius <= 0 {
		return p.lineTo(cx, cy).lineTo(x, y)
	}
	in := point{cx - (cx-from.x)*radius/before, cy - (cy-from.y)*radius/before}
	out := point{cx + (x-cx)*radius/after, cy + (y-cy)*radius/after}
	toward := func(q point) point { // two thirds of the way: the cubic that is the quadratic curve
		return point{q.x + (cx-q.x)*2/3, q.y + (cy-q.y)*2/3}
	}
	p = p.lineTo(in.x, in.y)
	return append(p, segment{out, toward(in), toward(out), true}).lineTo(x, y)
}

// flat returns the path as points on it, without repetitions.
func (p path) flat() []point {
	const steps = 24
	points := []point{p[0].to}
	put := func(q point) {
		if last := points[len(points)-1]; math.Hypot(q.x-last.x, q.y-last.y) > 1e-6 {
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

func bezier(a, b, c, d point, t float64) point {
	u := 1 - t
	p, q, r, s := u*u*u, 3*u*u*t, 3*u*t*t, t*t*t
	return point{p*a.x + q*b.x + r*c.x + s*d.x, p*a.y + q*b.y + r*c.y + s*d.y}
}

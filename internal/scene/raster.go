package scene

import (
	"image"
	"image/color"
	"image/draw"
	"math"

	"golang.org/x/image/font"
	"golang.org/x/image/math/fixed"
	"golang.org/x/image/vector"
)

const (
	// sharp is how many pixels of a raster picture stand for one pixel of its scene
	// in each direction: two stay sharp on dense screens and on paper.
	sharp = 2
	// longest is the side in pixels that a raster picture has at most while its
	// scale is more than 1. Viewers and slides shrink what is larger.
	longest = 4096
)

// Scale returns how many pixels of the raster picture stand for one pixel of the
// scene: two, or less where the picture would be too large, but not less than one.
func (s *Scene) Scale() float64 {
	return min(sharp, max(longest/max(s.Width, s.Height), 1))
}

// Raster returns the scene as a picture, rounded up to whole pixels.
func (s *Scene) Raster(fonts *Fonts) *image.RGBA {
	scale := s.Scale()
	width, height := int(math.Ceil(s.Width*scale-1e-6)), int(math.Ceil(s.Height*scale-1e-6))
	r := &rasterizer{image.NewRGBA(image.Rect(0, 0, width, height)), scale, fonts, vector.NewRasterizer(0, 0)}
	draw.Draw(r.RGBA, r.Rect, image.NewUniform(s.Paper), image.Point{}, draw.Src)
	for _, m := range s.Marks {
		m.raster(r)
	}
	return r.RGBA
}

type rasterizer struct {
	*image.RGBA
	scale  float64
	fonts  *Fonts
	vector *vector.Rasterizer
}

// fill paints the inside of closed outlines. An outline inside another one
// makes a hole if it runs the other way round.
func (r *rasterizer) fill(ink color.RGBA, outlines ...[]Point) {
	lo, hi := Point{math.Inf(1), math.Inf(1)}, Point{math.Inf(-1), math.Inf(-1)}
	for _, outline := range outlines {
		for _, p := range outline {
			lo = Point{min(lo.X, p.X), min(lo.Y, p.Y)}
			hi = Point{max(hi.X, p.X), max(hi.Y, p.Y)}
		}
	}
	x0, y0 := math.Floor(lo.X*r.scale), math.Floor(lo.Y*r.scale)
	area := image.Rect(int(x0), int(y0), int(math.Ceil(hi.X*r.scale)), int(math.Ceil(hi.Y*r.scale)))
	r.vector.Reset(area.Dx(), area.Dy())
	for _, outline := range outlines {
		for i, p := range outline {
			x, y := float32(p.X*r.scale-x0), float32(p.Y*r.scale-y0)
			if i == 0 {
				r.vector.MoveTo(x, y)
			} else {
				r.vector.LineTo(x, y)
			}
		}
		r.vector.ClosePath()
	}
	r.vector.Draw(r.RGBA, area, image.NewUniform(ink), image.Point{})
}

// stroke paints a line along points.
func (r *rasterizer) stroke(points []Point, thickness float64, ink color.RGBA) {
	if len(points) > 1 {
		r.fill(ink, band(points, thickness/2))
	}
}

// band returns the outline of a line along points: one side forth, the other
// side back, mitred at the bends.
func band(points []Point, half float64) []Point {
	left, right := make([]Point, len(points)), make([]Point, 0, 2*len(points))
	for i, p := range points {
		a, b := points[max(i-1, 0)], points[min(i+1, len(points)-1)]
		in, out := Direction(a, p), Direction(p, b)
		switch i {
		case 0:
			in = out
		case len(points) - 1:
			out = in
		}
		nx, ny := -(in.Y + out.Y), in.X+out.X
		scale := half * 2 / max(nx*nx+ny*ny, 0.5)
		left[i] = Point{p.X + nx*scale, p.Y + ny*scale}
		right = append(right, Point{p.X - nx*scale, p.Y - ny*scale})
	}
	for i := len(left) - 1; i >= 0; i-- {
		right = append(right, left[i])
	}
	return right
}

// Direction returns the direction from one point to another as a vector of length
// 1, or a zero vector if they are the same.
func Direction(a, b Point) Point {
	if d := math.Hypot(b.X-a.X, b.Y-a.Y); d > 0 {
		return Point{(b.X - a.X) / d, (b.Y - a.Y) / d}
	}
	return Point{}
}

func (b Box) raster(r *rasterizer) {
	if b.Fill.A > 0 {
		r.fill(b.Fill, b.outline(0))
	}
	switch {
	case b.Line.A == 0:
	case b.Dashed:
		edge := b.outline(0)
		for _, piece := range dashes(append(edge, edge[0])) {
			r.stroke(piece, b.Thickness, b.Line)
		}
	default:
		inner := b.outline(-b.Thickness / 2)
		for i, j := 0, len(inner)-1; i < j; i, j = i+1, j-1 {
			inner[i], inner[j] = inner[j], inner[i]
		}
		r.fill(b.Line, b.outline(b.Thickness/2), inner)
	}
}

// outline returns the edge of the box, moved outwards by grow.
func (b Box) outline(grow float64) []Point {
	x0, y0, x1, y1 := b.X-grow, b.Y-grow, b.X+b.Width+grow, b.Y+b.Height+grow
	radius := min(b.Radius+grow, (x1-x0)/2, (y1-y0)/2)
	if b.Radius == 0 || radius <= 0 {
		return []Point{{x0, y0}, {x1, y0}, {x1, y1}, {x0, y1}}
	}
	const steps = 8
	var points []Point
	for corner, c := range [4]Point{{x1 - radius, y0 + radius}, {x1 - radius, y1 - radius}, {x0 + radius, y1 - radius}, {x0 + radius, y0 + radius}} {
		for i := range steps + 1 {
			sin, cos := math.Sincos((float64(corner-1) + float64(i)/steps) * math.Pi / 2)
			points = append(points, Point{c.X + radius*cos, c.Y + radius*sin})
		}
	}
	return points
}

// dashes cuts a line along points into its dashes.
func dashes(points []Point) (pieces [][]Point) {
	on, rest := true, dash[0]
	piece := []Point{points[0]}
	for i := 1; i < len(points); i++ {
		a, b := points[i-1], points[i]
		d := Direction(a, b)
		for length := math.Hypot(b.X-a.X, b.Y-a.Y); length > 0; {
			step := min(length, rest)
			a = Point{a.X + d.X*step, a.Y + d.Y*step}
			length, rest = length-step, rest-step
			piece = append(piece, a)
			if rest > 0 {
				continue
			}
			if on {
				pieces = append(pieces, piece)
			}
			on = !on
			piece, rest = []Point{a}, dash[0]
			if !on {
				rest = dash[1]
			}
		}
	}
	if on && len(piece) > 1 {
		pieces = append(pieces, piece)
	}
	return pieces
}

func (l Line) raster(r *rasterizer) { r.stroke(l.Path.flat(), l.Thickness, l.Color) }

func (h Head) raster(r *rasterizer) {
	c := h.corners()
	r.fill(h.Color, c[:])
}

func (t Text) raster(r *rasterizer) {
	x := t.X
	switch width := r.fonts.Width(t.Line, t.Size, t.Bold); t.Anchor {
	case Start:
	case Middle:
		x -= width / 2
	case End:
		x -= width
	}
	d := font.Drawer{Dst: r.RGBA, Src: image.NewUniform(t.Color), Face: r.fonts.face(t.Size*r.scale, t.Bold), Dot: fixedPoint(x*r.scale, t.Y*r.scale)}
	d.DrawString(t.Line)
}

func fixedPoint(x, y float64) fixed.Point26_6 {
	return fixed.Point26_6{X: fixed.Int26_6(math.Round(x * 64)), Y: fixed.Int26_6(math.Round(y * 64))}
}

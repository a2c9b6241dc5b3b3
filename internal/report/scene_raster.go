package report

import (
	"image"
	"image/color"
	"math"

	"golang.org/x/image/font"
	"golang.org/x/image/font/gofont/gobold"
	"golang.org/x/image/font/gofont/goregular"
	"golang.org/x/image/font/opentype"
	"golang.org/x/image/math/fixed"
	"golang.org/x/image/vector"
)

// rasterScale is how many pixels of the picture make one of the scene: sharp
// on dense screens and on paper.
const rasterScale = 2

// raster returns the scene as a picture.
func (s *scene) raster(fonts *fonts) canvas {
	width, height := int(math.Ceil(s.width*rasterScale)), int(math.Ceil(s.height*rasterScale))
	r := &rasterizer{newCanvas(width, height), fonts, vector.NewRasterizer(0, 0)}
	for _, m := range s.marks {
		m.raster(r)
	}
	return r.canvas
}

type rasterizer struct {
	canvas
	fonts  *fonts
	vector *vector.Rasterizer
}

// fill paints the inside of closed outlines. Where two of them overlap, one
// inside another runs the other way round to make a hole.
func (r *rasterizer) fill(ink color.RGBA, outlines ...[]point) {
	lo, hi := point{math.Inf(1), math.Inf(1)}, point{math.Inf(-1), math.Inf(-1)}
	for _, outline := range outlines {
		for _, p := range outline {
			lo = point{min(lo.x, p.x), min(lo.y, p.y)}
			hi = point{max(hi.x, p.x), max(hi.y, p.y)}
		}
	}
	x0, y0 := math.Floor(lo.x*rasterScale), math.Floor(lo.y*rasterScale)
	area := image.Rect(int(x0), int(y0), int(math.Ceil(hi.x*rasterScale)), int(math.Ceil(hi.y*rasterScale)))
	r.vector.Reset(area.Dx(), area.Dy())
	for _, outline := range outlines {
		for i, p := range outline {
			x, y := float32(p.x*rasterScale-x0), float32(p.y*rasterScale-y0)
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
func (r *rasterizer) stroke(points []point, thickness float64, ink color.RGBA) {
	if len(points) > 1 {
		r.fill(ink, band(points, thickness/2))
	}
}

// band returns the outline of a line along points: one side there, the other
// side back, mitred where it bends.
func band(points []point, half float64) []point {
	left, right := make([]point, len(points)), make([]point, 0, 2*len(points))
	for i, p := range points {
		a, b := points[max(i-1, 0)], points[min(i+1, len(points)-1)]
		in, out := unit(a, p), unit(p, b)
		switch i {
		case 0:
			in = out
		case len(points) - 1:
			out = in
		}
		nx, ny := -(in.y + out.y), in.x+out.x
		scale := half * 2 / max(nx*nx+ny*ny, 0.5)
		left[i] = point{p.x + nx*scale, p.y + ny*scale}
		right = append(right, point{p.x - nx*scale, p.y - ny*scale})
	}
	for i := len(left) - 1; i >= 0; i-- {
		right = append(right, left[i])
	}
	return right
}

// unit returns the direction from one point to another.
func unit(a, b point) point {
	if d := math.Hypot(b.x-a.x, b.y-a.y); d > 0 {
		return point{(b.x - a.x) / d, (b.y - a.y) / d}
	}
	return point{}
}

func (b box) raster(r *rasterizer) {
	if b.fill.A > 0 {
		r.fill(b.fill, b.outline(0))
	}
	switch {
	case b.line.A == 0:
	case b.dashed:
		edge := b.outline(0)
		for _, piece := range dashes(append(edge, edge[0])) {
			r.stroke(piece, b.thickness, b.line)
		}
	default:
		inner := b.outline(-b.thickness / 2)
		for i, j := 0, len(inner)-1; i < j; i, j = i+1, j-1 {
			inner[i], inner[j] = inner[j], inner[i]
		}
		r.fill(b.line, b.outline(b.thickness/2), inner)
	}
}

// outline returns the edge of the box, moved outwards by grow.
func (b box) outline(grow float64) []point {
	x0, y0, x1, y1 := b.x-grow, b.y-grow, b.x+b.width+grow, b.y+b.height+grow
	radius := min(b.radius+grow, (x1-x0)/2, (y1-y0)/2)
	if b.radius == 0 || radius <= 0 {
		return []point{{x0, y0}, {x1, y0}, {x1, y1}, {x0, y1}}
	}
	const steps = 8
	var points []point
	for corner, c := range [4]point{{x1 - radius, y0 + radius}, {x1 - radius, y1 - radius}, {x0 + radius, y1 - radius}, {x0 + radius, y0 + radius}} {
		for i := range steps + 1 {
			sin, cos := math.Sincos((float64(corner-1) + float64(i)/steps) * math.Pi / 2)
			points = append(points, point{c.x + radius*cos, c.y + radius*sin})
		}
	}
	return points
}

// dashes cuts a line along points into its dashes.
func dashes(points []point) (pieces [][]point) {
	on, rest := true, dash[0]
	piece := []point{points[0]}
	for i := 1; i < len(points); i++ {
		a, b := points[i-1], points[i]
		d := unit(a, b)
		for length := math.Hypot(b.x-a.x, b.y-a.y); length > 0; {
			step := min(length, rest)
			a = point{a.x + d.x*step, a.y + d.y*step}
			length, rest = length-step, rest-step
			piece = append(piece, a)
			if rest > 0 {
				continue
			}
			if on {
				pieces = append(pieces, piece)
			}
			on = !on
			piece, rest = []point{a}, dash[0]
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

func (l line) raster(r *rasterizer) { r.stroke(l.path.flat(), l.thickness, l.color) }

func (h head) raster(r *rasterizer) {
	c := h.corners()
	r.fill(h.color, c[:])
}

func (t text) raster(r *rasterizer) {
	x := t.x
	switch width := r.fonts.width(t.line, t.size, t.bold); t.anchor {
	case middle:
		x -= width / 2
	case end:
		x -= width
	}
	d := font.Drawer{Dst: r.RGBA, Src: image.NewUniform(t.color), Face: r.fonts.face(t.size*rasterScale, t.bold), Dot: fixedPoint(x, t.y)}
	d.DrawString(t.line)
}

func fixedPoint(x, y float64) fixed.Point26_6 {
	return fixed.Point26_6{X: fixed.Int26_6(math.Round(x * rasterScale * 64)), Y: fixed.Int26_6(math.Round(y * rasterScale * 64))}
}

// fonts are the Go fonts, of which each program that draws has a copy (they are
// in golang.org/x/image, under the licence of Go).
type fonts struct {
	regular, bold *opentype.Font
	faces         map[faceKey]font.Face
}

type faceKey struct {
	size float64
	bold bool
}

func newFonts() (*fonts, error) {
	regular, err := opentype.Parse(goregular.TTF)
	if err != nil {
		return nil, err
	}
	bold, err := opentype.Parse(gobold.TTF)
	return &fonts{regular, bold, map[faceKey]font.Face{}}, err
}

// face returns the font in a size in pixels.
func (f *fonts) face(size float64, bold bool) font.Face {
	key := faceKey{size, bold}
	if face := f.faces[key]; face != nil {
		return face
	}
	from := f.regular
	if bold {
		from = f.bold
	}
	// NewFace has an error for the sake of the future: it returns none.
	face, _ := opentype.NewFace(from, &opentype.FaceOptions{Size: size, DPI: 72, Hinting: font.HintingNone})
	f.faces[key] = face
	return face
}

// width returns the width of a line.
func (f *fonts) width(line string, size float64, bold bool) float64 {
	return float64(font.MeasureString(f.face(size*rasterScale, bold), line)) / 64 / rasterScale
}
